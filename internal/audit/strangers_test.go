package audit

import (
	"fmt"
	"testing"
	"time"

	"keystile/internal/keystile"
)

func strangersRefusal(i int, ip string) keystile.Event {
	e := keystile.Event{ID: fmt.Sprint(i), Action: "s3.proxy.getobject", SourceIP: ip}
	e.Detail.Code = "AccessDenied"
	return e
}

// Many sources that each stay below their own limit do not fill the disk.
func TestAFloodFromManySourcesIsCounted(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	f := newFloods(func() time.Time { return now })
	rows, counted := 0, 0
	for i := range 3 * maxStrangers {
		record, countedBy := f.take(strangersRefusal(i, fmt.Sprintf("10.0.%d.%d", i>>8, i&255)))
		if countedBy != "" {
			counted++
		} else {
			rows++
			counted += int(max(0, record.Detail.Count-1))
		}
	}
	if rows != maxStrangers+floodAfter+1 || rows+counted != 3*maxStrangers {
		t.Errorf("%d events and %d counted of %d refusals", rows, counted, 3*maxStrangers)
	}
	known := strangersRefusal(0, "10.9.9.9")
	known.Account, known.Detail.Authenticated = "alice", true
	if _, countedBy := f.take(known); countedBy != "" {
		t.Error("the flood of strangers hides one who is known")
	}
	now = now.Add(floodWindow)
	if record, countedBy := f.take(strangersRefusal(1, "10.8.8.8")); countedBy != "" || record.Detail.Count != 0 {
		t.Error("the next minute has no events of its own")
	}
}
