package gateway

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A release reads what the next one writes, and the other way round: within one version names of the saved state are
// added, never taken away, and never get another meaning. testdata/lasting-1.txt holds those of the last release,
// which writes it by VEILLEUSE_RELEASE=1 go test ./gateway -run SavedState.
func TestTheSavedStateIsOnlyAddedTo(t *testing.T) {
	const file = "testdata/lasting-1.txt"
	now := shapeOf("", reflect.TypeFor[Lasting](), nil)
	slices.Sort(now)
	if os.Getenv("VEILLEUSE_RELEASE") != "" {
		if err := os.WriteFile(file, []byte(strings.Join(now, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	released := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(released) < 150 {
		t.Fatalf("only %d names were released", len(released))
	}
	for _, line := range released {
		if !slices.Contains(now, line) {
			t.Errorf("%s is in the saved state of the last release and must stay as it is; a change needs another LastingVersion", line)
		}
	}
}

// shapeOf lists the names below a type with what stands there in JSON.
func shapeOf(path string, of reflect.Type, within []reflect.Type) []string {
	if slices.Contains(within, of) {
		return nil
	}
	within = append(slices.Clone(within), of)
	if get, ok := of.MethodByName("Get"); ok && strings.HasPrefix(of.Name(), "Table[") {
		return shapeOf(path+"{}", get.Type.Out(0), within)
	}
	if of.Implements(reflect.TypeFor[json.Marshaler]()) {
		return []string{path + " " + of.Name()}
	}
	switch of.Kind() {
	case reflect.Pointer:
		return shapeOf(path, of.Elem(), within)
	case reflect.Slice, reflect.Array:
		return shapeOf(path+"[]", of.Elem(), within)
	case reflect.Map:
		return shapeOf(path+"{}", of.Elem(), within)
	case reflect.Struct:
		return fieldsOf(path, of, within)
	}
	return []string{path + " " + of.Kind().String()}
}

func fieldsOf(path string, of reflect.Type, within []reflect.Type) (all []string) {
	for i := range of.NumField() {
		field := of.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-" || !field.IsExported():
			continue
		case field.Anonymous && name == "":
			all = append(all, shapeOf(path, field.Type, within)...)
			continue
		case name == "":
			name = field.Name
		}
		all = append(all, shapeOf(path+"."+name, field.Type, within)...)
	}
	return all
}

// What a newer release adds anywhere is read past.
func TestNamesThatANewerReleaseAddsAreReadPast(t *testing.T) {
	s := State{Authority: Authority{Phase: Local, Why: "Netatmo answers 503"}, Alarms: []Alarm{{Phase: Sounding, Kind: Smoke, Told: []Delivery{{Step: 1}}}},
		Outages: []Outage{{Number: 1, Decisions: []Decision{{Number: 3}}}}}
	s.Rooms = s.Rooms.With("r", Room{ID: "r", Name: "Bath", Override: Override{Mode: RoomManual, Target: 22}})
	s.Devices = s.Devices.With("d", Device{ID: "d", Faces: []Face{{Adapter: "mqtt"}}})
	written, err := json.Marshal(s.Lasting())
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(written, &tree); err != nil {
		t.Fatal(err)
	}
	added := 0
	newer, err := json.Marshal(addTo(tree, false, &added))
	if err != nil || added < 12 {
		t.Fatalf("%d names were added, %v", added, err)
	}
	read, err := ReadLasting(newer)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(read); err != nil || string(again) != string(written) {
		t.Errorf("it is read as %s, %v, was %s", again, err, written)
	}
}

// addTo adds a name to every object, but to those that are tables: their names are ids.
func addTo(tree any, table bool, added *int) any {
	switch v := tree.(type) {
	case map[string]any:
		for name, below := range v {
			v[name] = addTo(below, slices.Contains([]string{"rooms", "devices", "also", "asked", "firings", "memories", "tests", "gas", "lit"}, name), added)
		}
		if !table {
			*added++
			v[fmt.Sprintf("newer_%d", *added)] = map[string]any{"than": []int{1, 2}}
		}
	case []any:
		for i := range v {
			v[i] = addTo(v[i], false, added)
		}
	}
	return tree
}
