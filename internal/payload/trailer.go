package payload

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// trailerParser reads what lies between the last chunk and the end of the
// body: trailing headers, their signature in the signed framing, and an empty
// line.
//
// Two spellings exist. The SDKs of AWS end every line with CR LF. The pages of
// AWS, and minio-go after them, end a trailing header with LF CR LF, which
// reads as a line that ends in LF and an empty line; the signature or a second
// empty line follows, except that minio-go's own length calculation cuts
// the latter off in the unsigned framing.
type trailerParser struct {
	dec       *decoder
	values    []Checksum
	canonical []byte // of all trailing headers, as they are signed
	signature []byte
	loose     bool // the line before ended in LF alone
}

func (t *trailerParser) parse() error {
	for {
		line, err := t.dec.readLine()
		if err != nil {
			return err
		}
		text, strict := bytes.CutSuffix(line, []byte("\r\n"))
		if !strict {
			text = text[:len(text)-1]
		}
		switch {
		case len(text) > 0:
			if err := t.header(text, strict); err != nil {
				return err
			}
			t.loose = !strict
		case !strict:
			return fmt.Errorf("%w: empty line without CR", ErrFraming)
		case !t.loose:
			return t.complete()
		default:
			t.loose = false
			if t.dec.hash == nil {
				end, err := t.atEnd()
				if err != nil {
					return err
				}
				if end {
					return t.complete()
				}
			}
		}
	}
}

// header reads one trailing header. Nothing may follow the signature.
func (t *trailerParser) header(text []byte, strict bool) error {
	name, value, ok := strings.Cut(string(text), ":")
	name = strings.ToLower(name)
	value = strings.Trim(value, " \t")
	if !ok || !t.dec.d.Framing.trailer() || t.signature != nil {
		return fmt.Errorf("%w: unexpected line behind the last chunk", ErrTrailer)
	}
	if name == trailerSignature && t.dec.hash != nil {
		if !strict || t.loose {
			return fmt.Errorf("%w: wrong line end before or behind %s", ErrTrailer, trailerSignature)
		}
		t.signature = []byte(value)
		return nil
	}
	if !slices.Contains(t.dec.d.Trailers, name) {
		return fmt.Errorf("%w: it is not declared in x-amz-trailer", ErrTrailer)
	}
	algorithm, _ := algorithmOf(strings.TrimPrefix(name, checksumPrefix))
	if slices.ContainsFunc(t.values, func(c Checksum) bool { return c.Algorithm == algorithm }) {
		return fmt.Errorf("%w: %s is given twice", ErrTrailer, name)
	}
	if _, ok := algorithm.decode(value); !ok {
		return fmt.Errorf("%w: the value of %s is not valid", ErrTrailer, name)
	}
	t.values = append(t.values, Checksum{algorithm, value})
	t.canonical = append(t.canonical, name+":"+value+"\n"...)
	return nil
}

// complete makes sure that every declared trailer came and that they are
// signed. Without any trailer there is nothing left to sign: the last chunk's
// signature has closed the payload.
func (t *trailerParser) complete() error {
	if len(t.values) != len(t.dec.d.Trailers) {
		return fmt.Errorf("%w: a trailer declared in x-amz-trailer is missing", ErrTrailer)
	}
	if t.dec.hash == nil || t.signature == nil && len(t.values) == 0 {
		return nil
	}
	if t.signature == nil {
		return fmt.Errorf("%w: %s is missing", ErrChunkSignature, trailerSignature)
	}
	return signatureError(t.dec.d.Chunks.Trailer(sha256.Sum256(t.canonical), t.signature))
}

func (t *trailerParser) atEnd() (bool, error) {
	_, err := t.dec.in.Peek(1)
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	if err != nil {
		return false, readError(err)
	}
	return false, nil
}
