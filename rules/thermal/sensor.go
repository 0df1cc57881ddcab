package thermal

import (
	"fmt"
	"math"
)

// sensor is the last reading that can be believed, and how often they come.
type sensor struct {
	Value    float64      `json:"value"`    // °C
	Measured int64        `json:"measured"` // 0: never
	Refused  float64      `json:"refused"`  // °C, a reading that cannot be believed; odd says why
	Odd      string       `json:"odd,omitempty"`
	Gaps     [gaps]uint16 `json:"gaps"` // s between readings, a ring
	Next     int          `json:"next"`
}

const (
	gaps    = 20   // the longest of twenty is the 95 % interval
	coldest = -10. // °C: no room that is lived in
	warmest = 45.  // °C; the 85.0 and -127 of a broken DS18B20 lie outside
	fastest = 3.   // K in a minute
	soonest = 20 * 60
	tooLate = 60 * 60
)

// take looks at a reading; what cannot be true is dropped, and the age of the last good one runs on.
func (n *sensor) take(in Input, now int64) {
	at := now
	if !in.Measured.IsZero() {
		at = min(in.Measured.Unix(), now)
	}
	switch t := in.Temperature; {
	case math.IsNaN(t):
		n.Odd = "none"
		return
	case t < coldest || t > warmest:
		n.Odd, n.Refused = "impossible", min(max(t, -999), 999)
		return
	case n.Measured != 0 && at < n.Measured:
		return
	case n.Measured != 0 && math.Abs(t-n.Value) > fastest*max(float64(at-n.Measured)/60, 1):
		n.Odd, n.Refused = "leap", t
		return
	}
	if passed := at - n.Measured; passed > 0 && n.Measured != 0 {
		n.Gaps[n.Next] = uint16(min(passed, math.MaxUint16))
		n.Next = (n.Next + 1) % gaps
	}
	n.Value, n.Measured, n.Odd = in.Temperature, at, ""
}

// patience is the age in s from which a reading no longer counts: three times its own 95 % interval,
// 20 to 60 min.
func (n *sensor) patience() int64 {
	longest := int64(0)
	for _, g := range n.Gaps {
		longest = max(longest, int64(g))
	}
	return min(max(3*longest, soonest), tooLate)
}

func (n *sensor) fresh(now int64) bool { return n.Measured != 0 && now-n.Measured <= n.patience() }

// reading is the temperature in °C that can be gone by, or NaN.
func (n *sensor) reading(now int64) float64 {
	if !n.fresh(now) {
		return math.NaN()
	}
	return n.Value
}

// complaint says what is wrong with the sensor.
func (n *sensor) complaint(now int64) string {
	since := "there has been no temperature yet"
	if n.Measured != 0 {
		since = fmt.Sprintf("there has been no temperature for %d min", (now-n.Measured)/60)
	}
	switch n.Odd {
	case "impossible":
		return fmt.Sprintf("the sensor says %.1f °C, which no room has; %s: look after the sensor", n.Refused, since)
	case "leap":
		return fmt.Sprintf("the sensor leapt from %.1f to %.1f °C; %s: look after the sensor", n.Value, n.Refused, since)
	}
	return since + ": look after the sensor and its battery"
}

func (n *sensor) shift(back int64) {
	if n.Measured != 0 {
		n.Measured -= back
	}
}
