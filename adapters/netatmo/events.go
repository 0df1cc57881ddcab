package netatmo

import (
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// event is one thing that a camera, a detector, a tag or a doorbell has noticed.
type event struct {
	kind   string
	device gateway.DeviceID
	at     time.Time
	sub    string // sub_type: a number or a word, "" if absent
}

// readEventList reads the events of getevents, or of the older calls' events_list and events. Outdoor
// cameras nest what they saw: each part counts by itself.
func readEventList(body attributes) []event {
	lists := [][]attributes{
		body.object("home").objects("events"), body.objects("events_list"), body.objects("events"),
	}
	for _, h := range body.objects("homes") {
		lists = append(lists, h.objects("events"))
	}
	var all []event
	for _, list := range lists {
		for _, o := range list {
			e := readEvent(o)
			parts := append(o.objects("subevents"), o.objects("event_list")...)
			for _, p := range parts {
				part := readEvent(p)
				part.device = e.device
				all = append(all, part)
			}
			if len(parts) == 0 {
				all = append(all, e)
			}
		}
	}
	all = slices.DeleteFunc(all, func(e event) bool { return e.device == "" || e.at.IsZero() })
	slices.Reverse(all) // the vendor lists the newest first
	sort.SliceStable(all, func(i, j int) bool { return all[i].at.Before(all[j].at) })
	return all
}

func readEvent(o attributes) event {
	return event{
		kind: o.text("type", "event_type"), at: o.time("time"), sub: o.text("sub_type"),
		device: gateway.DeviceID(o.text("module_id", "device_id", "camera_id")),
	}
}

// motionHold is for how long a movement is shown after it was last seen: the vendor tells of its
// beginning only. It is longer than the pause between two readings of the events, so that each shows.
const motionHold = 12 * time.Minute

// reading is what an event says of its device; false if it says nothing that can be shown. The codes
// are those of openHAB's EventSubType and IPSymcon.
func (e event) reading() (gateway.Reading, bool) {
	r := gateway.Reading{Device: e.device, Measured: e.at}
	switch e.kind {
	case "human", "animal", "vehicle", "movement", "outdoor", "person", "tag_big_move", "tag_small_move":
		r.Quantity, r.Value = gateway.Motion, gateway.Flag(true)
	case "tag_open":
		r.Quantity, r.Value = gateway.Contact, gateway.Flag(true)
	case "smoke":
		r.Quantity, r.Value = gateway.Smoke, gateway.Flag(e.sub != "0") // in doubt it burns
	case "co_detected": // 1 is the pre-alarm: there is gas already
		r.Quantity, r.Value = gateway.CO, gateway.Flag(e.sub != "0")
	case "tampered", "siren_tampered":
		r.Quantity, r.Value = gateway.Tampered, e.code("1")
	case "detection_chamber_status", "chamber_status":
		r.Quantity, r.Value = gateway.Fault, e.code("1")
	case "sound_test": // a test gone well does not clean a dusty chamber
		r.Quantity, r.Value = gateway.SelfTest, gateway.Flag(true)
		if e.sub == "1" {
			r.Quantity = gateway.Fault
		}
	case "battery_status", "module_low_battery": // low or very low, whichever way round
		r.Quantity, r.Value = gateway.LowBattery, gateway.Flag(true)
	case "siren_sounding":
		r.Quantity, r.Value = gateway.Siren, e.code("1", "sound", "")
	case "sd":
		r.Quantity, r.Value = gateway.SDCard, e.sdCard()
	case "alim":
		r.Quantity, r.Value = gateway.PowerSupply, e.code("2")
	case "on", "off":
		r.Quantity, r.Value = gateway.Monitoring, gateway.Flag(e.kind == "on")
	case "light_mode":
		if e.sub != "" {
			r.Quantity, r.Value = gateway.Floodlight, gateway.Word(shorten(e.sub))
		}
	}
	return r, r.Value.Known()
}

// code is true if sub_type is one of the given, false if it is another, unknown if it is absent.
func (e event) code(set ...string) gateway.Value {
	if slices.Contains(set, e.sub) {
		return gateway.Flag(true)
	}
	if e.sub == "" {
		return gateway.Value{}
	}
	return gateway.Flag(false)
}

func (e event) sdCard() gateway.Value {
	n, err := strconv.Atoi(e.sub)
	if err != nil || n < 1 || n > 7 {
		return gateway.Value{}
	}
	return gateway.Number(float64(n))
}

// alarmNews is for how long an alarm is news. The list goes back for days, and an alarm whose end is
// not in it must not set off the sirens of a house that starts.
const alarmNews = time.Hour

// newestReadings returns of each device and quantity what the newest event says, a movement that is
// over included.
func newestReadings(events []event, at time.Time) []gateway.Reading {
	var all []gateway.Reading
	place := make(map[readingKey]int)
	for _, e := range events {
		r, ok := e.reading()
		if !ok {
			continue
		}
		age := at.Sub(r.Measured)
		switch r.Quantity {
		case gateway.Motion:
			if age > motionHold {
				r.Value, r.Measured = gateway.Flag(false), r.Measured.Add(motionHold)
			}
		case gateway.Smoke, gateway.CO:
			if age > alarmNews && r.Value.Yes() {
				continue
			}
		}
		key := readingKey{r.Device, r.Quantity}
		if i, again := place[key]; again {
			all[i] = r
			continue
		}
		place[key] = len(all)
		all = append(all, r)
	}
	return all
}
