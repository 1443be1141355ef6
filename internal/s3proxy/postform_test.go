package s3proxy_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"keystile/internal/keystile"
)

// field is one part of a form. A file has a filename.
type field struct{ name, value, filename string }

// form is a form upload in the making. What is empty has a default that works.
type form struct {
	bucket     string
	conditions string // further ones, JSON with a comma in front
	fields     []field
	filename   string
	file       string
	after      []field // parts behind the file
	end        string  // in the place of "--\r\n" behind the last boundary
	policy     string  // the whole policy, JSON
	expires    time.Duration
	date       time.Time
	region     string
	service    string
	algorithm  string
	header     http.Header
	query      string
	drop       string          // a field that is left out after signing
	set        *field          // a field that is changed or added after signing
	secret     keystile.Secret // that signs, if not the key's own
	edit       func(body string) string
}

const boundary = "keystileFORMboundary"

// baseConditions are on what every form has.
const baseConditions = `{"bucket":%q},["starts-with","$key",""],` +
	`["starts-with","$x-amz-algorithm",""],["starts-with","$x-amz-credential",""],["starts-with","$x-amz-date",""]`

// signedFields are the form's fields with its policy and signature, computed by
// the book (S3 API Reference, "Calculating a Signature" for POST).
func (f form) signedFields(k key, now time.Time) []field {
	if f.bucket == "" {
		f.bucket = "uploads"
	}
	if f.region == "" {
		f.region = "eu-test-1"
	}
	if f.service == "" {
		f.service = "s3"
	}
	if f.algorithm == "" {
		f.algorithm = "AWS4-HMAC-SHA256"
	}
	if f.expires == 0 {
		f.expires = time.Hour
	}
	if f.date.IsZero() {
		f.date = now
	}
	if f.policy == "" {
		f.policy = fmt.Sprintf(`{"expiration":%q,"conditions":[`+baseConditions+`%s]}`,
			now.Add(f.expires).UTC().Format("2006-01-02T15:04:05.000Z"), f.bucket, f.conditions)
	}
	if f.secret.IsZero() {
		f.secret = k.secret
	}
	day := f.date.UTC().Format("20060102")
	policy := base64.StdEncoding.EncodeToString([]byte(f.policy))
	signing := []byte("AWS4" + f.secret.Reveal())
	for _, text := range []string{day, f.region, f.service, "aws4_request", policy} {
		h := hmac.New(sha256.New, signing)
		h.Write([]byte(text))
		signing = h.Sum(nil)
	}
	fields := append([]field{}, f.fields...)
	fields = append(fields,
		field{name: "x-amz-algorithm", value: f.algorithm},
		field{name: "x-amz-credential", value: strings.Join([]string{k.id, day, f.region, f.service, "aws4_request"}, "/")},
		field{name: "x-amz-date", value: f.date.UTC().Format("20060102T150405Z")},
		field{name: "policy", value: policy},
		field{name: "x-amz-signature", value: hex.EncodeToString(signing)},
	)
	return f.tampered(fields)
}

func (f form) tampered(fields []field) []field {
	var kept []field
	for _, part := range fields {
		switch {
		case part.name == f.drop:
			continue
		case f.set != nil && part.name == f.set.name:
			continue
		}
		kept = append(kept, part)
	}
	if f.set != nil {
		kept = append(kept, *f.set)
	}
	return kept
}

// body is the form as it goes over the wire.
func (f form) body(k key, now time.Time) string {
	var b strings.Builder
	part := func(p field, isFile bool) {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=%q", boundary, p.name)
		if isFile {
			fmt.Fprintf(&b, "; filename=\"%s\"\r\nContent-Type: application/octet-stream", p.filename)
		}
		fmt.Fprintf(&b, "\r\n\r\n%s\r\n", p.value)
	}
	for _, p := range f.signedFields(k, now) {
		part(p, false)
	}
	part(field{"file", f.file, f.filename}, true)
	for _, p := range f.after {
		part(p, p.filename != "")
	}
	if f.end == "" {
		f.end = "--\r\n"
	}
	body := b.String() + "--" + boundary + f.end
	if f.edit != nil {
		body = f.edit(body)
	}
	return body
}

// call is the request that carries the form.
func (f form) call(k key, now time.Time) call {
	path := "/uploads"
	if f.bucket != "" {
		path = "/" + f.bucket
	}
	h := f.header.Clone()
	if h == nil {
		h = http.Header{}
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	}
	return call{method: post, path: path, query: f.query, header: h, body: f.body(k, now), unsigned: true}
}

func (g *gateway) post(k key, f form) result {
	g.t.Helper()
	return g.do(k, f.call(k, g.clock()))
}

// inUploads is a form with one key and further fields.
func inUploads(key string, fields ...string) form {
	f := form{fields: []field{{name: "key", value: key}}, filename: "photo.jpg", file: "hello"}
	for i := 0; i < len(fields); i += 2 {
		f.fields = append(f.fields, field{name: fields[i], value: fields[i+1]})
	}
	return f
}

func (f form) with(change func(*form)) form {
	change(&f)
	return f
}

func (f form) given(conditions ...string) form {
	for _, c := range conditions {
		f.conditions += "," + c
	}
	return f
}
