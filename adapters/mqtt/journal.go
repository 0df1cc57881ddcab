package mqtt

import (
	"math"
	"slices"

	"github.com/veilleuse/veilleuse/gateway"
)

// showJournal writes the page of the outage that goes on, or of the last one, and that of the requests
// spent. An outage changes when something happens in it and, for the comfort of the rooms, once a minute.
func (v *view) showJournal(old gateway.State) {
	s := &v.state
	if b := s.Budget; b != old.Budget {
		v.write(v.budget, begin(v.scratch).
			count("spent_last_hour", uint64(max(b.Spent, 0))).
			count("per_hour", uint64(max(b.Limit, 0))).
			count("total", uint64(max(b.Total, 0))))
	}
	same := v.outage.text != nil && s.Outage == old.Outage && len(s.Outages) == len(old.Outages) &&
		(len(s.Outages) == 0 || s.Outages[len(s.Outages)-1].Number == old.Outages[len(old.Outages)-1].Number)
	if same {
		return
	}
	o := begin(v.scratch)
	if last, ok := s.LastOutage(); ok {
		o = outage(o, last)
	}
	v.write(v.outage, o)
}

// outage fills in the page of an outage.
func outage(o object, last gateway.Outage) object {
	o = o.count("number", last.Number).text("verdict", string(last.Verdict))
	o = texts(o, "scope", last.Scope).
		moment("since", last.Lost).
		moment("until", last.Ended).
		text("why", last.Why).
		flag("drill", last.Drill).
		count("writes", uint64(last.Writes)).
		count("wishes", uint64(last.Wishes)).
		count("alarms", uint64(last.Alarms)).
		count("slots_due", uint64(last.SlotsDue)).
		count("slots_kept", uint64(last.SlotsKept)).
		within("rooms")
	var forms []string
	for id, c := range last.Rooms.All() {
		form := topicForm(string(id))
		if slices.Contains(forms, form) {
			continue // two rooms whose ids look alike share a topic, too
		}
		forms = append(forms, form)
		o = comfort(o.within(form), c).end()
	}
	return o.end()
}

// comfort fills in how warm a room was kept: K·h below its target, and the hours that rests on.
func comfort(o object, c gateway.Comfort) object {
	hundredths := func(x float64) gateway.Value { return gateway.Number(math.Round(x*100) / 100) }
	o = o.text("name", c.Name)
	if c.Measured > 0 {
		o = o.value("below_kh", hundredths(c.Below))
	}
	return o.value("measured_h", hundredths(c.Measured.Hours())).value("unknown_h", hundredths(c.Unknown.Hours()))
}
