package mqtttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"
)

// ZigbeeRelay is a relay behind Zigbee2MQTT, as far as zigbee2mqtt.io ("MQTT Topics and Messages", "On with
// timed off") and its converters say: an order with on_time is not shown before the device has reported it,
// and what was read with a state_property stays in the state that is published.
type ZigbeeRelay struct {
	*Relay
	topic  string
	mu     sync.Mutex
	simple bool // its firmware knows no timer
	state  map[string]any
}

// Zigbee connects one to the broker at that address, as Zigbee2MQTT would. Its clock runs speed times
// faster than ours. Simple: its firmware ignores on_time, as some do.
func Zigbee(t testing.TB, url, friendly string, speed float64, simple bool) *ZigbeeRelay {
	t.Helper()
	topic := "zigbee2mqtt/" + friendly
	d := &ZigbeeRelay{Relay: join(t, url, "mqttjs_"+friendly, "zigbee2mqtt/bridge/state", `{"state":"offline"}`, speed),
		topic: topic, simple: simple, state: map[string]any{"linkquality": 120}}
	d.tell = d.show
	d.listen(topic+"/set", d.obey)
	d.listen(topic+"/get", func(_, _ string) { d.show() })
	d.publish("zigbee2mqtt/bridge/state", `{"state":"online"}`, true)
	d.publish(topic+"/availability", `{"state":"online"}`, true)
	return d
}

func (d *ZigbeeRelay) show() {
	d.mu.Lock()
	all := maps.Clone(d.state)
	d.mu.Unlock()
	all["state"] = map[bool]string{true: "ON", false: "OFF"}[d.On()]
	text, err := json.Marshal(all)
	if err != nil {
		d.t.Error(err)
	}
	d.publish(d.topic, string(text), false)
}

func (d *ZigbeeRelay) obey(_, payload string) {
	var q struct {
		State  string  `json:"state"`
		OnTime float64 `json:"on_time"`
		Read   struct {
			Cluster  string `json:"cluster"`
			Property string `json:"state_property"`
		} `json:"read"`
	}
	if err := json.Unmarshal([]byte(payload), &q); err != nil {
		d.publish("zigbee2mqtt/bridge/logging", fmt.Sprintf(`{"level":"error","message":"Invalid JSON '%s', skipping..."}`, payload), false)
		return
	}
	switch q.State {
	case "ON":
		timer := time.Duration(q.OnTime * float64(time.Second))
		if d.simple {
			timer = 0
		}
		d.turn(true, timer)
		d.show()
	case "OFF":
		d.turn(false, 0)
		d.show()
	}
	if q.Read.Cluster != "genOnOff" || q.Read.Property == "" {
		return
	}
	d.mu.Lock()
	d.state[q.Read.Property] = map[string]any{"onTime": int(d.left() / (100 * time.Millisecond))}
	d.mu.Unlock()
	d.show()
}
