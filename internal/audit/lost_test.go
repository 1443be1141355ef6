package audit_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"keystile/internal/audit"
	"keystile/internal/journal"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Whatever leaves records out of the index is told in the transaction that does; what
// is indexed is not.
func TestRecordsThatAreNotIndexedAreTold(t *testing.T) {
	for _, tt := range []struct {
		name   string
		happen func(j *journaled)
		want   bool
	}{
		{"an orderly stop loses nothing", func(j *journaled) {
			must(j.t, j.Trail.Close(j.t.Context()))
			j.open()
		}, false},
		{"a kill loses nothing", (*journaled).dies, false},
		{"another journal is there", func(j *journaled) {
			must(j.t, j.Trail.Close(j.t.Context()))
			j.dir = j.t.TempDir()
			j.open()
		}, true},
		{"the journal's end was removed", func(j *journaled) {
			before := j.t.TempDir()
			must(j.t, os.CopyFS(before, os.DirFS(j.dir)))
			must(j.t, j.wait(j.Trail.Append(j.event("a.second"))))
			j.caughtUp()
			must(j.t, j.Trail.Close(j.t.Context()))
			j.dir = before
			j.open()
		}, true},
		{"a segment is damaged before the index has it", func(j *journaled) {
			j.disk.failing.Store(1 << 30)
			for range 5 {
				must(j.t, j.wait(j.Trail.Append(j.event("a.next"))))
			}
			j.diesWith(func(dir string) {
				files, err := filepath.Glob(filepath.Join(dir, "*.journal"))
				must(j.t, err)
				data, err := os.ReadFile(files[len(files)-1])
				must(j.t, err)
				data[len(data)-len(data)/4] ^= 1
				must(j.t, os.WriteFile(files[len(files)-1], data, 0o600))
			})
		}, true},
		{"a record is no record of the trail", func(j *journaled) {
			must(j.t, j.Trail.Close(j.t.Context()))
			raw, _, err := journal.Open(journal.Options{Dir: j.dir, Now: time.Now})
			must(j.t, err)
			must(j.t, raw.Append([][]byte{[]byte(`{"event":`)}))
			must(j.t, raw.Close())
			j.open()
		}, true},
		{"the index refuses a record", func(j *journaled) {
			must(j.t, j.wait(j.Trail.Settle(keystile.Outcome{EventID: "never begun", Result: keystile.ResultOK})))
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			told := 0
			j := newJournaled(t, func(o *audit.Options) {
				o.Lost = func(tx store.Tx) error {
					told++
					_, err := tx.Generation()
					return err
				}
			})
			must(t, j.wait(j.Trail.Append(j.event("a.first"))))
			j.caughtUp()
			if told == 0 {
				t.Error("a journal that the store had never met was taken for whole")
			}
			told = 0
			tt.happen(j)
			must(t, j.wait(j.Trail.Append(j.event("a.last"))))
			j.caughtUp()
			if got := told > 0; got != tt.want {
				t.Errorf("told %d times", told)
			}
			if events := j.events(); events[0].Action != "a.last" {
				t.Errorf("the index ends with %+v", events[0])
			}
		})
	}
}
