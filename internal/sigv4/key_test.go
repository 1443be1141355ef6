package sigv4

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// The derivation example of "Create a signed AWS API request", IAM User Guide.
func TestDeriveKey(t *testing.T) {
	key := DeriveKey("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Scope{"20150830", "us-east-1", "iam"})
	const want = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
	if got := hex.EncodeToString(key.bytes()); got != want {
		t.Errorf("got %s", got)
	}
}

func TestKeyCache(t *testing.T) {
	var none *KeyCache
	for _, tt := range []struct {
		name  string
		cache *KeyCache
	}{{"no cache", none}, {"small", NewKeyCache(1)}, {"large", NewKeyCache(1000)}} {
		t.Run(tt.name, func(t *testing.T) {
			var wg sync.WaitGroup
			for worker := range 4 {
				wg.Go(func() {
					for i := range 200 {
						secret := fmt.Sprint("secret", (i+worker)%20)
						scope := Scope{fmt.Sprint(20260101 + i%3), "us-east-1", "s3"}
						if got := tt.cache.Key(secret, scope); !bytes.Equal(got.bytes(), DeriveKey(secret, scope).bytes()) {
							t.Errorf("%s %v: wrong key", secret, scope)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestKeyCacheKeepsAndTellsApart(t *testing.T) {
	cache := NewKeyCache(100)
	scope := Scope{"20260101", "us-east-1", "s3"}
	first := cache.Key("old", scope)
	if again := cache.Key("old", scope); again.hidden != first.hidden {
		t.Error("derived anew")
	}
	for _, other := range []Scope{{"20260102", "us-east-1", "s3"}, {"20260101", "eu-west-1", "s3"}, {"20260101", "us-east-1", "iam"}} {
		if bytes.Equal(cache.Key("old", other).bytes(), first.bytes()) {
			t.Errorf("%v shares a key with %v", other, scope)
		}
	}
	if bytes.Equal(cache.Key("rotated", scope).bytes(), first.bytes()) {
		t.Error("a rotated secret got the old key")
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	signer := NewSigner(exampleID, exampleSecret, "us-east-1", "s3")
	key := exampleKey()
	type holder struct {
		signer *Signer
		key    SigningKey
	}
	for _, value := range []any{signer, key, holder{signer, key}, &holder{signer, key}, []any{signer, key}} {
		asJSON, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		text := string(asJSON)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text += fmt.Sprintf(verb, value)
		}
		raw := fmt.Sprint(*key.hidden.key)
		for _, secret := range []string{exampleSecret, hex.EncodeToString([]byte(exampleSecret)),
			hex.EncodeToString(key.bytes()), raw, strings.Trim(raw, "[]")} {
			if strings.Contains(text, secret) {
				t.Errorf("%T prints a secret: %s", value, text)
			}
		}
	}
}

func TestAuthorizationDoesNotPrintItsSignature(t *testing.T) {
	auth, err := Parse(presignedGet(t, func(q url.Values) { q.Set("X-Amz-Security-Token", "tok-en") }))
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		text := fmt.Sprintf(verb, auth) + fmt.Sprintf(verb, &auth)
		if strings.Contains(text, auth.Signature) || strings.Contains(text, "tok-en") || !strings.Contains(text, exampleID) {
			t.Errorf("%s: %s", verb, text)
		}
	}
}

func TestHashHex(t *testing.T) {
	// The body of the published PUT example.
	if got := HashHex([]byte("Welcome to Amazon S3.")); got != "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072" {
		t.Error(got)
	}
	if HashHex(nil) != EmptySHA256 {
		t.Error("empty body")
	}
}

func TestSignerTurnsWithTheDay(t *testing.T) {
	s := NewSigner(exampleID, exampleSecret, "us-east-1", "s3")
	for _, day := range []int{24, 25, 24} {
		now := time.Date(2013, 5, day, 23, 59, 59, 0, time.UTC)
		r := Request{Method: "GET", Path: "/b/k", Host: "h", Header: headers()}
		if err := s.Sign(r.Method, r.Path, "", r.Host, r.Header, EmptySHA256, now); err != nil {
			t.Fatal(err)
		}
		auth, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := auth.Verify(DeriveKey(exampleSecret, auth.Scope)); err != nil || auth.Scope.Date != now.Format("20060102") {
			t.Errorf("%s: %v", auth.Scope.Date, err)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	s := NewSigner(exampleID, exampleSecret, "us-east-1", "s3")
	for _, tt := range []struct{ name, path, query string }{
		{"bad escape in the path", "/a%z", ""},
		{"path without a slash", "a", ""},
		{"bad escape in the query", "/a", "a=%"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := s.Sign("GET", tt.path, tt.query, "h", headers(), EmptySHA256, exampleTime); err == nil {
				t.Error("signed")
			}
			if _, err := s.Presign("GET", tt.path, tt.query, "h", nil, time.Minute, exampleTime); err == nil {
				t.Error("presigned")
			}
		})
	}
	twice := headers("X-Amz-Acl: private")
	twice["x-amz-acl"] = []string{"public-read"}
	if err := s.Sign("GET", "/a", "", "h", twice, EmptySHA256, exampleTime); err == nil {
		t.Error("signed two spellings of one header")
	}
}
