package sqlstore

import (
	"encoding/json"
	"fmt"

	"keystile/internal/keystile"
)

const refusedUploadColumns = `backend, bucket, object_key, upload_id, parts, access_key_id, user_id, refused_at, heard_at`

func scanRefusedUpload(row scanner) (keystile.RefusedUpload, error) {
	var u keystile.RefusedUpload
	var parts string
	err := row.Scan(&u.Bucket.Backend, &u.Bucket.Name, &u.Key, &u.UploadID, &parts, &u.AccessKeyID, &u.UserID,
		instant{&u.RefusedAt}, instant{&u.HeardAt})
	if err != nil {
		return u, err
	}
	if err := json.Unmarshal([]byte(parts), &u.Parts); err != nil {
		return u, fmt.Errorf("parts of upload %q: %w", u.UploadID, err)
	}
	return u, nil
}

func (t *tx) RefusedUploads() ([]keystile.RefusedUpload, error) {
	all, err := list(t, scanRefusedUpload, `SELECT `+refusedUploadColumns+` FROM refused_uploads ORDER BY refused_at, upload_id`)
	return all, about(err, "refused uploads")
}

func (t *tx) SaveRefusedUpload(u keystile.RefusedUpload) error {
	parts, err := json.Marshal(u.Parts)
	if err == nil {
		_, err = t.exec(`INSERT INTO refused_uploads (`+refusedUploadColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (backend, bucket, object_key, upload_id, user_id) DO UPDATE SET parts = excluded.parts, heard_at = excluded.heard_at`,
			u.Bucket.Backend, u.Bucket.Name, u.Key, u.UploadID, string(parts), u.AccessKeyID, u.UserID, micros(u.RefusedAt), micros(u.HeardAt))
	}
	return about(err, "refused upload %q", u.UploadID)
}

func (t *tx) DeleteRefusedUpload(b keystile.Bucket, u keystile.PendingUpload, userID string) error {
	_, err := t.exec(`DELETE FROM refused_uploads WHERE backend = $1 AND bucket = $2 AND object_key = $3 AND upload_id = $4 AND user_id = $5`,
		b.Backend, b.Name, u.Key, u.UploadID, userID)
	return about(err, "refused upload %q", u.UploadID)
}
