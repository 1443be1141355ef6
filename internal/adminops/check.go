package adminops

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"keystile/internal/keystile"
)

// Cap is a capability of a Ceph user, such as users=*.
type Cap struct {
	Type string `json:"type"`
	Perm string `json:"perm"` // read, write, or * for both
}

// Report is what a look at the API found.
type Report struct {
	// Version is the release's name; empty where the radosgw does not tell, as
	// before Reef.
	Version string
	// ClockSkew is the radosgw's clock less ours, to the second; zero if its
	// answer has no date.
	ClockSkew time.Duration
	UID       string // whose key it is; empty if that may not be asked
	Missing   []Cap
	// Mend is the command that adds what is missing; empty if nothing is.
	Mend string
}

// needed are the capabilities that the calls of this package want.
var needed = []Cap{{"buckets", "*"}, {"metadata", "read"}, {"users", "*"}}

// Check looks who the key is and what it may do. A key that is not accepted at
// all is ErrRefused; missing capabilities are in the report.
func (c *Client) Check(ctx context.Context) (Report, error) {
	r, err := c.greet(ctx)
	if err != nil {
		return r, err
	}
	me, err := c.UserByKey(ctx, c.key)
	switch {
	case codeIs(err, "AccessDenied"):
		r.Missing = needed
	case err != nil:
		return r, err
	default:
		r.UID = me.UID
		for _, n := range needed {
			if !has(me.Caps, n) {
				r.Missing = append(r.Missing, n)
			}
		}
	}
	r.Mend = mend(r.UID, r.Missing)
	return r, nil
}

// serverName is how releases from Reef on call themselves.
var serverName = regexp.MustCompile(`^Ceph Object Gateway \(([a-z]{1,20})\)$`)

// greet asks for anything, for the head of the answer.
func (c *Client) greet(ctx context.Context) (Report, error) {
	var r Report
	began := c.now()
	answer, err := c.send(ctx, http.MethodGet, userPath, url.Values{"access-key": {c.key}})
	if err != nil {
		return r, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return r, errors.Join(keystile.ErrUnavailable, unaddressed(err))
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		// The answer was dated between the two; the middle is the best guess.
		middle := began.Add(c.now().Sub(began) / 2)
		if skew := date.Sub(middle); skew.Abs() > 2*time.Second {
			r.ClockSkew = skew.Round(time.Second)
		}
	}
	if m := serverName.FindStringSubmatch(answer.Header.Get("Server")); m != nil {
		r.Version = m[1]
	}
	if answer.StatusCode/100 == 2 {
		return r, nil
	}
	if told := errorOf(answer.StatusCode, body); told.Code != "AccessDenied" {
		return r, told
	}
	return r, nil
}

func has(caps []Cap, want Cap) bool {
	read, write := false, false
	for _, have := range caps {
		if have.Type != want.Type {
			continue
		}
		for perm := range strings.SplitSeq(have.Perm, ",") {
			perm = strings.TrimSpace(perm)
			read = read || perm == "*" || perm == "read"
			write = write || perm == "*" || perm == "write"
		}
	}
	return read && (write || want.Perm == "read")
}

func mend(uid string, missing []Cap) string {
	if len(missing) == 0 {
		return ""
	}
	if uid == "" {
		uid = "UID"
	}
	parts := make([]string, len(missing))
	for i, m := range missing {
		parts[i] = m.Type + "=" + m.Perm
	}
	return `radosgw-admin caps add --uid='` + strings.ReplaceAll(uid, `'`, `'\''`) + `' --caps='` + strings.Join(parts, ";") + `'`
}
