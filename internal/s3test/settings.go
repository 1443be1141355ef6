package s3test

import (
	"bytes"
	"encoding/xml"
	"net/http"
)

// settings are the subresources of a bucket that are kept as they were put, with
// the code where nothing was; "" stands for an empty document.
var settings = map[string]struct{ root, none string }{
	"lifecycle":  {"LifecycleConfiguration", "NoSuchLifecycleConfiguration"},
	"tagging":    {"Tagging", "NoSuchTagSet"},
	"versioning": {"VersioningConfiguration", ""},
}

// setting is the one that the query names; "" if it names none.
func (c *call) setting() string {
	for name := range settings {
		if c.query.Has(name) {
			return name
		}
	}
	return ""
}

func (s *Server) getSetting(c *call) reply {
	name := c.setting()
	body := s.buckets[c.bucket].settings[name]
	if body == nil && settings[name].none != "" {
		return c.fail(http.StatusNotFound, settings[name].none, "The bucket has no such setting.")
	}
	if body == nil {
		body = []byte("<" + settings[name].root + ` xmlns="` + xmlns + `"></` + settings[name].root + ">")
	}
	return reply{http.StatusOK, http.Header{"Content-Type": {"application/xml"}}, append([]byte(xml.Header), body...)}
}

func (s *Server) putSetting(c *call) reply {
	b := s.buckets[c.bucket]
	if b.settings == nil {
		b.settings = map[string][]byte{}
	}
	b.settings[c.setting()] = bytes.Clone(bytes.TrimPrefix(c.body, []byte(xml.Header)))
	return reply{status: http.StatusOK}
}

func (s *Server) deleteSetting(c *call) reply {
	delete(s.buckets[c.bucket].settings, c.setting())
	return reply{status: http.StatusNoContent}
}
