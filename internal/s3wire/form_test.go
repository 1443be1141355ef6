package s3wire_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"keystile/internal/s3wire"
)

const formType = "multipart/form-data; boundary=b"

// formOf writes parts as NAME=VALUE; a file is "file" or "file:NAME".
func formOf(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		name, value, _ := strings.Cut(p, "=")
		name, filename, isFile := strings.Cut(name, ":")
		b.WriteString("--b\r\nContent-Disposition: form-data; name=\"" + name + `"`)
		if isFile {
			b.WriteString(`; filename="` + filename + `"`)
		}
		b.WriteString("\r\n\r\n" + value + "\r\n")
	}
	return b.String() + "--b--\r\n"
}

func readForm(body string) (*s3wire.Form, error) {
	return s3wire.ReadForm(formType, int64(len(body)), strings.NewReader(body))
}

func TestFormVariables(t *testing.T) {
	for _, tt := range []struct{ name, filename, key, want string }{
		{"a plain name", "a.jpg", "in/${filename}", "in/a.jpg"},
		{"twice", "a", "${filename}/${filename}", "a/a"},
		{"a path", "/home/eric/a.jpg", "${filename}", "a.jpg"},
		{"a path of Windows", `C:\photos\a.jpg`, "${filename}", "a.jpg"},
		{"no name", "", "in/${filename}", "in/"},
		{"another variable", "a", "${Filename}$filename", "${Filename}$filename"},
		{"a variable in the name", "${filename}", "${filename}", "${filename}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := readForm(formOf("key="+tt.key, "policy="+tt.key, "file:"+tt.filename+"=x"))
			if err != nil {
				t.Fatal(err)
			}
			if f.Field("key") != tt.want || f.Field("policy") != tt.key {
				t.Errorf("key %q, policy %q", f.Field("key"), f.Field("policy"))
			}
		})
	}
}

func TestFormHeads(t *testing.T) {
	ends := "\r\n\r\nx\r\n--b--\r\n"
	for _, tt := range []struct {
		name, body string
		ok         bool
	}{
		{"as browsers write it", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: text/plain" + ends, true},
		{"in lower case", "--b\r\ncontent-disposition:form-data;name=file" + ends, true},
		{"a name in UTF-8", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"ä.jpg\"" + ends, true},
		{"an encoded name", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=utf-8''%C3%A4.jpg" + ends, true},
		{"no headers", "--b\r\n\r\nx\r\n--b--\r\n", false},
		{"no disposition", "--b\r\nContent-Type: text/plain" + ends, false},
		{"two dispositions", "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=file" + ends, false},
		{"another disposition", "--b\r\nContent-Disposition: attachment; name=file" + ends, false},
		{"no name", "--b\r\nContent-Disposition: form-data" + ends, false},
		{"a folded line", "--b\r\nContent-Disposition: form-data;\r\n name=file" + ends, false},
		{"bare line ends", "--b\nContent-Disposition: form-data; name=file\n\nx\n--b--\n", false},
		{"a bare line end within a header", "--b\r\nContent-Disposition: form-data; name=file\nX: y" + ends, false},
		{"a header without a colon", "--b\r\nContent-Disposition: form-data; name=file\r\nnothing" + ends, false},
		{"a space before the colon", "--b\r\nContent-Disposition : form-data; name=file" + ends, false},
		{"too many headers", "--b\r\nContent-Disposition: form-data; name=file\r\na:1\r\nb:1\r\nc:1\r\nd:1\r\ne:1\r\nf:1\r\ng:1\r\nh:1" + ends, false},
		{"text before the first boundary", "hello\r\n--b\r\nContent-Disposition: form-data; name=file" + ends, false},
		{"a longer boundary", "--bb\r\nContent-Disposition: form-data; name=file" + ends, false},
		{"padding behind the boundary", "--b \r\nContent-Disposition: form-data; name=file" + ends, false},
		{"nothing", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readForm(tt.body)
			if (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
			if err != nil && s3wire.AsError(err).Status != 400 {
				t.Errorf("refused with %+v", s3wire.AsError(err))
			}
		})
	}
}

// TestFormFileIsFoundHoweverItArrives reads large files in pieces of all kinds.
func TestFormFileIsFoundHoweverItArrives(t *testing.T) {
	file := strings.Repeat("\r\n--c\r\n-\r\n\r\n--", 10_000)
	body := formOf("key=a", "file:x="+file)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader,
		"in halves": iotest.HalfReader, "the end with the data": iotest.DataErrReader,
	} {
		for _, size := range []int{1, 3, 4, 1000, 1 << 20} {
			f, err := s3wire.ReadForm(formType, int64(len(body)), wrap(strings.NewReader(body)))
			if err != nil {
				t.Fatal(err)
			}
			r, length, err := f.File()
			if err != nil || length != int64(len(file)) {
				t.Fatalf("%s: length %d, %v", name, length, err)
			}
			var got bytes.Buffer
			if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, r, make([]byte, size)); err != nil || got.String() != file {
				t.Errorf("%s, by %d: %v, %d bytes", name, size, err, got.Len())
			}
		}
	}
}

func TestFormsOfUnknownLengthAreRefused(t *testing.T) {
	_, err := s3wire.ReadForm(formType, -1, strings.NewReader(formOf("key=a", "file=x")))
	if s3wire.AsError(err).Status != 411 {
		t.Errorf("got %v", err)
	}
}

func FuzzForm(f *testing.F) {
	for _, body := range []string{
		formOf("key=a", "file:x.jpg=hello"), formOf("file=", "submit=x"), formOf("key=a"), formOf("file=x", "file=y"),
		"\r\n" + formOf("file=--b"), formOf("file=\r\n--") + "\r\n", "--b--\r\n", formOf("file:x=" + strings.Repeat("y", 300)),
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=utf-8''a\r\n\r\n\r\n--b--",
	} {
		f.Add(body, false)
		f.Add(body, true)
	}
	f.Fuzz(func(t *testing.T, body string, long bool) {
		if head := strings.LastIndex(body, "\r\n\r\n"); long && head >= 0 { // so that the file streams
			body = body[:head+4] + strings.Repeat("z", 70_000) + body[head+4:]
		}
		file, err := fileOf(body)
		if err != nil {
			var e *s3wire.Error
			if !errors.As(err, &e) || e.Status < 400 || e.Status >= 500 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		// Who reads forms as the standard library does must find the same file.
		for parts := multipart.NewReader(strings.NewReader(body), "b"); ; {
			part, err := parts.NextRawPart()
			if err != nil {
				t.Fatalf("the standard library finds no file: %v", err)
			}
			if strings.ToLower(part.FormName()) != "file" {
				continue
			}
			want, err := io.ReadAll(part)
			if err != nil || !bytes.Equal(file, want) {
				t.Fatalf("the standard library finds %d bytes, not %d: %v", len(want), len(file), err)
			}
			return
		}
	})
}

func fileOf(body string) ([]byte, error) {
	form, err := readForm(body)
	if err != nil {
		return nil, err
	}
	r, length, err := form.File()
	if err != nil {
		return nil, err
	}
	file, err := io.ReadAll(r)
	if err == nil && int64(len(file)) != length {
		return nil, errors.New("the length is another one")
	}
	return file, err
}

// formPolicy wraps conditions, each with a comma in front but the first.
func formPolicy(conditions string) string {
	return `{"expiration":"2030-01-01T00:00:00.000Z","conditions":[` + conditions + `]}`
}

func parsePolicy(text string) (s3wire.Policy, error) {
	return s3wire.ParsePolicy(base64.StdEncoding.EncodeToString([]byte(text)))
}

func TestPolicySyntax(t *testing.T) {
	for _, tt := range []struct {
		name, policy string
		ok           bool
	}{
		{"all kinds", formPolicy(`{"acl":"private"},["eq","$key","a"],["STARTS-WITH","$Key",""],["content-length-range",0,10]`), true},
		{"without milliseconds", `{"conditions":[],"expiration":"2030-01-01T00:00:00Z"}`, true},
		{"the dollar escaped", formPolicy(`["eq","$key","\$a\v\\$"]`), true},
		{"no conditions", `{"expiration":"2030-01-01T00:00:00Z"}`, false},
		{"no expiration", `{"conditions":[]}`, false},
		{"expiration in another case", `{"EXPIRATION":"2030-01-01T00:00:00Z","conditions":[]}`, false},
		{"expiration twice", `{"expiration":"2030-01-01T00:00:00Z","expiration":"2031-01-01T00:00:00Z","conditions":[]}`, false},
		{"conditions twice", `{"expiration":"2030-01-01T00:00:00Z","conditions":[],"conditions":[]}`, false},
		{"another date", `{"expiration":"2030-01-01 00:00:00+00:00","conditions":[]}`, false},
		{"a number as expiration", `{"expiration":1893456000,"conditions":[]}`, false},
		{"something else", `{"expiration":"2030-01-01T00:00:00Z","conditions":[],"version":"1"}`, false},
		{"conditions that are no list", `{"expiration":"2030-01-01T00:00:00Z","conditions":{"acl":"private"}}`, false},
		{"an empty condition", formPolicy(`{}`), false},
		{"an empty list", formPolicy(`[]`), false},
		{"two fields in one", formPolicy(`{"acl":"private","key":"a"}`), false},
		{"a number as a value", formPolicy(`{"success_action_status":201}`), false},
		{"null as a value", formPolicy(`{"acl":null}`), false},
		{"a list as a value", formPolicy(`{"acl":["private"]}`), false},
		{"a text as a condition", formPolicy(`"acl"`), false},
		{"an unknown operator", formPolicy(`["ends-with","$key","a"]`), false},
		{"no dollar", formPolicy(`["eq","key","a"]`), false},
		{"only a dollar", formPolicy(`["eq","$","a"]`), false},
		{"no value", formPolicy(`["eq","$key"]`), false},
		{"two values", formPolicy(`["eq","$key","a","b"]`), false},
		{"a negative length", formPolicy(`["content-length-range",-1,10]`), false},
		{"half a byte", formPolicy(`["content-length-range",0,1.5]`), false},
		{"a length as text", formPolicy(`["content-length-range","0","10"]`), false},
		{"a length beyond all", formPolicy(`["content-length-range",0,99999999999999999999]`), false},
		{"one length", formPolicy(`["content-length-range",0]`), false},
		{"three lengths", formPolicy(`["content-length-range",0,1,2]`), false},
		{"a comma at the end", formPolicy(`{"acl":"private"},`), false},
		{"something behind it", formPolicy("") + "{}", false},
		{"cut off", `{"expiration":"2030-01-01T00:00:00Z","conditions":[`, false},
		{"no object", `[]`, false},
		{"nothing", ``, false},
		{"not UTF-8", formPolicy("{\"acl\":\"\xff\"}"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parsePolicy(tt.policy)
			if (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
			if err != nil && s3wire.AsError(err).Code != "InvalidPolicyDocument" {
				t.Errorf("refused with %v", err)
			}
		})
	}
	if _, err := s3wire.ParsePolicy("{not base64}"); err == nil {
		t.Error("what is not base64 is read")
	}
}

func TestPolicyEscapes(t *testing.T) {
	now := time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct{ name, condition, key string }{
		{"a dollar", `["eq","$key","\$a"]`, "$a"},
		{"a backslash and a dollar", `["eq","$key","\\$a"]`, `\$a`},
		{"a vertical tab", `["eq","$key","\va"]`, "\va"},
		{"unicode", `["eq","$key","\u00e4"]`, "ä"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			policy, err := parsePolicy(formPolicy(tt.condition + `,{"bucket":"photos"}`))
			if err != nil {
				t.Fatal(err)
			}
			for key, want := range map[string]bool{tt.key: true, tt.key + "x": false} {
				form, err := readForm(formOf("key="+key, "file=x"))
				if err != nil {
					t.Fatal(err)
				}
				if err := policy.Check(form, "photos", now); (err == nil) != want {
					t.Errorf("%q: %v", key, err)
				}
			}
		})
	}
}

func FuzzPolicy(f *testing.F) {
	for _, policy := range []string{
		formPolicy(`{"acl":"private"},["eq","$key","a"],["starts-with","$key",""],["content-length-range",0,10]`),
		formPolicy(`{"key":"a"},{"bucket":"photos"}`), formPolicy(`["eq","$key","\$a"]`), `{"expiration":`, "[[[[", `{"conditions":[{}]}`,
	} {
		f.Add(policy, "a")
	}
	form := func(t *testing.T, key string) *s3wire.Form {
		got, err := readForm(formOf("key="+key, "file=x"))
		if err != nil {
			t.Skip("not a form")
		}
		return got
	}
	f.Fuzz(func(t *testing.T, text, key string) {
		policy, err := parsePolicy(text)
		if err != nil {
			if s3wire.AsError(err).Code != "InvalidPolicyDocument" {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if policy.Check(form(t, key), "photos", time.Unix(0, 0)) != nil {
			return
		}
		if !strings.Contains(strings.ToLower(text), "bucket") && !strings.Contains(text, `\u`) {
			t.Fatalf("%q allows any bucket", text)
		}
		if policy.CheckSize(s3wire.MaxFormFile+1) == nil || policy.CheckSize(-1) == nil {
			t.Fatalf("%q allows any size", text)
		}
	})
}
