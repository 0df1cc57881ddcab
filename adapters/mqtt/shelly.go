package mqtt

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// shelly is a Shelly of the second generation or later (shelly-api-docs.shelly.cloud, gen2: MQTT, Switch).
// Requests go to <prefix>/rpc, answers come on <src>/rpc, news on <prefix>/events/rpc. Its lease is
// toggle_after in the order itself; auto_off in its configuration is the net below.
// What its sensors say is data (shellyReadings). The relay is code: requests are numbered, and an answer to one
// from before an order must not judge that order.
type shelly struct {
	prefix  string
	source  string // ours: where its answers go
	channel int    // from 0
	lease   time.Duration
	relay   bool

	last    int            // id of the last request
	asked   map[int]string // id of a request -> its method
	written int            // id of the request that has written auto_off since the greeting; 0: none
	ordered int            // id of the request that has told our wish
	wish    gateway.Value  // what was ordered and is not done yet
}

func newShelly(a Attached) *shelly {
	channel, err := strconv.Atoi(a.Channel)
	if err != nil {
		channel = 0
	}
	return &shelly{prefix: a.Topic, source: "veilleuse-" + topicForm(string(a.ID())), channel: channel, lease: a.Circuit.Lease, relay: a.Role == RoleRelay, asked: map[int]string{}}
}

func (s *shelly) filters() []string {
	return []string{s.prefix + "/online", s.prefix + "/events/rpc", s.prefix + "/status/+", s.source + "/rpc"}
}

// request makes an order that is answered, and remembers it.
func (s *shelly) request(method string, params told) order {
	s.last++
	s.asked[s.last] = method
	delete(s.asked, s.last-mostAsked)
	text, err := json.Marshal(told{"id": s.last, "src": s.source, "method": method, "params": params})
	if err != nil {
		text = nil // numbers, flags and words can always be encoded
	}
	return order{topic: s.prefix + "/rpc", text: string(text)}
}

// mostAsked is how many requests may wait for an answer; older ones are forgotten.
const mostAsked = 16

func (s *shelly) greet() []order {
	if !s.relay {
		return []order{s.request("Shelly.GetStatus", told{})}
	}
	s.written = 0
	orders := []order{s.request("Switch.GetStatus", told{"id": s.channel})}
	if s.lease > 0 {
		orders = append(orders, s.request("Switch.GetConfig", told{"id": s.channel}))
	}
	return orders
}

func (s *shelly) set(c gateway.Command) ([]order, error) {
	if !s.relay {
		return nil, errNothingToSet
	}
	params := told{"id": s.channel, "on": c.Value.Yes()}
	if c.Value.Yes() && s.lease > 0 {
		params["toggle_after"] = int(s.lease / time.Second)
	}
	s.wish = gateway.Flag(c.Value.Yes())
	o := s.request("Switch.Set", params)
	s.ordered = s.last
	return []order{o}, nil
}

func (s *shelly) hear(m heard) report {
	rest, ours := strings.CutPrefix(m.topic, s.prefix+"/")
	switch {
	case m.topic == s.source+"/rpc":
		return s.hearAnswer(parseTold(m.payload))
	case !ours:
		return report{}
	case rest == "online":
		return s.hearOnline(m)
	case m.retained:
		return report{} // how it stood at some time
	}
	r := report{reach: gateway.Yes}
	body := parseTold(m.payload)
	if component, ok := strings.CutPrefix(rest, "status/"); ok {
		s.hearComponent(&r, component, body)
		return r
	}
	s.hearComponents(&r, body.within("params"))
	return r
}

func (s *shelly) hearOnline(m heard) report {
	if string(m.payload) != "true" {
		return report{reach: gateway.No, why: "it has left the broker"}
	}
	r := report{reach: gateway.Yes}
	if !m.retained {
		r.orders = s.greet()
	}
	return r
}

// hearAnswer takes the answer to a request.
func (s *shelly) hearAnswer(body told) report {
	number, _ := body.number("id").Number()
	id := int(number)
	method, ok := s.asked[id]
	if !ok {
		return report{} // to another, or to a request long ago
	}
	delete(s.asked, id)
	r := report{reach: gateway.Yes}
	if failed := body.within("error"); failed != nil {
		s.hearError(&r, method, failed)
		return r
	}
	result := body.within("result")
	switch method {
	case "Shelly.GetStatus":
		s.hearComponents(&r, result)
	case "Switch.Set":
		r.orders = append(r.orders, s.request("Switch.GetStatus", told{"id": s.channel}))
	case "Switch.GetStatus":
		s.hearSwitch(&r, result)
		s.judge(&r, id, result)
	case "Switch.GetConfig":
		s.hearConfig(&r, id, result)
	case "Switch.SetConfig":
		r.orders = append(r.orders, s.request("Switch.GetConfig", told{"id": s.channel}))
	}
	return r
}

// hearError takes a refusal. -105 is for something that is not there, -103 for what it does not take.
func (s *shelly) hearError(r *report, method string, failed told) {
	code, _ := failed.number("code").Number()
	r.fault = fmt.Sprintf("%s: it answers %q (%g)", method, short(failed.word("message")), code)
	r.final = code == -105 || code == -103
	s.wish = gateway.Value{}
}

// hearConfig sees to it that the relay goes off by itself however it was switched on. An answer to a question
// from before auto_off was written says nothing of it.
func (s *shelly) hearConfig(r *report, id int, config told) {
	delay, _ := config.number("auto_off_delay").Number()
	if config.flag("auto_off").Yes() && delay == s.lease.Seconds() {
		return
	}
	if id < s.written {
		return
	}
	if s.written > 0 {
		r.fault, r.final = "it does not take auto_off in its configuration", true
		return
	}
	r.orders = append(r.orders, s.request("Switch.SetConfig", told{"id": s.channel,
		"config": told{"auto_off": true, "auto_off_delay": int(s.lease / time.Second)}}))
	s.written = s.last
}

// judge says from the state after an order whether it was carried out, lease and all. An answer to a
// question from before the order says nothing of it.
func (s *shelly) judge(r *report, id int, status told) {
	output := status.flag("output")
	if !s.wish.Known() || !output.Known() || id < s.ordered {
		return
	}
	counts, _ := status.number("timer_duration").Number()
	switch {
	case output != s.wish:
		r.fault = fmt.Sprintf("it was told %s and answers %s", word(s.wish.Yes()), word(output.Yes()))
	case output.Yes() && s.lease > 0 && (counts <= 0 || counts > s.lease.Seconds()):
		r.fault = "it is on and does not count the time after which it switches off; it is switched off"
		r.orders = append(r.orders, s.request("Switch.Set", told{"id": s.channel, "on": false}))
	default:
		r.done = true
	}
	s.wish = gateway.Value{}
}

func (s *shelly) drop() { s.wish = gateway.Value{} }

func (s *shelly) late() report {
	s.wish = gateway.Value{}
	return report{fault: noEcho}
}

// hearComponents takes the states of several parts of the device.
func (s *shelly) hearComponents(r *report, parts told) {
	for _, name := range sortedKeys(parts) {
		if part := parts.within(name); part != nil {
			s.hearComponent(r, name, part)
		}
	}
}

func (s *shelly) hearComponent(r *report, name string, part told) {
	if s.relay {
		if name == fmt.Sprintf("switch:%d", s.channel) {
			s.hearSwitch(r, part)
		}
		return
	}
	r.read(shellyReadings, RoleSensor, told{name: map[string]any(part)})
}

// hearSwitch takes the state of the relay, or the part of it that has changed.
func (s *shelly) hearSwitch(r *report, part told) {
	r.say(gateway.Relay, part.flag("output"))
	r.say(gateway.Power, part.number("apower"))
}
