package s3wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Policy is the policy of a form upload: what the signer allows whoever fills in
// the form (S3 API Reference, "POST Policy").
type Policy struct {
	expires    time.Time
	conditions []condition
	least      int64 // bytes of the file
	most       int64
}

// condition is what the value of a field must be, or begin with.
type condition struct {
	field  string // lower-case
	value  string
	prefix bool
}

// ParsePolicy reads the policy field of a form. A policy that says anything the
// gateway does not understand is refused whole.
func ParsePolicy(encoded string) (Policy, error) {
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !utf8.Valid(data) {
		return Policy{}, InvalidPolicyDocument.With("The policy of the form is not the base64 form of UTF-8 text.")
	}
	r := policyReader{dec: json.NewDecoder(bytes.NewReader(plainJSON(data)))}
	r.dec.UseNumber()
	policy := Policy{most: MaxFormFile}
	if err := r.document(&policy); err != nil {
		e := InvalidPolicyDocument.With("The policy of the form is not valid: %v.", err)
		return Policy{}, e
	}
	return policy, nil
}

// plainJSON turns the escapes that S3 has and JSON has not into JSON's: \$ and \v.
func plainJSON(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' || i+1 == len(data) {
			out = append(out, data[i])
			continue
		}
		i++
		switch data[i] {
		case '$':
			out = append(out, '$')
		case 'v':
			out = append(out, `\u000b`...)
		default:
			out = append(out, '\\', data[i])
		}
	}
	return out
}

type policyReader struct{ dec *json.Decoder }

var errPolicyJSON = errors.New("it is not the JSON of a policy")

func (r *policyReader) document(p *Policy) error {
	if err := r.delim('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for r.dec.More() {
		name, err := r.text()
		if err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("%q stands more than once", clip(name))
		}
		seen[name] = true
		switch name {
		case "expiration":
			err = r.expiration(p)
		case "conditions":
			err = r.conditions(p)
		default:
			err = fmt.Errorf("%q is not expected", clip(name))
		}
		if err != nil {
			return err
		}
	}
	if err := r.delim('}'); err != nil {
		return err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it")
	}
	if !seen["expiration"] || !seen["conditions"] {
		return errors.New("expiration or conditions are missing")
	}
	return nil
}

func (r *policyReader) expiration(p *Policy) error {
	text, err := r.text()
	if err != nil {
		return err
	}
	if p.expires, err = time.Parse(time.RFC3339, text); err != nil {
		return fmt.Errorf("expiration must be like 2013-08-01T12:00:00.000Z")
	}
	return nil
}

func (r *policyReader) conditions(p *Policy) error {
	if err := r.delim('['); err != nil {
		return err
	}
	for r.dec.More() {
		tok, err := r.dec.Token()
		switch {
		case err != nil:
			return errPolicyJSON
		case tok == json.Delim('{'):
			err = r.simple(p)
		case tok == json.Delim('['):
			err = r.operator(p)
		default:
			err = errors.New("a condition must be an object or a list")
		}
		if err != nil {
			return err
		}
	}
	return r.delim(']')
}

// simple reads the rest of {"field": "value"}.
func (r *policyReader) simple(p *Policy) error {
	if !r.dec.More() {
		return errors.New("a condition names no field")
	}
	field, err := r.text()
	if err != nil {
		return err
	}
	value, err := r.text()
	if err != nil {
		return err
	}
	if r.dec.More() {
		return errors.New("a condition names more than one field")
	}
	p.conditions = append(p.conditions, condition{field: strings.ToLower(field), value: value})
	return r.delim('}')
}

// operator reads the rest of ["eq", "$field", "value"] and its like.
func (r *policyReader) operator(p *Policy) error {
	name, err := r.text()
	if err != nil {
		return err
	}
	name = strings.ToLower(name)
	switch name {
	case "content-length-range":
		err = r.lengthRange(p)
	case "eq", "starts-with":
		err = r.matching(p, name == "starts-with")
	default:
		err = fmt.Errorf("%q is no condition", clip(name))
	}
	if err != nil {
		return err
	}
	return r.delim(']')
}

func (r *policyReader) matching(p *Policy, prefix bool) error {
	field, err := r.text()
	if err != nil {
		return err
	}
	value, err := r.text()
	if err != nil {
		return err
	}
	field, ok := strings.CutPrefix(strings.ToLower(field), "$")
	if !ok || field == "" {
		return errors.New("the field of a condition must begin with $")
	}
	p.conditions = append(p.conditions, condition{field, value, prefix})
	return nil
}

// lengthRange narrows the range, so that of several all hold.
func (r *policyReader) lengthRange(p *Policy) error {
	least, err := r.number()
	if err != nil {
		return err
	}
	most, err := r.number()
	if err != nil {
		return err
	}
	p.least, p.most = max(p.least, least), min(p.most, most)
	return nil
}

func (r *policyReader) delim(want json.Delim) error {
	if tok, err := r.dec.Token(); err != nil || tok != want {
		return errPolicyJSON
	}
	return nil
}

func (r *policyReader) text() (string, error) {
	tok, err := r.dec.Token()
	if text, ok := tok.(string); ok && err == nil {
		return text, nil
	}
	return "", errPolicyJSON
}

func (r *policyReader) number() (int64, error) {
	tok, err := r.dec.Token()
	text, ok := tok.(json.Number)
	if err != nil || !ok {
		return 0, errors.New("a length must be a number")
	}
	n, err := strconv.ParseInt(text.String(), 10, 64)
	if err != nil || n < 0 {
		return 0, errors.New("a length must be a whole number from 0 on")
	}
	return n, nil
}

// Check decides whether the form that is sent to the bucket, as the client names
// it, at the time now is one that the policy allows. Every condition must hold,
// and every field must have one.
func (p Policy) Check(f *Form, bucket string, now time.Time) error {
	if !now.Before(p.expires) {
		return AccessDenied.With("The policy of the form has expired.")
	}
	values := maps.Clone(f.fields)
	values["bucket"] = bucket
	covered := map[string]bool{}
	for _, c := range p.conditions {
		covered[c.field] = true
		if value, ok := values[c.field]; !ok || !c.holds(value) {
			return AccessDenied.With("The form does not meet the condition of its policy on the field %q.", clip(c.field))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !covered[name] && !needsNoCondition(name) {
			return AccessDenied.With("The policy of the form has no condition on the field %q.", clip(name))
		}
	}
	return nil
}

func needsNoCondition(field string) bool {
	return field == "policy" || field == "x-amz-signature" || strings.HasPrefix(field, "x-ignore-")
}

func (c condition) holds(value string) bool {
	switch {
	case !c.prefix:
		return value == c.value
	case c.field != "content-type":
		return strings.HasPrefix(value, c.value)
	}
	// A list of types must be allowed in each of its members.
	for member := range strings.SplitSeq(value, ",") {
		if !strings.HasPrefix(strings.TrimLeft(member, " \t"), c.value) {
			return false
		}
	}
	return true
}

// CheckSize decides whether a file of that many bytes is one that the policy
// allows.
func (p Policy) CheckSize(size int64) error {
	switch {
	case size > p.most:
		return tooLarge(size, p.most)
	case size < p.least:
		return tooSmall(size, p.least)
	}
	return nil
}
