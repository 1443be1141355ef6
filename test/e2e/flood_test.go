package e2e_test

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keystile/internal/sigv4"
)

// refusals is how many requests the flood makes, and over how many connections: a
// few, or as many as KEYSTILE_SOAK_REFUSALS says.
func refusals(t *testing.T) (requests, connections int) {
	text := os.Getenv("KEYSTILE_SOAK_REFUSALS")
	if text == "" {
		return 4_000, 96
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	return n, 480
}

// from is a client whose requests come from one of this machine's addresses.
func from(address string, connections int) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: connections}, Timeout: time.Minute}
}

// TestAFloodOfRefusalsHidesNothing has three clients flood the gateway with
// requests that it refuses: unsigned, signed by ever new keys, and out of their
// scope. Every one is counted, the journal grows by a bound that the number of
// requests has no part in, and all that another tenant does meanwhile has its own
// event.
func TestAFloodOfRefusalsHidesNothing(t *testing.T) {
	data := t.TempDir() + "/data"
	s := start(t, data, "")
	tenant, flooder := s.mint("uploads:read,list,write,delete"), s.mint("uploads:read")
	before, began := journalSize(t, data), time.Now()
	n, connections := refusals(t)
	var next atomic.Int64
	var refused [3]atomic.Int64
	var clients sync.WaitGroup
	for worker := range connections {
		kind := worker % 3
		client := from([]string{"127.0.0.11", "127.0.0.12", "127.0.0.13"}[kind], 1)
		clients.Go(func() {
			defer client.CloseIdleConnections()
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				c := flooder
				switch kind {
				case 0:
					c.AccessKeyID = ""
				case 1:
					c.AccessKeyID = fmt.Sprintf("AKIA%016d", i)
				}
				if status := s.ask(client, c, http.MethodPut, fmt.Sprintf("/uploads/flood/%d", i), "x"); status == 401 || status == 403 {
					refused[kind].Add(1)
				} else {
					t.Errorf("one of the flood gets %d", status)
					return
				}
			}
		})
	}
	flooded := make(chan struct{})
	go func() { clients.Wait(); close(flooded) }()
	own := s.worksOn(from("127.0.0.77", 1), tenant, flooded)
	took, grown := time.Since(began), journalSize(t, data)-before // the tenant's own events included

	// Each kind: ten of its own and a count, anew every minute, over every address.
	counted := map[string]int64{}
	rows := 0
	for _, e := range s.audit("--action", "s3.proxy.putobject", "--limit", "10000000") {
		switch {
		case e.SourceIP == "127.0.0.77" && e.Detail.AccessKeyID == tenant.AccessKeyID:
			delete(own, e.Key+" "+e.Result)
		case strings.HasPrefix(e.SourceIP, "127.0.0.1"):
			rows++
			counted[e.SourceIP] += max(1, e.Detail.Count)
		}
	}
	for missing := range own {
		t.Errorf("the tenant's %s has no event", missing)
	}
	for kind := range refused {
		if ip := fmt.Sprintf("127.0.0.1%d", kind+1); counted[ip] != refused[kind].Load() || counted[ip] == 0 {
			t.Errorf("%s was refused %d times, the trail counts %d", ip, refused[kind].Load(), counted[ip])
		}
	}
	minutes := int(took/time.Minute) + 2
	if rows > 3*11*minutes {
		t.Errorf("the flood has %d events of its own in %s", rows, took)
	}
	if most := int64(1<<20) + int64(took.Seconds()+1)*64<<10; grown > most {
		t.Errorf("the journal grew by %d bytes in %s, more than %d", grown, took, most)
	}
	t.Logf("%d refusals in %s: %d events, the journal grew by %d KiB", n, took.Round(time.Second), rows, grown>>10)
}

// worksOn writes, and tries what it may not, every now and then until the flood is
// over; it returns all that is to be in the trail.
func (s *server) worksOn(client *http.Client, c credential, over <-chan struct{}) map[string]bool {
	s.t.Helper()
	own := map[string]bool{}
	for i := 0; ; i++ {
		select {
		case <-over:
			if i >= 20 {
				return own
			}
		case <-time.After(50 * time.Millisecond):
		}
		key := fmt.Sprintf("tenant/%d", i)
		if status := s.ask(client, c, http.MethodPut, "/uploads/"+key, "x"); status != http.StatusOK {
			s.t.Fatalf("the tenant's write gets %d", status)
		}
		own[key+" ok"] = true
		if i%100 == 0 && i < 1000 { // below what is counted as a flood
			if status := s.ask(client, c, http.MethodPut, "/elsewhere/"+key, "x"); status != http.StatusForbidden {
				s.t.Fatalf("the tenant's forbidden write gets %d", status)
			}
			own[key+" denied"] = true
		}
	}
}

// ask sends one request, unsigned where the credential has no key, and returns
// its answer's status, 0 for none.
func (s *server) ask(client *http.Client, c credential, method, path, body string) int {
	req, err := http.NewRequest(method, s.S3Endpoint+path, strings.NewReader(body))
	if err != nil {
		return 0
	}
	if c.AccessKeyID != "" {
		signer := sigv4.NewSigner(c.AccessKeyID, c.SecretAccessKey, "us-east-1", "s3")
		if signer.Sign(method, path, "", req.URL.Host, req.Header, sigv4.UnsignedPayload, time.Now()) != nil {
			return 0
		}
	}
	res, err := client.Do(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode
}

// journalSize is how many bytes the journal takes.
func journalSize(t *testing.T, data string) (size int64) {
	t.Helper()
	must(t, filepath.WalkDir(filepath.Join(data, "journal"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	}))
	return size
}
