package s3wire

import "strings"

// HostBucket finds the bucket that a virtual-hosted request names: what stands
// before one of the suffixes in its Host (S3 User Guide, "Virtual hosting of
// general purpose buckets"). Case, a port and the root's dot do not matter. It
// reports false for a suffix itself and for any other host: such requests are
// path-style. The name is not checked. Of suffixes that end alike the longest
// counts.
func HostBucket(host string, suffixes []string) (bucket string, virtual bool) {
	if len(suffixes) == 0 || host == "" || host[0] == '[' {
		return "", false
	}
	if colon := strings.IndexByte(host, ':'); colon >= 0 {
		host = host[:colon]
	}
	host = strings.TrimSuffix(host, ".")
	longest := -1
	for _, suffix := range suffixes {
		if strings.EqualFold(host, suffix) {
			return "", false
		}
		dot := len(host) - len(suffix) - 1
		if dot < 0 || len(suffix) <= longest || host[dot] != '.' || !strings.EqualFold(host[dot+1:], suffix) {
			continue
		}
		bucket, longest = host[:dot], len(suffix)
	}
	// DNS knows no case, bucket names that DNS can name have none.
	return strings.ToLower(bucket), longest >= 0
}
