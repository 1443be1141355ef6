package sqlstore

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
)

// gatewayEvent is what a gateway records, spread over keys and credentials.
func gatewayEvent(n int) keystile.Event {
	return keystile.Event{
		ID:      fmt.Sprintf("019%05x-%04x-7000-8000-%012x", n>>16, n&0xffff, n),
		Time:    time.UnixMicro(int64(n) * 1000),
		Action:  "s3.proxy.putobject",
		Result:  keystile.ResultUnknown,
		Account: "anna", Backend: "main", Bucket: fmt.Sprint("bucket-", n%50),
		Key:       fmt.Sprintf("2026/11/%x/photo-%d.jpg", uint32(n)*2654435761, n),
		SourceIP:  "192.0.2.17",
		UserAgent: "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.1 md/arch#x86_64",
		RequestID: fmt.Sprintf("%08X%08X", uint32(n)*2246822519, uint32(n)*3266489917),
		Open:      true,
		Detail:    keystile.EventDetail{AccessKeyID: fmt.Sprintf("AKIA%016d", n%1000), Authenticated: true, Bytes: 1 << 20},
	}
}

func benchmarkEvents(b *testing.B, batch int, withOutcomes bool) {
	db := openAt(b, filepath.Join(b.TempDir(), "keystile.db"), ringOf(b, seal.NewKey()))
	n := 0
	for b.Loop() {
		events := make([]keystile.Event, batch)
		outcomes := make([]keystile.Outcome, batch)
		for i := range events {
			events[i] = gatewayEvent(n)
			outcomes[i] = keystile.Outcome{EventID: events[i].ID, Result: keystile.ResultOK, Status: 200, Detail: events[i].Detail}
			n++
		}
		err := db.Write(b.Context(), func(tx store.Tx) error { return tx.AppendEvents(events) })
		if err == nil && withOutcomes {
			err = db.Write(b.Context(), func(tx store.Tx) error { return tx.CloseEvents(outcomes) })
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkAppendEvents(b *testing.B) {
	for _, batch := range []int{1, 8, 64, 512} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) { benchmarkEvents(b, batch, false) })
	}
}

func BenchmarkAppendAndCloseEvents(b *testing.B) {
	b.Run("64", func(b *testing.B) { benchmarkEvents(b, 64, true) })
}
