package mqtttest

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"
)

// ShellyRelay is a Shelly of the second generation with one switch, as far as shelly-api-docs.shelly.cloud
// (gen2: MQTT, RPC Protocol, Notifications, Switch) says: RPC over MQTT and notifications are on, status
// topics are off, as delivered.
type ShellyRelay struct {
	*Relay
	id     string
	mu     sync.Mutex
	config shellyConfig
	old    bool
}

type shellyConfig struct {
	AutoOff      bool    `json:"auto_off"`
	AutoOffDelay float64 `json:"auto_off_delay"`
}

type shellyRequest struct {
	ID     int    `json:"id"`
	Source string `json:"src"`
	Method string `json:"method"`
	Params struct {
		ID          int          `json:"id"`
		On          bool         `json:"on"`
		ToggleAfter float64      `json:"toggle_after"`
		Config      shellyConfig `json:"config"`
	} `json:"params"`
}

// Shelly connects one to the broker at that address. Its clock runs speed times faster than ours.
func Shelly(t testing.TB, url, id string, speed float64) *ShellyRelay {
	t.Helper()
	d := &ShellyRelay{Relay: join(t, url, id, id+"/online", "false", speed), id: id, config: shellyConfig{AutoOffDelay: 60}}
	d.tell = func() { d.notify("timer") }
	d.listen(id+"/rpc", d.obey)
	d.publish(id+"/online", "true", true)
	return d
}

// Forget lets it ignore toggle_after and auto_off, which no real one does.
func (d *ShellyRelay) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.old = true
}

// AutoOff returns the net below: the delay in seconds, 0 if it is off.
func (d *ShellyRelay) AutoOff() float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.config.AutoOff {
		return 0
	}
	return d.config.AutoOffDelay
}

func (d *ShellyRelay) status(source string) map[string]any {
	status := map[string]any{"id": 0, "source": source, "output": d.On(), "temperature": map[string]any{"tC": 48.1, "tF": 118.6}}
	if left := d.left(); left > 0 {
		d.Relay.mu.Lock()
		status["timer_started_at"], status["timer_duration"] = 1761757200.5, d.set.Seconds()
		d.Relay.mu.Unlock()
	}
	return status
}

func (d *ShellyRelay) notify(source string) {
	d.say(d.id+"/events/rpc", map[string]any{"src": d.id, "dst": d.id + "/events", "method": "NotifyStatus",
		"params": map[string]any{"ts": 1761757200.5, "switch:0": d.status(source)}})
}

func (d *ShellyRelay) say(topic string, frame map[string]any) {
	text, err := json.Marshal(frame)
	if err != nil {
		d.t.Error(err)
	}
	d.publish(topic, string(text), false)
}

func (d *ShellyRelay) obey(_, payload string) {
	var q shellyRequest
	if err := json.Unmarshal([]byte(payload), &q); err != nil || q.Source == "" {
		return // a frame without an id or a source is not answered
	}
	answer := map[string]any{"id": q.ID, "src": d.id, "dst": q.Source}
	if q.Params.ID != 0 {
		answer["error"] = map[string]any{"code": -105, "message": fmt.Sprintf("Argument 'id', value %d not found!", q.Params.ID)}
		d.say(q.Source+"/rpc", answer)
		return
	}
	switch q.Method {
	case "Switch.Set":
		was := d.On()
		d.switchTo(q)
		answer["result"] = map[string]any{"was_on": was}
		defer d.notify("MQTT")
	case "Switch.GetStatus":
		answer["result"] = d.status("MQTT")
	case "Switch.GetConfig":
		d.mu.Lock()
		answer["result"] = map[string]any{"id": 0, "name": nil, "in_mode": "follow", "initial_state": "match_input",
			"auto_on": false, "auto_on_delay": 60, "auto_off": d.config.AutoOff, "auto_off_delay": d.config.AutoOffDelay}
		d.mu.Unlock()
	case "Switch.SetConfig":
		d.mu.Lock()
		if !d.old {
			d.config = q.Params.Config
		}
		d.mu.Unlock()
		answer["result"] = map[string]any{"restart_required": false}
	default:
		answer["error"] = map[string]any{"code": 404, "message": "No handler for " + q.Method}
	}
	d.say(q.Source+"/rpc", answer)
}

func (d *ShellyRelay) switchTo(q shellyRequest) {
	d.mu.Lock()
	timer := q.Params.ToggleAfter
	if timer == 0 && d.config.AutoOff {
		timer = d.config.AutoOffDelay
	}
	if d.old {
		timer = 0
	}
	d.mu.Unlock()
	d.turn(q.Params.On, time.Duration(timer*float64(time.Second)))
}
