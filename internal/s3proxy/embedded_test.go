package s3proxy_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"keystile/internal/embedded"
	"keystile/internal/keystile"
	"keystile/internal/upstream"
	"keystile/test/ceph"
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

// itsOwn is what these servers leave out where S3 has an empty element, and the
// marker that one gives back as a token.
var itsOwn = regexp.MustCompile(`<(Prefix|Marker|KeyMarker)></(Prefix|Marker|KeyMarker)>|<ContinuationToken>[^<]*</ContinuationToken>`)

// TestAPrefixAnswersAsABucketOfTheEmbeddedBackend: a real S3 server, with its own
// ways of escaping, of tokens and of markers.
func TestAPrefixAnswersAsABucketOfTheEmbeddedBackend(t *testing.T) {
	for _, prefix := range []string{"team-a/", "teams/\u00e9 a+b%2F&'/"} {
		t.Run(prefix, func(t *testing.T) {
			compareOn(t, prefix, newEmbeddedGateway(t, "team-a"), newEmbeddedGateway(t, "shared"), itsOwn)
		})
	}
}

// quotes are written in one way by RGW, and in another in a key that was
// rewritten: XML has both.
var quotes = regexp.MustCompile(`&(quot|apos|#34|#39);`)

// TestAPrefixAnswersAsABucketOfCeph compares on an RGW.
func TestAPrefixAnswersAsABucketOfCeph(t *testing.T) {
	if testing.Short() {
		t.Skip("brings up a Ceph")
	}
	compareOn(t, "teams/\u00e9 a+b&'/", newCephGateway(t, "team-a"), newCephGateway(t, "shared"), itsOwn, quotes)
}

// newCephGateway starts a gateway in front of the Ceph RGW of this process, in
// which it makes a bucket.
func newCephGateway(t *testing.T, bucket string) *gateway {
	t.Helper()
	c := ceph.Start(t)
	g := newGatewayTo(t, []upstream.Endpoint{{
		Backend: keystile.Backend{ID: "prod", Kind: keystile.KindS3, Endpoint: c.Endpoint, Region: "us-east-1", PathStyle: true, AccessKeyID: c.AccessKeyID},
		Secret:  keystile.NewSecret(c.SecretAccessKey),
	}})
	must(t, g.backends.CreateBucket(t.Context(), keystile.Bucket{Backend: "prod", Name: bucket}))
	return g
}

// compareOn compares the bucket team-a with a prefix of the bucket shared.
func compareOn(t *testing.T, prefix string, plain, hiding *gateway, besides ...*regexp.Regexp) {
	t.Helper()
	bucket := &player{g: plain, k: plain.mint("prod/team-a:read,list,write,delete,acl"), values: map[string]string{}}
	whole := hiding.mint("prod/shared:read,write")
	var beside []string
	for _, key := range neighbours(prefix) {
		if key+"/" != prefix { // a file, where the prefix may have to be a directory
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
	compare(t, bucket, &player{g: hiding, k: k, values: map[string]string{}, noPartCopy: strings.Contains(prefix, "%")}, besides...)
	for _, key := range beside {
		if r := hiding.do(whole, call{method: get, path: "/shared/" + escaped(key)}); r.status != 200 || r.body != "not yours" && key != prefix {
			t.Errorf("the neighbour %q: %d %s", key, r.status, r.body)
		}
	}
}
