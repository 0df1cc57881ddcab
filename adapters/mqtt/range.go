package mqtt

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/veilleuse/veilleuse/gateway"
)

// limits is what may be asked of a room, in °C.
type limits struct{ low, high float64 }

// What holds as long as the State does not say, the same as the configuration's defaults.
const (
	usualFrostGuard = 7.0
	usualMaximum    = 28.0
)

func limitsOf(h gateway.Home) limits {
	l := limits{h.FrostGuard, h.Maximum}
	if l.low == 0 {
		l.low = usualFrostGuard
	}
	if l.high == 0 {
		l.high = usualMaximum
	}
	return l
}

// check says which key of the configuration a target is beyond.
func (l limits) check(target float64) error {
	switch {
	case target > l.high:
		return fmt.Errorf("%s °C is above the maximum of %s °C in veilleuse.yaml home.maximum",
			gateway.Number(target), gateway.Number(l.high))
	case !(target >= l.low): // catches what is no number at all, too
		return fmt.Errorf("%s °C is below the frost guard of %s °C in veilleuse.yaml home.frost_guard",
			gateway.Number(target), gateway.Number(l.low))
	}
	return nil
}

// kind is what a quantity's value must be.
type kind int

const (
	aFlag kind = iota + 1
	aPercentage
	aFloodlight
)

// floodlightWords are the states of a camera's lamp.
var floodlightWords = []string{"on", "off", "auto"}

// settable lists what may be set on a device from here. A lock is left out on purpose: whoever gets hold
// of an MQTT password shall not get hold of the door. A target is wished for a room, not for a valve.
var settable = map[gateway.Quantity]kind{
	gateway.Siren:      aFlag,
	gateway.Monitoring: aFlag,
	gateway.On:         aFlag,
	gateway.Floodlight: aFloodlight,
	gateway.Brightness: aPercentage,
	gateway.Position:   aPercentage,
}

// device reads {"siren":false}, {"floodlight":"on"}: one quantity at a time.
func (r reader) device(id gateway.DeviceID, w *wish) (gateway.Ask, error) {
	if len(w.keys) != 1 {
		return nil, errors.New(`say one thing at a time: {"siren":false}`)
	}
	q, v := gateway.Quantity(w.keys[0]), w.values[0]
	d, _ := r.state.Devices.Get(id)
	k, ok := settable[q]
	switch {
	case q == gateway.Target:
		return nil, fmt.Errorf("a target is wished for a room; wish it at %s", r.place("room/<id>"))
	case q == gateway.Lock:
		return nil, errors.New("a lock cannot be moved over MQTT")
	case !ok:
		return nil, fmt.Errorf("%q is nothing that can be set; expected siren, monitoring, on, floodlight, brightness or position", q)
	}
	c, _, ok := d.Control(q)
	if !ok {
		return nil, fmt.Errorf("%s has no %s that can be set", nameOf(d), q)
	}
	if err := k.check(q, v, c); err != nil {
		return nil, err
	}
	return gateway.SetDevice{Device: id, Quantity: q, Value: v}, nil
}

func nameOf(d gateway.Device) string {
	if d.Name == "" {
		return string(d.ID)
	}
	return d.Name
}

func (k kind) check(q gateway.Quantity, v gateway.Value, c gateway.Control) error {
	switch k {
	case aFlag:
		if v != gateway.Flag(v.Yes()) {
			return fmt.Errorf("%q must be true or false, not %q", q, v)
		}
	case aFloodlight:
		if v != gateway.Word(v.Word()) || !slices.Contains(floodlightWords, v.Word()) {
			return fmt.Errorf("%q must be one of %s, not %q", q, strings.Join(floodlightWords, ", "), v)
		}
	case aPercentage:
		n, isNumber := v.Number()
		low, high := span(c)
		if !isNumber || v == gateway.Flag(v.Yes()) || n < low || n > high {
			return fmt.Errorf("%q must be a number from %v to %v, not %q", q, low, high, v)
		}
	}
	return nil
}

// span is how far a percentage goes: as far as the device says, else all the way.
func span(c gateway.Control) (low, high float64) {
	if c.Min < c.Max {
		return max(c.Min, 0), min(c.Max, 100)
	}
	return 0, 100
}
