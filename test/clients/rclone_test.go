package clients

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// rclone is configured by variables, as its documentation says; the provider is
// "Other", for it knows nothing of the server.
func rclone(name, path string) client {
	return client{name: name, slow: true, open: func(t *testing.T, to target) session {
		env := to.env("RCLONE_CONFIG=/dev/null", "RCLONE_CONFIG_K_TYPE=s3", "RCLONE_CONFIG_K_PROVIDER=Other",
			"RCLONE_CONFIG_K_ACCESS_KEY_ID="+to.AccessKeyID, "RCLONE_CONFIG_K_SECRET_ACCESS_KEY="+to.SecretAccessKey,
			"RCLONE_CONFIG_K_ENDPOINT="+to.Endpoint, "RCLONE_CONFIG_K_REGION="+to.Region)
		// An rclone of 2022 fails where this is set.
		env = slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "AWS_CA_BUNDLE=") })
		if to.CA != "" {
			env = append(env, "RCLONE_CA_CERT="+to.CA)
		}
		return &commandLine{
			command: command{program: program(t, path), env: env, dir: to.Home, fails: refused},
			to:      to, args: rcloneArgs, read: rcloneRead,
			toFile: func(c call) bool { return c.Range != "" },
		}
	}}
}

func rcloneArgs(c call) []string {
	remote := "k:" + c.Bucket + "/"
	// The default number of tries hides what the server does.
	common := []string{"--retries", "1", "--low-level-retries", "2", "--s3-upload-cutoff", "8M", "--s3-chunk-size", "5M"}
	var args []string
	switch c.Op {
	case opPut:
		if c.ContentType != "" {
			return nil
		}
		args = []string{"copyto", c.Path, remote + c.Key, "--ignore-times", "--s3-upload-cutoff", "1G"}
	case opUpload:
		args = []string{"copyto", c.Path, remote + c.Key, "--ignore-times"}
	case opStream:
		args = []string{"rcat", remote + c.Key}
	case opGet, opDownload:
		args = []string{"copyto", remote + c.Key, c.Path}
		if from, to, ok := strings.Cut(strings.TrimPrefix(c.Range, "bytes="), "-"); ok {
			args = []string{"cat", remote + c.Key, "--offset", from}
			if to != "" {
				args = append(args, "--count", "10")
			}
		}
	case opHead:
		args = []string{"lsjson", "--stat", remote + c.Key}
	case opList:
		// Without times and types, which cost it a HEAD for each key, and
		// 0.1 s for each that is refused.
		args = []string{"lsjson", "--no-modtime", "--no-mimetype", remote + c.Prefix}
		if c.Delimiter == "" {
			args = append(args, "-R", "--files-only")
		}
	case opCopy:
		args = []string{"copyto", remote + c.Source, remote + c.Key, "--ignore-times"}
	case opDelete:
		args = []string{"deletefile", remote + c.Key}
	case opSyncUp:
		args = []string{"sync", c.Path, remote + c.Prefix}
	case opSyncDown:
		args = []string{"sync", remote + c.Prefix, c.Path}
	case opPresign:
		if c.Method != "GET" {
			return nil
		}
		args = []string{"link", remote + c.Key, "--expire", "5m"}
	default:
		return nil
	}
	return append(args, common...)
}

func rcloneRead(c call, printed string) (reply, error) {
	type entry struct {
		Path  string
		Size  int64
		IsDir bool
	}
	switch c.Op {
	case opHead:
		var e entry
		err := json.Unmarshal([]byte(printed), &e)
		return reply{Size: e.Size}, err
	case opList:
		var r reply
		var all []entry
		if err := json.Unmarshal([]byte(printed), &all); err != nil {
			return r, err
		}
		for _, e := range all {
			if e.IsDir {
				r.Prefixes = append(r.Prefixes, c.Prefix+e.Path+"/")
			} else {
				r.Keys = append(r.Keys, c.Prefix+e.Path)
			}
		}
		return r, nil
	case opPresign:
		return reply{URL: strings.TrimSpace(printed)}, nil
	}
	return reply{}, nil
}
