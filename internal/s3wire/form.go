package s3wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// Bounds of what stands before the file in a form. S3's own is 20 KB for all of
// it (S3 API Reference, "POST Object").
const (
	maxFormBytes   = 20 << 10
	maxFormFields  = 100
	maxPartHeaders = 8
)

// formBuffer is the window in which the end of a form's file is looked for.
const formBuffer = 32 << 10

// maxBoundary is the longest boundary that RFC 2046, section 5.1.1, allows.
const maxBoundary = 70

// Form is a form upload (multipart/form-data, RFC 7578) that has been read up to
// the first byte of its file, which S3 wants to be the last field that counts.
type Form struct {
	fields   map[string]string // by lower-case name, variables expanded
	filename string            // as the client calls the file, without directories
	delim    []byte            // CR LF, two hyphens and the boundary
	in       *bufio.Reader
	left     int64 // of the body, in bytes
}

// ReadForm reads a form up to its file. The length is that of the whole body,
// in bytes, and must be known: that of the file follows from it. The errors are
// those of S3, or wrap that of body.
func ReadForm(contentType string, length int64, body io.Reader) (*Form, error) {
	boundary, err := formBoundary(contentType)
	if err != nil {
		return nil, err
	}
	if length < 0 {
		return nil, MissingContentLength.Err()
	}
	f := &Form{
		fields: map[string]string{}, delim: []byte("\r\n--" + boundary),
		in: bufio.NewReaderSize(body, formBuffer), left: length,
	}
	r := formReader{in: f.in, delim: f.delim, budget: maxFormBytes, full: PreDataTooLarge}
	err = r.readFields(f)
	f.left -= r.read
	if err != nil {
		return nil, err
	}
	f.expand()
	return f, nil
}

func formBoundary(contentType string) (string, error) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	boundary := params["boundary"]
	switch {
	case mediaType != "multipart/form-data":
		return "", NotAForm.Err()
	case err != nil, boundary == "", len(boundary) > maxBoundary, strings.HasSuffix(boundary, " "),
		strings.ContainsFunc(boundary, notInBoundary):
		return "", MalformedPOSTRequest.With("The boundary of the form is missing or not valid.")
	}
	return boundary, nil
}

// notInBoundary is true for what RFC 2046, section 5.1.1, does not allow.
func notInBoundary(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("'()+_,-./:=? ", r))
}

// Field returns the value of a field; empty if the form does not have it.
func (f *Form) Field(name string) string { return f.fields[name] }

// Has reports whether the form has a field.
func (f *Form) Has(name string) bool {
	_, ok := f.fields[name]
	return ok
}

// filenameVariable is replaced by the file's name in every field (S3 API
// Reference, "HTML Form Fields").
const filenameVariable = "${filename}"

// literalFields are those in which nothing is replaced: they are signed, or are
// the signature.
var literalFields = map[string]bool{
	"awsaccesskeyid": true, "policy": true, "signature": true, "x-amz-algorithm": true, "x-amz-credential": true,
	"x-amz-date": true, "x-amz-security-token": true, "x-amz-signature": true,
}

func (f *Form) expand() {
	for name, value := range f.fields {
		if !literalFields[name] && strings.Contains(value, filenameVariable) {
			f.fields[name] = strings.ReplaceAll(value, filenameVariable, f.filename)
		}
	}
}

// formReader reads the parts of a form.
type formReader struct {
	in     *bufio.Reader
	delim  []byte
	budget int   // how much may still be read, in bytes
	full   Code  // the refusal when it is used up
	read   int64 // bytes
}

// part is the head of one part.
type part struct{ name, filename string }

// readFields reads the fields before the file.
func (r *formReader) readFields(f *Form) error {
	if err := r.begin(); err != nil {
		return err
	}
	for {
		p, err := r.next()
		if err != nil {
			return err
		}
		switch {
		case p == nil:
			return WrongNumberOfFiles.Err()
		case p.name == "file":
			f.filename = p.filename
			return nil
		case f.Has(p.name):
			return InvalidArgument.With("The field %q stands more than once.", clip(p.name))
		case len(f.fields) == maxFormFields:
			return PreDataTooLarge.Err()
		}
		value, err := r.until(r.delim)
		if err != nil {
			return err
		}
		if !isText(value) {
			return InvalidArgument.With("The field %q is not valid UTF-8.", clip(p.name))
		}
		f.fields[p.name] = value
	}
}

// begin reads the first delimiter. Some clients put an empty line before it.
func (r *formReader) begin() error {
	start, err := r.in.Peek(2)
	if err != nil {
		return formError(err)
	}
	first := r.delim
	if string(start) != "\r\n" {
		first = first[2:]
	}
	for _, want := range first {
		if got, err := r.byte(); err != nil {
			return err
		} else if got != want {
			return MalformedPOSTRequest.With("The form does not begin with its boundary.")
		}
	}
	return nil
}

// next reads the head of the part behind a delimiter; nil if that was the last.
func (r *formReader) next() (*part, error) {
	var end [2]byte
	for i := range end {
		c, err := r.byte()
		if err != nil {
			return nil, err
		}
		end[i] = c
	}
	switch string(end[:]) {
	case "--":
		return nil, nil
	case "\r\n":
	default:
		return nil, MalformedPOSTRequest.With("A boundary of the form does not end its line.")
	}
	head, err := r.until([]byte("\r\n\r\n"))
	if err != nil {
		return nil, err
	}
	// A boundary right behind the head ends a part without a body, or begins one
	// with it: readers differ. Peek fails only where the next read does.
	if start, _ := r.in.Peek(len(r.delim) - 2); bytes.Equal(start, r.delim[2:]) {
		return nil, MalformedPOSTRequest.With("A part of the form begins with the boundary.")
	}
	return parsePart(head)
}

// parsePart reads the headers of a part. Content-Type is of no concern: the
// object's is a field of its own.
func parsePart(head string) (*part, error) {
	lines := strings.Split(head, "\r\n")
	if len(lines) > maxPartHeaders {
		return nil, malformedPart()
	}
	seen := map[string]string{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name = strings.ToLower(name)
		if _, twice := seen[name]; !ok || twice || name == "" || strings.ContainsFunc(name, notInHeaderName) ||
			strings.ContainsFunc(value, notInHeaderValue) {
			return nil, malformedPart()
		}
		seen[name] = strings.Trim(value, " \t")
	}
	switch strings.ToLower(seen["content-transfer-encoding"]) {
	case "", "7bit", "8bit", "binary":
	default:
		return nil, MalformedPOSTRequest.With("The form's parts must not be encoded for transfer.")
	}
	kind, params, err := mime.ParseMediaType(seen["content-disposition"])
	if err != nil || kind != "form-data" || params["name"] == "" {
		return nil, malformedPart()
	}
	p := &part{strings.ToLower(params["name"]), baseName(params["filename"])}
	if !isText(p.name) || !isText(p.filename) {
		return nil, InvalidArgument.With("A field or file name of the form is not valid UTF-8.")
	}
	return p, nil
}

// notInHeaderValue is true for control characters other than a tab (RFC 9110,
// section 5.5).
func notInHeaderValue(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func malformedPart() error {
	return MalformedPOSTRequest.With("The headers of a part of the form are malformed.")
}

// baseName drops the directories: some browsers send the whole path.
func baseName(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

// until reads up to and with end and returns what stands before it.
func (r *formReader) until(end []byte) (string, error) {
	var text []byte
	last := end[len(end)-1]
	for {
		c, err := r.byte()
		if err != nil {
			return "", err
		}
		text = append(text, c)
		if c == last && bytes.HasSuffix(text, end) {
			return string(text[:len(text)-len(end)]), nil
		}
	}
}

func (r *formReader) byte() (byte, error) {
	if r.budget == 0 {
		return 0, r.full.Err()
	}
	c, err := r.in.ReadByte()
	if err != nil {
		return 0, formError(err)
	}
	r.budget--
	r.read++
	return c, nil
}

// formError tells a form that is whole but not closed from one that was cut off
// and from one that could not be read.
func formError(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return MalformedPOSTRequest.With("The form is not closed by its boundary.")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return IncompleteBody.Caused(err)
	}
	return fmt.Errorf("reading the form: %w", err)
}

// The refusals of forms (S3 API Reference, "Error responses").
var (
	EntityTooSmall        = Code{"EntityTooSmall", http.StatusBadRequest, "The file is smaller than the policy allows."}
	InvalidPolicyDocument = Code{"InvalidPolicyDocument", http.StatusBadRequest, "The policy of the form is not valid."}
	MalformedPOSTRequest  = Code{"MalformedPOSTRequest", http.StatusBadRequest, "The body is not well-formed multipart/form-data."}
	NotAForm              = Code{"PreconditionFailed", http.StatusPreconditionFailed, "A POST to a bucket must be of the type multipart/form-data."}
	PreDataTooLarge       = Code{"MaxPostPreDataLengthExceededError", http.StatusBadRequest, "The fields before the file are larger than 20 KiB, or too many."}
	WrongNumberOfFiles    = Code{"IncorrectNumberOfFilesInPostRequest", http.StatusBadRequest, "A POST to a bucket must have exactly one field \"file\"."}
)
