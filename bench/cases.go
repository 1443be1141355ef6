package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"

	"keystile/internal/sigv4"
)

// What is asked for.
const (
	benchBucket = "bench"
	// countedBucket has a hard cap far away, and a key of its own.
	countedBucket = "counted"
	smallKey      = "small"
	largeKey      = "large"
	listPrefix    = "listed/"
	listedKeys    = 100
	smallSize     = 1 << 10
	largeSize     = 64 << 20
	chunkSize     = 64 << 10
	gib           = 1 << 30
	region        = "us-east-1"
)

// testCase is one kind of request.
type testCase struct {
	name   string
	method string
	path   string
	query  string
	body   body // nil: none
	// payload is the object's length in bytes; 0 for what is counted by request.
	payload int64
	status  int
	// alone: a relay has no such request, so only the gateway is measured.
	alone bool
	// bound is the most that the gateway may use of what ReverseProxy uses; 0
	// where nothing is promised. hashed: one pass of SHA-256 comes on top.
	bound  float64
	hashed bool
	// recorded: it leaves a record in the audit trail. The bound is of the gateway
	// without the trail, whose own cost is told beside it.
	recorded bool
	// counted: it is measured beside it in a bucket that has a quota. Each request
	// writes a key of its own: changes of one would wait for each other there. The path
	// is beneath the target's bucket.
	counted bool
}

func cases() []testCase {
	object := "/" + benchBucket + "/"
	zeros := make([]byte, largeSize)
	return []testCase{
		{name: "GET 1 KiB", method: http.MethodGet, path: object + smallKey, status: 200, bound: 1.2},
		{name: "PUT 1 KiB", method: http.MethodPut, path: object + "put", body: digested(zeros[:smallSize]), status: 200, bound: 1.2, recorded: true},
		{name: "list 100 keys", method: http.MethodGet, path: "/" + benchBucket, query: "list-type=2&prefix=listed%2F", status: 200, bound: 1.2},
		{name: "refusal", method: http.MethodGet, path: "/elsewhere/" + smallKey, status: 403, alone: true},
		{name: "GET 64 MiB", method: http.MethodGet, path: object + largeKey, payload: largeSize, status: 200, bound: 1.1},
		{name: "PUT 64 MiB", method: http.MethodPut, path: object + "put-large", body: digested(zeros), payload: largeSize, status: 200, bound: 1.1},
		{name: "PUT 64 MiB, chunks signed", method: http.MethodPut, path: object + "put-large", body: chunkSigned(zeros), payload: largeSize, status: 200, bound: 1.1, hashed: true},
		{name: "PUT 64 MiB, trailer", method: http.MethodPut, path: object + "put-large", body: trailed(zeros), payload: largeSize, status: 200, bound: 1.1},
		{name: "PUT 1 KiB, new keys", method: http.MethodPut, path: "/new/", body: digested(zeros[:smallSize]), status: 200, alone: true, counted: true},
	}
}

// body gives the header, the payload hash and, once the request is signed, the
// bytes of a request's body and their number.
type body interface {
	declare(h http.Header) (payloadHash string)
	encode(h http.Header, secret string) (io.Reader, int64)
}

// plainBody is sent as it is, under its digest.
type plainBody struct {
	data   []byte
	digest string
}

func digested(data []byte) body { return plainBody{data, sigv4.HashHex(data)} }

func (b plainBody) declare(http.Header) string { return b.digest }
func (b plainBody) encode(http.Header, string) (io.Reader, int64) {
	return bytes.NewReader(b.data), int64(len(b.data))
}

// trailerBody has no signature but a CRC32 behind it, as today's SDKs send it
// over HTTPS, here with a Content-Length.
type trailerBody struct{ framed [][]byte }

func trailed(data []byte) body {
	var sum [4]byte
	for i, crc := 0, crc32.ChecksumIEEE(data); i < len(sum); i++ {
		sum[i] = byte(crc >> (24 - 8*i))
	}
	pieces := [][]byte{}
	for at := 0; at < len(data); at += chunkSize {
		piece := data[at:min(at+chunkSize, len(data))]
		pieces = append(pieces, fmt.Appendf(nil, "%x\r\n", len(piece)), piece, []byte("\r\n"))
	}
	end := "0\r\nx-amz-checksum-crc32:" + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
	return trailerBody{append(pieces, []byte(end))}
}

func (b trailerBody) declare(h http.Header) string {
	h.Set("X-Amz-Decoded-Content-Length", strconv.Itoa(largeSize))
	h.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
	h.Set("Content-Encoding", "aws-chunked")
	return sigv4.StreamingUnsignedTrailer
}

func (b trailerBody) encode(http.Header, string) (io.Reader, int64) { return joined(b.framed) }

// signedBody has a signature for each chunk (Amazon S3 API Reference,
// "Signature calculations for chunked uploads").
type signedBody struct{ data []byte }

func chunkSigned(data []byte) body { return signedBody{data} }

func (b signedBody) declare(h http.Header) string {
	h.Set("X-Amz-Decoded-Content-Length", strconv.Itoa(len(b.data)))
	h.Set("Content-Encoding", "aws-chunked")
	return sigv4.StreamingSigned
}

func (b signedBody) encode(h http.Header, secret string) (io.Reader, int64) {
	date := h.Get("X-Amz-Date")
	key := []byte("AWS4" + secret)
	for _, part := range []string{date[:8], region, "s3", "aws4_request"} {
		key = mac(key, part)
	}
	authorization := h.Get("Authorization")
	previous := authorization[len(authorization)-2*sha256.Size:]
	head := "AWS4-HMAC-SHA256-PAYLOAD\n" + date + "\n" + date[:8] + "/" + region + "/s3/aws4_request\n"
	full := sigv4.HashHex(b.data[:chunkSize]) // every chunk holds the same
	var pieces [][]byte
	add := func(data []byte, digest string) {
		previous = hex.EncodeToString(mac(key, head+previous+"\n"+sigv4.EmptySHA256+"\n"+digest))
		pieces = append(pieces, fmt.Appendf(nil, "%x;chunk-signature=%s\r\n", len(data), previous), data, []byte("\r\n"))
	}
	for at := 0; at < len(b.data); at += chunkSize {
		add(b.data[at:at+chunkSize], full)
	}
	add(nil, sigv4.EmptySHA256)
	return joined(pieces)
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func joined(pieces [][]byte) (io.Reader, int64) {
	readers := make([]io.Reader, len(pieces))
	var length int64
	for i, p := range pieces {
		readers[i] = bytes.NewReader(p)
		length += int64(len(p))
	}
	return io.MultiReader(readers...), length
}

// hashPass measures one pass of SHA-256 over a GiB on this machine, now: over
// objects as large as those that are sent, with every core at work as it is
// while they are.
func hashPass(pid int) (time.Duration, error) {
	data := bytes.Repeat([]byte{1}, largeSize) // in memory before the clock runs
	before, err := cpuTime(pid)
	if err != nil {
		return 0, err
	}
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(func() { sha256.Sum256(data) })
	}
	workers.Wait()
	after, err := cpuTime(pid)
	return (after - before) * gib / largeSize / time.Duration(runtime.NumCPU()), err
}
