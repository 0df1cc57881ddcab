package web

import (
	"slices"
	"strconv"
	"strings"
)

// exposition is a page in the text format of Prometheus, version 0.0.4. A family is written with its
// first sample, so that one without samples leaves no trace.
type exposition struct {
	text   []byte
	name   string
	header string
}

// gauge begins a family of values that go up and down.
func (e *exposition) gauge(name, help string) { e.family(name, "gauge", help) }

// counter begins a family of values that only grow.
func (e *exposition) counter(name, help string) { e.family(name, "counter", help) }

func (e *exposition) family(name, kind, help string) {
	e.name = prefix + name
	help = strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(help)
	e.header = "# HELP " + e.name + " " + help + "\n# TYPE " + e.name + " " + kind + "\n"
}

// prefix begins every name.
const prefix = "veilleuse_"

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample adds a value to the family; labels are names and values in turn.
func (e *exposition) sample(value float64, labels ...string) {
	e.text = append(append(e.text, e.header...), e.name...)
	e.header = ""
	before := byte('{')
	for pair := range slices.Chunk(labels, 2) {
		e.text = append(append(e.text, before), pair[0]...)
		before = ','
		e.text = append(e.text, '=', '"')
		e.text = append(e.text, escaped.Replace(strings.ToValidUTF8(pair[1], "\uFFFD"))...)
		e.text = append(e.text, '"')
	}
	if len(labels) > 0 {
		e.text = append(e.text, '}')
	}
	e.text = append(e.text, ' ')
	e.text = strconv.AppendFloat(e.text, value, 'g', -1, 64)
	e.text = append(e.text, '\n')
}

// choice adds one sample for each word of a closed set: 1 for the one that holds, 0 for the others.
func choice[T ~string](e *exposition, label string, holds T, words ...T) {
	for _, w := range words {
		e.sample(oneIf(w == holds), label, string(w))
	}
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
