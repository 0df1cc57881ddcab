package mqtt

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// profiled is a device that speaks as a profile says: its one interpreter.
type profiled struct {
	Profile  // with the device's own words put in
	role     Role
	lease    time.Duration
	setpoint []string // keys by which the valve may call its target
	wanted   []string // topics

	proven  bool          // what is left of a lease was seen to count
	refused bool          // it was seen not to
	wish    gateway.Value // what was ordered and is not done yet
	shows   bool          // the device shows what was ordered
	counts  bool          // and counts
	key     string        // the valve's key for its target, once known
}

func newProfiled(a Attached) *profiled {
	p := &profiled{Profile: *a.profile(), role: a.Role, lease: a.Circuit.Lease}
	p.fillIn(a)
	if p.Setpoint != nil {
		p.setpoint = p.Setpoint.Keys
		if len(p.setpoint) == 1 {
			p.key = p.setpoint[0]
		}
	}
	for _, s := range p.Signs {
		p.want(s.Topic)
	}
	for _, e := range p.Readings {
		if isFor(e.Roles, p.role) {
			p.want(e.Topic)
		}
	}
	switch p.role {
	case RoleRelay:
		p.want(p.Switch.State.Topic)
		if p.lease > 0 {
			p.want(p.Switch.Left.Topic)
		}
	case RoleValve:
		p.want(p.Setpoint.State)
	}
	return p
}

func (p *profiled) want(topic string) {
	if !slices.Contains(p.wanted, topic) {
		p.wanted = append(p.wanted, topic)
	}
}

// fillIn puts the device's words into a copy of its profile.
func (p *profiled) fillIn(a Attached) {
	base, mark := a.Base, func(before string) string { return before + a.Channel }
	if base == "" {
		base = "zigbee2mqtt"
	}
	if a.Channel == "" {
		mark = func(string) string { return "" }
	}
	words := strings.NewReplacer("{topic}", a.Topic, "{base}", base, "{channel}", a.Channel, "{_channel}", mark("_"),
		"{/channel}", mark("/"), "{command}", a.Command, "{key}", a.Key, "{seconds}", strconv.Itoa(int(p.lease/time.Second)))
	speaks := p.Topic
	if speaks == "" {
		speaks = "{topic}"
	}
	read := func(e Extract) Extract {
		if e.Topic == "" {
			e.Topic = speaks
		}
		e.Topic, e.Key = words.Replace(e.Topic), words.Replace(e.Key)
		return e
	}
	p.Signs, p.Ask, p.Readings = slices.Clone(p.Signs), slices.Clone(p.Ask), slices.Clone(p.Readings)
	for i := range p.Signs {
		p.Signs[i].Topic = words.Replace(p.Signs[i].Topic)
	}
	for i, s := range p.Ask {
		p.Ask[i].Topic, p.Ask[i].Payload = words.Replace(s.Topic), words.Replace(s.Payload)
	}
	for i, e := range p.Readings {
		p.Readings[i] = read(e)
	}
	if p.Switch != nil {
		s := *p.Switch
		s.State, s.Left, s.Topic = read(s.State), read(s.Left), words.Replace(s.Topic)
		s.On, s.Off, s.OnLeased = words.Replace(s.On), words.Replace(s.Off), words.Replace(s.OnLeased)
		if s.AskLeft != nil {
			s.AskLeft = &Say{Topic: words.Replace(s.AskLeft.Topic), Payload: words.Replace(s.AskLeft.Payload)}
		}
		p.Switch = &s
	}
	if p.Setpoint != nil {
		s := *p.Setpoint
		s.State, s.Topic = read(Extract{Topic: s.State}).Topic, words.Replace(s.Topic)
		p.Setpoint = &s // {key} in its payload is another
	}
}

func (p *profiled) filters() []string { return p.wanted }

func (p *profiled) greet() (orders []order) {
	for _, s := range p.Ask {
		if isFor(s.Roles, p.role) {
			orders = append(orders, order{topic: s.Topic, text: s.Payload})
		}
	}
	return orders
}

func (p *profiled) set(c gateway.Command) ([]order, error) {
	switch p.role {
	case RoleRelay:
		return p.turn(c.Value.Yes())
	case RoleValve:
		return p.aim(c.Value)
	}
	return nil, errNothingToSet
}

func (p *profiled) turn(on bool) ([]order, error) {
	s := p.Switch
	p.wish, p.shows, p.counts = gateway.Flag(on), false, false
	switch {
	case !on:
		return []order{{topic: s.Topic, text: s.Off}}, nil
	case p.lease == 0:
		return []order{{topic: s.Topic, text: s.On}}, nil
	case p.refused:
		p.wish = gateway.Value{}
		return nil, p.noTimer()
	}
	orders := []order{{topic: s.Topic, text: s.OnLeased}}
	if s.AskLeft != nil {
		orders = append(orders, order{topic: s.AskLeft.Topic, text: s.AskLeft.Payload})
	}
	return orders, nil
}

// noTimer is final: a firmware learns nothing by being asked again.
func (p *profiled) noTimer() error {
	return finalError(fmt.Sprintf("its firmware ignores %s, so it would stay on if Veilleuse dies; use another relay, "+
		"or say without_lease in the configuration", p.Switch.Timer))
}

func (p *profiled) aim(v gateway.Value) ([]order, error) {
	n, ok := v.Number()
	if !ok || n < coldestTarget || n > hottestTarget {
		return nil, finalError(fmt.Sprintf("%v is no temperature for a valve: %g to %g °C", v, coldestTarget, hottestTarget))
	}
	if p.key == "" && len(p.setpoint) > 0 {
		return p.greet(), errors.New("it has not said yet how its setpoint is called")
	}
	p.wish = gateway.Number(n)
	text := strings.NewReplacer("{key}", p.key, "{value}", strconv.FormatFloat(n, 'f', -1, 64)).Replace(p.Setpoint.Payload)
	return []order{{topic: p.Setpoint.Topic, text: text}}, nil
}

func (p *profiled) hear(m heard) report {
	body := parseTold(m.payload)
	for _, s := range p.Signs {
		if m.topic == s.Topic {
			if r, ok := p.hearSign(s, m, body); ok {
				return r
			}
		}
	}
	var r report
	switch p.role {
	case RoleRelay:
		if m.retained && len(p.greet()) > 0 {
			return r // how it stood at some time; it is asked how it stands now
		}
		p.hearSwitch(&r, m, body)
	case RoleValve:
		p.hearSetpoint(&r, m, body)
	}
	for _, e := range p.Readings {
		if isFor(e.Roles, p.role) && e.Topic == m.topic {
			for _, text := range e.texts(m, body) {
				r.say(e.Quantity, e.value(text))
			}
		}
	}
	if m.retained && p.role != RoleRelay {
		p.date(&r, body)
		return r
	}
	if len(r.readings) > 0 || body != nil && len(p.Signs) > 0 {
		r.reach = gateway.Yes
	}
	return r
}

// texts are what a message says of the quantity.
func (e Extract) texts(m heard, body told) (all []string) {
	if e.Key == "" {
		return []string{strings.TrimSpace(string(m.payload[:min(len(m.payload), longestWish)]))}
	}
	for _, v := range body.find(e.Key) {
		all = append(all, scalarText(v))
	}
	return all
}

// hearSign takes a word on who is there: the plain word, or the one in JSON. A bridge that is there proves
// nothing of its devices; one that is not cuts them off.
func (p *profiled) hearSign(s Sign, m heard, body told) (r report, ok bool) {
	word := strings.TrimSpace(string(m.payload[:min(len(m.payload), longestWish)]))
	if s.Key != "" && body != nil {
		word = body.word(s.Key)
	}
	switch {
	case word == s.No:
		return report{reach: gateway.No, why: s.Why}, true
	case word != s.Yes:
		return r, false
	case !s.Bridge:
		r.reach = gateway.Yes
	case !m.retained:
		r.orders = p.greet()
	}
	return r, true
}

// date keeps of a retained message what the device has dated, and an alarm: of anything else nobody knows
// since when it is so.
func (p *profiled) date(r *report, body told) {
	seen := lastSeen(body, p.Seen)
	r.readings = slices.DeleteFunc(r.readings, func(s said) bool {
		return seen.IsZero() && !(s.value.Yes() && (s.quantity == gateway.Smoke || s.quantity == gateway.CO))
	})
	for i := range r.readings {
		r.readings[i].at = seen
	}
}

// lastSeen is when the device itself last spoke, if it says so; else zero.
func lastSeen(body told, key string) time.Time {
	if t, err := time.Parse(time.RFC3339, body.word(key)); err == nil {
		return t
	}
	if ms, ok := body.number(key).Number(); ok && ms > 0 && ms < 1e14 {
		return time.UnixMilli(int64(ms))
	}
	return time.Time{}
}

// hearSwitch takes a relay's state and what is left of its lease. That may come from somebody's memory, with
// each state: what counts is that it was ever above zero, which a firmware without the timer never shows.
func (p *profiled) hearSwitch(r *report, m heard, body told) {
	s := p.Switch
	if left := s.Left; p.lease > 0 && !m.retained && left.Topic == m.topic {
		for _, text := range left.texts(m, body) {
			n, known := left.value(text).Number()
			p.counts = known && n > 0 && n <= p.lease.Seconds()*s.PerSecond
			p.proven = p.proven || p.counts
		}
	}
	if s.State.Topic == m.topic {
		for _, text := range s.State.texts(m, body) {
			v := s.State.onOff(text)
			if !v.Known() {
				r.fault = fmt.Sprintf("it answers %q where ON or OFF is expected", short(text))
				return
			}
			r.say(gateway.Relay, v)
			p.shows = v == p.wish && !m.retained
		}
	}
	if p.wish.Known() && p.shows && (!p.wish.Yes() || p.lease == 0 || p.counts) {
		r.done, p.wish = true, gateway.Value{}
	}
}

// onOff reads the words of a relay.
func (e Extract) onOff(text string) gateway.Value {
	if e.Yes == "" {
		return onOff(text)
	}
	return e.value(text)
}

func (p *profiled) drop() { p.wish = gateway.Value{} }

// late is the end of a first order whose lease was not confirmed: a relay that is not known to switch off
// by itself does not stay on.
func (p *profiled) late() report {
	wish := p.wish
	p.wish = gateway.Value{}
	if p.role != RoleRelay || !wish.Yes() || p.lease == 0 || p.proven || !p.shows {
		return report{fault: noEcho}
	}
	p.refused = true
	return report{orders: []order{{topic: p.Switch.Topic, text: p.Switch.Off}}, fault: p.noTimer().Error(), final: true}
}

// hearSetpoint takes a valve's target.
func (p *profiled) hearSetpoint(r *report, m heard, body told) {
	if m.topic != p.Setpoint.State {
		return
	}
	keys := p.setpoint
	if len(keys) == 0 {
		keys = []string{""} // the payload itself
	}
	for _, key := range keys {
		e := Extract{Key: key}
		for _, text := range e.texts(m, body) {
			n, ok := e.value(text).Number()
			if !ok {
				continue
			}
			p.key = key
			if n < coldestTarget-1 || n > hottestTarget+5 {
				return // no valve has such a target
			}
			r.say(gateway.Target, gateway.Number(n))
			if wish, ok := p.wish.Number(); ok && math.Abs(wish-n) < targetStep/2 {
				r.done, p.wish = true, gateway.Value{}
			}
			return
		}
	}
}
