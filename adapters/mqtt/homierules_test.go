package mqtt

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	homieID = regexp.MustCompile(`^[a-z0-9-]+$`)
	// What the convention says of each datatype's payload.
	homiePayload = map[string]*regexp.Regexp{
		"boolean": regexp.MustCompile(`^(true|false)$`),
		"integer": regexp.MustCompile(`^-?[0-9]+$`),
		"float":   regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`),
		"string":  regexp.MustCompile(`(?s)^.+$`), // an empty one would delete the topic
	}
	homieStates = []string{"init", "ready", "disconnected", "sleeping", "lost"}
)

// conforms checks what a broker holds against the rules of the convention.
func conforms(t *testing.T, kept map[string]string) {
	t.Helper()
	fault := func(format string, args ...any) { t.Helper(); t.Errorf(format, args...) }
	described := make(map[string]homieDescription)
	for topic, text := range kept {
		id, ok := strings.CutSuffix(strings.TrimPrefix(topic, homieTopics), "/$description")
		if !ok {
			continue
		}
		var d homieDescription
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&d); err != nil || d.Homie != "5.0" || d.Version == 0 || d.Nodes == nil || !homieID.MatchString(id) {
			fault("%s (%v): %s", topic, err, text)
		}
		described[id] = d
	}
	for id, d := range described {
		if !slices.Contains(homieStates, kept[homieTopics+id+"/$state"]) {
			fault("the state of %s is %q", id, kept[homieTopics+id+"/$state"])
		}
		if id == "veilleuse" {
			if d.Root != "" || d.Parent != "" {
				fault("the root device says that it has a root")
			}
			for _, child := range d.Children {
				if _, there := described[child]; !there {
					fault("the child %s is not described", child)
				}
			}
		} else if d.Root != "veilleuse" || !slices.Contains(described["veilleuse"].Children, id) {
			fault("%s has the root %q and is no child of it", id, d.Root)
		}
		for node, n := range d.Nodes {
			for property, p := range n.Properties {
				at := id + "/" + node + "/" + property
				if !homieID.MatchString(node) || !homieID.MatchString(property) {
					fault("%s has characters that the convention does not allow", at)
				}
				if p.Datatype == "enum" && p.Format == "" {
					fault("%s is an enum without values", at)
				}
				for _, suffix := range []string{"", "/$target"} {
					if value, there := kept[homieTopics+at+suffix]; there && !fits(p, value) {
						fault("%s%s has %q, which is no %s %s", at, suffix, value, p.Datatype, p.Format)
					}
				}
			}
		}
	}
	for topic := range kept {
		levels := strings.Split(strings.TrimPrefix(topic, homieTopics), "/")
		d, known := described[levels[0]]
		switch {
		case !known:
			fault("%s belongs to nothing that is described", topic)
		case len(levels) == 2 && (levels[1] == "$state" || levels[1] == "$description"), levels[1] == "$alert" && homieID.MatchString(levels[2]):
		case len(levels) < 3 || len(levels) > 4 || len(levels) == 4 && levels[3] != "$target":
			fault("%s is no topic of the convention", topic)
		default:
			if p, ok := d.Nodes[levels[1]].Properties[levels[2]]; !ok || p.Retained != nil {
				fault("%s is not described, or not as retained", topic)
			}
		}
	}
}

func fits(p homiePropertyIs, value string) bool {
	switch p.Datatype {
	case "enum":
		return slices.Contains(strings.Split(p.Format, ","), value)
	case "datetime":
		_, err := time.Parse(time.RFC3339, value)
		return err == nil
	}
	pattern := homiePayload[p.Datatype]
	if pattern == nil || !pattern.MatchString(value) {
		return false
	}
	if bounds := strings.Split(p.Format, ":"); len(bounds) >= 2 {
		n, _ := strconv.ParseFloat(value, 64)
		low, errLow := strconv.ParseFloat(bounds[0], 64)
		high, errHigh := strconv.ParseFloat(bounds[1], 64)
		return errLow == nil && errHigh == nil && low <= n && n <= high
	}
	return true
}
