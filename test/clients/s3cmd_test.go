package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// s3cmd signs URLs by SigV2 only, and its "info" wants the bucket's policy and
// CORS rules: neither is open to a credential by design, so it does neither here.
// Copies carry the ACL over unless it is told that there are none.
func s3cmd() client {
	return client{name: "s3cmd", slow: true, open: func(t *testing.T, to target) session {
		config := filepath.Join(to.Home, "s3cfg")
		text := fmt.Sprintf("[default]\naccess_key = %s\nsecret_key = %s\nhost_base = %s\nhost_bucket = %s\nbucket_location = %s\nuse_https = %v\nacl_public = False\n",
			to.AccessKeyID, to.SecretAccessKey, to.host(), to.host(), to.Region, to.secure())
		if to.CA != "" {
			text += "ca_certs_file = " + to.CA + "\n"
		}
		must(t, os.WriteFile(config, []byte(text), 0o600))
		return &commandLine{
			command: command{program: program(t, "s3cmd"), env: to.env(), dir: to.Home, fails: refused},
			to:      to, read: s3cmdRead,
			args: func(c call) []string {
				args := s3cmdArgs(c)
				if args == nil {
					return nil
				}
				return append([]string{"--config", config, "--no-progress"}, args...)
			},
		}
	}}
}

func s3cmdArgs(c call) []string {
	url := "s3://" + c.Bucket + "/"
	switch c.Op {
	case opPut, opUpload:
		args := []string{"put", c.Path, url + c.Key, "--multipart-chunk-size-mb=5"}
		if c.Op == opPut {
			args = []string{"put", c.Path, url + c.Key, "--disable-multipart"}
		}
		if c.ContentType != "" {
			args = append(args, "--mime-type="+c.ContentType, "--no-guess-mime-type")
		}
		for name, value := range c.Metadata {
			args = append(args, "--add-header=x-amz-meta-"+name+":"+value)
		}
		return args
	case opStream:
		return []string{"put", "-", url + c.Key, "--multipart-chunk-size-mb=5"}
	case opGet, opDownload:
		if c.Range != "" {
			return nil
		}
		return []string{"get", "--force", url + c.Key, c.Path}
	case opList:
		if c.Delimiter != "" {
			return []string{"ls", url + c.Prefix}
		}
		return []string{"ls", "--recursive", url + c.Prefix}
	case opCopy:
		return []string{"cp", url + c.Source, url + c.Key}
	case opDelete:
		return []string{"del", url + c.Key}
	case opDeleteMany:
		args := []string{"del"}
		for _, key := range c.Keys {
			args = append(args, url+key)
		}
		return args
	case opSyncUp:
		return []string{"sync", c.Path + "/", url + c.Prefix}
	case opSyncDown:
		return []string{"sync", url + c.Prefix, c.Path + "/"}
	}
	return nil
}

func s3cmdRead(c call, printed string) (reply, error) {
	var r reply
	for _, line := range lines(printed) {
		_, key, ok := strings.Cut(line, " s3://"+c.Bucket+"/")
		switch {
		case !ok || c.Op != opList:
		case strings.Contains(line, " DIR "):
			r.Prefixes = append(r.Prefixes, key)
		default:
			r.Keys = append(r.Keys, key)
		}
	}
	return r, nil
}
