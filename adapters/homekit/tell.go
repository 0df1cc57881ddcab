package homekit

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// leaves is how long events may need to leave for their controllers before they are counted.
const leaves = 250 * time.Millisecond

// calls are the commands to tell people of an alarm that were not answered yet. The alarm itself is shown with the
// State; what is answered is how many controllers were sent that.
type calls struct {
	port    gateway.Port
	waiting []gateway.Command
	due     <-chan time.Time // when to count; nil: nothing waits
}

// take keeps a command to tell until the State that it belongs to is shown.
func (c *calls) take(command gateway.Command, s gateway.State) {
	if command.Point.Quantity != gateway.Tell {
		c.port.Post(gateway.Outcome{ID: command.ID, Point: command.Point, Err: "the Home app takes no such command", Final: true})
		return
	}
	c.waiting = append(c.waiting, command)
	c.shown(s)
}

// shown begins to count once the State shows all alarms that are to be told.
func (c *calls) shown(s gateway.State) {
	if c.due == nil && slices.ContainsFunc(c.waiting, func(w gateway.Command) bool { return w.ID <= s.Commanded }) {
		c.due = time.After(leaves)
	}
}

// count answers what is shown by now.
func (c *calls) count(a *Adapter, s gateway.State) {
	c.due = nil
	var later []gateway.Command
	for _, w := range c.waiting {
		if w.ID > s.Commanded {
			later = append(later, w)
			continue
		}
		o := gateway.Outcome{ID: w.ID, Point: w.Point}
		switch told, waiting := a.listeners(w.Point.Of, s); {
		case told == 1:
			o.By = "1 controller"
		case told > 1:
			o.By = fmt.Sprintf("%d controllers", told)
		case waiting == 1:
			o.Err = "1 controller of the Home app is connected, but takes nothing"
		case waiting > 1:
			o.Err = fmt.Sprintf("%d controllers of the Home app are connected, but take nothing", waiting)
		default:
			o.Err = "no controller of the Home app is connected: no iPhone at home and no home hub"
		}
		c.port.Post(o)
	}
	c.waiting = later
	c.shown(s)
}

// listeners are those who see the alarm: its detector, the switch that waits for an answer, and of an intrusion the security
// system.
func (a *Adapter) listeners(name string, s gateway.State) (told, waiting int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, alarm := range s.Alarms {
		if alarm.PointName() != name {
			continue
		}
		for _, key := range []string{ownKey, devicePrefix + string(alarm.Device)} {
			e, b := a.entry(key)
			accessory := e.accessory
			for _, service := range accessory.Services {
				for _, c := range service.Characteristics {
					if showsAlarm(alarm.Kind, service, c) {
						t, w := b.server.Listeners(hap.CharacteristicID{AID: accessory.AID, IID: c.IID})
						told, waiting = max(told, t), max(waiting, w)
					}
				}
			}
		}
	}
	return told, waiting
}

// alarmSwitchName is what the Home app calls the switch that waits for an answer.
const alarmSwitchName = "Unanswered alarm"

// shownBy are the characteristics that tell of each kind of alarm.
var shownBy = map[gateway.Quantity]hap.UUID{gateway.Smoke: hap.CharacteristicSmokeDetected,
	gateway.CO: hap.CharacteristicCarbonMonoxideDetected, gateway.Intrusion: hap.CharacteristicSecuritySystemCurrent}

// showsAlarm reports whether a characteristic tells whoever listens to it of an alarm of that kind. The other switches say
// nothing of alarms.
func showsAlarm(kind gateway.Quantity, service hap.Service, c hap.Characteristic) bool {
	return c.Type == shownBy[kind] || c.Type == hap.CharacteristicOn && slices.ContainsFunc(service.Characteristics, func(other hap.Characteristic) bool {
		name, _ := hap.TextOf(other.Value)
		return other.Type == hap.CharacteristicName && name == alarmSwitchName
	})
}

// unanswered reports whether an alarm is on that nobody has answered.
func unanswered(s gateway.State) bool {
	return slices.ContainsFunc(s.Alarms, func(a gateway.Alarm) bool { return a.On() && a.Answered.IsZero() })
}

// alarmSwitch is on while an alarm waits for an answer; to turn it off is the answer.
func alarmSwitch(s gateway.State) serviceModel {
	return serviceModel{kind: hap.ServiceSwitch, name: "acknowledge", points: []point{
		{kind: hap.CharacteristicOn, value: truth(unanswered(s)), ask: askAlarm},
		{kind: hap.CharacteristicName, value: hap.TextValue(alarmSwitchName)},
	}}
}

// askAlarm turns the alarm's switch into a wish. Nobody can raise an alarm with it.
func askAlarm(raw json.RawMessage) gateway.Ask {
	if on, _ := hap.BoolOf(raw); on {
		return gateway.Refused{Text: "turn the alarm's switch on", Why: "only a detector raises an alarm; turning it off acknowledges one"}
	}
	return gateway.Acknowledge{}
}
