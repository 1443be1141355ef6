package s3proxy

import (
	"keystile/internal/keystile"
	"keystile/internal/s3wire"
)

// beginUpload notes that the mutation is of an upload in parts, if it is.
func (x *exchange) beginUpload() {
	id := x.real.Query.Get("uploadId")
	if id == "" || x.p.Uploads == nil {
		return
	}
	var user string
	if x.cephDecides() {
		user = x.rgwUser().UserID
	}
	upload := keystile.PendingUpload{Key: x.real.Key, UploadID: id}
	x.room.upload = x.p.Uploads.Begin(x.bucket, upload, partNumber(x.real.Query.Get("partNumber")), user)
}

// refuseUpload notes that a quota refuses the mutation.
func (x *exchange) refuseUpload() { x.room.upload.Refused(x.writer().AccessKeyID) }

// leaveUpload notes what became of the mutation. What is not known is no end: an
// upload that is over is found to be gone.
func (x *exchange) leaveUpload(a *answer, err error) {
	defer x.room.upload.Close()
	switch {
	case err != nil:
	case a.err != nil && a.err.Code == keystile.CodeQuotaExceeded: // the backend's own
		x.refuseUpload()
	case a.err != nil && a.err.Code == "NoSuchUpload":
		x.room.upload.Ended()
	case a.err != nil:
	case x.isPart():
		x.room.upload.Stored()
	case x.req.Op.Name == s3wire.OpCompleteMultipartUpload, x.req.Op.Name == s3wire.OpAbortMultipartUpload:
		x.room.upload.Ended()
	}
}
