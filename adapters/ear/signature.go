package ear

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Signature is the voice of one detector, or of a kind of detectors.
type Signature struct {
	Name      string           `json:"name"`
	Kind      gateway.Quantity `json:"kind"`             // smoke or co
	Room      string           `json:"room,omitempty"`   // where the detector hangs, as the person calls it
	Frequency float64          `json:"frequency"`        // Hz; 0: any in the band
	Second    float64          `json:"second,omitempty"` // Hz, of a two-tone siren that was learnt
	Cadence   Cadence          `json:"cadence"`
	Level     float64          `json:"level,omitempty"` // dBFS of the tone when it was learnt
	Learnt    time.Time        `json:"learnt,omitzero"`
}

// Cadence is how a siren comes and goes: pulses that repeat, one tone without end, or two that alternate.
type Cadence struct {
	Shape Shape  `json:"shape"`
	Beats []Beat `json:"beats,omitempty"` // one cycle of pulses; the longest pause is the last
}

// Shape is the family of a cadence.
type Shape string

// The shapes.
const (
	Pulses     Shape = "pulses"
	Continuous Shape = "continuous"
	TwoTone    Shape = "two-tone"
)

// Beat is one pulse and the silence after it, in milliseconds: On 30 to 5000, Off 30 to 60000.
type Beat struct {
	On  int `json:"on"`
	Off int `json:"off"`
}

// Bounds of what a signature may say. A cycle must fit twice into what the ear remembers.
const (
	mostBeats    = 16
	longestCycle = 12 * time.Second
	longestName  = 60
)

// temporal3 is the smoke alarm of ISO 8201 and NFPA 72, temporal4 the CO alarm of NFPA 720 and UL 2034.
func temporal3() Cadence { return Cadence{Pulses, []Beat{{500, 500}, {500, 500}, {500, 1500}}} }
func temporal4() Cadence {
	return Cadence{Pulses, []Beat{{100, 100}, {100, 100}, {100, 100}, {100, 5000}}}
}

// General are the signatures that the ear knows without learning. Those of one kind are one device.
func General() []Signature {
	return []Signature{
		{Name: "Smoke alarm", Kind: gateway.Smoke, Cadence: temporal3()},
		{Name: "CO alarm", Kind: gateway.CO, Cadence: temporal4()},
		{Name: "Smoke alarm", Kind: gateway.Smoke, Cadence: Cadence{Shape: Continuous}},
		{Name: "Smoke alarm", Kind: gateway.Smoke, Cadence: Cadence{Shape: TwoTone}},
	}
}

// learnt reports whether a person taught it.
func (s Signature) learnt() bool { return s.Frequency > 0 }

// Device is the id of the device that speaks when this signature is heard: ear/kitchen-smoke.
func (s Signature) Device() gateway.DeviceID {
	if !s.learnt() {
		return gateway.DeviceID("ear/" + string(s.Kind))
	}
	return gateway.DeviceID("ear/" + slug(s.Name))
}

// slug is a name in small letters and digits, with dashes between words.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return strings.Join(words, "-")
}

// taken are ids that are not for learnt signatures.
var taken = []string{"smoke", "co", "microphone"}

// Check says in one sentence what is wrong with a signature, nil if nothing is.
func (s Signature) Check() error {
	id := slug(s.Name)
	switch {
	case id == "" || len(s.Name) > longestName:
		return fmt.Errorf("%.80q is no name for a detector: expected up to %d characters, some of them plain letters or digits", s.Name, longestName)
	case slices.Contains(taken, id):
		return fmt.Errorf("%q is what the ear calls its own; name the detector and its room, as in \"Kitchen smoke\"", s.Name)
	case s.Kind != gateway.Smoke && s.Kind != gateway.CO:
		return fmt.Errorf("%q is no kind of alarm: expected smoke or co", s.Kind)
	case len(s.Room) > longestName:
		return fmt.Errorf("the room's name is longer than %d characters", longestName)
	case !inBand(s.Frequency):
		return fmt.Errorf("%.0f Hz is no pitch of a siren: expected %.0f to %.0f Hz", s.Frequency, lowest, highest)
	}
	if s.Cadence.Shape == TwoTone && !inBand(s.Second) {
		return fmt.Errorf("%.0f Hz is no second pitch of a siren: expected %.0f to %.0f Hz", s.Second, lowest, highest)
	}
	return s.Cadence.check()
}

// lowest and highest are the pitches that can be told, in Hz.
const (
	lowest  = (firstBin + 2) * binWidth
	highest = (lastBin - 2) * binWidth
)

func inBand(hertz float64) bool { return hertz >= lowest && hertz <= highest }

func (c Cadence) check() error {
	if c.Shape == Continuous || c.Shape == TwoTone {
		if len(c.Beats) > 0 {
			return fmt.Errorf("a %s siren has no pulses", c.Shape)
		}
		return nil
	}
	if c.Shape != Pulses {
		return fmt.Errorf("%q is no cadence: expected pulses, continuous or two-tone", c.Shape)
	}
	if len(c.Beats) == 0 || len(c.Beats) > mostBeats {
		return fmt.Errorf("%d pulses a cycle: expected 1 to %d", len(c.Beats), mostBeats)
	}
	for i, b := range c.Beats {
		if b.On < 30 || b.On > 5000 || b.Off < 30 || b.Off > 60000 {
			return fmt.Errorf("pulse %d is on for %d ms, off for %d ms: expected on 30 to 5000, off 30 to 60000", i+1, b.On, b.Off)
		}
	}
	if c.Period() > longestCycle {
		return fmt.Errorf("a cycle of %v is too long: the ear remembers two of at most %v", c.Period(), longestCycle)
	}
	return nil
}

// Period is the length of one cycle of pulses.
func (c Cadence) Period() time.Duration {
	sum := 0
	for _, b := range c.Beats {
		sum += b.On + b.Off
	}
	return time.Duration(sum) * time.Millisecond
}

// String says the cadence in words.
func (c Cadence) String() string {
	switch {
	case c.Shape == Continuous:
		return "one tone without pause"
	case c.Shape == TwoTone:
		return "two tones in turn"
	case c.like(temporal3()):
		return "temporal-3 (three pulses of half a second, the smoke pattern)"
	case c.like(temporal4()):
		return "temporal-4 (four quick pulses, the carbon monoxide pattern)"
	}
	return fmt.Sprintf("%d pulses in %.1f s", len(c.Beats), c.Period().Seconds())
}

// like reports whether both are the same within what a siren and a room change.
func (c Cadence) like(o Cadence) bool {
	if c.Shape != o.Shape || len(c.Beats) != len(o.Beats) {
		return false
	}
	for i, b := range c.Beats {
		if !near(b.On, o.Beats[i].On) || !near(b.Off, o.Beats[i].Off) {
			return false
		}
	}
	return true
}

func near(a, b int) bool {
	d := max(a-b, b-a)
	return d <= 60 || 5*d <= max(a, b)
}

// alike reports whether two signatures cannot be told apart by the ear.
func (s Signature) alike(o Signature) bool {
	return s.Cadence.like(o.Cadence) && close3(s.Frequency, o.Frequency) && (s.Cadence.Shape != TwoTone || close3(s.Second, o.Second))
}

// close3 reports whether two pitches lie within 1.5 %.
func close3(a, b float64) bool { return max(a-b, b-a) <= 0.015*max(a, b) }

// stored is how a signature lies in the vault.
type stored struct {
	Version int `json:"version"`
	Signature
}

// version of stored signatures.
const version = 1

// encode writes a signature for the vault.
func (s Signature) encode() ([]byte, error) { return json.Marshal(stored{version, s}) }

// DecodeSignature reads what the vault holds and refuses what the ear could not have written.
func DecodeSignature(data []byte) (Signature, error) {
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return Signature{}, fmt.Errorf("a learnt signature is not readable: %w; learn it again", err)
	}
	if s.Version != version {
		return Signature{}, errors.New("a learnt signature is of another version of this program; learn it again")
	}
	if err := s.Check(); err != nil {
		return Signature{}, fmt.Errorf("a learnt signature makes no sense: %w; learn it again", err)
	}
	return s.Signature, nil
}
