package homekit

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// Beginnings of the keys of accessories, and the key of the one that stands for this program.
const (
	devicePrefix = "device/"
	roomPrefix   = "room/"
	ownKey       = "veilleuse"
)

// model is one accessory as it ought to be published now. Its key is made of a hardware or room id
// and stays for ever; so do the names of its services and characteristics within it.
type model struct {
	key      string
	name     string
	maker    string
	kind     string // model text
	serial   string
	firmware string
	services []serviceModel
	fades    time.Time // when the first of its readings that count as fresh will be too old; zero: never
}

// serviceModel is one service with its values.
type serviceModel struct {
	kind    hap.UUID
	name    string // of the service where an accessory has several; part of its key
	primary bool
	points  []point
}

// point is one characteristic with its value now, and what a write to it asks for.
type point struct {
	kind  hap.UUID
	value json.RawMessage // nil: nothing is known
	low   float64         // with high > low: its range, in place of the metadata's
	high  float64
	step  float64
	ask   func(json.RawMessage) gateway.Ask // nil: writes are only kept
	view  view                              // set: writes are of a viewer of a camera
	lost  bool                              // it once asked something of the house, and whom it asks is not there
}

// truth, number and text make values; an unknown one is nil.

func truth(on bool) json.RawMessage { return hap.BoolValue(on) }

func digit(on bool) json.RawMessage {
	if on {
		return json.RawMessage("1")
	}
	return json.RawMessage("0")
}

func whole(n int) json.RawMessage { return strconv.AppendInt(nil, int64(n), 10) }

// number is a value within a range; what lies outside is shown at its end, for a tile that shows
// nothing is worse than one that shows the end of its scale.
func number(v gateway.Value, low, high, step float64) json.RawMessage {
	n, ok := v.Number()
	if !ok {
		return nil
	}
	if step > 0 {
		n = math.Round(math.Round(n/step)*step*1000) / 1000
	}
	return hap.NumberValue(min(max(n, low), high))
}

// state is 1 for a flag that is set, 0 for one that is not, and nothing for one that is unknown:
// unknown is never "all is well".
func state(m gateway.Measure, known bool) json.RawMessage {
	if !known {
		return nil
	}
	return digit(m.Value.Yes())
}
