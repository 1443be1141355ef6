package e2e_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"keystile/internal/certs/certtest"
	"keystile/internal/journal"
	"keystile/internal/s3test"
	"keystile/internal/sigv4"
)

// shipped counts what a receiver of the audit journal got, by record.
type shipped struct {
	mu      sync.Mutex
	records map[uint64]string // what each record held
	again   int               // records that came more than once
	unlike  int               // of these, in another form
}

func (s *shipped) add(line []byte) {
	var r struct {
		Record    uint64          `json:"record"`
		Event     json.RawMessage `json:"event"`
		Outcome   json.RawMessage `json:"outcome"`
		Tally     json.RawMessage `json:"tally"`
		Signature string          `json:"signature"`
	}
	if json.Unmarshal(line, &r) != nil || r.Signature != "" {
		return
	}
	holds := string(r.Event) + string(r.Outcome) + string(r.Tally)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records == nil {
		s.records = map[uint64]string{}
	}
	if before, ok := s.records[r.Record]; ok {
		s.again++
		if before != holds {
			s.unlike++
		}
	}
	s.records[r.Record] = holds
}

func (s *shipped) serveHook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var m struct {
		Data struct {
			Records []json.RawMessage `json:"records"`
		} `json:"data"`
	}
	if err != nil || json.Unmarshal(body, &m) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, line := range m.Data.Records {
		s.add(line)
	}
}

// serveSyslog takes connections until the listener closes.
func (s *shipped) serveSyslog(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			in := bufio.NewReader(conn)
			for {
				var length int
				if _, err := fmt.Fscanf(in, "%d ", &length); err != nil {
					return
				}
				message := make([]byte, length)
				if _, err := io.ReadFull(in, message); err != nil {
					return
				}
				s.add(message[bytes.IndexByte(message, '{'):])
			}
		}()
	}
}

// freeAddress is one that nobody listens on now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, l.Close()) }()
	return l.Addr().String()
}

// serve runs the server on a configuration file, at addresses that stay.
func (s *server) serve(config string) {
	s.t.Helper()
	s.cmd = exec.Command(binary, "serve", "--config", config)
	s.cmd.Env = append(cleanEnv(), "SHIP_SECRET=of-the-test")
	s.stderr, s.ended = &bytes.Buffer{}, make(chan struct{})
	s.cmd.Stderr = s.stderr
	must(s.t, s.cmd.Start())
	cmd, ended := s.cmd, s.ended
	go func() {
		s.err = cmd.Wait()
		close(ended)
	}()
	s.t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get(s.DashboardURL + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(end) {
			s.t.Fatalf("serve was not ready in a minute\n%s", s.stderr)
		}
	}
}

// TestEverySinkHasTheWholeTrailAfterAKill kills the server under load, with three
// sinks that it ships to. What counts is what the receivers counted: afterwards
// each has every record of the journal, as it stands there.
func TestEverySinkHasTheWholeTrailAfterAKill(t *testing.T) {
	var hook, syslog shipped
	receiver := httptest.NewServer(http.HandlerFunc(hook.serveHook))
	defer receiver.Close()
	ca, clients, dir := certtest.NewCA(t), certtest.NewCA(t), t.TempDir()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{ca.Issue(time.Hour).TLS(t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients.Pool(),
	})
	must(t, err)
	defer func() { _ = listener.Close() }()
	go syslog.serveSyslog(listener)

	backend := s3test.New(t)
	backend.CreateBucket("load")
	data := filepath.Join(dir, "data")
	s := start(t, data, "")
	run(t, append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.token), "a secret of the tests", binary, "backend", "add", "counting",
		"--endpoint", backend.URL, "--access-key-id", "COUNTING", "--secret-access-key-stdin").want(t, 0, "")
	s.BackendID = "counting"
	c := s.mint("load:read,list,write,delete")
	s.interrupt()

	api, s3 := freeAddress(t), freeAddress(t)
	s.DashboardURL, s.S3Endpoint = "http://"+api, "http://"+s3
	cert, key := clients.Issue(time.Hour).Write(t, t.TempDir())
	lines := filepath.Join(dir, "audit.jsonl")
	config := certtest.File(t, dir, "keystile.yaml", fmt.Appendf(nil, `
data_dir: %s
server: {listen: %q}
s3_proxy: {listen: %q}
audit:
  sinks:
    - {name: hook, kind: webhook, url: %q, secret_env: SHIP_SECRET}
    - {name: lines, kind: file, path: %s, max_bytes: 0}
    - name: siem
      kind: syslog
      address: %s
      tls: {ca_file: %s, client_cert_file: %s, client_key_file: %s}
`, data, api, s3, receiver.URL, lines, listener.Addr(), certtest.File(t, dir, "ca.pem", ca.PEM), cert, key))
	times, each := crashes(t)
	l := &load{client: &http.Client{Timeout: time.Minute}, endpoint: s.S3Endpoint, signer: sigv4.NewSigner(c.AccessKeyID, c.SecretAccessKey, "us-east-1", "s3"), done: map[mutation]bool{}}
	s.serve(config)
	for round := range times {
		backend.Reset()
		var writers sync.WaitGroup
		for n := range 4 {
			writers.Go(func() {
				for i := 0; l.step(fmt.Sprintf("%d-%d-%d", round, n, i), i); i++ {
				}
			})
		}
		for end := time.Now().Add(5 * time.Minute); backend.Count() < each; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the backend saw %d requests in 5 minutes\n%s", backend.Count(), s.stderr)
			}
		}
		s.kill()
		writers.Wait()
		s.serve(config)
	}
	s.shippedAll()
	s.interrupt()
	file := shipped{}
	text, err := os.ReadFile(lines)
	must(t, err)
	for line := range bytes.Lines(text) {
		file.add(line)
	}
	for name, got := range map[string]*shipped{"hook": &hook, "file": &file, "siem": &syslog} {
		got.matches(t, name, filepath.Join(data, "journal"), times)
	}
}

// shippedAll waits until no sink lacks anything. The act of looking is a read, and
// is not recorded.
func (s *server) shippedAll() {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		var sinks []struct {
			Name    string
			Lag     int
			Failing string
		}
		s.cliJSON(&sinks, "audit", "sinks")
		left := 0
		for _, one := range sinks {
			left += one.Lag
		}
		if len(sinks) == 3 && left == 0 {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("after a minute: %+v", sinks)
		}
	}
}

// matches compares what was received with the journal, up to the last record that
// came: the end of the server is recorded when its sinks have been left.
func (s *shipped) matches(t *testing.T, name, dir string, kills int) {
	t.Helper()
	j, _, err := journal.Open(journal.Options{Dir: dir, Now: time.Now})
	must(t, err)
	defer func() { must(t, j.Close()) }()
	s.mu.Lock()
	defer s.mu.Unlock()
	in, missing, different, records := j.Read(1), 0, 0, 0
	for {
		seq, payload, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		records++
		var r map[string]json.RawMessage
		must(t, json.Unmarshal(payload, &r))
		switch got, ok := s.records[seq]; {
		case !ok:
			missing++
		case got != string(r["event"])+string(r["outcome"])+string(r["tally"]):
			different++
		}
	}
	if missing > 0 || different > 0 || s.unlike > 0 || len(s.records) != records || records < kills*100 {
		t.Errorf("%s: %d records in the journal, %d came; %d missing, %d different, %d unlike when they came again", name, records, len(s.records), missing, different, s.unlike)
	}
	t.Logf("%s: %d kills, %d records in the journal, %d came, %d of them again; %d missing", name, kills, records, len(s.records), s.again, missing)
}
