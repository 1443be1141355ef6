package s3wire

import "net/url"

// rows are the operations of one level. The query parameters that tell them apart
// have a bit each, so that a request looks its own ones up, and not those of every
// row.
type rows struct {
	bit  map[string]uint64
	list []row
}

type row struct {
	by uint64 // the bits of op.By
	op *Operation
}

var byLevel = indexTable()

func indexTable() (levels [Object + 1]rows) {
	for i := range table {
		op := &table[i]
		l := &levels[op.Level]
		if l.bit == nil {
			l.bit = map[string]uint64{}
		}
		r := row{op: op}
		for _, p := range op.By {
			if l.bit[p.Name] == 0 {
				l.bit[p.Name] = 1 << len(l.bit)
			}
			r.by |= l.bit[p.Name]
		}
		l.list = append(l.list, r)
	}
	return levels
}

// bits are those of the parameters that a request has.
func (r *rows) bits(params url.Values) (bits uint64) {
	for name := range params {
		bits |= r.bit[name]
	}
	return bits
}
