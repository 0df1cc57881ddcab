package mqtt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// tasmota is a device with Tasmota's firmware (tasmota.github.io/docs/Commands; the answers as in
// CmndPulsetime and ExecuteCommandPower of its source). Its lease is PulseTime: a value from 112 on means
// that the relay goes off value-100 seconds after it was switched on, without any network. Power ON starts
// that time anew, also while the relay is on; so does a restart of the device that finds the relay on.
// What its sensors say is data (tasmotaReadings). The relay is code: PulseTime must be read, if need be written
// and read again before the first order, and no table says that in fewer words.
type tasmota struct {
	topic   string
	channel int // from 1
	lease   time.Duration
	relay   bool

	leased  bool          // PulseTime was read and is the lease
	written bool          // PulseTime was written, and not read since
	wish    gateway.Value // what was ordered and is not done yet
	echoed  bool          // the relay has said that it is so
}

func newTasmota(a Attached) *tasmota {
	channel, err := strconv.Atoi(a.Channel)
	if err != nil {
		channel = 1
	}
	return &tasmota{topic: a.Topic, channel: channel, lease: a.Circuit.Lease, relay: a.Role == RoleRelay}
}

func (t *tasmota) filters() []string {
	return []string{"tele/" + t.topic + "/+", "stat/" + t.topic + "/+"}
}

func (t *tasmota) order(command, text string) order {
	return order{topic: "cmnd/" + t.topic + "/" + command, text: text}
}

func (t *tasmota) greet() []order {
	if !t.relay {
		return []order{t.order("Status", "10")} // the sensors
	}
	t.leased, t.written = false, false
	orders := []order{t.order("State", "")}
	if t.lease > 0 {
		orders = append(orders, t.askPulse())
	}
	return orders
}

// askPulse reads PulseTime without touching it: writing it would start the time anew.
func (t *tasmota) askPulse() order { return t.order(t.pulseKey(), "") }

func (t *tasmota) pulseKey() string { return fmt.Sprintf("PulseTime%d", t.channel) }

func (t *tasmota) pulse() int { return 100 + int(t.lease/time.Second) }

func (t *tasmota) set(c gateway.Command) ([]order, error) {
	if !t.relay {
		return nil, errNothingToSet
	}
	t.wish, t.echoed = gateway.Value{}, false
	if c.Value.Yes() && t.lease > 0 && !t.leased {
		return []order{t.askPulse()}, fmt.Errorf("its %s is not confirmed yet, so it would not switch off by itself; it is asked again", t.pulseKey())
	}
	t.wish = gateway.Flag(c.Value.Yes())
	return []order{t.order(fmt.Sprintf("Power%d", t.channel), word(c.Value.Yes()))}, nil
}

var errNothingToSet = errors.New("nothing can be set there")

func (t *tasmota) hear(m heard) report {
	var r report
	last := m.topic[strings.LastIndexByte(m.topic, '/')+1:]
	if last == "LWT" {
		return t.hearWill(m)
	}
	if m.retained && t.relay {
		return r // how it stood at some time
	}
	r.reach = gateway.Yes
	body := parseTold(m.payload)
	if body == nil {
		if t.relay && t.isPower(last) {
			t.hearPower(&r, string(m.payload), true)
		}
		return r
	}
	if t.relay {
		for _, key := range []string{fmt.Sprintf("POWER%d", t.channel), "POWER"} {
			if state := body.word(key); state != "" && t.isPower(key) {
				t.hearPower(&r, state, last == "RESULT")
				break
			}
		}
		if timer := body.within(t.pulseKey()); timer != nil {
			t.hearPulse(&r, timer)
		}
	}
	t.hearSensors(&r, body)
	return r
}

func (t *tasmota) hearWill(m heard) report {
	if string(m.payload) == "Online" {
		r := report{reach: gateway.Yes}
		if !m.retained {
			r.orders = t.greet() // it has just started, and may have another mind
		}
		return r
	}
	return report{reach: gateway.No, why: "it has left the broker (LWT " + short(string(m.payload)) + ")"}
}

// isPower reports whether a key is that of our relay: with one relay Tasmota leaves out the number.
func (t *tasmota) isPower(key string) bool {
	return key == fmt.Sprintf("POWER%d", t.channel) || key == "POWER" && t.channel == 1
}

// hearPower takes the relay's state; answer: it follows an order, rather than being told from time to time.
func (t *tasmota) hearPower(r *report, state string, answer bool) {
	v := onOff(state)
	if !v.Known() {
		r.fault = fmt.Sprintf("it answers %q where ON or OFF is expected; see StateText in its console", short(state))
		return
	}
	r.say(gateway.Relay, v)
	switch {
	case !t.wish.Known() || t.echoed:
	case v == t.wish && (!v.Yes() || t.lease == 0):
		r.done, t.wish = true, gateway.Value{}
	case v == t.wish:
		t.echoed = true
		r.orders = append(r.orders, t.askPulse())
	case answer:
		r.fault = fmt.Sprintf("it was told %s and answers %s", word(t.wish.Yes()), word(v.Yes()))
		t.wish = gateway.Value{}
	}
}

// hearPulse takes the answer to PulseTime.
func (t *tasmota) hearPulse(r *report, timer told) {
	set, _ := timer.number("Set").Number()
	left, _ := timer.number("Remaining").Number()
	t.leased = int(set) == t.pulse()
	switch {
	case !t.leased && t.written:
		r.fault, r.final = fmt.Sprintf("it does not take %s %d: it shows %g", t.pulseKey(), t.pulse(), set), true
	case !t.leased && !t.wish.Yes():
		t.written = true
		r.orders = append(r.orders, t.order(t.pulseKey(), strconv.Itoa(t.pulse())))
		return
	case t.echoed && (!t.leased || left <= 0):
		r.fault = "it is on and does not count the time after which it switches off; it is switched off"
	case t.echoed:
		r.done = true
	}
	if r.fault != "" && t.wish.Yes() {
		r.orders = append(r.orders, t.order(fmt.Sprintf("Power%d", t.channel), word(false)))
	}
	if t.echoed || r.fault != "" {
		t.wish, t.echoed = gateway.Value{}, false
	}
	t.written = false
}

func (t *tasmota) drop() { t.wish, t.echoed = gateway.Value{}, false }

func (t *tasmota) late() report {
	t.wish, t.echoed = gateway.Value{}, false
	return report{fault: noEcho}
}

const noEcho = "it gives no echo of its state"

// hearSensors takes what Tasmota's sensors say, in SENSOR, STATUS8 and STATUS10.
func (t *tasmota) hearSensors(r *report, body told) {
	if status := body.within("StatusSNS"); status != nil {
		body = status
	}
	delete(body, "ESP32") // the chip's own temperature is no room's
	role := RoleSensor
	if t.relay {
		role = RoleRelay
	}
	before := len(r.readings)
	r.read(tasmotaReadings, role, body)
	for i := before; i < len(r.readings); i++ {
		if s := &r.readings[i]; s.quantity == gateway.Temperature {
			s.value = celsius(s.value, body.word("TempUnit") == "F")
		}
	}
}
