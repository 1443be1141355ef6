package s3test

import (
	"bytes"
	"encoding/xml"
	"net/http"
)

// OwnerID owns every object of the server, as GetObjectAcl tells.
const OwnerID = "s3test-owner"

// protection is what the subresources acl, legal-hold and retention hold, as it
// was put.
type protection struct{ acl, hold, retention []byte }

// slot is where the subresource of the call is kept.
func (p *protection) slot(c *call) *[]byte {
	switch {
	case c.query.Has("acl"):
		return &p.acl
	case c.query.Has("legal-hold"):
		return &p.hold
	}
	return &p.retention
}

func (s *Server) putProtection(c *call) reply {
	o := s.buckets[c.bucket].objects[c.key]
	if o == nil {
		return c.noSuchKey()
	}
	if len(c.body) > 0 {
		*o.protection.slot(c) = bytes.Clone(bytes.TrimPrefix(c.body, []byte(xml.Header)))
	}
	return reply{status: http.StatusOK}
}

func (s *Server) getProtection(c *call) reply {
	o := s.buckets[c.bucket].objects[c.key]
	if o == nil {
		return c.noSuchKey()
	}
	body := *o.protection.slot(c)
	switch {
	case body != nil:
	case c.query.Has("acl"):
		body = []byte(`<AccessControlPolicy xmlns="` + xmlns + `"><Owner><ID>` + OwnerID + `</ID><DisplayName>the backend's admin</DisplayName></Owner>` +
			`<AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>` + OwnerID +
			`</ID><DisplayName>the backend's admin</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`)
	default:
		return c.fail(http.StatusNotFound, "NoSuchObjectLockConfiguration", "The object has no such protection.")
	}
	return reply{http.StatusOK, http.Header{"Content-Type": {"application/xml"}}, append([]byte(xml.Header), body...)}
}

func (s *Server) restoreObject(c *call) reply {
	if s.buckets[c.bucket].objects[c.key] == nil {
		return c.noSuchKey()
	}
	return reply{status: http.StatusAccepted}
}

// SetHeader makes GET and HEAD of an object answer with these headers, spelled
// as they are.
func (s *Server) SetHeader(bucket, key string, header http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets[bucket].objects[key].header = header.Clone()
}
