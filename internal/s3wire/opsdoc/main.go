// Command opsdoc writes the operations page of the documentation from the table
// to standard output:
//
//	go run ./internal/s3wire/opsdoc > docs/reference/operations.md
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"keystile/internal/s3wire"
)

func main() {
	if _, err := os.Stdout.Write(page(s3wire.Operations())); err != nil {
		panic(err) // half a page must not look like one
	}
}

const introduction = `# S3 operations

Generated from the gateway's operation table: change the table and run ` + "`go run ./internal/s3wire/opsdoc > docs/reference/operations.md`" + `, not this page.

A request is carried out only if it is, in full, what one row of this table describes: method, path, the query parameters that name the
operation, and no others than those listed. The same holds for ` + "`x-amz-`" + ` headers. What no row describes is refused before any backend hears
of it.

Besides what the rows list,

- every request may carry ` + "`x-id`" + `, which is ignored, the parameters and headers of its signature, and ` + "`x-amz-user-agent`" + `;
- headers without ` + "`x-amz-`" + ` that the row does not list are left out, not refused; length, type and digest of a body go on with the body;
- a presigned URL may carry a listed header as a query parameter;
- ` + "`x-amz-acl`" + ` and ` + "`x-amz-grant-…`" + ` need the permission ` + "`acl`" + ` on the key as well; without it ` + "`x-amz-acl: private`" + ` is accepted and dropped;
- ` + "`x-amz-bypass-governance-retention: true`" + ` needs the permission ` + "`bypass-governance`" + ` as well.

What a ` + "`PostObject`" + ` says of its object stands in the form's fields: those of the row, and ` + "`acl`, `Cache-Control`, `Content-Disposition`, `Content-Encoding`,\n`Content-Language`, `Content-MD5`, `Content-Type`, `Expires`, `key`, `redirect`, `success_action_redirect`, `success_action_status`, `tagging`" + `. It must be signed with a policy
(Signature Version 4). All but the file of a form may take 20 KiB; in a form of more than 64 KiB the file must be the last field, and the form must end with a line end.

**Permission** is what a grant must give: on the key, on the prefix of a listing, on every key of a ` + "`DeleteObjects`" + `, and ` + "`read`" + ` on what is
copied. For ` + "`HeadBucket` and `GetBucketLocation`" + ` any permission on the bucket suffices. **Usage** is what the operation does to the usage of its bucket: it *adds* its body, *copies*
its source, *frees* what it deletes, *holds* parts until their upload is completed or aborted, *replaces* parts by the object that they make. **Audit** is the class of the event: successful reads are sampled, everything else is always
recorded. **Callers**: *credential* is an access key of the gateway, *anonymous* an unsigned request to a bucket that a binding opens, *RGW user*
one that owns the bucket, or wants to make it; where the gateway is its home, what it sets is kept by the gateway or by the backend if it can.
` + "`CopyObject` and `UploadPartCopy`" + ` may read from another backend than they write to: the gateway then reads and writes itself, up to 5 GiB at once. Metadata,
tags and a checksum of the whole object go along; a checksum algorithm that the source has no value of is not computed. While a copy or the completion of an upload lasts
longer than 10 s, the client is told 200 and gets white space; an error then stands in the body, as with S3.
Operations that are not **served** are refused by name, bucket administration with 403 ` + "`AccessDenied`" + ` (` + "`CreateBucket`" + ` of a
bucket that the caller has already with 409 ` + "`BucketAlreadyOwnedByYou`" + `), the others with 501 ` + "`NotImplemented`" + `.
`

var sections = []struct {
	title string
	has   func(s3wire.Operation) bool
}{
	{"Served", func(op s3wire.Operation) bool { return op.Served }},
	{"Known, not served", func(op s3wire.Operation) bool { return !op.Served && op.Class != s3wire.ClassAdmin }},
	{"Bucket administration", func(op s3wire.Operation) bool { return op.Class == s3wire.ClassAdmin }},
}

// page renders the whole page in Markdown.
func page(ops []s3wire.Operation) []byte {
	sorted := slices.SortedFunc(slices.Values(ops), func(a, b s3wire.Operation) int { return cmp.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	out.WriteString(introduction)
	for _, s := range sections {
		fmt.Fprintf(&out, "\n## %s\n\n", s.title)
		out.WriteString("| Operation | Request | Permission | Query parameters | Headers | Usage | Audit | Callers | Served |\n")
		out.WriteString("|---|---|---|---|---|---|---|---|---|\n")
		for _, op := range sorted {
			if s.has(op) {
				out.WriteString(row(op))
			}
		}
	}
	return out.Bytes()
}

func row(op s3wire.Operation) string {
	cells := []string{
		op.Name, request(op), orDash(op.Permission.String()), code(op.Query), headers(op), usage(op.Effect), string(op.Class), callers(op.Callers), yes(op.Served || op.Callers&s3wire.Owners != 0),
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// request is the method and how the operation is named, such as
// "PUT /BUCKET/KEY?partNumber=…&uploadId=…".
func request(op s3wire.Operation) string {
	path := [...]string{"/", "/BUCKET", "/BUCKET/KEY"}[op.Level]
	var params []string
	for _, p := range op.By {
		switch p.Value {
		case "":
			params = append(params, p.Name)
		case s3wire.AnyValue:
			params = append(params, p.Name+"=…")
		default:
			params = append(params, p.Name+"="+p.Value)
		}
	}
	if len(params) > 0 {
		path += "?" + strings.Join(params, "&")
	}
	text := "`" + op.Method + " " + path + "`"
	if op.CopySource {
		text += " with `x-amz-copy-source`"
	}
	return text
}

func headers(op s3wire.Operation) string {
	if len(op.Fields) > 0 {
		return "none; form fields " + code(append(slices.Clone(op.Fields), "x-amz-meta-…"))
	}
	list := append(slices.Clone(op.Standard), op.Headers...)
	if op.Metadata {
		list = append(list, "x-amz-meta-…")
	}
	return code(list)
}

func usage(e s3wire.Effect) string {
	if e == s3wire.EffectNone {
		return "–"
	}
	return string(e)
}

func callers(c s3wire.Caller) string {
	var names []string
	if c&s3wire.Credentials != 0 {
		names = append(names, "credential")
	}
	if c&s3wire.Anonymous != 0 {
		names = append(names, "anonymous")
	}
	if c&s3wire.Owners != 0 {
		names = append(names, "RGW user")
	}
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

func code(names []string) string {
	quoted := make([]string, 0, len(names))
	for _, n := range slices.Sorted(slices.Values(names)) {
		quoted = append(quoted, "`"+n+"`")
	}
	return orDash(strings.Join(quoted, " "))
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func orDash(s string) string { return cmp.Or(s, "–") }
