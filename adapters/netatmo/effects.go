package netatmo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// write sends one command to the vendor. That there is nothing to change is as good as done.
func (s *session) write(ctx context.Context, c call) error {
	c.plane = gateway.PlaneWrite
	a, err := s.ask(ctx, c, forPeople)
	var no refusal
	if errors.As(err, &no) && no.code == codeNothingToDo && no.status < 500 {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	s.round.hasten(status, s.now().Add(afterWrite))
	return deviceFault(c, a.errors)
}

// effect is what the next readings of a room ought to show after a write.
type effect struct {
	room gateway.RoomID
	aim  aim
	at   time.Time
}

func (s *session) expect(room gateway.RoomID, a aim) {
	s.forgetEffect(room)
	s.known.effects = append(s.known.effects, effect{room, a, s.now()})
}

func (s *session) forgetEffect(room gateway.RoomID) {
	kept := s.known.effects[:0:0]
	for _, e := range s.known.effects {
		if e.room != room {
			kept = append(kept, e)
		}
	}
	s.known.effects = kept
}

// judgeEffects compares the rooms with what was written to them. A vendor who accepts a write that
// does not show after 30 s reads well and writes badly.
func (s *session) judgeEffects(st homeStatus) {
	for _, e := range s.known.effects {
		for _, r := range st.rooms {
			if r.ID != e.room {
				continue
			}
			waited := s.now().Sub(e.at)
			switch {
			case e.aim.shows(r.CloudRoom), r.Since.After(e.at): // or somebody has set it again since
				s.forgetEffect(e.room)
			case waited >= afterWrite:
				s.forgetEffect(e.room)
				s.post(gateway.Call{Plane: gateway.PlaneWrite, Verdict: gateway.VerdictDegraded,
					Why: fmt.Sprintf("setroomthermpoint: accepted %v ago for room %s, but it does not show", waited.Round(time.Second), e.room)})
			}
		}
	}
}

// shows reports whether a room does what was asked, as far as it can be told.
func (a aim) shows(r gateway.CloudRoom) bool {
	switch {
	case !r.Reachable:
		return true // nothing can be told
	case a.mode == "home":
		return r.Mode != gateway.RoomManual && r.Mode != gateway.RoomMax
	case a.mode != "manual":
		return r.Mode == roomMode(a.mode)
	case a.order != "":
		return r.Target.Word() == a.order
	}
	degrees, ok := r.Target.Number()
	return ok && degrees == a.degree
}
