package rgw

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
	"keystile/internal/s3wire"
	"keystile/internal/sigv4"
	"keystile/internal/upstream"
)

// UploadURL implements control.RGWHomes. It is signed with the user's own key;
// the gateway looks at the account that it names when it is used.
func (h *Homes) UploadURL(as control.RGWSigner, bucket string, in control.UploadRequest) (made control.UploadURL, err error) {
	base, region, query := h.gateway.URL, h.gateway.Region, url.Values{s3wire.AccountParam: {in.AccountID}}.Encode()
	if base == "" {
		b, err := h.backend(as.User.BackendID)
		if err != nil {
			return made, err
		}
		if !as.User.AtCeph() {
			return made, fmt.Errorf("no gateway is served, and the backend does not know the user: %w", keystile.ErrInvalid)
		}
		base, region, query = b.Info().Endpoint, b.Info().Region, ""
	}
	u, err := url.Parse(base)
	if err != nil {
		return made, err
	}
	header := http.Header{}
	made.Headers = map[string]string{}
	if in.ContentType != "" {
		header.Set("Content-Type", in.ContentType)
		made.Headers["Content-Type"] = in.ContentType
	}
	now := time.Now()
	path := upstream.EncodePath(bucket, in.Key)
	signer := sigv4.NewSigner(as.User.AccessKeyID, as.Secret.Reveal(), region, "s3")
	signed, err := signer.Presign(http.MethodPut, path, query, u.Host, header, in.ExpiresIn, now)
	if err != nil {
		return made, err
	}
	made.URL = keystile.NewSecret(u.Scheme + "://" + u.Host + path + "?" + signed)
	made.ExpiresAt = now.Add(in.ExpiresIn).UTC().Truncate(time.Second)
	return made, nil
}
