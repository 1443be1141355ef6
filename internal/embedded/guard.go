package embedded

import (
	"errors"
	"io"

	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/s3api/utils"
	"github.com/versity/versitygw/s3err"
)

// chunkedLength is what fasthttp reports as the length of a chunked body.
const chunkedLength = -1

// guardBody makes up for two things that the HTTP server underneath and
// versitygw do not see to.
//
// An upload that ends before its Content-Length fails: such an end is reported
// like any other, so that what arrived of an unsigned body would be stored as
// the object, over the one that was there. Cutting an upload is how a gateway
// refuses it.
//
// A connection is closed after a chunked request: what was not read of its
// body would be taken for the next request.
func guardBody(ctx fiber.Ctx) error {
	body, length := ctx.Request().BodyStream(), ctx.Request().Header.ContentLength()
	if body != nil && length > 0 {
		utils.ContextKeyBodyReader.Set(ctx, &wholeBody{body: body, missing: length})
	}
	if length == chunkedLength {
		defer ctx.Response().Header.SetConnectionClose()
	}
	return ctx.Next()
}

// wholeBody reads a body of known length and tells a premature end from its
// proper one.
type wholeBody struct {
	body    io.Reader
	missing int
}

func (w *wholeBody) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	w.missing -= n
	if errors.Is(err, io.EOF) && w.missing > 0 {
		// not io.ErrUnexpectedEOF: versitygw takes that for a proper end
		return n, s3err.GetAPIError(s3err.ErrIncompleteBody)
	}
	return n, err
}
