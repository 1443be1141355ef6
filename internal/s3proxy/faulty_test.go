package s3proxy_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
	"keystile/internal/s3test"
	"keystile/internal/upstream"
)

// Every wait for a backend that fails in this suite is over within faultyBound,
// as its limits are far shorter.
const faultyBound = 10 * time.Second

var faultyTimeouts = upstream.Timeouts{
	Connect: 300 * time.Millisecond, ReadAnswer: 400 * time.Millisecond, WriteAnswer: 3 * time.Second,
	LongAnswer: 600 * time.Millisecond, Idle: 400 * time.Millisecond,
}

// faulty is a gateway in front of a backend in trouble, "prod", and one that is
// well, "well".
type faulty struct {
	*gateway
	registry *upstream.Registry
	well     *s3test.Server
	key      key
}

func newFaulty(t *testing.T, endpoint string, change ...func(*upstream.Options)) *faulty {
	t.Helper()
	f := &faulty{well: s3test.New(t)}
	f.well.PutObject("uploads", "a", []byte("well"))
	describe := func(id, url string) upstream.Endpoint {
		return upstream.Endpoint{
			Backend: keystile.Backend{ID: id, Kind: keystile.KindS3, Endpoint: url, Region: "eu-test-1", PathStyle: true, AccessKeyID: backendKey},
			Secret:  keystile.NewSecret(backendSecret),
		}
	}
	f.gateway = newGateway(t, func(o *s3proxy.Options) {
		options := upstream.Options{
			Declared: []upstream.Endpoint{describe("prod", endpoint), describe("well", f.well.URL)},
			Store:    openStore(t), Dialer: upstream.NewDialer(), Log: slog.New(slog.DiscardHandler), Timeouts: faultyTimeouts,
		}
		for _, c := range change {
			c(&options)
		}
		f.registry = upstream.NewRegistry(options)
		t.Cleanup(f.registry.Close)
		o.Backends = f.registry
	})
	f.key = f.mint("prod/uploads:read,list,write,delete", "well/uploads:read,list@well")
	return f
}

// try makes a request whose answer may break off: cut is true then.
func (f *faulty) try(c call) (r result, cut bool) {
	f.t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(f.request(f.key, c))
	if err != nil {
		return result{}, true
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	r = result{status: res.StatusCode, header: res.Header, body: string(data)}
	r.code, r.message = errorIn(data)
	return r, err != nil
}

// othersGoOn fails unless what does not need the backend in trouble is answered
// at once.
func (f *faulty) othersGoOn() {
	f.t.Helper()
	began := time.Now()
	if r, cut := f.try(call{method: get, path: "/well/a"}); cut || r.body != "well" {
		f.t.Errorf("another backend's object: %d %s", r.status, r.body)
	}
	if r, cut := f.try(call{method: get, path: "/"}); cut || r.status != 200 || !strings.Contains(r.body, "<Name>uploads<") {
		f.t.Errorf("ListBuckets: %d %s", r.status, r.body)
	}
	if r, cut := f.try(call{method: get, path: "/payroll/a"}); cut || r.status != 403 {
		f.t.Errorf("a refusal: %d %s", r.status, r.body)
	}
	if took := time.Since(began); took > time.Second {
		f.t.Errorf("others waited %s", took)
	}
}

// settles fails unless the backend's pool holds nothing but idle connections.
func (f *faulty) settles() {
	f.t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		l := f.registry.Loads()["prod"]
		if l.Open == l.Idle && l.Waiting == 0 {
			return
		}
		if time.Now().After(end) {
			f.t.Fatalf("connections are left: %+v", l)
		}
	}
}

// blackHole is an address that never completes a connection: the kernel's queue
// of a socket on which nobody accepts is full.
func blackHole(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	must(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	must(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(t, syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	must(t, err)
	addr := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*syscall.SockaddrInet4).Port}).String()
	for range 16 {
		c, err := net.DialTimeout("tcp", addr, 200*time.Millisecond)
		if err != nil {
			return "http://" + addr
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	t.Fatal("the queue does not fill")
	return ""
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	return "http://" + ln.Addr().String()
}

// noGoroutineIsLeft compares with a count from before.
func noGoroutineIsLeft(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<18)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// faultyCase is one way of a backend to misbehave, and what the client gets.
type faultyCase struct {
	name   string
	call   call
	script func(*s3test.RawConn)
	status int
	code   string
	// cut: the answer begins and breaks off.
	cut bool
}

func TestFaultyBackend(t *testing.T) {
	runtime.GC()
	before := runtime.NumGoroutine()
	t.Run("cases", func(t *testing.T) {
		cases := faultyCases()
		if len(cases) < 80 {
			t.Errorf("only %d cases", len(cases))
		}
		for _, tt := range cases {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				f := newFaulty(t, s3test.NewRaw(t, tt.script).URL)
				f.meets(tt)
			})
		}
		for name, endpoint := range map[string]func(*testing.T) string{"refuses connections": closedPort, "is a black hole": blackHole} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f := newFaulty(t, endpoint(t))
				f.meets(faultyCase{call: readA, status: 503, code: "ServiceUnavailable"})
			})
		}
	})
	noGoroutineIsLeft(t, before)
}

// meets makes the request, with others beside it.
func (f *faulty) meets(tt faultyCase) {
	f.t.Helper()
	began, others := time.Now(), make(chan struct{})
	go func() {
		defer close(others)
		f.othersGoOn()
	}()
	r, cut := f.try(tt.call)
	if took := time.Since(began); took > faultyBound {
		f.t.Errorf("it took %s", took)
	}
	<-others
	switch {
	case cut != tt.cut:
		f.t.Errorf("cut: %t, want %t; got %d with %d bytes", cut, tt.cut, r.status, len(r.body))
	case !cut && (r.status != tt.status || r.code != tt.code):
		f.t.Errorf("got %d %s %q, want %d %s", r.status, r.code, r.message, tt.status, tt.code)
	case !cut && tt.call.method != head && tt.code != "" && r.message == "":
		f.t.Error("the message is empty")
	}
	for _, internal := range []string{"127.0.0.1", "internal.example", backendKey} {
		if strings.Contains(r.body, internal) || strings.Contains(r.header.Get("Location"), internal) {
			f.t.Errorf("the client is shown %q: %s", internal, r.body)
		}
	}
	f.settles()
	f.isNoSuccess(tt)
}

// isNoSuccess fails if a write that failed is recorded as done, or is still
// open.
func (f *faulty) isNoSuccess(tt faultyCase) {
	f.t.Helper()
	if tt.call.method == get || tt.call.method == head || tt.status < 300 {
		return
	}
	for _, e := range f.events(keystile.EventFilter{}) {
		if strings.HasPrefix(e.Action, "s3.proxy.") && e.Backend == "prod" && (e.Open || e.Result == keystile.ResultOK) {
			f.t.Errorf("the trail says %s %s, open: %t", e.Action, e.Result, e.Open)
		}
	}
}
