package s3proxy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
	"keystile/internal/s3test"
	"keystile/internal/store"
)

func wantStatus(t *testing.T, r result, status int, code string) {
	t.Helper()
	if r.status != status || r.code != code {
		t.Errorf("got %d %s %q, want %d %s", r.status, r.code, r.message, status, code)
	}
}

func TestListBucketsComesFromTheScope(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read", "prod/uploads/x:list", "prod/reports:list@quarterly", "prod/payroll:read")
	all := g.do(k, call{method: get, path: "/"})
	wantStatus(t, all, 200, "")
	for _, name := range []string{"uploads", "quarterly", "payroll"} {
		if strings.Count(all.body, "<Name>"+name+"</Name>") != 1 {
			t.Errorf("%s does not stand once in %s", name, all.body)
		}
	}
	if strings.Contains(all.body, "reports") {
		t.Error("the real name behind an alias is shown")
	}
	first := g.do(k, call{method: get, path: "/", query: "max-buckets=2"})
	_, rest, found := strings.Cut(first.body, "<ContinuationToken>")
	token, _, _ := strings.Cut(rest, "<")
	if !found || strings.Count(first.body, "<Bucket>") != 2 {
		t.Fatalf("the first page is %s", first.body)
	}
	second := g.do(k, call{method: get, path: "/", query: "continuation-token=" + token + "&max-buckets=2"})
	if strings.Count(second.body, "<Bucket>") != 1 || !strings.Contains(second.body, "uploads") {
		t.Errorf("the second page is %s", second.body)
	}
	wantStatus(t, g.do(k, call{method: get, path: "/", query: "max-buckets=0"}), 400, "InvalidArgument")
	g.backendSaw(0)
}

func TestDeadKeysGet401(t *testing.T) {
	hourAgo := time.Now().Add(-time.Hour)
	for name, kill := range map[string]func(*keystile.Credential){
		"revoked":  func(c *keystile.Credential) { c.RevokedAt = hourAgo },
		"disabled": func(c *keystile.Credential) { c.DisabledAt = hourAgo },
		"expired":  func(c *keystile.Credential) { c.ExpiresAt = hourAgo },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/uploads:read,write")
			wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: "x"}), 200, "")
			g.change(k, kill)
			g.backend.Reset()
			r := g.do(k, call{method: put, path: "/uploads/b", body: "x"})
			wantStatus(t, r, 401, "InvalidAccessKeyId")
			if r.header.Get("Www-Authenticate") == "" {
				t.Error("the 401 carries no WWW-Authenticate")
			}
			g.backendSaw(0)
		})
	}
	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		g := newGateway(t)
		id, secret := keystile.NewKeyPair()
		wantStatus(t, g.do(key{id, secret}, call{method: get, path: "/uploads/a"}), 401, "InvalidAccessKeyId")
		g.backendSaw(0)
		events := g.events(keystile.EventFilter{AccessKeyID: id})
		if len(events) != 1 || events[0].Detail.Authenticated {
			t.Errorf("a claimed key is recorded as %+v", events)
		}
	})
}

func TestRotationWithOverlap(t *testing.T) {
	g := newGateway(t)
	old := g.mint("prod/uploads:write")
	fresh := key{old.id, keystile.NewSecretKey()}
	until := time.Now().Add(time.Hour)
	g.write(func(tx store.Tx, generation int64) error {
		c, err := tx.Credential(old.id)
		if err != nil {
			return err
		}
		c.OverlapUntil, c.Generation = until, generation
		if err := tx.SetCredentialSecrets(old.id, keystile.CredentialSecrets{Current: fresh.secret, Previous: old.secret}); err != nil {
			return err
		}
		return tx.UpdateCredential(c)
	})
	for _, k := range []key{old, fresh} {
		wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: "x"}), 200, "")
	}
	g.mu.Lock()
	g.now = until.Add(time.Second)
	g.mu.Unlock()
	wantStatus(t, g.do(old, call{method: put, path: "/uploads/a", body: "x"}), 403, "SignatureDoesNotMatch")
	wantStatus(t, g.do(fresh, call{method: put, path: "/uploads/a", body: "x"}), 200, "")
}

func TestMultiDeleteAnswersPerKey(t *testing.T) {
	g := newGateway(t)
	for _, key := range []string{"2026/a.txt", "2026/b.txt", "2025/old.txt", "x"} {
		g.backend.PutObject("reports", key, []byte("x"))
	}
	k := g.mint("prod/reports/2026/:delete")
	for _, quiet := range []string{"", "<Quiet>true</Quiet>"} {
		body := "<Delete><Object><Key>2026/a.txt</Key></Object><Object><Key>2025/old.txt</Key></Object>" +
			"<Object><Key>2026/../2025/old.txt</Key></Object>" + quiet + "</Delete>"
		r := g.do(k, call{method: post, path: "/reports", query: "delete=", body: body})
		wantStatus(t, r, 200, "")
		if strings.Count(r.body, "<Code>AccessDenied</Code>") != 2 {
			t.Errorf("the denied keys have no errors of their own: %s", r.body)
		}
		if got := strings.Contains(r.body, "<Deleted>"); got == (quiet != "") {
			t.Errorf("quiet %q answers %s", quiet, r.body)
		}
	}
	left := g.backend.Objects("reports")
	if _, there := left["2026/a.txt"]; there || len(left) != 3 {
		t.Errorf("left over: %v", left)
	}
	for _, seen := range g.backend.Requests() {
		if strings.Contains(string(seen.Body), "2025") {
			t.Errorf("the backend saw a denied key: %s", seen.Body)
		}
	}
	g.backend.Reset()
	r := g.do(k, call{method: post, path: "/reports", query: "delete=", body: "<Delete><Object><Key>x</Key></Object></Delete>"})
	wantStatus(t, r, 200, "")
	g.backendSaw(0)
	events := g.events(keystile.EventFilter{ActionPrefix: "s3.proxy.deleteobjects"})
	if len(events) != 3 || events[0].Result != keystile.ResultDenied || events[1].Detail.DeniedKeys[0] != "2025/old.txt" {
		t.Errorf("recorded: %+v", events)
	}
}

func TestAliasIsShownInAnswers(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("reports", "a.txt", []byte("x"))
	k := g.mint("prod/reports:read,list,write,delete@quarterly")
	calls := map[string]call{
		"ListObjects":          {method: get, path: "/quarterly"},
		"ListObjectsV2":        {method: get, path: "/quarterly", query: "fetch-owner=true&list-type=2"},
		"ListObjectVersions":   {method: get, path: "/quarterly", query: "versions="},
		"ListMultipartUploads": {method: get, path: "/quarterly", query: "uploads="},
		"CreateMultipart":      {method: post, path: "/quarterly/big", query: "uploads="},
		"CopyObject":           {method: put, path: "/quarterly/copy", header: header("X-Amz-Copy-Source", "quarterly/a.txt")},
		"an error":             {method: get, path: "/quarterly/nosuch"},
	}
	for name, c := range calls {
		t.Run(name, func(t *testing.T) {
			r := g.do(k, c)
			if name != "CopyObject" && !strings.Contains(r.body, "quarterly") {
				t.Errorf("the alias is not shown: %s", r.body)
			}
			if strings.Contains(r.body, "reports") || strings.Contains(r.body, backendKey) || strings.Contains(r.body, g.backend.URL) {
				t.Errorf("the backend's names are shown: %s", r.body)
			}
			for name := range r.header {
				if name == "Server" {
					t.Error("the backend's Server header is shown")
				}
			}
		})
	}
}

func TestWritesAreRecordedWithTheirOutcome(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write,delete")
	g.do(k, call{method: put, path: "/uploads/a", body: "hello"})
	g.do(k, call{method: get, path: "/uploads/a"})
	g.do(k, call{method: del, path: "/uploads/a"})
	g.backend.Inject(s3test.Answer(503, `<Error><Code>SlowDown</Code><Message></Message></Error>`))
	r := g.do(k, call{method: put, path: "/uploads/b", body: "hello"})
	wantStatus(t, r, 503, "SlowDown")
	if r.message == "" {
		t.Error("an empty message was passed on")
	}
	g.backend.ClearFaults()
	events := g.events(keystile.EventFilter{ActionPrefix: "s3.proxy."})
	want := []struct {
		action string
		result keystile.Result
	}{
		{"s3.proxy.putobject", keystile.ResultError},
		{"s3.proxy.deleteobject", keystile.ResultOK},
		{"s3.proxy.putobject", keystile.ResultOK},
	}
	if len(events) != len(want) {
		t.Fatalf("recorded %d events: %+v", len(events), events)
	}
	for i, w := range want {
		if e := events[i]; e.Action != w.action || e.Result != w.result || e.Open || e.Backend != "prod" || e.Bucket != "uploads" {
			t.Errorf("event %d is %+v, want %v", i, e, w)
		}
	}
	if d := events[2].Detail; d.AccessKeyID != k.id || !d.Authenticated || d.Bytes != 5 || d.ETag == "" {
		t.Errorf("the detail is %+v", d)
	}
}

// everyRead has every read recorded.
func everyRead(string, keystile.Bucket) float64 { return 1 }

// TestOnlyReadsThatAreAskedForAreSampled: by credential and by bucket.
func TestOnlyReadsThatAreAskedForAreSampled(t *testing.T) {
	var asked string
	g := newGateway(t, func(o *s3proxy.Options) {
		o.ReadRate = func(accessKeyID string, b keystile.Bucket) float64 {
			if accessKeyID == asked && b == (keystile.Bucket{Backend: "prod", Name: "uploads"}) {
				return 1
			}
			return 0
		}
	})
	g.backend.PutObject("uploads", "a", []byte("x"))
	watched, other := g.mint("prod/uploads:read,write"), g.mint("prod/uploads:read")
	asked = watched.id
	for range 3 {
		g.do(other, call{method: get, path: "/uploads/a"})
		g.do(watched, call{method: get, path: "/uploads/a"})
	}
	g.do(watched, call{method: put, path: "/uploads/b", body: "x"}) // is durable behind them
	events := g.events(keystile.EventFilter{ActionPrefix: "s3.proxy.getobject"})
	if len(events) != 3 || slices.ContainsFunc(events, func(e keystile.Event) bool { return e.Detail.AccessKeyID != watched.id }) {
		t.Errorf("recorded %+v", events)
	}
}

func TestSuccessfulReadsAreSampled(t *testing.T) {
	g := newGateway(t, func(o *s3proxy.Options) { o.ReadRate = everyRead })
	g.backend.PutObject("uploads", "a", []byte("x"))
	g.do(g.mint("prod/uploads:read"), call{method: get, path: "/uploads/a"})
	deadline := time.Now().Add(5 * time.Second)
	for len(g.events(keystile.EventFilter{ActionPrefix: "s3.proxy.getobject", Result: keystile.ResultOK})) != 1 {
		if time.Now().After(deadline) {
			t.Fatal("the read is not recorded")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestALostAnswerIsRecordedAsUnknown(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	g.backend.Inject(s3test.HangUpAfter(5))
	r := g.do(k, call{method: put, path: "/uploads/a", body: "hello"})
	if r.status < 500 {
		t.Errorf("a lost answer is told as %d", r.status)
	}
	events := g.events(keystile.EventFilter{})
	if len(events) != 1 || events[0].Result != keystile.ResultUnknown || events[0].Open {
		t.Errorf("recorded as %+v", events)
	}
}

func TestABackendsOwnKeyIsNeverShown(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read")
	g.backend.Inject(s3test.Answer(403, `<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message><AWSAccessKeyId>`+
		backendKey+`</AWSAccessKeyId><StringToSign>AWS4</StringToSign></Error>`))
	r := g.do(k, call{method: get, path: "/uploads/a"})
	wantStatus(t, r, 503, "ServiceUnavailable")
	if strings.Contains(r.body, backendKey) || strings.Contains(r.body, "StringToSign") {
		t.Errorf("shown: %s", r.body)
	}
	if logs := g.logs.String(); strings.Contains(logs, backendSecret) || strings.Contains(logs, k.secret.Reveal()) {
		t.Error("a secret is in the log")
	}
}

func TestAnErrorInsideA200IsAFailure(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("uploads", "a", []byte("x"))
	k := g.mint("prod/uploads:read,write")
	g.backend.Inject(s3test.Answer(200, `<Error><Code>InternalError</Code><Message>try again</Message></Error>`))
	r := g.do(k, call{method: put, path: "/uploads/b", header: header("X-Amz-Copy-Source", "uploads/a")})
	wantStatus(t, r, 500, "InternalError")
	if e := g.events(keystile.EventFilter{}); e[0].Result != keystile.ResultError {
		t.Errorf("recorded as %s", e[0].Result)
	}
}

// TestABackendsWhiteSpaceIsNoPartOfTheAnswer: it keeps the connection alive while
// the backend is at work, and a declaration must come first.
func TestABackendsWhiteSpaceIsNoPartOfTheAnswer(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write")
	g.backend.Inject(s3test.Answer(200, " \n  <?xml version=\"1.0\"?>  \n<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"))
	r := g.do(k, call{method: put, path: "/uploads/b", header: header("X-Amz-Copy-Source", "uploads/a")})
	wantStatus(t, r, 200, "")
	if !strings.HasPrefix(r.body, "<?xml") || !strings.Contains(r.body, "<ETag>e</ETag>") {
		t.Errorf("answered with %q", r.body)
	}
}
