package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// rgwObjects serves the objects of RGW users' buckets.
type rgwObjects struct{ users *control.RGWUsers }

const objectsPath = "/rgw/users/{user_id}/buckets/{bucket}/objects"

func (h rgwObjects) mount(r *router) {
	const tag = "RGW objects"
	register(r, operation{method: http.MethodGet, path: objectsPath, id: "listRGWObjects", tag: tag,
		summary: "List objects by key"}, h.list)
	register(r, operation{method: http.MethodPost, path: objectsPath, id: "uploadRGWObject", tag: tag, status: http.StatusCreated,
		summary: "Upload an object", upload: true,
		description: "A form with the fields key and file, in this order; the file streams. An upload that breaks off stores nothing."}, h.upload)
	register(r, operation{method: http.MethodGet, path: objectsPath + "/download", id: "downloadRGWObject", tag: tag,
		summary: "Download an object, or a range of it", media: "application/octet-stream",
		description: "Always as an attachment, and sandboxed: what a tenant stores never runs on the dashboard's origin."}, h.download)
	register(r, operation{method: http.MethodGet, path: objectsPath + "/metadata", id: "getRGWObjectMetadata", tag: tag,
		summary: "Show an object's type, size, ETag and metadata"}, h.metadata)
	register(r, operation{method: http.MethodPost, path: objectsPath + "/upload_url", id: "createRGWUploadURL", tag: tag, status: http.StatusOK,
		summary: "Make a URL that an object can be uploaded with", description: "PUT the object to it with the headers given. " +
			"The account that asked must still be allowed to when it is used."}, h.uploadURL)
	register(r, operation{method: http.MethodDelete, path: objectsPath, id: "deleteRGWObject", tag: tag,
		summary: "Delete an object"}, h.delete)
}

// RGWObject is an object without its bytes.
type RGWObject struct {
	Key          string     `json:"key"`
	SizeBytes    int64      `json:"size_bytes"`
	ETag         string     `json:"etag"`
	LastModified *time.Time `json:"last_modified,omitempty"`
}

// RGWObjectMetadata is what is known of an object.
type RGWObjectMetadata struct {
	RGWObject
	ContentType string            `json:"content_type"`
	Metadata    map[string]string `json:"metadata" doc:"the user's own"`
}

// RGWObjectList is a page of objects.
type RGWObjectList struct {
	List[RGWObject]
	Prefixes []string `json:"prefixes" doc:"what the delimiter groups"`
}

// NewRGWUploadURL says what is to be uploaded.
type NewRGWUploadURL struct {
	Key         string  `json:"key"`
	ExpiresIn   Seconds `json:"expires_in,omitempty" doc:"in seconds, or such as 15m; absent: 15 minutes; 1 hour at most"`
	ContentType string  `json:"content_type,omitempty" maxLength:"255" doc:"that the upload must have"`
}

// RGWUploadURL stores an object for whoever has it.
type RGWUploadURL struct {
	URL       string            `json:"url"`
	Method    string            `json:"method" enum:"PUT"`
	Headers   map[string]string `json:"headers" doc:"that must be sent"`
	ExpiresAt time.Time         `json:"expires_at"`
}

// Seconds is a span: a number of seconds, or a text such as 15m.
type Seconds struct{ time.Duration }

// UnmarshalJSON implements json.Unmarshaler.
func (s *Seconds) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		span, err := control.ParseSpan(text)
		s.Duration = span
		return err
	}
	var n int64
	if err := json.Unmarshal(b, &n); err != nil || n < 0 || n > 1<<31 {
		return keystile.ErrInvalid
	}
	s.Duration = time.Duration(n) * time.Second
	return nil
}

// Schema implements huma.SchemaProvider.
func (Seconds) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeInteger}, {Type: huma.TypeString}}}
}

// ByRGWObject names an object.
type ByRGWObject struct {
	ByRGWBucket
	Key string `query:"key" required:"true"`
}

func objectView(o control.ObjectInfo) RGWObject {
	return RGWObject{Key: o.Key, SizeBytes: o.Size, ETag: o.ETag, LastModified: moment(o.LastModified)}
}

func (h rgwObjects) list(ctx context.Context, in *struct {
	ByRGWBucket
	Prefix    string `query:"prefix"`
	Delimiter string `query:"delimiter"`
	Limit     int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor    string `query:"cursor"`
}) (*JSON[RGWObjectList], error) {
	page, err := h.users.Objects(ctx, actorOf(ctx), in.UserID, in.Bucket, control.ObjectQuery{
		Prefix: in.Prefix, Delimiter: in.Delimiter, Cursor: in.Cursor, Limit: in.Limit,
	})
	list := RGWObjectList{List: listOf(page.Objects, objectView), Prefixes: append([]string{}, page.Prefixes...)}
	list.NextCursor = page.Next
	return reply(list), err
}

func (h rgwObjects) metadata(ctx context.Context, in *ByRGWObject) (*JSON[RGWObjectMetadata], error) {
	o, err := h.users.HeadObject(ctx, actorOf(ctx), in.UserID, in.Bucket, in.Key)
	return reply(RGWObjectMetadata{objectView(o), o.ContentType, o.Metadata}), err
}

func (h rgwObjects) delete(ctx context.Context, in *ByRGWObject) (*nothing, error) {
	return nil, h.users.DeleteObject(ctx, actorOf(ctx), in.UserID, in.Bucket, in.Key)
}

func (h rgwObjects) uploadURL(ctx context.Context, in *struct {
	ByRGWBucket
	JSON[NewRGWUploadURL]
}) (*JSON[RGWUploadURL], error) {
	made, err := h.users.UploadURL(ctx, actorOf(ctx), in.UserID, in.Bucket, control.UploadRequest{
		Key: in.Body.Key, ContentType: in.Body.ContentType, ExpiresIn: in.Body.ExpiresIn.Duration,
	})
	return reply(RGWUploadURL{made.URL.Reveal(), http.MethodPut, made.Headers, made.ExpiresAt}), err
}

// transferIdle bounds the wait for a client to take or send some more.
const transferIdle = time.Minute

// download streams an object. What fails on the way breaks the connection off, so
// that nobody takes a part for the whole.
func (h rgwObjects) download(ctx context.Context, in *struct {
	ByRGWObject
	Range string `header:"Range"`
}) (*huma.StreamResponse, error) {
	o, err := h.users.OpenObject(ctx, actorOf(ctx), in.UserID, in.Bucket, in.Key, in.Range)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer func() { _ = o.Body.Close() }()
		_, w := humago.Unwrap(out)
		downloadHeader(w.Header(), o)
		status := http.StatusOK
		if o.Partial {
			status = http.StatusPartialContent
		}
		w.WriteHeader(status)
		if err := copyOut(w, o.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// downloadHeader lets no browser show what was stored: a tenant's page would
// otherwise run on the dashboard's origin.
func downloadHeader(h http.Header, o *control.OpenObject) {
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(o.Key)}))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Accept-Ranges", "bytes")
	h.Set("Etag", strconv.Quote(o.ETag))
	if o.ContentRange != "" {
		h.Set("Content-Range", o.ContentRange)
	}
	if o.Length >= 0 {
		h.Set("Content-Length", strconv.FormatInt(o.Length, 10))
	}
}

// copyOut lets an answer take as long as it moves.
func copyOut(w http.ResponseWriter, body io.Reader) error {
	connection := http.NewResponseController(w)
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			if err := connection.SetWriteDeadline(time.Now().Add(transferIdle)); err != nil {
				return err
			}
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// uploadInput hands the request's body to the handler as it comes: huma would
// read it whole.
type uploadInput struct {
	ByRGWBucket
	req *http.Request
	w   http.ResponseWriter
}

// Resolve implements huma.Resolver.
func (in *uploadInput) Resolve(ctx huma.Context) []error {
	in.req, in.w = humago.Unwrap(ctx)
	return nil
}

// maxFormField bounds what comes before the file.
const maxFormField = 4 << 10

func (h rgwObjects) upload(ctx context.Context, in *uploadInput) (*JSON[RGWObject], error) {
	in.req.Body = io.NopCloser(&paced{in.req.Body, http.NewResponseController(in.w)})
	form, err := in.req.MultipartReader()
	if err != nil {
		return nil, keystile.Faults{{Field: "body", Message: "must be a form of type multipart/form-data"}}
	}
	key, file, err := fileOf(form)
	if err != nil {
		return nil, err
	}
	kind := file.Header.Get("Content-Type")
	if _, _, err := mime.ParseMediaType(kind); err != nil || len(kind) > 255 {
		kind = "application/octet-stream"
	}
	made, err := h.users.PutObject(ctx, actorOf(ctx), in.UserID, in.Bucket, control.NewObject{
		Key: key, ContentType: kind, Body: &lastPart{file, form},
	})
	return reply(objectView(made)), err
}

// fileOf reads a form up to its file.
func fileOf(form *multipart.Reader) (key string, file *multipart.Part, err error) {
	for {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return "", nil, keystile.Faults{{Field: "file", Message: "is needed, after the key"}}
		case err != nil:
			return "", nil, keystile.Faults{{Field: "body", Message: "is no well-formed form"}}
		}
		switch part.FormName() {
		case "file":
			if key == "" {
				return "", nil, keystile.Faults{{Field: "key", Message: "is needed, before the file"}}
			}
			return key, part, nil
		case "key":
			text, err := io.ReadAll(io.LimitReader(part, maxFormField))
			if err != nil || key != "" {
				return "", nil, keystile.Faults{{Field: "key", Message: "is needed once"}}
			}
			key = string(text)
		default:
			return "", nil, keystile.Faults{{Field: "body", Message: "has fields beside key and file"}}
		}
	}
}

// lastPart is a file that ends only where its form does: without that, an upload
// that broke off between the two would pass for whole.
type lastPart struct {
	file *multipart.Part
	form *multipart.Reader
}

func (p *lastPart) Read(b []byte) (int, error) {
	n, err := p.file.Read(b)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	if _, err := p.form.NextPart(); !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("the form does not end after its file: %w", keystile.ErrInvalid)
	}
	return n, io.EOF
}

// paced lets a body take as long as it moves.
type paced struct {
	body       io.Reader
	connection *http.ResponseController
}

func (p *paced) Read(b []byte) (int, error) {
	deadline := time.Now().Add(transferIdle)
	if err := errors.Join(p.connection.SetReadDeadline(deadline), p.connection.SetWriteDeadline(deadline.Add(transferIdle))); err != nil {
		return 0, err
	}
	return p.body.Read(b)
}
