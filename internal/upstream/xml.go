package upstream

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Bounds of what is read of an answer that this package itself asked for. The
// greatest list of buckets S3 gives at once has 10,000 of them.
const (
	maxAnswer     = 1 << 20
	maxBucketList = 4 << 20
)

var errXML = errors.New("the answer is not the XML that was asked for")

// readXML reads one document whose root element has one of the names. It refuses
// DTDs, anything behind the root, and more than limit bytes.
func readXML(body io.Reader, limit int64, into any, roots ...string) error {
	text, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return err
	}
	if int64(len(text)) > limit {
		return fmt.Errorf("%w: longer than %d bytes", errXML, limit)
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	start, err := nextElement(d)
	if err != nil {
		return err
	}
	if start == nil || !slices.Contains(roots, start.Name.Local) {
		return fmt.Errorf("%w: no %s", errXML, roots[0])
	}
	if err := d.DecodeElement(into, start); err != nil {
		return fmt.Errorf("%w: %w", errXML, err)
	}
	if more, err := nextElement(d); err != nil || more != nil {
		return fmt.Errorf("%w: more than one root", errXML)
	}
	return nil
}

// nextElement skips white space, comments and the XML declaration. It returns
// nil at the end of the text.
func nextElement(d *xml.Decoder) (*xml.StartElement, error) {
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errXML, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			return &t, nil
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, fmt.Errorf("%w: text outside the root", errXML)
			}
		case xml.Directive, xml.EndElement:
			return nil, errXML
		}
	}
}

// errorCode reads the Code of an S3 error (Amazon S3 API Reference, "REST Error
// Responses"); "" when there is none. Nothing else of the answer is looked at.
func errorCode(body io.Reader) string {
	var answer struct{ Code string }
	if err := readXML(body, maxAnswer, &answer, "Error"); err != nil {
		return ""
	}
	return answer.Code
}

type bucketList struct {
	Buckets []struct {
		Name         string
		CreationDate time.Time
	} `xml:"Buckets>Bucket"`
	ContinuationToken string
}

type keyList struct {
	Contents []struct{ Key string }
}

// createBucketBody is the configuration of a new bucket outside us-east-1 (API
// reference, "CreateBucket").
type createBucketBody struct {
	XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CreateBucketConfiguration"`
	LocationConstraint string
}
