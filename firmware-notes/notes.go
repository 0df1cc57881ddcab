// Package notes reads the firmware notes: what each Netatmo and Legrand model does, and by which path it can be
// reached, when the vendor's cloud is gone.
package notes

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// packed is a table: the Markdown files beside this one, each behind a form feed and its name. People edit the files; the
// program holds them packed, in 16 kB instead of 55.
//
//go:generate sh -c "for page in [a-z]*.md; do printf '\\f%s\\n' ${DOLLAR}page; cat ${DOLLAR}page; done | gzip -9n >notes.gz"
//go:embed notes.gz
var packed string

// unpacked are the pages, by the name of their file.
func unpacked() (map[string][]byte, error) {
	r, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	pages := map[string][]byte{}
	for one := range bytes.SplitSeq(bytes.TrimPrefix(text, []byte("\f")), []byte("\f")) {
		name, page, _ := bytes.Cut(one, []byte("\n"))
		pages[string(name)] = page
	}
	return pages, nil
}

// Grade says how strong the evidence for a statement is.
type Grade string

// The grades, strongest first; README.md explains them.
const (
	Payload    Grade = "P" // seen in a published real payload
	Vendor     Grade = "O" // the vendor's own text
	Code       Grade = "C" // what maintained code does
	Report     Grade = "R" // a user's report
	Unverified Grade = "U" // expected, but no source found
)

// Via names a way to a device that does not lead through the cloud.
type Via string

// The ways, named after the adapters that go them.
const (
	Accessory Via = "accessory" // HomeKit on the LAN
	BLE       Via = "ble"       // HomeKit over Bluetooth LE
	Camera    Via = "camera"    // a camera's own HTTP on the LAN
	Ear       Via = "ear"       // a microphone that hears the sounder
	MQTT      Via = "mqtt"      // another program or coordinator that speaks MQTT
	None      Via = "none"      // no way is known; never beside another path
)

// State says whether a device goes on without the cloud.
type State string

// The states. Unknown is also what the zero State means.
const (
	GoesOn  State = "goes on"
	InPart  State = "goes on in part"
	Stops   State = "stops"
	Unknown State = "unknown"
)

// Quantity names what a path gives or takes, as MQTT and the page name readings.
type Quantity string

// Path is one way to a device without the cloud: what can be read (Gives) and set (Takes) on it.
type Path struct {
	Via   Via
	Gives []Quantity
	Takes []Quantity
	Grade Grade
	Note  string
}

// Limit is the range of a quantity in its unit (°C, %, ppm, dB). Step 0 means unknown or free.
// Where a device tells its own range, that outranks this one.
type Limit struct {
	Min, Max, Step float64
	Grade          Grade
	Note           string
}

// Alone is what a device does by itself; Does is one sentence for people.
type Alone struct {
	State State
	Does  string
	Grade Grade
}

// Reset is how a device forgets the HomeKit home that it belongs to; Does is one sentence for people, empty where no
// source says it.
type Reset struct {
	Does  string
	Grade Grade
}

// Evidence is what a whole note rests on; its grade is that of the best path, seldom better.
type Evidence struct {
	Grade   Grade
	RestsOn string `json:"rests-on"`
}

// Note is what is known of a family of models. It is read once and shared: do not change it.
type Note struct {
	Models       []string // type codes of the vendor's API, the main one first
	Name         string   // what people call it
	Kind         string   // thermostat, valve, smoke alarm, ...
	Transport    string
	Paths        []Path // without the cloud, best first, at least one
	WithoutCloud Alone  `json:"without-cloud"`
	Limits       map[Quantity]Limit
	SilentAfter  time.Duration `json:"-"` // silence longer than this is a fault; 0: silence never is
	Quirks       []string
	Reset        Reset // of its HomeKit pairing
	Evidence     Evidence
	Sources      []string
	Prose        string `json:"-"` // Markdown for people
}

// BestPath returns the path to try first. A note that was never read has the path None.
func (n Note) BestPath() Path {
	if len(n.Paths) == 0 {
		return Path{Via: None, Grade: Unverified}
	}
	return n.Paths[0]
}

// Outage says in one sentence what survives an outage of the cloud once the best path is set up (paired, signed in, in
// earshot), without capital or full stop: "goes on by itself; we steer it over HomeKit on the LAN".
func (n Note) Outage() string {
	return n.WithoutCloud.words() + "; " + n.BestPath().words()
}

func (a Alone) words() string {
	rest, goes := strings.CutPrefix(string(a.State), "goes ")
	switch {
	case goes && a.Grade == Unverified:
		return "should go " + rest + " by itself (unverified)"
	case goes:
		return "goes " + rest + " by itself"
	case a.State == Stops:
		return "stops"
	}
	return "what it does by itself is unknown"
}

// over says how each way is gone; None is not among them.
var over = map[Via]string{
	Accessory: "over HomeKit on the LAN",
	BLE:       "over Bluetooth LE",
	Camera:    "over its own HTTP on the LAN",
	Ear:       "through a microphone",
	MQTT:      "over MQTT once it has left the maker's gateway",
}

func (p Path) words() string {
	verb, mark := "read it", ""
	if len(p.Takes) > 0 {
		verb = "steer it"
	}
	if p.Via == Ear {
		verb = "hear it"
	}
	if p.Grade == Unverified {
		verb, mark = "may "+verb, " (unverified)"
	}
	if over[p.Via] == "" {
		return "we can neither read nor steer it"
	}
	return "we " + verb + " " + over[p.Via] + mark
}

// Notes holds every note. The zero value knows no model.
type Notes struct {
	all   []Note
	index map[string]int
}

// Read parses the embedded notes. An error is a fault of the build, names the file, and comes with every other fault.
func Read() (Notes, error) {
	pages, err := unpacked()
	if err != nil {
		return Notes{}, fmt.Errorf("unpack firmware notes: %w", err)
	}
	notes, faults := Notes{index: map[string]int{}}, []error(nil)
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		if err := notes.add(name, pages[name]); err != nil {
			faults = append(faults, fmt.Errorf("firmware note %s: %w", name, err))
		}
	}
	if len(faults) > 0 {
		return Notes{}, errors.Join(faults...)
	}
	return notes, nil
}

func (n *Notes) add(file string, page []byte) error {
	note, err := parse(page)
	if err != nil {
		return err
	}
	if main := strings.ToLower(note.Models[0]); file != main+".md" {
		return fmt.Errorf("name it %s.md after its main model", main)
	}
	for _, model := range note.Models {
		if other, taken := n.index[model]; taken {
			return fmt.Errorf("model %s already has a note, that of %s", model, n.all[other].Models[0])
		}
	}
	for _, model := range note.Models {
		n.index[model] = len(n.all)
	}
	n.all = append(n.all, note)
	return nil
}

// For returns the note of a type code such as "NRV". Codes that no note lists appear in homes over time: say "unknown
// model" and go on.
func (n Notes) For(model string) (Note, bool) {
	i, ok := n.index[model]
	if !ok {
		return Note{}, false
	}
	return n.all[i], true
}
