package backends_test

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"keystile/internal/payload"
	"keystile/internal/sigv4"
)

func readAnswer(conn io.Reader) (int, string, http.Header) {
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer func() { _ = res.Body.Close() }()
	data, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(data), res.Header
}

// A form is one way in which clients send a payload.
type form struct {
	name string
	// make signs and frames the payload, of which a part says what it should be.
	make func(g *gateway, path, query, data, claimed string) (header http.Header, wire string)
}

func plainForm(name string, declare func(h http.Header, claimed string) (hash string)) form {
	return form{name, func(g *gateway, path, query, data, claimed string) (http.Header, string) {
		h := http.Header{}
		hash := declare(h, claimed)
		g.sign(http.MethodPut, path, query, h, hash)
		return h, data
	}}
}

// forms are those of today's clients. In each, claimed is what the signature,
// digest or checksum is of.
func forms(checksums ...payload.Algorithm) []form {
	all := []form{
		plainForm("digest", func(_ http.Header, claimed string) string { return sigv4.HashHex([]byte(claimed)) }),
		plainForm("unsigned with Content-MD5", func(h http.Header, claimed string) string {
			h.Set("Content-Md5", payload.MD5.Sum([]byte(claimed)).Value)
			return sigv4.UnsignedPayload
		}),
		plainForm("digest and MD5", func(h http.Header, claimed string) string {
			h.Set("Content-Md5", payload.MD5.Sum([]byte(claimed)).Value)
			return sigv4.HashHex([]byte(claimed))
		}),
		{"signed chunks", signedChunks},
		plainForm("unsigned", func(http.Header, string) string { return sigv4.UnsignedPayload }),
	}
	for _, a := range checksums {
		all = append(all,
			plainForm("unsigned with "+string(a), func(h http.Header, claimed string) string {
				h.Set(a.Header(), a.Sum([]byte(claimed)).Value)
				return sigv4.UnsignedPayload
			}),
			form{"trailer " + string(a), func(g *gateway, path, query, data, claimed string) (http.Header, string) {
				return unsignedTrailer(g, path, query, data, claimed, a)
			}},
		)
	}
	return all
}

func unsignedTrailer(g *gateway, path, query, data, claimed string, a payload.Algorithm) (http.Header, string) {
	h := http.Header{}
	h.Set("X-Amz-Decoded-Content-Length", strconv.Itoa(len(data)))
	h.Set("X-Amz-Trailer", a.Header())
	h.Set("Content-Encoding", "aws-chunked")
	g.sign(http.MethodPut, path, query, h, sigv4.StreamingUnsignedTrailer)
	var wire strings.Builder
	for rest := data; rest != ""; {
		n := min(len(rest), 70_000)
		fmt.Fprintf(&wire, "%x\r\n%s\r\n", n, rest[:n])
		rest = rest[n:]
	}
	fmt.Fprintf(&wire, "0\r\n%s:%s\r\n\r\n", a.Header(), a.Sum([]byte(claimed)).Value)
	return h, wire.String()
}

func signedChunks(g *gateway, path, query, data, claimed string) (http.Header, string) {
	h := http.Header{}
	h.Set("X-Amz-Decoded-Content-Length", strconv.Itoa(len(data)))
	g.sign(http.MethodPut, path, query, h, sigv4.StreamingSigned)
	auth, err := sigv4.Parse(sigv4.Request{Method: http.MethodPut, Path: path, RawQuery: query, Host: g.named(), Header: h, ContentLength: -1})
	must(g.t, err)
	mac := func(key []byte, text string) []byte {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	key := mac(mac(mac(mac([]byte("AWS4"+g.secret), auth.Scope.Date), auth.Scope.Region), "s3"), "aws4_request")
	previous := auth.Signature
	var wire strings.Builder
	const size = 64 << 10
	for at := 0; ; at += size {
		chunk, signed := "", ""
		if at < len(data) {
			chunk, signed = data[at:min(at+size, len(data))], claimed[at:min(at+size, len(claimed))]
		}
		text := fmt.Sprintf("AWS4-HMAC-SHA256-PAYLOAD\n%s\n%s/%s/s3/aws4_request\n%s\n%s\n%s", h.Get("X-Amz-Date"), auth.Scope.Date, auth.Scope.Region,
			previous, sigv4.EmptySHA256, sigv4.HashHex([]byte(signed)))
		previous = hex.EncodeToString(mac(key, text))
		fmt.Fprintf(&wire, "%x;chunk-signature=%s\r\n%s\r\n", len(chunk), previous, chunk)
		if chunk == "" {
			return h, wire.String()
		}
	}
}

// inChunks puts a body into HTTP's own chunks.
func inChunks(wire string) string {
	var out strings.Builder
	for rest := wire; rest != ""; {
		n := min(len(rest), 50_000)
		fmt.Fprintf(&out, "%x\r\n%s\r\n", n, rest[:n])
		rest = rest[n:]
	}
	return out.String() + "0\r\n\r\n"
}

const emptyHash = sigv4.EmptySHA256

func hashOf(data string) string { return sigv4.HashHex([]byte(data)) }

// sumOf is the checksum of a kind by its S3 name.
func sumOf(kind, data string) string { return payload.Algorithm(kind).Sum([]byte(data)).Value }
