package clients

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// cases are what every client does, as far as it can.
func cases() []testCase {
	list := []testCase{
		{"small object", short, func(t *trial) error { return roundTrip(t, opPut, opGet, 11) }},
		{"empty object", short, func(t *trial) error { return roundTrip(t, opPut, opGet, 0) }},
		{"large object as the client likes best", long, func(t *trial) error { return roundTrip(t, opUpload, opDownload, 64<<20) }},
		{"large object in one request", long, func(t *trial) error { return roundTrip(t, opPut, opGet, 64<<20) }},
		{"multipart", short, func(t *trial) error { return roundTrip(t, opUpload, opDownload, 17<<20+1) }},
		{"stream of unknown length", short, func(t *trial) error { return roundTrip(t, opStream, opDownload, 6<<20) }},
		{"empty stream", long, func(t *trial) error { return roundTrip(t, opStream, opDownload, 0) }},
		{"range", short, ranges},
		{"content type and metadata", short, metadata},
		{"copy", short, copies},
		{"sync up and down", short, syncs},
		{"folders", long, folders},
		{"more than a thousand keys", short, manyKeys},
		{"delete", long, deletes},
		{"multi-delete", short, multiDelete},
		{"no such key", long, noSuchKey},
		{"wrong Content-MD5", short, wrongMD5},
		{"if none match", short, ifNoneMatch},
		{"if match", long, ifMatch},
		{"tags", short, tags},
		{"versions", short, versions},
		{"attributes", long, attributes},
		{"presigned GET", short, presignedGet},
		{"presigned HEAD", long, presignedHead},
		{"presigned PUT", short, presignedPut},
	}
	for _, kind := range []string{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"} {
		list = append(list, testCase{"checksum " + kind, short, func(t *trial) error { return checksum(t, kind) }})
	}
	return append(list, oddKeys()...)
}

func roundTrip(t *trial, up, down op, size int) error {
	path, content, err := t.file(size, 1)
	if err != nil {
		return err
	}
	if _, err := t.do(call{Op: up, Key: "round trip", Path: path}); err != nil {
		return err
	}
	return t.wantBody(call{Op: down, Key: "round trip"}, content)
}

func ranges(t *trial) error {
	content, err := t.put(call{Key: "ranged"})
	if err != nil {
		return err
	}
	if err := t.wantBody(call{Key: "ranged", Range: "bytes=10-19"}, content[10:20]); err != nil {
		return err
	}
	return t.wantBody(call{Key: "ranged", Range: "bytes=90-"}, content[90:])
}

func metadata(t *trial) error {
	given := map[string]string{"colour": "light blue", "number": "7"}
	if _, err := t.put(call{Key: "described", ContentType: "text/x-mine", Metadata: given}); err != nil {
		return err
	}
	r, err := t.do(call{Op: opHead, Key: "described"})
	if err != nil {
		return err
	}
	t.note("etag", r.ETag)
	if r.ContentType != "text/x-mine" {
		return fmt.Errorf("content type %q", r.ContentType)
	}
	for name, value := range given {
		if r.Metadata[name] != value {
			return fmt.Errorf("metadata %q", r.Metadata)
		}
	}
	return nil
}

func copies(t *trial) error {
	const from, to = "from a + b/50%.txt", "to/ünï 'c'.txt"
	content, err := t.put(call{Key: from})
	if err != nil {
		return err
	}
	if _, err := t.do(call{Op: opCopy, Source: from, Key: to}); err != nil {
		return err
	}
	return t.wantBody(call{Key: to}, content)
}

func syncs(t *trial) error {
	files := map[string]string{
		"plain.txt": "plain", "empty.txt": "", "deep/er/file.txt": "deep", "a b+c&d.txt": "odd",
		"50% off.txt": "percent", "a%2Fb.txt": "percent code", "grün/日本.txt": "unicode", "it's.txt": "quote",
		"😀/[a] {b}.txt": "brackets", "a=b#c;d,e@f$g!h(i)~.txt": "delimiters", " spaces .txt": "spaces at the ends",
	}
	up, down := filepath.Join(t.dir, "up"), filepath.Join(t.dir, "down")
	for name, content := range files {
		path := filepath.Join(up, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(down, 0o700); err != nil {
		return err
	}
	for range 2 { // the second time there is nothing to do
		if _, err := t.do(call{Op: opSyncUp, Path: up, Prefix: "synced/"}); err != nil {
			return err
		}
	}
	if _, err := t.do(call{Op: opSyncDown, Path: down, Prefix: "synced/"}); err != nil {
		return err
	}
	for name, content := range files {
		got, err := os.ReadFile(filepath.Join(down, name))
		if err != nil {
			return err
		}
		if err := same(got, []byte(content)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func folders(t *trial) error {
	for _, key := range []string{"tree/a", "tree/one/b", "tree/one/c", "tree/two words/d"} {
		if _, err := t.put(call{Key: key}); err != nil {
			return err
		}
	}
	r, err := t.do(call{Op: opList, Prefix: "tree/", Delimiter: "/"})
	if err != nil {
		return err
	}
	if want := []string{"tree/one/", "tree/two words/"}; !slices.Equal(r.Keys, []string{"tree/a"}) || !slices.Equal(r.Prefixes, want) {
		return fmt.Errorf("listed %q and folders %q", r.Keys, r.Prefixes)
	}
	return nil
}

// manyKeys lists what was stored before the run.
func manyKeys(t *trial) error {
	var want []string
	for i := range seeded {
		want = append(want, seededKey(i))
	}
	r, err := t.do(call{Op: opList, Bucket: seededBucket, Prefix: seededPrefix})
	if err == nil && !slices.Equal(r.Keys, want) {
		err = fmt.Errorf("listed %d keys of %d", len(r.Keys), len(want))
	}
	return err
}

func deletes(t *trial) error {
	if _, err := t.put(call{Key: "gone/soon"}); err != nil {
		return err
	}
	if err := t.wantKeys("gone/", "gone/soon"); err != nil {
		return err
	}
	if _, err := t.do(call{Op: opDelete, Key: "gone/soon"}); err != nil {
		return err
	}
	return t.wantKeys("gone/")
}

func multiDelete(t *trial) error {
	keys := []string{"bulk/plain", "bulk/a b+c", "bulk/50%", "bulk/<&'>", "bulk/ü"}
	for _, key := range append(keys, "bulk/stays") {
		if _, err := t.put(call{Key: key}); err != nil {
			return err
		}
	}
	if _, err := t.do(call{Op: opDeleteMany, Keys: keys}); err != nil {
		return err
	}
	return t.wantKeys("bulk/", "bulk/stays")
}

func noSuchKey(t *trial) error {
	_, err := t.do(call{Op: opGet, Key: "nothing", Path: t.path()})
	return wantRefusal(err, "NoSuchKey", "NotFound", "Not Found", "404")
}

func wrongMD5(t *trial) error {
	content, err := t.put(call{Key: "kept"})
	if err != nil {
		return err
	}
	if _, err := t.put(call{Key: "kept", ContentMD5: contentMD5(content)}); err != nil {
		return err // as it should be
	}
	_, err = t.put(call{Key: "kept", ContentMD5: contentMD5([]byte("something else"))})
	if err := wantRefusal(err, "BadDigest", "InvalidDigest"); err != nil {
		return err
	}
	return t.wantBody(call{Key: "kept"}, content)
}

func ifNoneMatch(t *trial) error {
	content, err := t.put(call{Key: "only-once", IfNoneMatch: "*"})
	if err != nil {
		return err
	}
	_, err = t.put(call{Key: "only-once", IfNoneMatch: "*"})
	if err := wantRefusal(err, "PreconditionFailed", "412"); err != nil {
		return err
	}
	return t.wantBody(call{Key: "only-once"}, content)
}

func ifMatch(t *trial) error {
	if _, err := t.put(call{Key: "matched"}); err != nil {
		return err
	}
	r, err := t.do(call{Op: opHead, Key: "matched"})
	if err != nil {
		return err
	}
	if _, err := t.put(call{Key: "matched", IfMatch: r.ETag}); err != nil {
		return err
	}
	_, err = t.put(call{Key: "matched", IfMatch: `"00000000000000000000000000000000"`})
	return wantRefusal(err, "PreconditionFailed", "412")
}

func tags(t *trial) error {
	if _, err := t.put(call{Key: "tagged"}); err != nil {
		return err
	}
	given := map[string]string{"team": "a + b", "stage": "test/1"}
	if _, err := t.do(call{Op: opSetTags, Key: "tagged", Tags: given}); err != nil {
		return err
	}
	r, err := t.do(call{Op: opGetTags, Key: "tagged"})
	if err != nil {
		return err
	}
	for name, value := range given {
		if r.Tags[name] != value || len(r.Tags) != len(given) {
			return fmt.Errorf("tags %q", r.Tags)
		}
	}
	return nil
}

func versions(t *trial) error {
	if t.to.Versioned == "" {
		return errCannot
	}
	bucket := t.to.Versioned
	first, err := t.put(call{Bucket: bucket, Key: "versioned"})
	if err != nil {
		return err
	}
	path, second, err := t.file(500, 9)
	if err != nil {
		return err
	}
	if _, err := t.do(call{Op: opPut, Bucket: bucket, Key: "versioned", Path: path}); err != nil {
		return err
	}
	r, err := t.do(call{Op: opVersions, Bucket: bucket, Key: "versioned"})
	if err != nil {
		return err
	}
	if len(r.Versions) != 2 {
		return fmt.Errorf("versions %q", r.Versions)
	}
	if err := t.wantBody(call{Bucket: bucket, Key: "versioned", Version: r.Versions[1]}, first); err != nil {
		return err
	}
	if _, err := t.do(call{Op: opDelete, Bucket: bucket, Key: "versioned", Version: r.Versions[1]}); err != nil {
		return err
	}
	if _, err := t.do(call{Op: opDelete, Bucket: bucket, Key: "versioned"}); err != nil {
		return err // leaves a marker
	}
	if err := t.wantBody(call{Bucket: bucket, Key: "versioned", Version: r.Versions[0]}, second); err != nil {
		return err
	}
	after, err := t.do(call{Op: opVersions, Bucket: bucket, Key: "versioned"})
	if err == nil && len(after.Versions) != 2 {
		err = fmt.Errorf("after the deletes: versions %q", after.Versions)
	}
	return err
}

func attributes(t *trial) error {
	content, err := t.put(call{Key: "measured"})
	if err != nil {
		return err
	}
	r, err := t.do(call{Op: opAttributes, Key: "measured"})
	if err == nil && r.Size != int64(len(content)) {
		err = fmt.Errorf("size %d", r.Size)
	}
	t.note("etag", r.ETag)
	return err
}

// checksum stores with a checksum of one kind, which is kept.
func checksum(t *trial, kind string) error {
	key := "sum-" + kind
	if _, err := t.put(call{Key: key, Checksum: kind}); err != nil {
		return err
	}
	r, err := t.do(call{Op: opHead, Key: key, Checksum: kind})
	t.note("checksum", r.Checksum)
	return err
}

func presignedGet(t *trial) error {
	content, err := t.put(call{Key: "by/url +%ü"})
	if err != nil {
		return err
	}
	r, err := t.do(call{Op: opPresign, Method: http.MethodGet, Key: "by/url +%ü"})
	if err != nil {
		return err
	}
	body, err := t.web(http.MethodGet, r.URL, nil)
	if err != nil {
		return err
	}
	return same(body, content)
}

func presignedHead(t *trial) error {
	if _, err := t.put(call{Key: "seen"}); err != nil {
		return err
	}
	r, err := t.do(call{Op: opPresign, Method: http.MethodHead, Key: "seen"})
	if err != nil {
		return err
	}
	_, err = t.web(http.MethodHead, r.URL, nil)
	return err
}

func presignedPut(t *trial) error {
	r, err := t.do(call{Op: opPresign, Method: http.MethodPut, Key: "put/by url"})
	if err != nil {
		return err
	}
	content := []byte(strings.Repeat("by url ", 20))
	if _, err := t.web(http.MethodPut, r.URL, content); err != nil {
		return err
	}
	return t.wantBody(call{Key: "put/by url"}, content)
}
