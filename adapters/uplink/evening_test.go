package uplink

import (
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// TestEveningOfTheOutage plays what clients of a front door saw on 29 October 2025, in its order:
// connections time out, the name fails, the edge answers 503, comes back in part, and is back. The trace
// is composed from the hoster's own review; what this vendor's API answered was never published.
func TestEveningOfTheOutage(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{TLS: true})
	c := newClock()
	o := in(w)
	h := gatewaytest.Start(t, "uplink", New(o), c.into, gatewaytest.From(phase(gateway.Suspect)))
	gatewaytest.Wait(h, func(p gateway.Probe) bool { return p.Verdict == gateway.VerdictOK })
	for _, scene := range []struct {
		fault []uplinktest.Fault
		want  gateway.Verdict
		why   string
	}{
		{one(uplinktest.BlackHole), gateway.VerdictCloudDown, "not answered; your internet works"},
		{one(uplinktest.ServFail), gateway.VerdictCloudDown, "SERVFAIL"},
		{one(uplinktest.TLSSilent), gateway.VerdictCloudDown, "says nothing"},
		{one(uplinktest.Status503), gateway.VerdictCloudDown, "answers 503 with HTML"},
		{one(uplinktest.SlowHeaders), gateway.VerdictDegraded, "does not answer in time"},
		{nil, gateway.VerdictOK, "as it should"},
		{one(uplinktest.Status502), gateway.VerdictCloudDown, "answers 502"},
		{nil, gateway.VerdictOK, "as it should"},
	} {
		breakWorld(t, w, scene.fault...)
		c.pass(c.slept(t))
		p := gatewaytest.Wait[gateway.Probe](h, nil)
		for tries := 0; p.Verdict != scene.want && tries < 3; tries++ { // a busy machine may be the slow one
			c.pass(c.slept(t))
			p = gatewaytest.Wait[gateway.Probe](h, nil)
		}
		if p.Verdict != scene.want || !strings.Contains(p.Why, scene.why) || p.Void {
			t.Errorf("%v: %s %q, want %s %q\n%s", scene.fault, p.Verdict, p.Why, scene.want, scene.why, strings.Join(p.Evidence, "\n"))
		}
		if scene.want == gateway.VerdictCloudDown && p.Witness != gateway.Yes {
			t.Errorf("%v: the cloud is blamed with witness %q", scene.fault, p.Witness)
		}
		if p.Took <= 0 || p.Took > 10*time.Second {
			t.Errorf("%v: took %v", scene.fault, p.Took)
		}
	}
}
