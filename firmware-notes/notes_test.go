package notes

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// knownCodes are the type codes that the vendor's API was seen to use, by the note that must hold each.
var knownCodes = map[string]string{
	"naplug":       "NAPlug",
	"natherm1":     "NATherm1",
	"nrv":          "NRV",
	"oth":          "OTH",
	"otm":          "OTM",
	"bns":          "BNS",
	"nac":          "NAC",
	"bnth":         "BNTH BNFC BNTR BNMH",
	"nsd":          "NSD",
	"nco":          "NCO",
	"nacamera":     "NACamera",
	"npc":          "NPC",
	"noc":          "NOC",
	"ndb":          "NDB",
	"nis":          "NIS",
	"nacamdoortag": "NACamDoorTag",
	"namain":       "NAMain",
	"namodule1":    "NAModule1",
	"namodule2":    "NAModule2 NAModule3",
	"namodule4":    "NAModule4",
	"nhc":          "NHC",
	"nlg":          "NLG NLGS",
	"nlp":          "NLP NLPM NLPBS",
	"nlpo":         "NLPO NLPT NLPD",
	"nlpc":         "NLPC NLPS",
	"nle":          "NLE",
	"nlc":          "NLC",
	"nll":          "NLL NLF NLFE NLFN NLM NLIS",
	"nlv":          "NLV NLLV NLLM NLJ",
	"nlt":          "NLT NLD NLAO NLAS NLDP",
	"nllf":         "NLLF",
	"nbg":          "NBG NBR NBO NBS",
	"z3l":          "Z3L Z3V",
	"tpsrs":        "TPSRS",
	"bncx":         "BNCX BNEU BNDL BNC1",
}

func read(t *testing.T) Notes {
	t.Helper()
	notes, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	return notes
}

func TestEveryKnownCodeHasExactlyOneNote(t *testing.T) {
	notes := read(t)
	total := 0
	for main, codes := range knownCodes {
		for _, code := range strings.Fields(codes) {
			total++
			note, ok := notes.For(code)
			if !ok {
				t.Errorf("%s has no note", code)
				continue
			}
			if got := strings.ToLower(note.Models[0]); got != main {
				t.Errorf("%s is in the note %s, want %s", code, got, main)
			}
		}
	}
	if len(notes.all) != len(knownCodes) || len(notes.index) != total {
		t.Errorf("%d notes with %d codes, want %d with %d: add new codes to the table of this test",
			len(notes.all), len(notes.index), len(knownCodes), total)
	}
}

func TestUnknownCodeHasNoNote(t *testing.T) {
	notes := read(t)
	for _, model := range []string{"", "NXX", "nrv", "README"} {
		if note, ok := notes.For(model); ok {
			t.Errorf("For(%q) = %q, want none", model, note.Name)
		}
	}
	if _, ok := (Notes{}).For("NRV"); ok {
		t.Error("the zero Notes knows a model")
	}
}

// gatewayQuantities reads the words of the gateway's quantities, so that notes and readings speak one language.
func gatewayQuantities(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "gateway", "value.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Quantity" {
			word, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			words = append(words, word)
		}
		return true
	})
	if len(words) < 20 {
		t.Fatalf("found only %d quantities in gateway/value.go: %v", len(words), words)
	}
	return words
}

func TestNotesAreWhole(t *testing.T) {
	quantities := append(gatewayQuantities(t), "reachable")
	grades := []Grade{Payload, Vendor, Code, Report, Unverified}
	known := func(t *testing.T, what string, grade Grade) {
		if !slices.Contains(grades, grade) {
			t.Errorf("%s has no known grade: %q", what, grade)
		}
	}
	for _, note := range read(t).all {
		t.Run(note.Models[0], func(t *testing.T) {
			for what, text := range map[string]string{
				"name": note.Name, "kind": note.Kind, "transport": note.Transport,
				"without-cloud.does": note.WithoutCloud.Does, "evidence.rests-on": note.Evidence.RestsOn,
			} {
				if text == "" {
					t.Errorf("%s is empty", what)
				}
			}
			if !slices.Contains([]State{GoesOn, InPart, Stops, Unknown}, note.WithoutCloud.State) {
				t.Errorf("unknown state %q", note.WithoutCloud.State)
			}
			known(t, "without-cloud", note.WithoutCloud.Grade)
			known(t, "evidence", note.Evidence.Grade)
			for _, path := range note.Paths {
				known(t, "path "+string(path.Via), path.Grade)
				for _, q := range slices.Concat(path.Gives, path.Takes) {
					if !slices.Contains(quantities, string(q)) {
						t.Errorf("path %s: quantity %q is not one of the gateway's", path.Via, q)
					}
				}
			}
			for q, limit := range note.Limits {
				known(t, "limit "+string(q), limit.Grade)
				if !slices.Contains(quantities, string(q)) || limit.Min >= limit.Max || limit.Step < 0 {
					t.Errorf("limit %s is not a range of a known quantity: %+v", q, limit)
				}
			}
			if note.Reset != (Reset{}) {
				known(t, "reset", note.Reset.Grade)
				if !strings.HasSuffix(note.Reset.Does, ".") {
					t.Errorf("reset.does is no sentence: %q", note.Reset.Does)
				}
			}
			if len(note.Sources) == 0 || slices.Contains(note.Sources, "") || slices.Contains(note.Quirks, "") {
				t.Error("no sources, or an empty source or quirk")
			}
		})
	}
}

func TestPathsAreUsable(t *testing.T) {
	for _, note := range read(t).all {
		vias := map[Via]bool{}
		for _, path := range note.Paths {
			if path.Via != None && over[path.Via] == "" {
				t.Errorf("%s: unknown way %q", note.Models[0], path.Via)
			}
			if vias[path.Via] {
				t.Errorf("%s: way %s stands twice", note.Models[0], path.Via)
			}
			vias[path.Via] = true
			if empty := len(path.Gives)+len(path.Takes) == 0; empty != (path.Via == None) {
				t.Errorf("%s: only the way none gives and takes nothing, not %s", note.Models[0], path.Via)
			}
			if path.Note == "" {
				t.Errorf("%s: way %s needs a note", note.Models[0], path.Via)
			}
		}
		if vias[None] && len(vias) > 1 {
			t.Errorf("%s: none stands beside other ways", note.Models[0])
		}
	}
}

// A note must not be surer as a whole than the best thing that it rests on.
func TestEvidenceClaimsNoMoreThanThePaths(t *testing.T) {
	rank := map[Grade]int{Payload: 0, Vendor: 1, Code: 2, Report: 3, Unverified: 4}
	for _, note := range read(t).all {
		best := rank[Unverified]
		for _, path := range note.Paths {
			best = min(best, rank[path.Grade])
		}
		if note.BestPath().Via != None && rank[note.Evidence.Grade] < best {
			t.Errorf("%s: evidence %s, but no path is better than %d", note.Models[0], note.Evidence.Grade, best)
		}
	}
}

func TestProseSpeaksToPeople(t *testing.T) {
	link := regexp.MustCompile(`\]\(([a-z0-9]+\.md)\)`)
	for _, note := range read(t).all {
		for _, heading := range []string{"\n## In an outage\n", "\n## Pairing\n", "\n## Not known\n"} {
			if strings.Count(note.Prose, heading) != 1 {
				t.Errorf("%s: heading %q must stand once", note.Models[0], strings.TrimSpace(heading))
			}
		}
		if !strings.Contains(note.Prose, "No real device was at hand.") {
			t.Errorf("%s does not say that no real device was at hand", note.Models[0])
		}
		for _, target := range link.FindAllStringSubmatch(note.Prose, -1) {
			if _, err := os.Stat(target[1]); err != nil {
				t.Errorf("%s: dead link: %v", note.Models[0], err)
			}
		}
	}
}

func TestOutageSentence(t *testing.T) {
	notes := read(t)
	for model, want := range map[string]string{
		"NATherm1":     "goes on by itself; we steer it over HomeKit on the LAN",
		"NRV":          "should go on by itself (unverified); we steer it over HomeKit on the LAN",
		"NCO":          "should go on by itself (unverified); we read it over Bluetooth LE",
		"NSD":          "should go on by itself (unverified); we may hear it through a microphone (unverified)",
		"NOC":          "should go on in part by itself (unverified); we steer it over its own HTTP on the LAN",
		"NLC":          "what it does by itself is unknown; we steer it over MQTT once it has left the maker's gateway",
		"NACamDoorTag": "what it does by itself is unknown; we can neither read nor steer it",
	} {
		note, _ := notes.For(model)
		if got := note.Outage(); got != want {
			t.Errorf("%s\n got %s\nwant %s", model, got, want)
		}
	}
	if got, want := (Alone{State: Stops, Grade: Vendor}).words(), "stops"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (Note{}).Outage(), "what it does by itself is unknown; we can neither read nor steer it"; got != want {
		t.Errorf("zero Note: got %q, want %q", got, want)
	}
}

func TestSilenceOfASleepingDetectorIsNoFault(t *testing.T) {
	notes := read(t)
	const healthy = 77 * 24 * time.Hour / 10 // the age of last_seen on a healthy smoke alarm, openhab-addons 15383
	for _, model := range []string{"NSD", "NCO"} {
		if note, _ := notes.For(model); note.SilentAfter <= healthy {
			t.Errorf("%s would be a fault after %v, but a healthy one was silent for %v", model, note.SilentAfter, healthy)
		}
	}
	if note, _ := notes.For("NLT"); note.SilentAfter != 0 {
		t.Errorf("a remote is silent until pressed, got %v", note.SilentAfter)
	}
	if note, _ := notes.For("NAPlug"); note.SilentAfter != time.Hour {
		t.Errorf("relay: got %v, want an hour", note.SilentAfter)
	}
}

func TestLimitsSayWhatIsKnown(t *testing.T) {
	notes := read(t)
	valve, _ := notes.For("NRV")
	if got := valve.Limits["target"]; got.Min != 7 || got.Max != 30 || got.Step != 0.5 || got.Grade != Unverified {
		t.Errorf("valve: %+v", got)
	}
	coach, _ := notes.For("NHC")
	if got := coach.Limits["temperature"]; got.Max != 50 || got.Grade != Payload {
		t.Errorf("home coach: %+v", got)
	}
}

// cloudFixtures are the payloads whose devices must all have a note.
var cloudFixtures = []string{
	"gladys/homesdata.json", "gladys/homestatus.json",
	"pyatmo/homesdata.json", "pyatmo/homestatus_91763b24c43d3e344f424e8b.json",
	"pyatmo/getstationsdata.json", "pyatmo/gethomecoachsdata.json",
	"pyatmo-archive/camera_home_data.json", "pyatmo-archive/thermostat_data_simple.json",
}

func TestEveryDeviceOfTheFixturesHasANote(t *testing.T) {
	shared := filepath.Join("..", "..", "shared", "fixtures", "netatmo-cloud")
	if _, err := os.Stat(shared); err != nil {
		t.Skipf("no fixtures beside the checkout: %v", err)
	}
	notes, seen := read(t), map[string]bool{}
	for _, name := range cloudFixtures {
		data, err := fs.ReadFile(os.DirFS(shared), name)
		if err != nil {
			t.Fatal(err)
		}
		var payload any
		if err := json.Unmarshal(data, &payload); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		deviceTypes(payload, seen)
	}
	for code := range seen {
		if _, ok := notes.For(code); !ok {
			t.Errorf("%s is in the fixtures but has no note", code)
		}
	}
	if len(seen) < 38 || !seen["NSD"] || !seen["NHC"] || !seen["NAModule2"] {
		t.Errorf("the fixtures are known to hold 40 types, found %v", slices.Sorted(maps.Keys(seen)))
	}
}

// deviceTypes collects the types of whatever stands in a list of devices. Rooms, zones and events have types as well.
func deviceTypes(payload any, seen map[string]bool) {
	switch node := payload.(type) {
	case []any:
		for _, item := range node {
			deviceTypes(item, seen)
		}
	case map[string]any:
		for key, value := range node {
			list, _ := value.([]any)
			for _, item := range list {
				device, _ := item.(map[string]any)
				code, ok := device["type"].(string)
				if ok && slices.Contains([]string{"modules", "devices", "cameras", "smokedetectors"}, key) {
					seen[code] = true
				}
			}
			deviceTypes(value, seen)
		}
	}
}
