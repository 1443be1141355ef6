package s3wire_test

import (
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3wire"
)

func TestResolveCostsNothingWhereNothingIsMapped(t *testing.T) {
	place := keystile.Place{Bucket: keystile.Bucket{Backend: "prod", Name: "real"}}
	find := func(string) (keystile.Place, error) { return place, nil }
	for _, line := range []string{"GET /photos/a", "GET /photos?list-type=2&prefix=x", "DELETE /photos/a"} {
		req, err := s3wire.Parse(read(t, line))
		if err != nil {
			t.Fatal(err)
		}
		var real s3wire.Real
		n := testing.AllocsPerRun(100, func() { real, err = req.Resolve(find) })
		if n != 0 || err != nil || real.Bucket != place.Bucket || real.Key != req.Key || real.FromStart {
			t.Errorf("%s: %v allocations for %+v, %v", line, n, real, err)
		}
	}
}

func TestResolveMapsWhatAListingAsksFor(t *testing.T) {
	find := func(string) (keystile.Place, error) {
		return keystile.Place{Bucket: keystile.Bucket{Backend: "prod", Name: "shared"}, Hidden: "a/"}, nil
	}
	for _, tt := range []struct{ query, prefix, marker, after string }{
		{"", "a/", "marker", "a/"},
		{"marker=", "a/", "marker", "a/"},
		{"marker=m", "a/", "marker", "a/m"},
		{"prefix=p", "a/p", "marker", ""},
		{"prefix=p&marker=m", "a/p", "marker", "a/m"},
		{"list-type=2", "a/", "start-after", "a/"},
		{"list-type=2&start-after=s", "a/", "start-after", "a/s"},
		{"list-type=2&continuation-token=t", "a/", "start-after", ""},
		{"list-type=2&continuation-token=t&start-after=s", "a/", "start-after", "a/s"},
		{"versions", "a/", "key-marker", "a/"},
		{"versions&key-marker=k&version-id-marker=v", "a/", "key-marker", "a/k"},
		{"versions&version-id-marker=v", "a/", "key-marker", ""},
		{"uploads", "a/", "key-marker", "a/"},
		{"uploads&upload-id-marker=u", "a/", "key-marker", ""},
	} {
		req, err := s3wire.Parse(read(t, "GET /team-a?"+tt.query))
		if err != nil {
			t.Fatal(err)
		}
		before := req.Query.Encode()
		real, err := req.Resolve(find)
		if err != nil || real.Query.Get("prefix") != tt.prefix || real.Query.Get(tt.marker) != tt.after {
			t.Errorf("?%s becomes ?%s, %v", tt.query, real.Query.Encode(), err)
		}
		if real.FromStart != (tt.after == "a/") {
			t.Errorf("?%s: from the start is %v", tt.query, real.FromStart)
		}
		if req.Query.Encode() != before {
			t.Errorf("?%s: the client's query is now ?%s", tt.query, req.Query.Encode())
		}
	}
}
