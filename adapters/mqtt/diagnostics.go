package mqtt

import (
	"math"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Stored is what was written to the disk since the program was started.
type Stored struct {
	Bytes  uint64 // written to files, without what the file system adds
	Writes uint64 // changes of the database
}

// countEvery is how often the figures are told that change all the time: a message for each would itself be
// most of the traffic.
const countEvery = 5 * time.Minute

// showDiagnostics writes the page of how the gateway fares.
func (v *view) showDiagnostics(old gateway.State) {
	s := &v.state
	due := s.At.Sub(v.counted) >= countEvery || s.At.Before(v.counted)
	if !due && s.Clock == old.Clock && v.diagnostics.text != nil {
		return
	}
	v.counted = s.At
	o := begin(v.scratch).
		text("clock", string(s.Clock.Trust)).
		text("clock_why", s.Clock.Why).
		moment("started", s.Started)
	if share, ok := s.Availability(availabilityDays).Share(); ok {
		o = o.value("cloud_available", gateway.Number(math.Round(share*1e5)/1e3))
	}
	unreachable := uint64(0)
	for _, d := range s.Devices.All() {
		if !d.Reachable() {
			unreachable++
		}
	}
	o = o.count("devices", uint64(s.Devices.Len())).count("unreachable", unreachable)
	if v.stored != nil {
		now := v.stored()
		o = o.count("disk_writes", now.Writes).count("disk_bytes", now.Bytes)
	}
	v.write(v.diagnostics, o)
}

// availabilityDays is over how long the vendor's availability is told.
const availabilityDays = 30
