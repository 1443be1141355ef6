package api

import (
	"bytes"
	"os"
	"testing"
)

func TestTheDashboardsDocumentIsFresh(t *testing.T) {
	want, err := Document()
	must(t, err)
	got, err := os.ReadFile("../../web/openapi.json")
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Error("web/openapi.json is stale: run make web-generate")
	}
}
