package gatewaytest

import (
	"testing"
	"time"
)

func TestAStandstillIsNoticed(t *testing.T) {
	began := time.Unix(0, 0)
	s := &Standstill{due: began.Add(standstillLooks)}
	s.woke(began.Add(2 * standstillLooks)) // a little late
	if s.all != 0 {
		t.Errorf("a busy moment counts as %v", s.all)
	}
	s.woke(began.Add(3*standstillLooks + time.Second))
	if s.all != time.Second {
		t.Errorf("a second counts as %v", s.all)
	}
	s.due = time.Now().Add(-time.Hour)
	if all := s.SoFar(); all < time.Hour+time.Second || all > 2*time.Hour {
		t.Errorf("with the hour that is under way it is %v", all)
	}
}
