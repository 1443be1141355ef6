package payload

import (
	"strings"
	"testing"

	"keystile/internal/sigv4"
)

// edit replaces the first occurrence of old, which must be there.
func edit(t *testing.T, s, old, replacement string) string {
	t.Helper()
	if !strings.Contains(s, old) {
		t.Fatalf("%q not in the stream", old)
	}
	return strings.Replace(s, old, replacement, 1)
}

func TestTamperedSignedStreams(t *testing.T) {
	seed, verifier := newVerifier(t)
	const data = "first chunk second one"
	whole := stream(AWSChunkedSigned, seed, data, 12, false)
	first, rest, _ := strings.Cut(whole, "a;")
	second, last, _ := strings.Cut("a;"+rest, "0;")
	last = "0;" + last
	for _, tt := range []struct {
		name, body string
		want       error
	}{
		{"data of the first chunk", edit(t, whole, "first", "First"), ErrChunkSignature},
		{"data of the last chunk", edit(t, whole, "one", "two"), ErrChunkSignature},
		{"signature of the first chunk", flipAfter(t, whole, "c;chunk-signature="), ErrChunkSignature},
		{"signature of the second chunk", flipAfter(t, whole, "\na;chunk-signature="), ErrChunkSignature},
		{"signature of the final chunk", flipAfter(t, whole, "\n0;chunk-signature="), ErrChunkSignature},
		{"no signature", edit(t, whole, ";chunk-signature=", ";"), ErrChunkSignature},
		{"no extension", "c" + whole[strings.Index(whole, "\r\n"):], ErrChunkSignature},
		{"signature too short", cutAfter(t, whole, ";chunk-signature="), ErrChunkSignature},
		{"other extension", edit(t, whole, "chunk-signature", "chunk-Signature"), ErrChunkSignature},
		{"chunks swapped", second + first + last, ErrChunkSignature},
		{"chunk repeated", first + first + last, ErrTooLong},
		{"chunk left out", first + last, ErrIncomplete},
		{"final chunk left out", first + second, ErrIncomplete},
		{"final line end left out", strings.TrimSuffix(whole, "\r\n"), ErrIncomplete},
		{"final chunk twice", whole + last, ErrTooLong},
		{"something behind the end", whole + "x", ErrTooLong},
		{"another chunk behind the end", first + second + second + last, ErrTooLong},
		{"size too small", edit(t, whole, "c;", "b;"), ErrFraming},
		{"size too large", edit(t, whole, "c;", "d;"), ErrFraming},
		{"size beyond the declared length", edit(t, whole, "c;", "7fffffffffffffff;"), ErrTooLong},
		{"size beyond 63 bits", edit(t, whole, "c;", "ffffffffffffffff;"), ErrFraming},
		{"size of 17 digits", edit(t, whole, "c;", "0000000000000000c;"), ErrFraming},
		{"negative size", edit(t, whole, "c;", "-c;"), ErrFraming},
		{"size with a prefix", edit(t, whole, "c;", "0xc;"), ErrFraming},
		{"no size", edit(t, whole, "c;", ";"), ErrFraming},
		{"space before the size", " " + whole, ErrFraming},
		{"empty line first", "\r\n" + whole, ErrChunkSignature},
		{"line feed alone behind the data", edit(t, whole, "chunk \r\n", "chunk \n"), ErrFraming},
		{"nothing behind the data", edit(t, whole, "chunk \r\n", "chunk "), ErrFraming},
		{"trailer that the framing does not have", strings.TrimSuffix(whole, "\r\n") + "x-amz-checksum-crc32:AAAAAA==\r\n\r\n", ErrTrailer},
		{"cut in a header", whole[:5], ErrIncomplete},
		{"cut in data", whole[:strings.Index(whole, "chunk ")], ErrIncomplete},
		{"cut behind data", whole[:strings.Index(whole, "chunk ")+7], ErrIncomplete},
		{"empty body", "", ErrIncomplete},
		{"endless chunk header", strings.Repeat("0", 1<<20), ErrFraming},
		{"long chunk header", edit(t, whole, "c;", "c;"+strings.Repeat("x", 300)), ErrFraming},
		{"not chunked at all", data, ErrIncomplete},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mustRefuse(t, tt.body, func() Declared { return declare(AWSChunkedSigned, len(data), verifier) }, tt.want)
		})
	}
	t.Run("signed by another key", func(t *testing.T) {
		mustRefuse(t, stream(AWSChunkedSigned, strings.Repeat("0", 64), data, 12, false),
			func() Declared { return declare(AWSChunkedSigned, len(data), verifier) }, ErrChunkSignature)
	})
	t.Run("declared longer", func(t *testing.T) {
		mustRefuse(t, whole, func() Declared { return declare(AWSChunkedSigned, len(data)+1, verifier) }, ErrIncomplete)
	})
	t.Run("declared shorter", func(t *testing.T) {
		mustRefuse(t, whole, func() Declared { return declare(AWSChunkedSigned, len(data)-1, verifier) }, ErrTooLong)
	})
}

// flipAfter changes the first hex digit behind marker.
func flipAfter(t *testing.T, s, marker string) string {
	t.Helper()
	i := strings.Index(s, marker)
	if i < 0 {
		t.Fatalf("%q not in the stream", marker)
	}
	i += len(marker)
	flipped := "0"
	if s[i] == '0' {
		flipped = "1"
	}
	return s[:i] + flipped + s[i+1:]
}

// cutAfter removes the byte behind marker.
func cutAfter(t *testing.T, s, marker string) string {
	t.Helper()
	before, after, ok := strings.Cut(s, marker)
	if !ok {
		t.Fatalf("%q not in the stream", marker)
	}
	return before + marker + after[1:]
}

func TestTamperedTrailers(t *testing.T) {
	seed, verifier := newVerifier(t)
	const data = "some data"
	line := "x-amz-checksum-sha256:" + sum(SHA256, data)
	for _, f := range []Framing{AWSChunkedSignedTrailer, AWSChunkedUnsignedTrailer} {
		trailers := func(loose bool, lines ...string) string {
			e := encoder{framing: f, prev: seed}
			e.chunk(data)
			e.end(loose, lines...)
			return e.String()
		}
		whole := trailers(false, line)
		loose := trailers(true, line)
		name, changed := "unsigned", ErrChecksum
		if f.Signed() {
			name, changed = "signed", ErrChunkSignature
		}
		for _, tt := range []struct {
			name, body string
			want       error
		}{
			{"none", trailers(false), ErrTrailer},
			{"another name", trailers(false, "x-amz-checksum-sha1:"+sum(SHA1, data)), ErrTrailer},
			{"a name that nobody knows", trailers(false, "x-amz-meta-a:b"), ErrTrailer},
			{"undeclared beside the declared", trailers(false, line, "x-amz-checksum-sha1:"+sum(SHA1, data)), ErrTrailer},
			{"twice", trailers(false, line, line), ErrTrailer},
			{"no colon", trailers(false, "x-amz-checksum-sha256"), ErrTrailer},
			{"no name", trailers(false, ":"+sum(SHA256, data)), ErrTrailer},
			{"no value", trailers(false, "x-amz-checksum-sha256:"), ErrTrailer},
			{"value of another length", trailers(false, "x-amz-checksum-sha256:AAAAAA=="), ErrTrailer},
			{"value that is not base64", trailers(false, "x-amz-checksum-sha256:"+strings.Repeat("!", 44)), ErrTrailer},
			{"value cut", trailers(false, line[:len(line)-2]), ErrTrailer},
			{"checksum of other data", trailers(false, "x-amz-checksum-sha256:"+sum(SHA256, "other")), ErrChecksum},
			{"loose, checksum of other data", trailers(true, "x-amz-checksum-sha256:"+sum(SHA256, "other")), ErrChecksum},
			{"very long line", trailers(false, line+strings.Repeat(" ", 300)), ErrFraming},
			{"endless line", strings.TrimSuffix(whole, "\r\n\r\n") + strings.Repeat("x", 1<<20), ErrFraming},
			{"value changed on the way", edit(t, whole, sum(SHA256, data), sum(SHA256, "other")),
				changed},
			{"cut in the trailer", whole[:strings.Index(whole, "sha256:")], ErrIncomplete},
			{"no final line", strings.TrimSuffix(whole, "\r\n"), ErrIncomplete},
			{"line feed as final line", strings.TrimSuffix(whole, "\r\n") + "\n", ErrFraming},
			{"surplus", whole + "\r\n", ErrTooLong},
			{"loose, surplus", loose + "\r\n", ErrTooLong},
		} {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				mustRefuse(t, tt.body, func() Declared { return declare(f, len(data), verifier) }, tt.want)
			})
		}
	}
}

func TestTamperedTrailerSignature(t *testing.T) {
	seed, verifier := newVerifier(t)
	const data = "some data"
	whole := stream(AWSChunkedSignedTrailer, seed, data, 5, false)
	loose := stream(AWSChunkedSignedTrailer, seed, data, 5, true)
	at := strings.Index(whole, "x-amz-trailer-signature")
	for _, tt := range []struct {
		name, body string
		want       error
	}{
		{"changed", flipAfter(t, whole, "trailer-signature:"), ErrChunkSignature},
		{"changed in the loose form", flipAfter(t, loose, "trailer-signature:"), ErrChunkSignature},
		{"left out", whole[:at] + "\r\n", ErrChunkSignature},
		{"left out in the loose form", loose[:strings.Index(loose, "x-amz-trailer-signature")] + "\r\n", ErrChunkSignature},
		{"empty", whole[:at] + "x-amz-trailer-signature:\r\n\r\n", ErrChunkSignature},
		{"twice", edit(t, whole, whole[at:], strings.TrimSuffix(whole[at:], "\r\n")+whole[at:]), ErrTrailer},
		{"before the trailer", edit(t, whole, "x-amz-checksum", whole[at:len(whole)-2]+"x-amz-checksum"), ErrTrailer},
		{"loose form without its empty line", strings.Replace(loose, "\n\r\n", "\n", 1), ErrTrailer},
		{"line feed behind it", strings.TrimSuffix(whole, "\r\n\r\n") + "\n\r\n", ErrTrailer},
		{"data of the last chunk", edit(t, whole, "data", "Data"), ErrChunkSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mustRefuse(t, tt.body, func() Declared { return declare(AWSChunkedSignedTrailer, len(data), verifier) }, tt.want)
		})
	}
}

func TestTamperedUnsignedStreams(t *testing.T) {
	const data = "some data"
	whole := stream(AWSChunkedUnsignedTrailer, "", data, 5, false)
	for _, tt := range []struct {
		name, body string
		want       error
	}{
		{"data", edit(t, whole, "data", "Data"), ErrChecksum},
		{"extension", edit(t, whole, "5\r\n", "5;a=b\r\n"), ErrFraming},
		{"signature where none belongs", edit(t, whole, "5\r\n", "5;chunk-signature="+strings.Repeat("0", 64)+"\r\n"), ErrFraming},
		{"line feed alone", edit(t, whole, "5\r\n", "5\n"), ErrFraming},
		{"final chunk first", "0\r\n" + whole, ErrIncomplete},
		{"trailer signature where none belongs", strings.TrimSuffix(whole, "\r\n") + "x-amz-trailer-signature:00\r\n\r\n", ErrTrailer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mustRefuse(t, tt.body, func() Declared { return declare(AWSChunkedUnsignedTrailer, len(data), nil) }, tt.want)
		})
	}
}

func TestOddStreamsThatClientsSend(t *testing.T) {
	seed, verifier := newVerifier(t)
	const data = "some data"
	line := "x-amz-checksum-sha256:" + sum(SHA256, data)
	signedWithoutTrailer := encoder{framing: AWSChunkedSignedTrailer, prev: seed}
	signedWithoutTrailer.chunk(data)
	signedWithoutTrailer.end(false)
	for _, tt := range []struct {
		name, body string
		d          Declared
	}{
		{"trailer framing without a trailer, signed", signedWithoutTrailer.String(),
			Declared{Framing: AWSChunkedSignedTrailer, Chunks: verifier()}},
		{"trailer framing without a trailer, unsigned", "9\r\nsome data\r\n0\r\n\r\n",
			Declared{Framing: AWSChunkedUnsignedTrailer}},
		{"checksum in a header", "9\r\nsome data\r\n0\r\n\r\n",
			Declared{Framing: AWSChunkedUnsignedTrailer, Checksums: []Checksum{{CRC32, sum(CRC32, data)}}}},
		{"unsigned loose trailer cut to its announced length", "9\r\nsome data\r\n0\r\n" + line + "\n\r\n",
			Declared{Framing: AWSChunkedUnsignedTrailer, Trailers: []string{"x-amz-checksum-sha256"}}},
		{"upper-case size, leading zeros, capital name, space", "0004\r\nsome\r\n05\r\n data\r\n0\r\nX-Amz-Checksum-Sha256: " + sum(SHA256, data) + "\r\n\r\n",
			Declared{Framing: AWSChunkedUnsignedTrailer, Trailers: []string{"x-amz-checksum-sha256"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.d.Length, tt.d.EncodedLength = int64(len(data)), int64(len(tt.body))
			if got, _, err := consume(strings.NewReader(tt.body), tt.d, 4); err != nil || got != data {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// The streams of "Transferring Payload in Multiple Chunks" and "Including
// Trailing Headers", in the S3 API Reference.
func TestPublishedStreams(t *testing.T) {
	part := func(size, signature string, n int) string {
		return size + ";chunk-signature=" + signature + "\r\n" + strings.Repeat("a", n) + map[bool]string{true: "\r\n"}[n > 0]
	}
	auth := sigv4.Authorization{Time: mustTime(t), Scope: sigv4.Scope{Date: "20130524", Region: "us-east-1", Service: "s3"}}
	key := sigv4.DeriveKey(testSecret, auth.Scope)

	auth.Signature = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
	body := part("10000", "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", 65536) +
		part("400", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", 1024) +
		part("0", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", 0) + "\r\n"
	d := Declared{Framing: AWSChunkedSigned, Length: 66560, EncodedLength: 66824, Chunks: sigv4.NewChunkVerifier(&auth, key)}
	if got, _, err := consume(strings.NewReader(body), d, 4096); err != nil || got != strings.Repeat("a", 66560) || len(body) != 66824 {
		t.Errorf("%d bytes of %d, %v", len(got), len(body), err)
	}

	auth.Signature = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
	body = part("10000", "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2", 65536) +
		part("400", "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", 1024) +
		part("0", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992", 0) +
		"x-amz-checksum-crc32c:sOO8/Q==\n\r\n" +
		"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
	d = Declared{Framing: AWSChunkedSignedTrailer, Length: 66560, EncodedLength: -1,
		Trailers: []string{"x-amz-checksum-crc32c"}, Chunks: sigv4.NewChunkVerifier(&auth, key)}
	if got, r, err := consume(strings.NewReader(body), d, 4096); err != nil || len(got) != 66560 || len(r.Checksums()) != 1 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
