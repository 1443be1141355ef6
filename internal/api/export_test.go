package api

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// append puts events into the trail.
func (s *site) append(events ...keystile.Event) {
	s.t.Helper()
	must(s.t, s.store.Write(s.t.Context(), func(tx store.Tx) error { return tx.AppendEvents(events) }))
}

// csvOf reads an export as rows by column name.
func csvOf(t *testing.T, body []byte) []map[string]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	must(t, err)
	if len(rows) == 0 || strings.Join(rows[0], ",") != strings.Join(csvColumns, ",") {
		t.Fatalf("the first line: %v", rows)
	}
	var all []map[string]string
	for _, row := range rows[1:] {
		named := map[string]string{}
		for i, name := range rows[0] {
			named[name] = row[i]
		}
		all = append(all, named)
	}
	return all
}

func TestExport(t *testing.T) {
	s := newSite(t)
	base := keystile.Event{Time: s.clock.now(), Action: "s3.proxy.putobject", Result: keystile.ResultOK, Status: 200, Account: "uma", Backend: "main",
		Bucket: "uploads", Key: "a,b \"c\"\nd", SourceIP: "192.0.2.1", UserAgent: "aws-cli", RequestID: "r",
		Detail: keystile.EventDetail{AccessKeyID: "AK1", Authenticated: true, Code: "x", Bytes: 5}}
	var events []keystile.Event
	const many = 2*1000 + 17 // more than two pages
	for i := range many {
		e := base
		e.ID = fmt.Sprintf("event-%d", i)
		events = append(events, e)
	}
	open := base
	open.ID, open.Open, open.Result, open.Status, open.Action = "open", true, keystile.ResultUnknown, 0, "s3.proxy.deleteobject"
	s.append(append(events, open)...)
	root := s.as("root")
	a := root.do("GET", "/api/audit.csv?action=s3.proxy.put", nil).want(200)
	if a.header.Get("Content-Disposition") != `attachment; filename="audit.csv"` || !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv; charset=utf-8") {
		t.Errorf("header %v", a.header)
	}
	rows := csvOf(t, a.body)
	if len(rows) != many {
		t.Fatalf("%d rows, want %d", len(rows), many)
	}
	for i, row := range rows {
		if want := fmt.Sprintf("event-%d", many-1-i); row["id"] != want {
			t.Fatalf("row %d is %s, want %s", i, row["id"], want)
		}
	}
	first := rows[0]
	delete(first, "detail")
	want := map[string]string{"time": "2026-11-21T12:00:00Z", "id": first["id"], "action": "s3.proxy.putobject", "result": "ok", "status": "200", "account": "uma",
		"access_key_id": "AK1", "authenticated": "true", "code": "x", "backend": "main", "bucket": "uploads", "key": "a,b \"c\"\nd",
		"source_ip": "192.0.2.1", "user_agent": "aws-cli", "request_id": "r", "in_progress": "false"}
	if fmt.Sprint(first) != fmt.Sprint(want) {
		t.Errorf("row %v\nwant %v", first, want)
	}
	if rows := csvOf(t, root.do("GET", "/api/audit.csv?action=s3.proxy.delete", nil).want(200).body); len(rows) != 1 || rows[0]["in_progress"] != "true" || !strings.Contains(rows[0]["detail"], `"bytes":5`) {
		t.Errorf("the open one: %v", rows)
	}
	if rows := csvOf(t, root.do("GET", "/api/audit.csv?bucket=none", nil).want(200).body); len(rows) != 0 {
		t.Errorf("no events: %v", rows)
	}
	root.do("GET", "/api/audit.csv?result=maybe", nil).wantCode(422, "invalid")
	root.do("GET", "/api/audit.csv?limit=5", nil).wantCode(422, "invalid")
	root.do("GET", "/api/audit.csv?since=yesterday", nil).wantCode(422, "invalid")
	s.signIn("root").do("GET", "/api/audit.csv?bucket=none", nil).want(200) // as a link of the page does
}

func TestExportedCellsAreNoFormulas(t *testing.T) {
	for _, tt := range []struct{ cell, want string }{
		{"", ""}, {"plain", "plain"}, {"a=b", "a=b"}, {"2026", "2026"}, {"'quoted", "'quoted"}, {" =1", " =1"},
		{"=1+1", "'=1+1"}, {`=HYPERLINK("http://evil.test","x")`, `'=HYPERLINK("http://evil.test","x")`},
		{"+1", "'+1"}, {"-1", "'-1"}, {"@SUM(A1)", "'@SUM(A1)"}, {"\t=1", "'\t=1"}, {"\r=1", "'\r=1"}, {"\n=1", "'\n=1"},
		{"\uff1d1", "'\uff1d1"}, {"\uff0b1", "'\uff0b1"}, {"\uff0d1", "'\uff0d1"}, {"\uff201", "'\uff201"},
		{"\xff=", "\xff="},
	} {
		if got := harmless(tt.cell); got != tt.want {
			t.Errorf("%q becomes %q, want %q", tt.cell, got, tt.want)
		}
	}
	s := newSite(t)
	evil := `=cmd|' /C calc'!A1`
	s.append(keystile.Event{ID: evil, Time: s.clock.now(), Action: evil, Result: keystile.ResultDenied, Account: evil, Backend: evil, Bucket: evil, Key: evil,
		SourceIP: evil, UserAgent: evil, RequestID: evil, Detail: keystile.EventDetail{AccessKeyID: evil, Code: evil, Message: evil}})
	rows := csvOf(t, s.as("root").do("GET", "/api/audit.csv?result=denied", nil).want(200).body)
	for name, cell := range rows[0] {
		if strings.ContainsAny(cell[:1], "=+-@") {
			t.Errorf("%s is %s", name, cell)
		}
	}
	if rows[0]["key"] != "'"+evil {
		t.Errorf("the key is %q", rows[0]["key"])
	}
}

const bulk, bulkBytes = 3000, 4000

// bulky appends more than the buffers between server and client can hold.
func (s *site) bulky() {
	var events []keystile.Event
	for i := range bulk {
		events = append(events, keystile.Event{ID: fmt.Sprint("e", i), Time: s.clock.now(), Action: "s3.proxy.putobject", Result: keystile.ResultOK,
			Detail: keystile.EventDetail{Message: strings.Repeat("x", bulkBytes)}})
	}
	s.append(events...)
}

// behind serves the API as a listener does that bounds requests.
func (s *site) behind(timeout time.Duration) *http.Response {
	s.t.Helper()
	server := httptest.NewUnstartedServer(s.handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = timeout, timeout
	server.Start()
	s.t.Cleanup(server.Close)
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, server.URL+"/api/audit.csv", http.NoBody)
	must(s.t, err)
	req.Header, req.Host = s.as("root").header, "keys.test"
	resp, err := http.DefaultTransport.RoundTrip(req)
	must(s.t, err)
	s.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// An export may last longer than a request otherwise may.
func TestExportTakesItsTime(t *testing.T) {
	s := newSite(t)
	s.bulky()
	resp := s.behind(200 * time.Millisecond)
	time.Sleep(600 * time.Millisecond)
	body, err := io.ReadAll(resp.Body)
	if err != nil || bytes.Count(body, []byte("\n")) < bulk {
		t.Errorf("%d bytes, %v\n%s", len(body), err, s.log)
	}
}

// Who loses the right while it reads gets no more, and can tell.
func TestExportEndsWithTheRight(t *testing.T) {
	s := newSite(t)
	s.bulky()
	resp := s.behind(time.Minute)
	_, err := io.ReadFull(resp.Body, make([]byte, 1000))
	must(t, err)
	_, _, err = s.control.Accounts.Create(t.Context(), control.System(), control.NewAccount{Name: "second", Role: keystile.RoleAdmin})
	must(t, err)
	s.as("second").do("PATCH", "/api/accounts/root", `{"role":"user"}`).want(200)
	rest, err := io.ReadAll(resp.Body)
	if err == nil || len(rest) > bulk*bulkBytes*3/4 {
		t.Errorf("read %d bytes more, %v", len(rest), err)
	}
	denied := s.events(keystile.EventFilter{ActionPrefix: "audit.export", Result: keystile.ResultDenied})
	if len(denied) != 1 {
		t.Errorf("%d refusals", len(denied))
	}
}
