package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// drillReport is what a drill found. Its field names are a contract.
type drillReport struct {
	ForS      int                `json:"for_s"` // asked for
	Began     time.Time          `json:"began"`
	Ended     time.Time          `json:"ended,omitzero"`
	EndedBy   drillEnd           `json:"ended_by"`
	Why       string             `json:"why,omitempty"` // it ended
	Rooms     []drillRoom        `json:"rooms"`
	Alarms    []drillAlarm       `json:"alarms"`
	Faces     []drillFace        `json:"faces"`
	Watching  bool               `json:"watching"` // the house is under Netatmo again
	Passed    bool               `json:"passed"`
	Verdict   string             `json:"verdict"` // one sentence
	Decisions []gateway.Decision `json:"decisions"`
}

// drillEnd says why a drill ended.
type drillEnd string

// The ends of a drill.
const (
	endedInTime    drillEnd = "time"
	endedOnRequest drillEnd = "request"
	endedByAlarm   drillEnd = "alarm"  // a real one
	endedByOutage  drillEnd = "outage" // Netatmo went away meanwhile
	endedUnseen    drillEnd = "unseen" // the daemon did not answer any more
)

// settlesWithin is how long a room may take to follow a new target before that counts against it: a device
// first gets two minutes to follow by itself.
const settlesWithin = 3 * time.Minute

// returnsWithin is how long the house may take to be under Netatmo again once a drill has ended.
const returnsWithin = 10 * time.Minute

// drillWatch follows a drill look by look. It has no clock but that of the looks.
type drillWatch struct {
	asked     time.Duration
	began     time.Time
	until     time.Time
	last      drillView // the last look while the drill was on
	ended     time.Time // zero: it is on
	by        drillEnd
	why       string
	watching  bool
	rooms     map[gateway.RoomID]roomWatch
	down      map[string]string // of people's ways: what was wrong once
	decisions []gateway.Decision
}

// roomWatch is what was seen of one room so far.
type roomWatch struct {
	target gateway.Value
	since  time.Time // when the target was first seen
	served bool      // under the target before
	now    bool
}

// watchDrill begins with the first look at a drill that has begun.
func watchDrill(asked time.Duration, first drillView) *drillWatch {
	began := first.Authority.Since
	for _, d := range first.Decisions {
		if d.Kind == "authority" {
			began = d.At
			break
		}
	}
	w := &drillWatch{asked: asked, began: began, until: began.Add(asked), rooms: map[gateway.RoomID]roomWatch{}, down: map[string]string{}}
	w.take(first)
	return w
}

// take takes one look.
func (w *drillWatch) take(v drillView) {
	for _, d := range v.Decisions {
		w.decisions = append(w.decisions, d)
		if d.RaisesAlarm() && w.ended.IsZero() {
			w.by = endedByAlarm // it ends the drill in the same step
		}
	}
	if v.Authority.Drill && v.Authority.Phase == gateway.Local {
		w.last = v
		w.takeRooms(v)
	} else if w.ended.IsZero() {
		w.end(v)
	}
	for _, f := range v.Faces {
		if !f.Up {
			w.down[f.Name] = f.Why
		}
	}
	w.watching = v.Authority.Phase == gateway.Watching && !v.Authority.Drill
}

func (w *drillWatch) takeRooms(v drillView) {
	for _, r := range v.Rooms {
		var target gateway.Value
		if r.Target != nil {
			target = *r.Target
		}
		seen, known := w.rooms[r.ID]
		if !known || seen.target != target {
			seen = roomWatch{target: target, since: v.At, served: known && seen.now}
		}
		seen.now = r.Served
		w.rooms[r.ID] = seen
	}
}

// end notes when and why the drill ended: the house has decided so, or is no longer in it.
func (w *drillWatch) end(v drillView) {
	w.ended = v.Authority.Since
	for _, d := range v.Decisions {
		if d.Kind == "authority" && d.At.After(w.began) {
			w.ended, w.why = d.At, d.Why
			break
		}
	}
	switch {
	case w.by == endedByAlarm || v.Alarm.Phase == gateway.Sounding:
		w.by = endedByAlarm
	case v.Authority.Phase == gateway.Local:
		w.by = endedByOutage
	case w.ended.Before(w.until):
		w.by = endedOnRequest
	default:
		w.by = endedInTime
	}
}

// over reports whether there is nothing left to wait for.
func (w *drillWatch) over(at time.Time) bool {
	return !w.ended.IsZero() && (w.watching || w.by == endedByOutage || at.Sub(w.ended) > returnsWithin)
}

// report judges what was seen.
func (w *drillWatch) report() drillReport {
	r := drillReport{ForS: int(w.asked.Seconds()), Began: w.began, Ended: w.ended, EndedBy: w.by, Why: w.why,
		Rooms: []drillRoom{}, Alarms: w.last.Alarms, Faces: []drillFace{}, Watching: w.watching, Decisions: w.decisions}
	if w.ended.IsZero() {
		r.EndedBy = endedUnseen
	}
	for _, room := range w.last.Rooms {
		r.Rooms = append(r.Rooms, w.judge(room))
	}
	for _, f := range w.last.Faces {
		why, down := w.down[f.Name]
		r.Faces = append(r.Faces, drillFace{f.Name, !down, why})
	}
	missed := r.missed()
	tried := len(r.Rooms)+len(r.Alarms) > 0
	r.Passed = tried && len(missed) == 0 && r.Watching && (r.EndedBy == endedInTime || r.EndedBy == endedOnRequest)
	r.Verdict = r.verdict(missed)
	return r
}

// judge is what the last look says of a room, unless its target had only just changed.
func (w *drillWatch) judge(room drillRoom) drillRoom {
	seen := w.rooms[room.ID]
	lately := w.last.At.Sub(seen.since)
	switch {
	case room.Served:
	case seen.served && lately < settlesWithin:
		room.Served = true
		room.What += fmt.Sprintf("; its target had changed only %s before the end, and until then it was served", long(lately))
	case w.last.At.Sub(w.began) < settlesWithin:
		room.What += "; a device is given 2 minutes to follow by itself, so a longer drill may show more"
	}
	return room
}

// missed names what was not served.
func (r drillReport) missed() []string {
	var names []string
	for _, room := range r.Rooms {
		if !room.Served {
			names = append(names, room.Name)
		}
	}
	for _, a := range r.Alarms {
		if !a.Heard {
			names = append(names, a.Name)
		}
	}
	for _, w := range peoplesWays {
		for _, f := range r.Faces {
			if f.Name == w.name && !f.Up {
				names = append(names, w.words)
			}
		}
	}
	return names
}

func (r drillReport) verdict(missed []string) string {
	switch {
	case r.EndedBy == endedByAlarm:
		return "The drill was broken off by a real alarm: look there first."
	case r.EndedBy == endedByOutage:
		return "The drill has become real: Netatmo is gone, and the house stays run from here."
	case r.EndedBy == endedUnseen:
		return "How the drill ended was not seen: the daemon does not answer any more; veilleuse status says more once it runs."
	case len(r.Rooms)+len(r.Alarms) == 0:
		return "Nothing was tried: no heated room and no alarm is known."
	case len(missed) > 0:
		return fmt.Sprintf("Not served: %s. veilleuse doctor says what to do.", strings.Join(missed, ", "))
	case !r.Watching:
		return "Everything was served, but the house is not under Netatmo again yet: veilleuse status says why."
	}
	return fmt.Sprintf("Everything was served without Netatmo: %s, %s.", counted(len(r.Rooms), "heated room"), counted(len(r.Alarms), "alarm"))
}

// endWords say for people why a drill ended.
var endWords = map[drillEnd]string{endedInTime: "its time was over", endedOnRequest: "it was ended on request", endedByAlarm: "a real alarm sounded",
	endedByOutage: "Netatmo really failed", endedUnseen: "nobody saw it end"}

// print writes the report for people.
func (r drillReport) print(out io.Writer) {
	ended := ""
	if !r.Ended.IsZero() {
		ended = " after " + long(r.Ended.Sub(r.Began))
	}
	why := r.Why
	if why == "" {
		why = endWords[r.EndedBy]
	}
	fmt.Fprintln(out)
	fold(out, "", fmt.Sprintf("The drill is over%s: %s.", ended, why))
	fmt.Fprintln(out)
	line := func(good bool, yes, name, what string) {
		if !good {
			yes = "NOT " + yes
		}
		fold(out, "  ", fmt.Sprintf("%s  %s: %s", pad(yes, 10), name, what))
	}
	for _, room := range r.Rooms {
		line(room.Served, "served", room.Name, room.What)
	}
	for _, a := range r.Alarms {
		line(a.Heard, "heard", a.Name, a.What)
	}
	for _, w := range peoplesWays {
		for _, f := range r.Faces {
			if f.Name == w.name {
				line(f.Up, "kept", w.words, map[bool]string{true: "served all the time", false: f.Why}[f.Up])
			}
		}
	}
	line(r.Watching, "back", "the house", map[bool]string{true: "is under Netatmo again", false: "is not under Netatmo again yet"}[r.Watching])
	fmt.Fprintln(out)
	fold(out, "", r.Verdict)
}
