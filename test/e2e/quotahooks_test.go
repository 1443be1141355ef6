package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// delivery is a call that a receiver of webhooks got.
type delivery struct {
	id, event, stamp, signature string
	body                        []byte
}

// TestWebhooksTellOfCaps has a receiver that fails at first: a soft cap that is
// passed and a hard one that refuses are told all the same, signed, each under one
// id, and of what happened.
func TestWebhooksTellOfCaps(t *testing.T) {
	t.Parallel() // it mostly waits
	var mu sync.Mutex
	var calls []delivery
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		head := r.Header
		event := head.Get("X-Keystile-Event")
		if !slices.ContainsFunc(calls, func(d delivery) bool { return d.event == event }) {
			w.WriteHeader(http.StatusServiceUnavailable) // the first call of each event
		}
		calls = append(calls, delivery{head.Get("X-Keystile-Delivery"), event, head.Get("X-Keystile-Timestamp"), head.Get("X-Keystile-Signature"), body})
	}))
	defer receiver.Close()
	s := start(t, t.TempDir()+"/data", "")
	var hook struct {
		Secret string `json:"signing_secret"`
	}
	s.cliJSON(&hook, "webhook", "add", receiver.URL+"/caps")
	c := s.mint("uploads:write")
	s.cliJSON(nil, "quota", "scan", "local/uploads", "--wait")
	s.cliJSON(nil, "quota", "set", "local/uploads", "--soft", "1000", "--hard", "2000")
	body := strings.Repeat("x", 1200)
	if got := s.send(c, http.MethodPut, "/uploads/fits", body); got != http.StatusOK {
		t.Fatalf("put: %d", got)
	}
	if got := s.send(c, http.MethodPut, "/uploads/over", body); got != http.StatusInsufficientStorage {
		t.Fatalf("put over: %d", got)
	}
	of := func(event string) (got []delivery) {
		mu.Lock()
		defer mu.Unlock()
		for _, d := range calls {
			if d.event == event {
				got = append(got, d)
			}
		}
		return got
	}
	events := []string{"quota.soft_exceeded", "quota.hard_refused"}
	for deadline := time.Now().Add(2 * time.Minute); len(of(events[0])) < 2 || len(of(events[1])) < 2; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("only these calls came: %+v\n%s", calls, s.stderr)
		}
	}
	for _, event := range events {
		got := of(event)
		if got[0].id == "" || got[0].id != got[1].id || string(got[0].body) != string(got[1].body) {
			t.Errorf("%s is repeated as another one: %+v", event, got)
		}
		for _, d := range got {
			mac := hmac.New(sha256.New, []byte(hook.Secret))
			mac.Write([]byte(d.stamp + "." + string(d.body)))
			if d.signature != "v1="+hex.EncodeToString(mac.Sum(nil)) {
				t.Errorf("%s has the signature %q", event, d.signature)
			}
		}
		var told struct {
			Type string
			Data struct {
				Backend, Bucket, Message string
				AccessKeyID              string `json:"access_key_id"`
				AuditEventID             string `json:"audit_event_id"`
			}
		}
		must(t, json.Unmarshal(got[0].body, &told))
		if d := told.Data; told.Type != event || d.Backend != "local" || d.Bucket != "uploads" || d.AccessKeyID != c.AccessKeyID || d.Message == "" {
			t.Errorf("%s tells %s", event, got[0].body)
		}
		s.cli("audit", "show", told.Data.AuditEventID).want(t, 0, told.Data.AuditEventID)
	}
}
