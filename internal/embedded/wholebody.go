package embedded

import (
	"errors"
	"io"

	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/s3api/utils"
	"github.com/versity/versitygw/s3err"
)

// requireWholeBody makes an upload that ends before its Content-Length fail.
// The HTTP server underneath reports such an end like any other, so that
// versitygw would store what arrived of an unsigned body as the object, over the
// one that was there. Cutting an upload is how a gateway refuses it.
func requireWholeBody(ctx fiber.Ctx) error {
	body, length := ctx.Request().BodyStream(), ctx.Request().Header.ContentLength()
	if body != nil && length > 0 {
		utils.ContextKeyBodyReader.Set(ctx, &wholeBody{body: body, missing: length})
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
