package s3proxy

import (
	"net/http"

	"keystile/internal/keystile"
	"keystile/internal/s3wire"
)

// deleteObjects carries out a DeleteObjects. Each key is authorized by itself:
// those that are not the client's to delete get their own error in the answer,
// only the others go on to the backend.
func (p *Proxy) deleteObjects(x *exchange) error {
	data, err := x.readXML()
	if err != nil {
		return err
	}
	asked, err := s3wire.ParseDelete(data)
	if err != nil {
		return err
	}
	if err := x.checkDeleteConditions(asked); err != nil {
		return err
	}
	if err := x.nameReal(asked.Objects); err != nil {
		return err
	}
	allowed, denied := x.split(asked)
	x.event.Detail.Keys, x.event.Detail.DeniedKeys = keysOf(allowed.Objects), keysOf(denied)
	x.event.Detail.KeyVersionIDs = versionsOf(allowed.Objects)
	if len(allowed.Objects) == 0 {
		return x.denyAll(denied)
	}
	quiet := allowed.Quiet
	if x.room.keys = allowed.Objects; x.inBooks() {
		allowed.Quiet = false // what is gone, and what is marked alone, must be told
	}
	out := x.outbound()
	dropChecksums(out.Header)
	setXML(&out, allowed.Marshal())
	a, err := x.carryOut(out)
	if err != nil {
		return err
	}
	if a.err == nil {
		if err := x.mergeDenied(a, denied, quiet); err != nil {
			return &lostAnswer{err}
		}
	}
	if err := x.settle(a); err != nil {
		return err
	}
	return x.reply(a)
}

// nameReal puts the backend's keys in the place of the client's.
func (x *exchange) nameReal(objects []s3wire.DeleteObject) (err error) {
	if x.real.Hidden == "" {
		return nil
	}
	for i := range objects {
		if objects[i].Key, err = s3wire.RealKey(x.place(), objects[i].Key); err != nil {
			return err
		}
	}
	return nil
}

// split sorts the keys into those that may be deleted and those that may not.
func (x *exchange) split(asked s3wire.DeleteRequest) (allowed s3wire.DeleteRequest, denied []s3wire.DeleteObject) {
	allowed.Quiet = asked.Quiet
	for _, o := range asked.Objects {
		if x.mayDelete(o) {
			allowed.Objects = append(allowed.Objects, o)
		} else {
			denied = append(denied, o)
		}
	}
	return allowed, denied
}

func (x *exchange) mayDelete(o s3wire.DeleteObject) bool {
	need := keystile.Need{Permission: keystile.Delete, Bucket: x.bucket, Target: keystile.TargetObject, Name: o.Key}
	if !x.keepsIn(x.backend, o.Key) || x.covered(need) != nil {
		return false
	}
	need.Permission = keystile.BypassGovernance
	return !x.req.BypassGovernance || x.covered(need) == nil
}

func keysOf(objects []s3wire.DeleteObject) []string {
	var keys []string
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	return keys
}

// versionsOf gives the version that each object names, or nothing if none does.
func versionsOf(objects []s3wire.DeleteObject) []string {
	versions, named := make([]string, len(objects)), false
	for i, o := range objects {
		versions[i] = clip(o.VersionID, 1024)
		named = named || o.VersionID != ""
	}
	if !named {
		return nil
	}
	return versions
}

// denyAll answers without asking the backend: nothing may be deleted.
func (x *exchange) denyAll(denied []s3wire.DeleteObject) error {
	var result s3wire.DeleteResult
	for _, o := range denied {
		result.Deny(o)
	}
	if err := result.Strip(x.real.Hidden); err != nil {
		return err
	}
	if err := x.recordRefusal(s3wire.AccessDenied.Err(), keystile.ErrDenied); err != nil {
		return err
	}
	x.refused = true
	return x.reply(&answer{
		status: http.StatusOK, header: http.Header{"Content-Type": {"application/xml"}}, body: result.Marshal(),
	})
}

// mergeDenied joins the backend's answer with the gateway's own refusals.
func (x *exchange) mergeDenied(a *answer, denied []s3wire.DeleteObject, quiet bool) error {
	result, err := s3wire.ParseDeleteResult(a.body)
	if err != nil {
		return err
	}
	if quiet {
		result.Deleted = nil
	}
	for i, e := range result.Errors {
		x.event.Detail.FailedKeys = append(x.event.Detail.FailedKeys, e.Key)
		if result.Errors[i].Message = x.told(e.Message); result.Errors[i].Message == "" {
			result.Errors[i].Message = "The backend refused to delete the object."
		}
	}
	for _, o := range denied {
		result.Deny(o)
	}
	if err := result.Strip(x.real.Hidden); err != nil {
		return err
	}
	a.body = result.Marshal()
	a.header.Set("Content-Type", "application/xml")
	return nil
}
