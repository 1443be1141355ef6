package keystile_test

import (
	"errors"
	"strings"
	"testing"

	"keystile/internal/keystile"
)

func TestNewBucketNames(t *testing.T) {
	for _, name := range []string{
		"abc", "a1b", "123", "my-bucket", "my.bucket.name", "a--b", "1.2.3", "1.2.3.4.5", "admin1", "my-admin",
		strings.Repeat("a", 63), "xn-bucket", "s3alias",
	} {
		if err := keystile.CheckNewBucketName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for rule, names := range map[string][]string{
		"3 to 63 characters":        {"", "a", "ab", strings.Repeat("a", 64)},
		"lower case":                {"Abc", "aBc", "abC"},
		"letters and digits only":   {"a_b", "a b", "a/b", "a%b", "a+b", "äbc", "a\x00b", "abc\n", "a\tb", "a@b", "a:b", "..", "a*c"},
		"begins and ends with one":  {"-abc", "abc-", ".abc", "abc.", "-", "---", "..."},
		"no two dots":               {"a..b", "ab..cd"},
		"no IP address":             {"192.168.5.4", "1.2.3.4", "999.999.999.999", "0.0.0.0", "01.02.03.04"},
		"not kept for S3":           {"xn--bucket", "sthree-x", "amzn-s3-demo-bucket", "a-s3alias", "a--ol-s3", "ab.mrap", "a--x-s3", "a--table-s3"},
		"no backend's own API":      {"admin", "swift", "auth", "minio", "rustfs"},
		"not the gateway's own one": {"-"},
	} {
		for _, name := range names {
			if err := keystile.CheckNewBucketName(name); !errors.Is(err, keystile.ErrInvalid) {
				t.Errorf("%s: %q gives %v", rule, name, err)
			}
		}
	}
}

func TestExistingBucketNames(t *testing.T) {
	for _, name := range []string{
		"abc", "Old_Bucket", "UPPER", "a_b", "1.2.3.4", strings.Repeat("a", 255), "xn--bucket", "a--x-s3",
	} {
		if err := keystile.CheckBucketName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"", "a", "ab", strings.Repeat("a", 256), "-abc", "_abc", "abc_", "a..b", "a/b", "a b", "a%2fb", "äbc", "a\x00b",
		"..", ".", "a\nb", "abc\n", "a;b", "a?b", "a#b",
		"admin", "Admin", "ADMIN", "minio", "MinIO", "swift", "auth", "rustfs",
	} {
		if err := keystile.CheckBucketName(name); !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestParseBucket(t *testing.T) {
	got, err := keystile.ParseBucket("prod/photos")
	if err != nil || got != (keystile.Bucket{Backend: "prod", Name: "photos"}) || got.String() != "prod/photos" {
		t.Errorf("%v, %v", got, err)
	}
	for _, s := range []string{"", "/", "prod", "prod/", "/photos", "prod/photos/", "prod/photos/x", "prod//photos"} {
		if _, err := keystile.ParseBucket(s); !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestKeys(t *testing.T) {
	for _, key := range []string{"a", " ", "/", "a/b", "..", "ü", "a\nb", "\u2028", strings.Repeat("k", 1024), strings.Repeat("ü", 512)} {
		if err := keystile.CheckKey(key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	for _, key := range []string{"", strings.Repeat("k", 1025), strings.Repeat("ü", 513), "a\xff", "\xc3", "a\x00", "\x00", "\xed\xa0\x80"} {
		if err := keystile.CheckKey(key); !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func TestOddSegments(t *testing.T) {
	for _, key := range []string{
		"", "a", "a/", "a/b", "a/b/", "...", "a/...", ".a", "a.", "..a", "a..", ".../a", "a/.b/c", "%2e%2e", "a/%2e/b", " ", "a\\..\\b",
		"a/.sgwtmp", ".sgwtmp2/a",
	} {
		if keystile.HasOddSegments(key) {
			t.Errorf("%q is taken for odd", key)
		}
	}
	for _, key := range []string{
		"/", "//", "///", "/a", "a//", "a//b", ".", "..", "./", "../", "./a", "../a", "a/.", "a/..", "a/./b", "a/../b",
		"a/./", "a/../", "a/b/..", "/..", "//a", "a/b//c/", ".sgwtmp", ".sgwtmp/a",
	} {
		if !keystile.HasOddSegments(key) {
			t.Errorf("%q is not taken for odd", key)
		}
	}
}
