package web

import (
	"net/http"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// metrics answers with the figures of the house.
func (a *Adapter) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Write(a.Figures())
}

// Figures are the figures of the house in the text format of Prometheus, each named with its unit.
func (a *Adapter) Figures() []byte {
	var e exposition
	a.program(&e)
	a.backup(&e, a.now())
	if s := a.newest.Load(); s != nil {
		now := a.now()
		judgement(&e, *s, now)
		heating(&e, *s)
		hardware(&e, *s, now)
		decisions(&e, *s)
	}
	return e.text
}

// program are the figures of the program itself.
func (a *Adapter) program(e *exposition) {
	e.gauge("build_info", "The program that runs.")
	e.sample(1, "version", a.options.Version, "commit", a.options.Commit, "go", runtime.Version())
	e.gauge("process_start_time_seconds", "When the program started, in seconds since 1970.")
	e.sample(float64(a.started.UnixMilli()) / 1000)
	for _, m := range []struct{ of, name, help string }{
		{"/memory/classes/heap/objects:bytes", "memory_heap_bytes", "Memory in use or not yet collected."},
		{"/memory/classes/total:bytes", "memory_total_bytes", "Memory that the program has from the system."},
		{"/sched/goroutines:goroutines", "goroutines", "Goroutines that exist."},
	} {
		read := []metrics.Sample{{Name: m.of}}
		if metrics.Read(read); read[0].Value.Kind() == metrics.KindUint64 {
			e.gauge(m.name, m.help)
			e.sample(float64(read[0].Value.Uint64()))
		}
	}
	if a.options.Stored == nil {
		return
	}
	stored := a.options.Stored()
	e.counter("store_written_bytes_total", "Bytes written to the database's files.")
	e.sample(float64(stored.Bytes))
	e.counter("store_flushes_total", "Times the disk was told to make it durable.")
	e.sample(float64(stored.Flushes))
	e.counter("store_writes_total", "Changes of the database.")
	e.sample(float64(stored.Writes))
}

// backup is how old the newest backup is, in each place that has one.
func (a *Adapter) backup(e *exposition, now time.Time) {
	if a.options.Backup == nil {
		return
	}
	made := a.options.Backup()
	e.gauge("backup_age_seconds", "How long ago the newest backup was made. A place without one is absent.")
	if !made.State.IsZero() {
		e.sample(now.Sub(made.State).Seconds(), "place", "state")
	}
	if !made.Second.IsZero() {
		e.sample(now.Sub(made.Second).Seconds(), "place", "second")
	}
}

// verdicts are all verdicts there are.
var verdicts = []gateway.Verdict{
	gateway.VerdictUnknown, gateway.VerdictOK, gateway.VerdictCloudDown, gateway.VerdictDegraded, gateway.VerdictInternetDown,
	gateway.VerdictLANDown, gateway.VerdictResolver, gateway.VerdictHijack, gateway.VerdictCaptive, gateway.VerdictAuthRevoked,
	gateway.VerdictRateLimited, gateway.VerdictClockWrong, gateway.VerdictSelf,
}

// judgement is who is in charge, what is thought of the cloud and of the clock, and what was spent.
func judgement(e *exposition, s gateway.State, now time.Time) {
	e.gauge("authority_phase", "Who is in charge: 1 for the phase that holds.")
	choice(e, "phase", s.Authority.Phase, gateway.Watching, gateway.Suspect, gateway.Local, gateway.Returning)
	e.gauge("authority_phase_age_seconds", "How long that phase has held.")
	age(e, now, s.Authority.Since)
	e.gauge("drill", "1 while an outage is only played.")
	e.sample(oneIf(s.Authority.Drill))
	e.gauge("verdict", "What is broken on the way to Netatmo: 1 for the verdict that holds.")
	choice(e, "verdict", s.Cloud.Verdict, verdicts...)
	e.gauge("verdict_age_seconds", "How long that verdict has held.")
	age(e, now, s.Cloud.Since)
	e.gauge("cloud_requests_last_hour", "Requests to Netatmo in the last hour.")
	e.sample(float64(s.Budget.Spent))
	e.gauge("cloud_requests_limit_per_hour", "Requests to Netatmo allowed in an hour; 0: not known yet.")
	e.sample(float64(s.Budget.Limit))
	e.counter("cloud_requests_total", "Requests to Netatmo since the start.")
	e.sample(float64(s.Budget.Total))
	e.gauge("clock_trust", "How far the wall clock can be believed: 1 for what holds.")
	choice(e, "trust", s.Clock.Trust, gateway.TrustGuess, gateway.TrustHoldover, gateway.TrustSynced)
	if s.Clock.Bound > 0 {
		e.gauge("clock_bound_seconds", "How far off the wall clock may be; absent: not known.")
		e.sample(s.Clock.Bound.Seconds())
	}
}

// age adds how long something has held, never less than nothing: the clock may have been put back.
func age(e *exposition, now, since time.Time) {
	if !since.IsZero() {
		e.sample(max(now.Sub(since).Seconds(), 0))
	}
}

// heating is what the rooms have and what they ought to have.
func heating(e *exposition, s gateway.State) {
	e.gauge("room_temperature_celsius", "Temperature of a room.")
	for id, room := range s.Rooms.All() {
		if t, ok := room.Temperature.Value.Number(); ok {
			e.sample(t, "room", string(id))
		}
	}
	e.gauge("room_target_celsius", "Temperature that a room ought to have.")
	for id, room := range s.Rooms.All() {
		if t, ok := room.Target.Value.Number(); ok {
			e.sample(t, "room", string(id))
		}
	}
}

// hardware is which devices and adapters are there, and how old their word is.
func hardware(e *exposition, s gateway.State, now time.Time) {
	e.gauge("device_reachable", "1 if a device answers by any path.")
	var oldest time.Time
	for id, d := range s.Devices.All() {
		e.sample(oneIf(d.Reachable()), "device", string(id))
		var last time.Time
		for _, m := range d.Readings {
			if m.At.After(last) {
				last = m.At
			}
		}
		if !last.IsZero() && (oldest.IsZero() || last.Before(oldest)) {
			oldest = last
		}
	}
	e.gauge("reading_age_max_seconds", "Age of the newest reading of the device that has been silent longest.")
	age(e, now, oldest)
	e.gauge("adapter_up", "1 if an adapter runs.")
	for name, h := range s.Health.All() {
		e.sample(oneIf(h.Up), "adapter", string(name))
	}
}

// decisions is how much was decided, and which alarms there are.
func decisions(e *exposition, s gateway.State) {
	sounding := 0
	for _, a := range s.Alarms {
		if a.Phase == gateway.Sounding {
			sounding++
		}
	}
	e.gauge("alarms", "Alarms that go on (smoke, carbon monoxide, intrusion), hushed ones included.")
	e.sample(float64(len(s.Alarms)))
	e.gauge("alarms_sounding", "Alarms that sound (smoke, carbon monoxide, intrusion).")
	e.sample(float64(sounding))
	e.counter("decisions_total", "Decisions since this house was first run.")
	e.sample(float64(s.Decided))
	e.counter("commands_total", "Commands to devices and Netatmo since this house was first run.")
	e.sample(float64(s.Commanded))
}
