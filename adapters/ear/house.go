package ear

import (
	"fmt"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// house is what one Run knows.
type house struct {
	adapter  *Adapter
	port     gateway.Port
	detector *Detector
	learnt   []Signature
	voices   map[gateway.DeviceID]*voice
	sounded  bool          // the house's own sirens are on
	alive    time.Duration // of sound since which the microphone has been well
	deafTill time.Duration // of sound: a test button is being pressed to be learnt
	why      string        // what is wrong with the microphone; "": nothing
	said     bool          // the microphone's state was posted
}

// voice is one detector by its sound.
type voice struct {
	signature Signature
	said      bool          // something was posted
	alarm     bool          // what was posted
	at        time.Duration // of sound, when it was posted
	heard     time.Duration // of sound, when it was last heard
	pitch     float64       // Hz, as it was heard
}

// When a siren counts as over, and how often what is known is said again.
const (
	silentAfter = time.Minute
	sayAlarm    = 10 * time.Second
	sayQuiet    = 10 * time.Minute
	learnGrace  = 15 * time.Second // after a learn session: a detector sounds on for a while
)

// know reads the learnt signatures and tells the house of each device.
func (h *house) know() error {
	h.found(MicrophoneDevice, "Microphone", h.adapter.options.Room)
	for _, s := range General() {
		if h.voices[s.Device()] == nil {
			h.voices[s.Device()] = &voice{signature: s}
			h.found(s.Device(), s.Name+" by ear", h.adapter.options.Room)
		}
	}
	learnt, damaged, err := h.adapter.Learnt()
	if err != nil {
		return fmt.Errorf("read the learnt signatures: %w", err)
	}
	for _, d := range damaged {
		h.adapter.options.Log.Warn("a learnt signature is left out", "err", d)
	}
	h.learnt = learnt
	for _, s := range learnt {
		if v := h.voices[s.Device()]; v != nil {
			v.signature = s
			continue
		}
		h.voices[s.Device()] = &voice{signature: s}
		h.found(s.Device(), s.Name, s.Room)
		if h.said && h.why != "" {
			h.port.Post(gateway.Reach{Device: s.Device(), Why: h.why})
		} else if h.said {
			h.port.Post(gateway.Reach{Device: s.Device(), OK: true})
		}
	}
	return nil
}

func (h *house) found(id gateway.DeviceID, name, room string) {
	if room == "" {
		room = h.adapter.options.Room
	}
	h.port.Post(gateway.Found{Device: id, Name: name, Model: model, RoomName: room})
}

// learn takes over what was learnt or forgotten while Run goes on.
func (h *house) learn() {
	before := h.learnt
	if err := h.know(); err != nil {
		h.adapter.options.Log.Warn("what was learnt is not in use yet", "err", err)
		return
	}
	for _, s := range before {
		if !holds(h.learnt, s.Device()) {
			delete(h.voices, s.Device())
			h.port.Post(gateway.Gone{Device: s.Device()})
		}
	}
	h.detector.Know(h.learnt)
}

func holds(all []Signature, id gateway.DeviceID) bool {
	for _, s := range all {
		if s.Device() == id {
			return true
		}
	}
	return false
}

// restart begins to count sound anew: of what was before, nothing can be said.
func (h *house) restart() {
	h.alive, h.deafTill = 0, 0
	for _, v := range h.voices {
		v.at, v.heard = 0, 0
	}
}

// hear takes what the detector heard in one piece of sound.
func (h *house) hear(all []Heard) {
	now := h.detector.Age()
	h.checkMicrophone(now)
	if h.adapter.learning() {
		h.deafTill = now + learnGrace
	}
	for _, one := range all {
		v := h.voices[one.Signature.Device()]
		if v == nil || now < h.deafTill || h.sounded && !v.alarm && !one.Signature.learnt() {
			continue // a general siren may be our own
		}
		v.heard, v.pitch = now, one.Frequency
		if !v.alarm {
			h.adapter.options.Log.Warn("a siren is heard", "device", string(one.Signature.Device()), "hertz", int(one.Frequency), "cadence", one.Signature.Cadence.String())
		}
		if !v.alarm || now-v.at >= sayAlarm {
			h.say(v, true, now)
		}
	}
	for _, v := range h.voices {
		h.settle(v, now)
	}
}

// settle says that a siren is silent once the ear has listened to its silence for a minute.
func (h *house) settle(v *voice, now time.Duration) {
	if h.why != "" {
		return
	}
	if v.alarm && h.detector.sounds(v.pitch) {
		v.heard = now // the cadence is lost in other sounds, the tone is not
	}
	switch {
	case now-max(v.heard, h.alive) < silentAfter:
	case v.alarm || !v.said || now-v.at >= sayQuiet:
		h.say(v, false, now)
	}
}

func (h *house) say(v *voice, alarm bool, now time.Duration) {
	v.said, v.alarm, v.at = true, alarm, now
	h.port.Post(gateway.Reading{Device: v.signature.Device(), Quantity: v.signature.Kind, Value: gateway.Flag(alarm)})
}

// checkMicrophone notices one that is dead or muted, and one that is well again.
func (h *house) checkMicrophone(now time.Duration) {
	if h.detector.listener.meter.seconds == 0 {
		return
	}
	if why := h.detector.Deaf(); why != "" {
		h.fail("the microphone " + h.adapter.options.Microphone + ": " + why)
		return
	}
	if h.why == "" && h.said {
		return
	}
	if h.detector.listener.meter.quiet > 0 {
		return // not yet
	}
	h.state("")
	h.alive = now
}

// fail posts what is wrong with the microphone.
func (h *house) fail(why string) {
	if h.why != why || !h.said {
		h.state(why)
	}
}

// state posts how the microphone is, and with it every device that has no other way to be heard.
func (h *house) state(why string) {
	h.why, h.said = why, true
	h.adapter.mu.Lock()
	h.adapter.fault = why
	h.adapter.mu.Unlock()
	if why != "" {
		h.adapter.options.Log.Warn("the ear does not hear", "why", why)
	} else {
		h.adapter.options.Log.Info("the ear hears", "microphone", h.adapter.options.Microphone)
	}
	h.port.Post(gateway.Reach{Device: MicrophoneDevice, OK: why == "", Why: why})
	h.port.Post(gateway.Reading{Device: MicrophoneDevice, Quantity: gateway.Fault, Value: gateway.Flag(why != "")})
	for id := range h.voices {
		h.port.Post(gateway.Reach{Device: id, OK: why == "", Why: short(why)})
	}
}

// short is the beginning of a reason, for the devices behind the microphone.
func short(why string) string {
	if why == "" {
		return ""
	}
	return "its microphone does not hear: " + strings.TrimPrefix(why, "the microphone ")
}
