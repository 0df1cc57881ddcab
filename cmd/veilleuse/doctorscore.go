package main

import "fmt"

// Weights of the score, which add up to 100. The part of rooms or of alarms falls to the other where a
// house has none; a house that has neither gets neither.
const (
	roomPoints   = 45.0
	alarmPoints  = 25.0
	planPoints   = 10.0
	clockPoints  = 5.0
	checkPoints  = 15.0 // all other checks together
	itselfShare  = 0.7  // of a room that goes on by itself and is neither seen nor steered
	warnShare    = 0.5  // of a check that is not quite well
	mostWithGaps = 75   // a house that would not survive has no better score
)

// tally counts what would be served.
type tally struct {
	rooms, roomsServed   int
	alarms, alarmsServed int
	roomShare            float64 // sum of the rooms' shares
}

func count(r doctorReport) tally {
	var t tally
	for _, room := range r.Rooms {
		t.rooms++
		switch {
		case room.Served && room.Path == byItself:
			t.roomsServed++
			t.roomShare += itselfShare
		case room.Served:
			t.roomsServed++
			t.roomShare++
		}
	}
	for _, d := range r.Devices {
		if d.Alarm {
			t.alarms++
			if d.Served {
				t.alarmsServed++
			}
		}
	}
	return t
}

// all reports whether everything that matters would be served, and there is something that matters.
func (t tally) all() bool {
	return t.rooms+t.alarms > 0 && t.rooms == t.roomsServed && t.alarms == t.alarmsServed
}

// score is how well the house is prepared, 0 to 100. Heated rooms make 45 points, alarms 25: each room
// or alarm that would be served counts the same, a room that only goes on by itself 0.7 of it. The
// copied plan makes 10, the clock 5, all other checks together 15; what is not quite well counts half.
// A house that would not survive has 75 at most.
func score(r doctorReport, t tally) int {
	rooms, alarms := roomPoints, alarmPoints
	if t.rooms == 0 {
		alarms += rooms
	}
	if t.alarms == 0 {
		rooms += alarms
	}
	total := 0.0
	if t.rooms > 0 {
		total += rooms * t.roomShare / float64(t.rooms)
	}
	if t.alarms > 0 {
		total += alarms * float64(t.alarmsServed) / float64(t.alarms)
	}
	others, share := 0.0, 0.0
	for _, c := range r.Checks {
		switch c.Name {
		case "plan":
			total += planPoints * c.share()
		case "clock":
			total += clockPoints * c.share()
		case "backup": // says nothing about tonight
		default:
			others++
			share += c.share()
		}
	}
	if others > 0 {
		total += checkPoints * share / others
	}
	if points := int(total + 0.5); r.Survives {
		return points
	} else {
		return min(points, mostWithGaps)
	}
}

func (f finding) share() float64 {
	switch f.Result {
	case well:
		return 1
	case warn:
		return warnShare
	}
	return 0
}

// verdict is the answer in one sentence.
func (t tally) verdict(r doctorReport) string {
	switch {
	case t.rooms+t.alarms == 0 && len(r.Devices) == 0:
		return "No: nothing is paired or signed in, so nothing here would go on."
	case t.rooms+t.alarms == 0:
		return "No: nothing here heats a room or warns of a fire, as far as is known."
	}
	answer := "No"
	if t.all() {
		answer = "Yes"
	}
	rooms, alarms := fmt.Sprintf("%d of %d heated rooms", t.roomsServed, t.rooms), fmt.Sprintf("%d of %d alarms", t.alarmsServed, t.alarms)
	switch {
	case t.alarms == 0:
		return fmt.Sprintf("%s: %s would be served; there is no smoke or carbon monoxide alarm.", answer, rooms)
	case t.rooms == 0:
		return fmt.Sprintf("%s: %s would be heard; there is no heated room.", answer, alarms)
	}
	return fmt.Sprintf("%s: %s and %s would be served.", answer, rooms, alarms)
}
