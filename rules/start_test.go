package rules_test

import (
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// That nobody has looked at Netatmo yet is said until somebody has, and no longer.
func TestTheReasonOfTheStartEndsWithTheFirstAnswer(t *testing.T) {
	at := time.Date(2025, 10, 29, 15, 0, 0, 0, time.UTC)
	look := func(s gateway.State, after time.Duration, v gateway.Verdict) gateway.State {
		s, _ = rules.Step(s, gateway.Event{At: at.Add(after), From: "uplink", Fact: gateway.Probe{Verdict: v, Witness: gateway.Yes}})
		return s
	}
	s, _ := rules.Step(gateway.State{}, gateway.Event{At: at, From: "loop", Fact: gateway.Tick{}})
	begun := s.Authority
	if begun.Phase != gateway.Watching || begun.Why != "started; Netatmo has not been looked at yet" {
		t.Fatalf("the house begins as %+v", begun)
	}
	if s = look(s, 10*time.Second, gateway.VerdictUnknown); s.Authority.Why != begun.Why {
		t.Errorf("a look that found nothing out says %q", s.Authority.Why)
	}
	if s = look(s, 20*time.Second, gateway.VerdictOK); s.Authority.Why != "Netatmo answers" || s.Authority.Phase != gateway.Watching || !s.Authority.Since.Equal(begun.Since) {
		t.Errorf("after the first answer it is %+v", s.Authority)
	}
}
