package mqtt

import (
	"encoding/json"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// The Homie convention, version 5 (homieiot.github.io): below homie/5/<device> a retained $state, a retained
// $description, one retained topic a property, its $target, what is intended, its set topic for wishes, and
// $alert/<id> for what people should look at. Veilleuse is the root device, its rooms and devices are children.
const (
	homieTopics  = "homie/5/"
	homieVersion = "5.0"
)

// States of a device.
const (
	homieInit         = "init"
	homieReady        = "ready"
	homieLost         = "lost"
	homieDisconnected = "disconnected"
)

// homieDevice is one device with what it shows now.
type homieDevice struct {
	id       string
	name     string
	model    string
	root     string // "": is the root itself
	children []string
	state    string
	nodes    []homieNode
	alerts   map[string]string // id -> text for people
}

// homieNode is a part of a device.
type homieNode struct {
	id, name   string
	properties []homieProperty
}

// homieProperty is one value of a node.
type homieProperty struct {
	id, name string
	datatype string // boolean, float, integer, enum, string or datetime
	format   string
	unit     string
	settable bool
	fleeting bool   // nothing stays: a button
	value    string // "": not known
	target   string // "": nothing is intended, or nobody knows
}

// Shapes of the $description document, as the convention has them. Fields left out have its defaults.
type (
	homieDescription struct {
		Homie    string                 `json:"homie"`
		Version  uint32                 `json:"version"`
		Name     string                 `json:"name,omitempty"`
		Type     string                 `json:"type,omitempty"`
		Root     string                 `json:"root,omitempty"`
		Parent   string                 `json:"parent,omitempty"`
		Children []string               `json:"children,omitempty"`
		Nodes    map[string]homieNodeIs `json:"nodes"`
	}
	homieNodeIs struct {
		Name       string                     `json:"name,omitempty"`
		Properties map[string]homiePropertyIs `json:"properties"`
	}
	homiePropertyIs struct {
		Name     string `json:"name,omitempty"`
		Datatype string `json:"datatype"`
		Format   string `json:"format,omitempty"`
		Unit     string `json:"unit,omitempty"`
		Settable bool   `json:"settable,omitempty"`
		Retained *bool  `json:"retained,omitempty"` // nil: yes
	}
)

// description is the document. Its version is a sum over its content: another content has another one, and a
// restart brings the same.
func (d homieDevice) description() []byte {
	doc := homieDescription{
		Homie: homieVersion, Name: d.name, Type: d.model, Root: d.root, Parent: d.root, Children: d.children,
		Nodes: make(map[string]homieNodeIs, len(d.nodes)),
	}
	for _, n := range d.nodes {
		is := homieNodeIs{Name: n.name, Properties: make(map[string]homiePropertyIs, len(n.properties))}
		for _, p := range n.properties {
			one := homiePropertyIs{Name: p.name, Datatype: p.datatype, Format: p.format, Unit: p.unit, Settable: p.settable}
			if p.fleeting {
				one.Retained = new(bool)
			}
			is.Properties[p.id] = one
		}
		doc.Nodes[n.id] = is
	}
	for range 2 {
		text, err := json.Marshal(doc)
		if err != nil {
			return nil // strings and numbers can always be encoded
		}
		if doc.Version != 0 {
			return text
		}
		doc.Version = max(crc32.ChecksumIEEE(text)&0x7fffffff, 1) // some readers take it for a signed number
	}
	return nil
}

// isDescribedAs reports whether two states of a device have the same description. Values change all the time,
// the description hardly ever.
func (d homieDevice) isDescribedAs(other homieDevice) bool {
	return d.name == other.name && d.model == other.model && slices.Equal(d.children, other.children) &&
		slices.EqualFunc(d.nodes, other.nodes, func(a, b homieNode) bool {
			return a.id == b.id && a.name == b.name && slices.EqualFunc(a.properties, b.properties, func(p, q homieProperty) bool {
				p.value, p.target, q.value, q.target = "", "", "", ""
				return p == q
			})
		})
}

// homieValue is a value as the convention writes it; "" if it is not known.
func homieValue(v gateway.Value) string {
	n, isNumber := v.Number()
	switch {
	case !v.Known():
		return ""
	case v == gateway.Flag(v.Yes()):
		return strconv.FormatBool(v.Yes())
	case isNumber:
		return string(appendNumber(nil, n))
	}
	return v.Word()
}

// homieTime is an instant as the convention writes it.
func homieTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// homieEnum is a format: words among which none may have a comma or a blank at its ends.
func homieEnum[S ~string](words []S) string {
	all := make([]string, 0, len(words))
	for _, w := range words {
		if w != "" && !strings.Contains(string(w), ",") && strings.TrimSpace(string(w)) == string(w) {
			all = append(all, string(w))
		}
	}
	return strings.Join(all, ",")
}

// homieRange is a format: from, to, step.
func homieRange(low, high, step float64) string {
	text := string(appendNumber(nil, low)) + ":" + string(appendNumber(nil, high))
	if step > 0 {
		text += ":" + string(appendNumber(nil, step))
	}
	return text
}

// readHomie reads a $description or an $alert that the broker holds and says which retained topics there are,
// if the device is one of ours.
func readHomie(root, id, suffix string, payload []byte) (found, bool) {
	part, below := strings.CutPrefix(id, root+"-")
	switch {
	case id == root:
		part = ""
	case !below || !strings.HasPrefix(part, roomTopics) && !strings.HasPrefix(part, deviceTopics):
		return found{}, false
	}
	if suffix != "$description" {
		return found{part: part, topics: []string{suffix}}, true
	}
	var doc homieDescription
	if len(payload) > longestMessage || json.Unmarshal(payload, &doc) != nil {
		return found{}, false
	}
	if part == "" && doc.Type != homieModel || part != "" && doc.Root != root {
		return found{}, false
	}
	f := found{part: part, topics: []string{"$state", "$description"}}
	for node, n := range doc.Nodes {
		for property, p := range n.Properties {
			if p.Retained == nil || *p.Retained {
				f.topics = append(f.topics, node+"/"+property)
			}
			if p.Settable {
				f.topics = append(f.topics, node+"/"+property+"/$target")
			}
		}
	}
	for _, suffix := range f.topics {
		if strings.ContainsAny(suffix, "+#\x00") {
			return found{}, false
		}
	}
	return f, true
}

// homieModel is the type of the root device.
const homieModel = "veilleuse"
