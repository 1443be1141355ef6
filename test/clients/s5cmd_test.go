package clients

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func s5cmd() client {
	return client{name: "s5cmd", open: func(t *testing.T, to target) session {
		return &commandLine{
			command: command{program: program(t, "s5cmd"), env: to.env(), dir: to.Home, fails: s5cmdFails},
			to:      to, read: s5cmdRead,
			args: func(c call) []string {
				args := s5cmdArgs(c)
				if args == nil {
					return nil
				}
				return append([]string{"--endpoint-url", to.Endpoint, "--json"}, args...)
			},
		}
	}}
}

func s5cmdArgs(c call) []string {
	url := "s3://" + c.Bucket + "/"
	switch c.Op {
	case opPut, opUpload:
		args := []string{"cp", "--raw"}
		if c.Op == opUpload {
			args = append(args, "--part-size", "5")
		}
		if c.ContentType != "" {
			args = append(args, "--content-type", c.ContentType)
		}
		for name, value := range c.Metadata {
			args = append(args, "--metadata", name+"="+value)
		}
		return append(args, c.Path, url+c.Key)
	case opStream:
		return []string{"pipe", "--raw", url + c.Key}
	case opGet, opDownload:
		if c.Range != "" {
			return nil
		}
		return []string{"cp", "--raw", url + c.Key, c.Path}
	case opHead:
		return []string{"head", "--raw", url + c.Key}
	case opList:
		if c.Delimiter != "" {
			return []string{"ls", url + c.Prefix}
		}
		return []string{"ls", url + c.Prefix + "*"}
	case opCopy:
		return []string{"cp", "--raw", url + c.Source, url + c.Key}
	case opDelete:
		return []string{"rm", "--raw", url + c.Key}
	case opDeleteMany:
		args := []string{"rm", "--raw"}
		for _, key := range c.Keys {
			args = append(args, url+key)
		}
		return args
	case opSyncUp:
		return []string{"sync", c.Path + "/", url + c.Prefix}
	case opSyncDown:
		return []string{"sync", url + c.Prefix + "*", c.Path + "/"}
	case opPresign:
		if c.Method == "GET" {
			return []string{"presign", "--expire", "5m", url + c.Key}
		}
	}
	return nil
}

// errEmpty is how s5cmd ends where a listing is empty.
var errEmpty = errors.New("no object found")

func s5cmdFails(stdout, stderr string) error {
	if strings.Contains(stderr, errEmpty.Error()) {
		return errEmpty
	}
	return refused(stdout, stderr)
}

func s5cmdRead(c call, printed string) (reply, error) {
	r := reply{}
	for _, line := range lines(printed) {
		var entry struct {
			Key, Type, URL string
			Size           int64
			ETag           string            `json:"etag"`
			ContentType    string            `json:"content_type"`
			Metadata       map[string]string `json:"metadata"`
		}
		if c.Op == opPresign && strings.HasPrefix(line, "http") {
			return reply{URL: line}, nil
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			return r, err
		}
		switch c.Op {
		case opPresign:
			r.URL = entry.URL
		case opHead:
			r.ContentType, r.Metadata, r.Size, r.ETag = entry.ContentType, entry.Metadata, entry.Size, entry.ETag
		case opList:
			key := strings.TrimPrefix(entry.Key, "s3://"+c.Bucket+"/")
			if entry.Type == "directory" {
				r.Prefixes = append(r.Prefixes, key)
			} else {
				r.Keys = append(r.Keys, key)
			}
		}
	}
	return r, nil
}
