package api

import (
	"testing"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// The repair, which runs each minute, leaves alone who is just being made: only what
// was cut off is taken back.
func TestTheRepairLeavesUsersInTheMakingAlone(t *testing.T) {
	s, project, _ := crew(t)
	repaired := 0
	s.homes.making = func() {
		repaired++
		must(t, s.control.RGWUsers.Repair(t.Context()))
	}
	made, err := s.control.RGWUsers.Create(t.Context(), control.System(), control.NewRGWUser{Name: "ours", ProjectID: project, BackendID: "main"})
	if err != nil || made.State != keystile.RGWLive || repaired != 1 {
		t.Fatalf("made %+v, %v, with %d repairs meanwhile", made.RGWUser, err, repaired)
	}
	s.as("root").do("GET", "/rgw/users/"+made.ID, nil).want(200)
}
