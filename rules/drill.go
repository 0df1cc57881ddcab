package rules

import (
	"fmt"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// How long a drill may last: shorter shows nothing, and longer would let the vendor's plan grow old.
const (
	shortestDrill = time.Minute
	longestDrill  = 4 * time.Hour
)

// longestLook is how long the end of a drill waits for the cloud to be read. After that what it showed
// last is taken: nobody knows of a fault.
const longestLook = 5 * time.Minute

// drillMark begins every word of a drill, so that nobody takes it for an outage.
const drillMark = "drill: "

// startDrill plays an outage on the real house: it is run from here as if the cloud were gone, and
// nothing is written to the cloud. The verdict stays what it is, for it is what ends the drill if the
// cloud really fails.
func (b *book) startDrill(by string, length time.Duration) {
	what := "a drill of " + words(length)
	if why := b.noDrill(length); why != "" {
		b.refuse(by, what, why)
		return
	}
	b.Authority.Lost, b.Authority.Until = b.now, b.now.Add(length)
	b.Authority.Drill = true
	b.freeze()
	b.enter(gateway.Local, "the house is run from here until "+b.clock(b.Authority.Until),
		"asked for in "+by+"; Netatmo is not touched meanwhile")
}

// noDrill says why there can be no drill now; "" if there can.
func (b *book) noDrill(length time.Duration) string {
	_, planned := b.schedule()
	switch {
	case length < shortestDrill || length > longestDrill:
		return fmt.Sprintf("a drill lasts %d min to %d h", int(shortestDrill.Minutes()), int(longestDrill.Hours()))
	case len(b.Alarms) > 0:
		return "an alarm is on: " + b.Alarm().Why
	case b.Authority.Drill && b.Authority.Phase == gateway.Returning:
		return "the last drill is just ending"
	case b.Authority.Drill:
		return "a drill is on already, until " + b.clock(b.Authority.Until)
	case b.Authority.Phase == gateway.Local:
		return "this is no drill: Netatmo is gone since " + b.clock(b.Authority.Lost)
	case b.Authority.Phase == gateway.Returning:
		return "the house is just being handed back to Netatmo"
	case b.Authority.Phase == gateway.Suspect:
		return "Netatmo fails just now, and that may be an outage: " + b.Cloud.Why
	case !b.signedIn() || !planned:
		return "no schedule was copied from Netatmo yet, so there is nothing that could be kept: sign in first (veilleuse login)"
	}
	return ""
}

// endDrill ends a drill because a person says so.
func (b *book) endDrill(by string) {
	switch {
	case !b.Authority.Drill:
		b.refuse(by, "the end of the drill", "no drill is on")
	case b.Authority.Phase == gateway.Returning:
		b.refuse(by, "the end of the drill", "it is just ending")
	default:
		b.leaveDrill("asked for in " + by)
	}
}

// advanceDrill moves a drill on. It ends at its time, and at once when an alarm sounds; what a person
// set meanwhile is merged as after an outage, but nothing needs to have held, for the cloud was never
// away. If it does go, by the same measure as ever, the drill has become real.
func (b *book) advanceDrill() {
	switch {
	case b.confirmed():
		b.Authority.Drill, b.Authority.Until = false, time.Time{}
		b.Authority.Taken, b.Authority.Lost = b.now, b.Cloud.FirstBad
		b.enter(gateway.Local, "Netatmo is gone: the drill has become real, the house stays run from here", b.Cloud.Why)
	case b.Authority.Phase == gateway.Returning:
		looked := b.now.Sub(b.Authority.Since) >= longestLook && b.Cloud.Bad == 0
		if b.Cloud.Viewed.After(b.Authority.Since) || looked {
			b.handBack()
		}
	case b.Alarm().Phase == gateway.Sounding:
		b.leaveDrill("an alarm sounds, and it is no drill")
	case !b.now.Before(b.Authority.Until):
		b.leaveDrill("its time is over")
	}
}

// leaveDrill begins the end of a drill: the cloud is read, then the house is handed back.
func (b *book) leaveDrill(why string) {
	b.enter(gateway.Returning, "it ends: Netatmo is read first, nothing is written there", why)
}

// resumeDrill ends a drill that a restart has cut short: who restarts a house does not expect a game.
func (b *book) resumeDrill() {
	if b.Authority.Drill && b.Authority.Phase == gateway.Local {
		b.leaveDrill("Veilleuse was restarted meanwhile")
	}
}

// marked is a text with the mark of a drill while one is on.
func (b *book) marked(text string) string {
	if b.Authority.Drill && !strings.HasPrefix(text, drillMark) {
		return drillMark + text
	}
	return text
}
