package accessory

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// Setting is a characteristic that a quantity is set by.
type Setting struct {
	ID      hap.CharacteristicID
	Control gateway.Control
	Timed   bool    // the accessory wants each write announced
	Valid   []int64 // the only values it takes; empty: all in the range
	kind    settingKind
}

type settingKind int

const (
	setsNumber settingKind = iota
	setsWhole              // a number without fractions
	setsFlag
	setsBit  // a flag that is written as 0 or 1
	setsMode // one of modeWords
)

// setting reads the limits of a characteristic that can be set.
func setting(id hap.CharacteristicID, c hap.Characteristic, m meaning) *Setting {
	s := &Setting{ID: id, Control: m.control, Timed: c.Has(hap.PermTimedWrite)}
	s.Control.Quantity = m.quantity
	if m.decoding == asFlag {
		s.kind = setsFlag
		if c.Format != hap.FormatBool {
			s.kind = setsBit
		}
		return s
	}
	limit(&s.Control.Min, c.MinValue)
	limit(&s.Control.Max, c.MaxValue)
	if c.MinStep != nil && *c.MinStep > 0 && !math.IsInf(*c.MinStep, 0) {
		s.Control.Step = *c.MinStep
	}
	if len(c.ValidRange) == 2 {
		s.Control.Min = max(s.Control.Min, float64(c.ValidRange[0]))
		s.Control.Max = min(s.Control.Max, float64(c.ValidRange[1]))
	}
	s.Valid = c.ValidValues
	if c.Format != hap.FormatFloat {
		s.kind = setsWhole
	}
	if m.decoding == asMode {
		s.modes()
	}
	return s
}

func limit(to *float64, from *float64) {
	if from != nil && !math.IsNaN(*from) && !math.IsInf(*from, 0) {
		*to = *from
	}
}

// modes keeps the states that the device takes; words have no limits.
func (s *Setting) modes() {
	var valid []int64
	for i := range modeWords {
		n := int64(i)
		if float64(i) >= s.Control.Min && float64(i) <= s.Control.Max && (len(s.Valid) == 0 || slices.Contains(s.Valid, n)) {
			valid = append(valid, n)
		}
	}
	s.kind, s.Valid = setsMode, valid
	s.Control = gateway.Control{Quantity: s.Control.Quantity}
}

// wire writes a value as the accessory takes it, on its grid of steps. A value that it cannot take gives an error in
// words for people; nothing is cut down to what would fit.
func (s Setting) wire(v gateway.Value) (json.RawMessage, error) {
	n, isNumber := v.Number()
	switch {
	case s.kind == setsMode:
		return s.mode(v)
	case !isNumber:
		return nil, fmt.Errorf("%s takes no %q", s.Control.Quantity, v)
	case s.kind == setsFlag:
		return hap.BoolValue(n != 0), nil
	case s.kind == setsBit && n != 0:
		return hap.NumberValue(1), nil
	case s.kind == setsBit:
		return hap.NumberValue(0), nil
	}
	c := s.Control
	if c.Min != c.Max && (n < c.Min-slack || n > c.Max+slack) {
		return nil, fmt.Errorf("%s %v is outside of what the device takes: %v to %v", c.Quantity, gateway.Number(n),
			gateway.Number(c.Min), gateway.Number(c.Max))
	}
	n = s.onGrid(n)
	if len(s.Valid) > 0 && !slices.Contains(s.Valid, int64(n)) {
		return nil, fmt.Errorf("%s %v is not one of the values that the device takes: %v", c.Quantity, gateway.Number(n), s.Valid)
	}
	return hap.NumberValue(n), nil
}

// What adding steps of 0.1 does to a float is forgiven.
const (
	slack  = 1e-6
	digits = 1e6
)

// onGrid returns the nearest step inside the range.
func (s Setting) onGrid(n float64) float64 {
	step := s.Control.Step
	if s.kind == setsWhole {
		step = max(1, math.Round(step))
	}
	if step > 0 {
		n = s.Control.Min + math.Round((n-s.Control.Min)/step)*step
		if s.Control.Min != s.Control.Max && n > s.Control.Max+slack {
			n -= step
		}
	}
	return math.Round(n*digits) / digits
}

func (s Setting) mode(v gateway.Value) (json.RawMessage, error) {
	n := int64(slices.Index(modeWords, v.Word()))
	if n < 0 || v.Word() == "" || !slices.Contains(s.Valid, n) {
		var words []string
		for _, valid := range s.Valid {
			words = append(words, modeWords[valid])
		}
		return nil, fmt.Errorf("mode %q is not one of those that the device takes: %s", v, strings.Join(words, ", "))
	}
	return hap.NumberValue(float64(n)), nil
}
