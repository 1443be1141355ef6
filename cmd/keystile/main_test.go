package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	// An embedded backend's child is this test binary again.
	if len(os.Args) > 1 && os.Args[1] == embeddedName {
		main()
	}
	testscript.Main(m, map[string]func(){"keystile": main})
}

// TestScripts runs the command line against scripted servers. A script's file
// "api" lists what the server expects, in order, and what it answers.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/scripts",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               startFakeAPI,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// TestRealServer runs every command of the client against a running server.
func TestRealServer(t *testing.T) {
	r := quickstart(t, filepath.Join(t.TempDir(), "data"))
	testscript.Run(t, testscript.Params{
		Files:               []string{"testdata/real.txtar"},
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("KEYSTILE_URL", r.DashboardURL)
			env.Setenv("KEYSTILE_TOKEN", r.APIToken)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "keep": keep},
	})
}

// keep takes a field of the JSON just printed into a variable: keep VAR FIELD.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep VAR FIELD")
	}
	line, _, _ := strings.Cut(ts.ReadFile("stdout"), "\n")
	var printed map[string]any
	if err := json.Unmarshal([]byte(line), &printed); err != nil {
		ts.Fatalf("not JSON: %v: %s", err, line)
	}
	text, ok := printed[args[1]].(string)
	if !ok {
		ts.Fatalf("no %s in %s", args[1], line)
	}
	ts.Setenv(args[0], text)
}

// exits runs a command and wants this exit code of it: exits 2 keystile ….
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG…")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit interface{ ExitCode() int }
	if err != nil {
		var ok bool
		if exit, ok = err.(interface{ ExitCode() int }); !ok {
			ts.Fatalf("run: %v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// fakeAPI answers what a script's file "api" says. Each exchange is
//
//	> METHOD TARGET
//	> JSON body, if one is expected
//	< STATUS
//	< body, if any, of one line or more
type fakeAPI struct {
	mu       sync.Mutex
	expected []exchange
	faults   []string
}

type exchange struct {
	request, body  string
	status, answer string
}

const testToken = "ks_of-the-test"

func startFakeAPI(env *testscript.Env) error {
	api := &fakeAPI{}
	path := filepath.Join(env.WorkDir, "api")
	if _, err := os.Stat(path); err == nil {
		if api.expected, err = readExchanges(path); err != nil {
			return err
		}
	}
	server := httptest.NewServer(api)
	env.Setenv("KEYSTILE_URL", server.URL)
	env.Setenv("KEYSTILE_TOKEN", testToken)
	t := env.T()
	env.Defer(func() {
		server.Close()
		for _, e := range api.expected {
			api.faults = append(api.faults, "never asked: "+e.request)
		}
		if len(api.faults) > 0 {
			t.Fatal(strings.Join(api.faults, "\n"))
		}
	})
	return nil
}

func readExchanges(path string) ([]exchange, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var list []exchange
	asking := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		sign, text, _ := strings.Cut(lines.Text(), " ")
		switch {
		case sign == ">" && !asking:
			list = append(list, exchange{request: text})
			asking = true
		case sign == ">":
			list[len(list)-1].body = text
		case sign == "<" && asking:
			list[len(list)-1].status = text
			asking = false
		case sign == "<" && len(list) > 0:
			if list[len(list)-1].answer != "" {
				text = "\n" + text
			}
			list[len(list)-1].answer += text
		case lines.Text() != "":
			return nil, fmt.Errorf("%s: cannot read %q", path, lines.Text())
		}
	}
	return list, nil
}

func (a *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	got := r.Method + " " + r.URL.RequestURI()
	if len(a.expected) == 0 {
		a.fail(w, "not expected: %s %s", got, body)
		return
	}
	e := a.expected[0]
	a.expected = a.expected[1:]
	switch {
	case got != e.request || !sameJSON(string(body), e.body):
		a.fail(w, "got  %s %s\nwant %s %s", got, body, e.request, e.body)
		return
	case r.Header.Get("Authorization") != "Bearer "+testToken:
		a.fail(w, "%s: wrong Authorization %q", got, r.Header.Get("Authorization"))
		return
	case !strings.HasPrefix(r.Header.Get("User-Agent"), "keystile/"):
		a.fail(w, "%s: wrong User-Agent %q", got, r.Header.Get("User-Agent"))
		return
	}
	status, err := strconv.Atoi(e.status)
	if err != nil {
		a.fail(w, "%s: bad status %q in the script", got, e.status)
		return
	}
	if location, ok := strings.CutPrefix(e.answer, "Location: "); ok {
		w.Header().Set("Location", location)
	}
	w.Header().Set("X-Request-Id", "req-1")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, e.answer)
}

func (a *fakeAPI) fail(w http.ResponseWriter, format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
	w.WriteHeader(599)
}

func sameJSON(a, b string) bool {
	if a == b {
		return true
	}
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
