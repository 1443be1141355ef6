package s3proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
)

func TestPostDeadKeys(t *testing.T) {
	hourAgo := time.Now().Add(-time.Hour)
	for name, change := range map[string]func(*keystile.Credential){
		"revoked":  func(c *keystile.Credential) { c.RevokedAt = hourAgo },
		"expired":  func(c *keystile.Credential) { c.ExpiresAt = hourAgo },
		"disabled": func(c *keystile.Credential) { c.DisabledAt = hourAgo },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/uploads:write")
			if r := g.post(k, inUploads("a")); r.status != 204 {
				t.Fatalf("a live key got %d %s", r.status, r.code)
			}
			g.backend.Reset()
			g.change(k, change)
			if r := g.post(k, inUploads("a")); r.status != 401 || r.code != "InvalidAccessKeyId" {
				t.Errorf("got %d %s", r.status, r.code)
			}
			g.nothingStored()
		})
	}
}

func TestPostWithoutPermission(t *testing.T) {
	g := newGateway(t)
	g.bind(keystile.Binding{Name: "open", Bucket: keystile.Bucket{Backend: "prod", Name: "uploads"}, Mode: keystile.ModeReadList})
	reader := g.mint("prod/uploads:read,list,delete")
	if r := g.post(reader, inUploads("a")); r.status != 403 || r.code != "AccessDenied" {
		t.Errorf("a reader got %d %s", r.status, r.code)
	}
	anonymous := inUploads("a").with(func(f *form) {
		f.edit = func(string) string {
			return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na\r\n--" + boundary +
				"\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhello\r\n--" + boundary + "--\r\n"
		}
	})
	for _, bucket := range []string{"uploads", "open"} {
		anonymous.bucket = bucket
		if r := g.post(reader, anonymous); r.status != 403 || r.code != "AccessDenied" {
			t.Errorf("an unsigned form to %s got %d %s", bucket, r.status, r.code)
		}
	}
	g.nothingStored()
}

func TestPostedACLNeedsItsPermission(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	must(t, g.post(g.mint("prod/uploads:write,acl"), inUploads("a", "acl", "public-read").given(`{"acl":"public-read"}`)).is(204))
	if got := g.backend.Requests()[0].Header.Get("X-Amz-Acl"); got != "public-read" {
		t.Errorf("the backend saw the ACL %q", got)
	}
	g.backend.Reset()
	must(t, g.post(g.mint("prod/uploads:write"), inUploads("a", "acl", "public-read").given(`{"acl":"public-read"}`)).is(403))
	g.nothingStored()
}

func (r result) is(status int) error {
	if r.status != status {
		return fmt.Errorf("got %d %s %s, want %d", r.status, r.code, r.message, status)
	}
	return nil
}

func TestPostGoesOnAsAnUpload(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.prove(keystile.StoresOnlyWhole, keystile.ChecksCRC32)
	k := g.mint("prod/uploads:write@inbox")
	f := inUploads("user/${filename}", "acl", "private", "Content-Type", "image/jpeg", "Cache-Control", "no-cache",
		"Content-Disposition", `attachment; filename="${filename}"`, "x-amz-meta-Colour", "red", "x-amz-storage-class", "STANDARD_IA",
		"x-amz-server-side-encryption", "AES256", "x-amz-checksum-crc32", crc32Of("hello"), "submit", "Go",
		"tagging", `<Tagging><TagSet><Tag><Key>a b</Key><Value>c&amp;d</Value></Tag></TagSet></Tagging>`,
	).with(func(f *form) { f.bucket, f.header = "inbox", header("Cache-Control", "max-age=0") })
	for _, name := range []string{
		"acl", "Content-Type", "Cache-Control", "Content-Disposition", "x-amz-meta-colour", "X-Amz-Storage-Class",
		"x-amz-server-side-encryption", "x-amz-checksum-crc32", "submit", "tagging",
	} {
		f = f.given(fmt.Sprintf(`["Starts-With","$%s",""]`, name))
	}
	r := g.post(k, f)
	if r.status != 204 || r.header.Get("Etag") == "" || r.header.Get("Location") != "http://gateway.test/inbox/user/photo.jpg" || r.body != "" {
		t.Fatalf("got %d %s %v", r.status, r.body, r.header)
	}
	g.backendSaw(1)
	seen := g.backend.Requests()[0]
	if seen.Method != put || seen.Path != "/uploads/user/photo.jpg" || seen.Query != "" || string(seen.Body) != "hello" || seen.ContentLength != 5 {
		t.Errorf("the backend saw %s %s?%s %q", seen.Method, seen.Path, seen.Query, seen.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/jpeg", "Cache-Control": "no-cache", "Content-Disposition": `attachment; filename="photo.jpg"`,
		"X-Amz-Meta-Colour": "red", "X-Amz-Storage-Class": "STANDARD_IA", "X-Amz-Server-Side-Encryption": "AES256",
		"X-Amz-Checksum-Crc32": crc32Of("hello"), "X-Amz-Tagging": "a%20b=c%26d", "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
		"X-Amz-Acl": "", "X-Amz-Credential": "", "X-Amz-Signature": "", "Policy": "", "Submit": "", "X-Amz-Algorithm": "",
	} {
		if got := seen.Header.Get(name); got != want {
			t.Errorf("the backend saw %s: %q, want %q", name, got, want)
		}
	}
	e := g.events(keystile.EventFilter{ActionPrefix: "s3.proxy."})[0]
	if e.Action != "s3.proxy.postobject" || e.Result != keystile.ResultOK || e.Key != "user/photo.jpg" || e.Bucket != "uploads" ||
		e.Detail.Bytes != 5 || e.Detail.AccessKeyID != k.id || !e.Detail.Authenticated || e.Open {
		t.Errorf("recorded %+v", e)
	}
}

func TestPostToAPrefixAsABucket(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	k := g.mint("prod/reports/2026/:write@team-a")
	f := inUploads("in/${filename}", "success_action_status", "201").given(`{"success_action_status":"201"}`, `["eq","$key","in/photo.jpg"]`)
	f.bucket = "team-a"
	r := g.post(k, f)
	must(t, r.is(201))
	if !strings.Contains(r.body, "<Bucket>team-a</Bucket><Key>in/photo.jpg</Key>") || strings.Contains(r.body, "2026") ||
		strings.Contains(r.header.Get("Location"), "2026") {
		t.Errorf("answered %s, %v", r.body, r.header)
	}
	if got := string(g.backend.Objects("reports")["2026/in/photo.jpg"]); got != "hello" {
		t.Errorf("stored %q", got)
	}
	g.backend.Reset()
	for _, key := range []string{"../2025/a", "/../2025/a"} {
		f.fields[0].value, f.conditions = key, `,{"success_action_status":"201"}`
		if r := g.post(k, f); r.status != 400 || r.code != "InvalidArgument" {
			t.Errorf("the key %q got %d %s", key, r.status, r.code)
		}
	}
	g.nothingStored()
}

func TestPostAnswers(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	k := g.mint("prod/uploads:write@inbox")
	const etag = "%225d41402abc4b2a76b9719d911017c592%22"
	xml := `<PostResponse><Location>http://gateway.test/inbox/a%20b</Location><Bucket>inbox</Bucket><Key>a b</Key>` +
		`<ETag>&#34;5d41402abc4b2a76b9719d911017c592&#34;</ETag></PostResponse>`
	own := "http://gateway.test/inbox/a%20b"
	for _, tt := range []struct {
		name, field, value string
		status             int
		location, body     string
	}{
		{"none asked for", "x-ignore-a", "", 204, own, ""},
		{"200", "success_action_status", "200", 200, own, ""},
		{"201", "success_action_status", "201", 201, own, xml},
		{"204", "success_action_status", "204", 204, own, ""},
		{"a status that S3 does not know", "success_action_status", "404", 204, own, ""},
		{"a redirect", "success_action_redirect", "https://shop.test/thanks", 303, "https://shop.test/thanks?bucket=inbox&key=a%20b&etag=" + etag, ""},
		{"a redirect with a query", "Success_Action_Redirect", "http://shop.test/?n=1#top", 303, "http://shop.test/?n=1&bucket=inbox&key=a%20b&etag=" + etag + "#top", ""},
		{"the old name", "redirect", "https://shop.test", 303, "https://shop.test?bucket=inbox&key=a%20b&etag=" + etag, ""},
		{"a script", "success_action_redirect", "javascript:alert(1)", 204, own, ""},
		{"a path", "success_action_redirect", "//shop.test/", 204, own, ""},
		{"a line break", "success_action_redirect", "https://shop.test/\r\nSet-Cookie: a=b", 204, own, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := inUploads("a b", tt.field, tt.value).given(fmt.Sprintf(`["starts-with","$%s",""]`, tt.field))
			f.bucket = "inbox"
			c := f.call(k, g.clock())
			client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			res, err := client.Do(g.request(k, c))
			must(t, err)
			defer res.Body.Close()
			data, err := io.ReadAll(res.Body)
			must(t, err)
			if res.StatusCode != tt.status || res.Header.Get("Location") != tt.location || res.Header.Get("Set-Cookie") != "" {
				t.Errorf("got %d to %q", res.StatusCode, res.Header.Get("Location"))
			}
			if !strings.HasSuffix(string(data), tt.body) || (tt.body == "") != (len(data) == 0) {
				t.Errorf("got the body %s", data)
			}
		})
	}
}

// TestPostBodies sends forms of every size and checks what becomes of them: a
// file is stored byte by byte, or not at all.
func TestPostBodies(t *testing.T) {
	almost := "\r\n--" + boundary[:len(boundary)-1] + "_"
	for _, size := range []int{0, 1, 5, 60_000, 70_000, 3_000_000} {
		file := strings.Repeat("\r\n--"+boundary[:7]+almost+"\r\n", size/30+1)[:size]
		large := size > 64<<10
		whole := inUploads("a").with(func(f *form) { f.file = file })
		for _, tt := range []struct {
			name   string
			form   form
			stored bool
		}{
			{"whole", whole, true},
			{"an empty line before it", whole.with(func(f *form) { f.edit = func(b string) string { return "\r\n" + b } }), true},
			{"a field behind the file", whole.with(func(f *form) { f.after = []field{{name: "submit", value: "Go"}} }), !large},
			{"without the last line end", whole.with(func(f *form) { f.end = "--" }), !large},
			{"not closed", whole.with(func(f *form) { f.end = "\r\n" }), false},
			{"closed by one hyphen", whole.with(func(f *form) { f.end = "-\r\n" }), false},
			{"something behind it", whole.with(func(f *form) { f.end = "--\r\n\r\n" }), false},
			{"no boundary behind the file", whole.with(func(f *form) {
				f.edit = func(b string) string { return strings.TrimSuffix(b, "\r\n--"+boundary+"--\r\n") }
			}), false},
		} {
			t.Run(fmt.Sprintf("%d bytes, %s", size, tt.name), func(t *testing.T) {
				t.Parallel()
				g := newGateway(t)
				k := g.mint("prod/uploads:write")
				r := g.post(k, tt.form)
				g.backend.Wait()
				got, there := g.backend.Objects("uploads")["a"]
				if there != tt.stored || (there && string(got) != file) || (r.status == 204) != tt.stored {
					t.Errorf("got %d %s %s; stored %v, %d bytes", r.status, r.code, r.message, there, len(got))
				}
			})
		}
	}
}

// TestPostThatIsCutOff sends a part of a form and hangs up.
func TestPostThatIsCutOff(t *testing.T) {
	for _, size := range []int{5, 50_000, 500_000} {
		f := inUploads("a").with(func(f *form) { f.file = strings.Repeat("x", size) })
		for _, missing := range []int{1, 2, 4, 30, 700} {
			t.Run(fmt.Sprintf("%d bytes, %d missing", size, missing), func(t *testing.T) {
				t.Parallel()
				g := newGateway(t)
				k := g.mint("prod/uploads:write")
				c := f.call(k, g.clock())
				conn, err := net.Dial("tcp", g.addr)
				must(t, err)
				defer conn.Close()
				_, err = fmt.Fprintf(conn, "POST /uploads HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
					g.addr, c.header.Get("Content-Type"), len(c.body), c.body[:len(c.body)-missing])
				must(t, err)
				must(t, conn.(*net.TCPConn).CloseWrite())
				if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
					res.Body.Close()
					if res.StatusCode < 400 {
						t.Errorf("got %d", res.StatusCode)
					}
				}
				g.backend.Wait()
				if n := g.stored("uploads"); n != 0 {
					t.Errorf("%d objects are stored", n)
				}
			})
		}
	}
}

func TestPostWithoutALength(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	c := inUploads("a").call(k, g.clock())
	c.tamper = func(r *http.Request) { r.ContentLength = -1 }
	if r := g.do(k, c); r.status != 411 || r.code != "MissingContentLength" {
		t.Errorf("got %d %s", r.status, r.code)
	}
	g.nothingStored()
}

// TestPostBeyondTheLargestFile declares 5 GiB and sends no more than the fields.
func TestPostBeyondTheLargestFile(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	c := inUploads("a").call(k, g.clock())
	status, answer := g.rawForm(c, 5<<30+int64(len(c.body))-4)
	if status != 400 || !strings.Contains(answer, "EntityTooLarge") {
		t.Errorf("got %d %s", status, answer)
	}
	g.nothingStored()
}

// rawForm sends a form under a length that is not its own.
func (g *gateway) rawForm(c call, length int64) (int, string) {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.addr)
	must(g.t, err)
	defer conn.Close()
	must(g.t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = fmt.Fprintf(conn, "POST /uploads HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		g.addr, c.header.Get("Content-Type"), length, c.body)
	must(g.t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(g.t, err)
	defer res.Body.Close()
	data, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(data)
}

// TestRevokingCutsAPost revokes the key while its form is on the way.
func TestRevokingCutsAPost(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	c := inUploads("a").with(func(f *form) { f.file = strings.Repeat("x", 1<<20) }).call(k, g.clock())
	conn, err := net.Dial("tcp", g.addr)
	must(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /uploads HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		g.addr, c.header.Get("Content-Type"), len(c.body), c.body[:len(c.body)-10])
	must(t, err)
	for g.backend.Count() == 0 {
		time.Sleep(time.Millisecond)
	}
	g.change(k, func(cr *keystile.Credential) { cr.RevokedAt = time.Now() })
	_, _ = io.WriteString(conn, c.body[len(c.body)-10:])
	g.backend.Wait()
	if n := g.stored("uploads"); n != 0 {
		t.Error("the upload was completed with a revoked key")
	}
}
