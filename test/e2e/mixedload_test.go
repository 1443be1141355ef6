package e2e_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"keystile/internal/sigv4"
)

// largest is how large an object or a part of the mixed load gets, in bytes.
const largest = 100_000

// mixedKinds is how many kinds of changes the mixed load has.
const mixedKinds = 10

// mixed is a load of slow changes in all the ways that S3 has. Some uploads are
// aborted, some left lying, and of some the client dies.
type mixed struct {
	endpoint string
	client   *http.Client
	gentle   bool // no client dies, and what has begun is ended

	mu sync.Mutex
	// tally counts what came of changes, by kind and by "stored", "over" the cap,
	// "refused" otherwise, and "cut" off: by its client, or by the server's end.
	tally map[string]map[string]int
	left  []leftUpload
}

// leftUpload is an upload with parts that nobody has ended.
type leftUpload struct {
	by   *mixedWriter
	path string
	id   string
}

// mixedWriter is who writes, and where: it copies from sources and from its own
// buckets.
type mixedWriter struct {
	*mixed
	buckets []string
	sources string // "": none
	signer  *sigv4.Signer
	sdk     *minio.Client
}

func newMixed(endpoint string) *mixed {
	transport := &http.Transport{MaxIdleConnsPerHost: 300}
	return &mixed{endpoint: endpoint, client: &http.Client{Transport: transport}, tally: map[string]map[string]int{}}
}

// writer makes a writer with a key.
func (m *mixed) writer(t *testing.T, c credential, sources string, buckets ...string) *mixedWriter {
	t.Helper()
	sdk, err := minio.New(strings.TrimPrefix(m.endpoint, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(c.AccessKeyID, c.SecretAccessKey, ""), Region: "us-east-1", MaxRetries: 1,
		Transport: m.client.Transport, BucketLookup: minio.BucketLookupPath,
	})
	must(t, err)
	return &mixedWriter{m, buckets, sources, sigv4.NewSigner(c.AccessKeyID, c.SecretAccessKey, "us-east-1", "s3"), sdk}
}

// run changes things with so many clients in parallel until ctx ends.
func (w *mixedWriter) run(ctx context.Context, clients *sync.WaitGroup, parallel int) {
	life := ctx
	if w.gentle {
		life = context.WithoutCancel(ctx)
	}
	for range parallel {
		clients.Go(func() {
			for ctx.Err() == nil {
				w.step(life)
			}
		})
	}
}

// step makes one change. Of every sixth the client dies on the way, unless all are
// gentle.
func (w *mixedWriter) step(ctx context.Context) {
	if !w.gentle && rand.IntN(6) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(150))*time.Millisecond)
		defer cancel()
	}
	bucket, key := w.buckets[rand.IntN(len(w.buckets))], fmt.Sprintf("k%d", rand.IntN(300))
	path := "/" + bucket + "/" + key
	switch rand.IntN(8) {
	case 0, 1:
		w.do(ctx, "single", http.MethodPut, path, "", slowBody(ctx, rand.IntN(largest)))
	case 2:
		w.chunked(ctx, bucket, key)
	case 3:
		w.form(ctx, bucket, key)
	case 4:
		w.do(ctx, "copy", http.MethodPut, path, "", sizedBody{}, "X-Amz-Copy-Source", w.source())
	case 5, 6:
		w.multipart(ctx, path)
	case 7:
		w.do(ctx, "delete", http.MethodDelete, path, "", sizedBody{})
	}
}

// source is what a copy is made of: it may not be there.
func (w *mixedWriter) source() string {
	if w.sources != "" && rand.IntN(2) == 0 {
		return fmt.Sprintf("%s/%d", w.sources, rand.IntN(10))
	}
	return fmt.Sprintf("%s/k%d", w.buckets[rand.IntN(len(w.buckets))], rand.IntN(300))
}

// chunked sends an object in aws-chunked: by turns in signed chunks, as an SDK makes
// them, and in unsigned ones with a checksum behind them.
func (w *mixedWriter) chunked(ctx context.Context, bucket, key string) {
	size := rand.IntN(largest)
	if rand.IntN(2) == 0 {
		_, err := w.sdk.PutObject(ctx, bucket, key, slowBody(ctx, size).Reader, int64(size), minio.PutObjectOptions{})
		status := http.StatusOK
		if err != nil {
			status = minio.ToErrorResponse(err).StatusCode
		}
		w.note("signed chunks", status)
		return
	}
	data := make([]byte, size)
	sum := crc32.ChecksumIEEE(data)
	framed := fmt.Appendf(nil, "%x\r\n%s\r\n0\r\n", size, data)
	if size == 0 {
		framed = []byte("0\r\n")
	}
	framed = fmt.Appendf(framed, "x-amz-checksum-crc32:%s\r\n\r\n", base64.StdEncoding.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}))
	w.do(ctx, "chunks with a trailer", http.MethodPut, "/"+bucket+"/"+key, "", slowly(ctx, framed),
		"X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Trailer", "x-amz-checksum-crc32",
		"X-Amz-Decoded-Content-Length", fmt.Sprint(size), "Content-Encoding", "aws-chunked")
}

// form sends an object as a browser's form does.
func (w *mixedWriter) form(ctx context.Context, bucket, key string) {
	policy := minio.NewPostPolicy()
	_ = policy.SetBucket(bucket)
	_ = policy.SetKey(key)
	_ = policy.SetExpires(time.Now().Add(time.Hour))
	target, fields, err := w.sdk.PresignedPostPolicy(ctx, policy)
	if err != nil {
		w.note("form", 0)
		return
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range fields {
		_ = form.WriteField(name, value)
	}
	file, _ := form.CreateFormFile("file", "a.bin")
	_, _ = file.Write(make([]byte, rand.IntN(largest)))
	_ = form.Close()
	slow := slowly(ctx, body.Bytes())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), slow.Reader)
	if err != nil {
		w.note("form", 0)
		return
	}
	req.ContentLength = slow.size
	req.Header.Set("Content-Type", form.FormDataContentType())
	status, _, _ := w.send(req)
	w.note("form", status)
}

// multipart uploads in parts, some of them copied, and completes that, aborts it or
// leaves it lying.
func (w *mixedWriter) multipart(ctx context.Context, path string) {
	status, _, begun := w.call(ctx, http.MethodPost, path, "uploads=", sizedBody{})
	var upload struct{ UploadId string }
	if status != http.StatusOK || xml.Unmarshal(begun, &upload) != nil {
		return
	}
	query := "uploadId=" + upload.UploadId
	w.mu.Lock()
	w.left = append(w.left, leftUpload{w, path, upload.UploadId})
	w.mu.Unlock()
	var parts strings.Builder
	for n := 1; n <= 1+rand.IntN(3); n++ {
		kind, body, header := "part", slowBody(ctx, rand.IntN(largest)), []string(nil)
		if rand.IntN(4) == 0 {
			kind, body, header = "copied part", sizedBody{}, []string{"X-Amz-Copy-Source", w.source()}
		}
		status, etag, answer := w.do(ctx, kind, http.MethodPut, path, fmt.Sprintf("partNumber=%d&%s", n, query), body, header...)
		if kind == "copied part" {
			var copied struct{ ETag string }
			_ = xml.Unmarshal(answer, &copied)
			etag = copied.ETag
		}
		if status == http.StatusOK {
			fmt.Fprintf(&parts, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", n, strings.Trim(etag, `"`))
		}
	}
	switch n := rand.IntN(4); {
	case n == 0:
		return
	case n == 1 || parts.Len() == 0:
		status, _, _ = w.do(ctx, "abort", http.MethodDelete, path, query, sizedBody{})
	default:
		body := fmt.Appendf(nil, "<CompleteMultipartUpload>%s</CompleteMultipartUpload>", &parts)
		status, _, _ = w.do(ctx, "complete", http.MethodPost, path, query, sizedBody{bytes.NewReader(body), int64(len(body))})
	}
	if status/100 == 2 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.left = slices.DeleteFunc(w.left, func(l leftUpload) bool { return l.id == upload.UploadId })
	}
}

// abortLeft aborts what was left lying.
func (m *mixed) abortLeft(ctx context.Context) {
	left := m.left
	m.left = nil
	for _, l := range left {
		l.by.call(ctx, http.MethodDelete, l.path, "uploadId="+l.id, sizedBody{})
	}
}

// do makes one signed request and notes what came of it.
func (w *mixedWriter) do(ctx context.Context, kind, method, path, query string, body sizedBody, header ...string) (status int, etag string, answer []byte) {
	status, etag, answer = w.call(ctx, method, path, query, body, header...)
	w.note(kind, status)
	return status, etag, answer
}

// call makes one signed request; its status is 0 if no answer came.
func (w *mixedWriter) call(ctx context.Context, method, path, query string, body sizedBody, header ...string) (status int, etag string, answer []byte) {
	var reader io.Reader = http.NoBody
	if body.size > 0 {
		reader = body.Reader
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(w.endpoint+path+"?"+query, "?"), reader)
	if err != nil {
		return 0, "", nil
	}
	req.ContentLength = body.size
	hash := sigv4.UnsignedPayload
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "X-Amz-Content-Sha256" {
			hash = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	if w.signer.Sign(method, path, query, req.URL.Host, req.Header, hash, time.Now()) != nil {
		return 0, "", nil
	}
	return w.send(req)
}

func (m *mixed) send(req *http.Request) (status int, etag string, answer []byte) {
	res, err := m.client.Do(req)
	if err != nil {
		return 0, "", nil
	}
	answer, err = io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return 0, "", nil
	}
	return res.StatusCode, res.Header.Get("Etag"), answer
}

func (m *mixed) note(kind string, status int) {
	outcome := "refused"
	switch {
	case status == 0:
		outcome = "cut"
	case status/100 == 2:
		outcome = "stored"
	case status == http.StatusInsufficientStorage:
		outcome = "over"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tally[kind] == nil {
		m.tally[kind] = map[string]int{}
	}
	m.tally[kind][outcome]++
}

// hasAll reports whether changes of all kinds have passed.
func (m *mixed) hasAll() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	passed := 0
	for _, of := range m.tally {
		if of["stored"] > 0 {
			passed++
		}
	}
	return passed == mixedKinds
}

// outcomes is how many changes of all kinds had an outcome.
func (m *mixed) outcomes(outcome string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, of := range m.tally {
		n += of[outcome]
	}
	return n
}

// sizedBody is a request's body of a known size; the zero value is none.
type sizedBody struct {
	io.Reader
	size int64
}

// slowBody is a body of so many bytes that comes slowly.
func slowBody(ctx context.Context, size int) sizedBody { return slowly(ctx, make([]byte, size)) }

func slowly(ctx context.Context, data []byte) sizedBody {
	return sizedBody{&slowReader{ctx, data}, int64(len(data))}
}

// slowReader gives its data in pieces, with pauses.
type slowReader struct {
	ctx  context.Context
	left []byte
}

func (s *slowReader) Read(p []byte) (int, error) {
	if len(s.left) == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(time.Duration(rand.IntN(40)) * time.Millisecond):
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
	n := copy(p[:min(len(p), 1+rand.IntN(40_000))], s.left)
	s.left = s.left[n:]
	return n, nil
}
