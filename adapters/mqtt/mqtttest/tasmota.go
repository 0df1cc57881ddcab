package mqtttest

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TasmotaRelay is a device with Tasmota's firmware and one relay, as far as tasmota.github.io/docs (Commands,
// MQTT, JSON Status Responses) and the source (CmndPulsetime, SetPulseTimer, ExecuteCommandPower) say.
type TasmotaRelay struct {
	*Relay
	topic string
	mu    sync.Mutex
	pulse int // PulseTime: 0 none, to 111 tenths of a second, from 112 seconds + 100
	fixed bool
}

// Tasmota connects one to the broker at that address. Its clock runs speed times faster than ours.
func Tasmota(t testing.TB, url, topic string, speed float64) *TasmotaRelay {
	t.Helper()
	d := &TasmotaRelay{Relay: join(t, url, "DVES_"+topic, "tele/"+topic+"/LWT", "Offline", speed), topic: topic}
	d.tell = d.showPower
	d.listen("cmnd/"+topic+"/#", d.obey)
	d.publish("tele/"+topic+"/LWT", "Online", true)
	return d
}

// FixPulse sets PulseTime and lets nobody change it, as an old firmware would.
func (d *TasmotaRelay) FixPulse(pulse int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pulse, d.fixed = pulse, true
}

// Measure tells what the sensors show, as it does every TelePeriod.
func (d *TasmotaRelay) Measure(json string) { d.publish("tele/"+d.topic+"/SENSOR", json, false) }

// Press is a person at the device's button.
func (d *TasmotaRelay) Press() {
	d.turn(!d.On(), d.span())
	d.showPower()
}

func (d *TasmotaRelay) showPower() {
	state := "OFF"
	if d.On() {
		state = "ON"
	}
	d.publish("stat/"+d.topic+"/RESULT", fmt.Sprintf(`{"POWER":%q}`, state), false)
	d.publish("stat/"+d.topic+"/POWER", state, false)
}

// span is how long PulseTime lets the relay be on.
func (d *TasmotaRelay) span() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pulse > 111 {
		return time.Duration(d.pulse-100) * time.Second
	}
	return time.Duration(d.pulse) * 100 * time.Millisecond
}

func (d *TasmotaRelay) obey(topic, payload string) {
	command := strings.ToUpper(topic[strings.LastIndexByte(topic, '/')+1:])
	switch command {
	case "POWER", "POWER1":
		switch strings.ToUpper(payload) {
		case "ON", "1":
			d.turn(true, d.span())
		case "OFF", "0":
			d.turn(false, 0)
		}
		d.showPower()
	case "STATE":
		state := "OFF"
		if d.On() {
			state = "ON"
		}
		d.publish("stat/"+d.topic+"/RESULT", fmt.Sprintf(`{"Time":"2025-10-29T18:00:00","Uptime":"0T00:00:11","UptimeSec":11,"Heap":25,"SleepMode":"Dynamic","Sleep":50,"LoadAvg":19,"MqttCount":1,"POWER":%q,"Wifi":{"AP":1,"SSId":"home","RSSI":100}}`, state), false)
	case "PULSETIME1":
		d.setPulse(payload)
	case "STATUS":
		d.publish("stat/"+d.topic+"/STATUS10", `{"StatusSNS":{"Time":"2025-10-29T18:00:00","DS18B20":{"Id":"3C01F095","Temperature":19.4},"TempUnit":"C"}}`, false)
	default:
		d.publish("stat/"+d.topic+"/RESULT", `{"Command":"Unknown"}`, false)
	}
}

// setPulse takes PulseTime1; with a value it starts the time anew, whether the relay is on or off.
func (d *TasmotaRelay) setPulse(payload string) {
	d.mu.Lock()
	n, err := strconv.Atoi(payload)
	written := err == nil && n >= 0 && n < 65536 && !d.fixed
	if written {
		d.pulse = n
	}
	pulse := d.pulse
	d.mu.Unlock()
	if written && d.On() {
		d.turn(true, d.span())
	}
	remaining := 0
	if left := d.left(); left > 11100*time.Millisecond {
		remaining = int(left/time.Second) + 100
	} else if left > 0 {
		remaining = int(left / (100 * time.Millisecond))
	}
	d.publish("stat/"+d.topic+"/RESULT", fmt.Sprintf(`{"PulseTime1":{"Set":%d,"Remaining":%d}}`, pulse, remaining), false)
}
