package web

import (
	"net/http/httptest"
	"testing"
)

func TestWhoNavigates(t *testing.T) {
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, tt := range []struct {
		name, method, path, accept, authorization string
		want                                      bool
	}{
		{"a browser at the list", "GET", "/rgw/users", browser, "", true},
		{"a browser at a user", "GET", "/rgw/users/x?tab=buckets", browser, "", true},
		{"a browser that downloads", "GET", "/rgw/users/x/buckets/b/objects/download?key=k", browser, "", false},
		{"a page's script", "GET", "/rgw/users", "*/*", "", false},
		{"a program", "GET", "/rgw/users", "application/json", "", false},
		{"a program without an Accept", "GET", "/rgw/users", "", "", false},
		{"a bearer that takes all", "GET", "/rgw/users", browser, "Bearer ks_x", false},
		{"a change", "POST", "/rgw/users", browser, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, tt.path, nil)
			r.Header.Set("Accept", tt.accept)
			r.Header.Set("Authorization", tt.authorization)
			if got := Navigates(r); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
