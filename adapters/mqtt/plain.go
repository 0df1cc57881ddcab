package mqtt

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/veilleuse/veilleuse/gateway"
)

// plain is a device of which only its topics are known: a relay that takes ON and OFF on one topic and
// shows its state on another, or a thermometer. Nothing is known of when it answers, so that a first word
// is a sign of life and nothing is one of death.
type plain struct {
	state, command, key string
	role                Role
	wish                gateway.Value
}

func newPlain(a Attached) *plain {
	return &plain{state: a.Topic, command: a.Command, key: a.Key, role: a.Role}
}

func (p *plain) filters() []string { return []string{p.state} }
func (p *plain) greet() []order    { return nil }

func (p *plain) set(c gateway.Command) ([]order, error) {
	if p.role != RoleRelay {
		return nil, errNothingToSet
	}
	p.wish = gateway.Flag(c.Value.Yes())
	return []order{{topic: p.command, text: word(c.Value.Yes())}}, nil
}

// hear takes the state. A retained one counts for a relay, because nobody can be asked; a retained
// temperature is of nobody knows when.
func (p *plain) hear(m heard) report {
	text := p.pick(m.payload)
	var r report
	if p.role != RoleRelay {
		n, err := strconv.ParseFloat(text, 64)
		if err == nil && !m.retained {
			r.reach = gateway.Yes
			r.say(gateway.Temperature, gateway.Number(n))
		}
		return r
	}
	v := onOff(text)
	if !v.Known() {
		return report{fault: fmt.Sprintf("it answers %q where ON or OFF is expected", short(text))}
	}
	r.reach = gateway.Yes
	r.say(gateway.Relay, v)
	if v == p.wish && !m.retained {
		r.done, p.wish = true, gateway.Value{}
	}
	return r
}

// pick is the value in the payload, as text.
func (p *plain) pick(payload []byte) string {
	if p.key == "" {
		return strings.TrimSpace(string(payload[:min(len(payload), longestWish)]))
	}
	switch v := parseTold(payload).dig(p.key).(type) {
	case string:
		return strings.TrimSpace(v)
	case float64, bool:
		text, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(text)
	}
	return ""
}

func (p *plain) drop() { p.wish = gateway.Value{} }

func (p *plain) late() report {
	p.wish = gateway.Value{}
	return report{fault: noEcho}
}

// short is the beginning of what somebody else wrote, for a sentence of ours.
func short(text string) string {
	const most = 40
	text = strings.ToValidUTF8(text, "?")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
