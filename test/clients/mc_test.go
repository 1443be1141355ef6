package clients

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// mc is MinIO's command line. It is a program that the tests run and nothing
// that they link.
func mc() client {
	return client{name: "mc", open: func(t *testing.T, to target) session {
		// A URL in looks only: mc takes the secret as it stands.
		scheme, host, _ := strings.Cut(to.Endpoint, "://")
		alias := scheme + "://" + to.AccessKeyID + ":" + to.SecretAccessKey + "@" + host
		return &commandLine{
			command: command{program: program(t, "mc"), env: to.env("MC_HOST_k=" + alias), dir: to.Home, fails: mcFails},
			to:      to, read: mcRead,
			args: func(c call) []string {
				args := mcArgs(c)
				if args == nil {
					return nil
				}
				return append([]string{"--config-dir", to.Home, "--json", "--quiet"}, args...)
			},
			toFile: func(c call) bool { return c.Range != "" },
		}
	}}
}

func mcArgs(c call) []string {
	path := "k/" + c.Bucket + "/"
	switch c.Op {
	case opPut, opUpload:
		args := []string{"put", c.Path, path + c.Key}
		if c.Op == opPut {
			args = []string{"put", "--disable-multipart", c.Path, path + c.Key}
		}
		if c.ContentType != "" {
			attributes := []string{"Content-Type=" + c.ContentType}
			for name, value := range c.Metadata {
				attributes = append(attributes, name+"="+value)
			}
			args = []string{"cp", "--attr", strings.Join(attributes, ";"), c.Path, path + c.Key}
		}
		return args
	case opStream:
		return []string{"pipe", path + c.Key}
	case opGet, opDownload:
		if c.Range != "" {
			return nil
		}
		return []string{"get", path + c.Key, c.Path}
	case opHead:
		return []string{"stat", path + c.Key}
	case opList:
		if c.Delimiter != "" {
			return []string{"ls", path + c.Prefix}
		}
		return []string{"ls", "--recursive", path + c.Prefix}
	case opCopy:
		return []string{"cp", path + c.Source, path + c.Key}
	case opDelete:
		return []string{"rm", path + c.Key}
	case opDeleteMany:
		args := []string{"rm"}
		for _, key := range c.Keys {
			args = append(args, path+key)
		}
		return args
	case opSyncUp:
		return []string{"mirror", c.Path, path + c.Prefix}
	case opSyncDown:
		return []string{"mirror", path + c.Prefix, c.Path}
	case opPresign:
		if c.Method == "GET" {
			return []string{"share", "download", "--expire", "5m", path + c.Key}
		}
	case opSetTags:
		var set []string
		for name, value := range c.Tags {
			set = append(set, url.QueryEscape(name)+"="+url.QueryEscape(value))
		}
		return []string{"tag", "set", path + c.Key, strings.Join(set, "&")}
	case opGetTags:
		return []string{"tag", "list", path + c.Key}
	}
	return nil
}

// mcFails reads the errors that mc prints on standard output as JSON.
func mcFails(stdout, stderr string) error { return refused("", stdout+stderr) }

func mcRead(c call, printed string) (reply, error) {
	r := reply{}
	decoder := json.NewDecoder(strings.NewReader(printed))
	for decoder.More() {
		var entry struct {
			Key, Type, Share string
			Size             int64
			ETag             string
			Metadata         map[string]string
			Tagset           map[string]string `json:"tagset"`
		}
		if err := decoder.Decode(&entry); err != nil {
			return r, err
		}
		switch c.Op {
		case opPresign:
			r.URL = entry.Share
		case opHead:
			r.Size, r.ETag, r.Metadata = entry.Size, entry.ETag, map[string]string{}
			for name, value := range entry.Metadata {
				if name == "Content-Type" {
					r.ContentType = value
				}
				r.Metadata[strings.ToLower(strings.TrimPrefix(name, "X-Amz-Meta-"))] = value
			}
		case opGetTags:
			r.Tags = entry.Tagset
		case opList:
			if entry.Type == "folder" {
				r.Prefixes = append(r.Prefixes, c.Prefix+entry.Key)
			} else {
				r.Keys = append(r.Keys, c.Prefix+entry.Key)
			}
		}
	}
	return r, nil
}
