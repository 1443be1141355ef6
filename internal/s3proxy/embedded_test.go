package s3proxy_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"testing"

	"keystile/internal/embedded"
	"keystile/internal/keystile"
	"keystile/internal/upstream"
)

const embeddedChild = "embedded-backend" // this binary as one

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == embeddedChild {
		if err := embedded.Serve(context.Background(), os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// newEmbeddedGateway starts a gateway in front of an embedded backend that has
// one bucket.
func newEmbeddedGateway(t *testing.T, bucket string) *gateway {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	child, err := embedded.Start(t.Context(), embedded.Options{
		Executable: exe, Args: []string{embeddedChild}, DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	t.Cleanup(func() {
		if err := child.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	g := newGatewayTo(t, []upstream.Endpoint{{
		Backend: keystile.Backend{ID: "prod", Kind: keystile.KindEmbedded, Region: child.Region(), PathStyle: true, AccessKeyID: child.AccessKeyID()},
		Secret:  child.Secret(), Dial: child.Dial,
	}})
	must(t, g.backends.CreateBucket(t.Context(), keystile.Bucket{Backend: "prod", Name: bucket}))
	return g
}

// itsOwn is what this server leaves out where S3 has an empty element, and the
// marker that it gives back as a token.
var itsOwn = regexp.MustCompile(`<(Prefix|Marker|KeyMarker)></(Prefix|Marker|KeyMarker)>|<ContinuationToken>[^<]*</ContinuationToken>`)

// TestAPrefixAnswersAsABucketOfTheEmbeddedBackend: a real S3 server, with its own
// ways of escaping, of tokens and of markers.
func TestAPrefixAnswersAsABucketOfTheEmbeddedBackend(t *testing.T) {
	for _, prefix := range []string{"team-a/", "teams/\u00e9 a+b%2F&'/"} {
		t.Run(prefix, func(t *testing.T) {
			plain := newEmbeddedGateway(t, "team-a")
			bucket := &player{plain, plain.mint("prod/team-a:read,list,write,delete,acl"), map[string]string{}}

			hiding := newEmbeddedGateway(t, "shared")
			whole := hiding.mint("prod/shared:read,write")
			var beside []string
			for _, key := range neighbours(prefix) {
				if key+"/" != prefix { // a file, where the prefix is to be a directory
					beside = append(beside, key)
				}
			}
			for _, key := range beside {
				body := "not yours"
				if key == prefix {
					body = "" // a directory's object
				}
				wantStatus(t, hiding.do(whole, call{method: put, path: "/shared/" + escaped(key), body: body}), 200, "")
			}
			k := hiding.mint("prod/shared/x:read,list,write,delete,acl@team-a")
			hiding.change(k, func(c *keystile.Credential) { c.Grants[0].Prefix = prefix })
			compare(t, bucket, &player{hiding, k, map[string]string{}}, itsOwn)
			for _, key := range beside {
				if r := hiding.do(whole, call{method: get, path: "/shared/" + escaped(key)}); r.status != 200 || r.body != "not yours" && key != prefix {
					t.Errorf("the neighbour %q: %d %s", key, r.status, r.body)
				}
			}
		})
	}
}
