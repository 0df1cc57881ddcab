package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/clock"
	"github.com/veilleuse/veilleuse/adapters/uplink"
	"github.com/veilleuse/veilleuse/gateway"
)

// readmeSection is what README.md says below that heading.
func readmeSection(t *testing.T, heading string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(content), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("README.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

// firstColumn is what a table of the README has in backticks at the beginning of its lines.
func firstColumn(section string) []string {
	var cells []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(section, -1) {
		cells = append(cells, m[1])
	}
	return cells
}

func TestReadmeHasEveryKey(t *testing.T) {
	var want []string
	for _, k := range keys {
		want = append(want, k.path)
	}
	if got := firstColumn(readmeSection(t, "Configuration")); !slices.Equal(got, want) {
		t.Errorf("the README's table of keys is\n%q, want, in the order of the program,\n%q", got, want)
	}
}

func TestReadmeHasEveryVerb(t *testing.T) {
	var want []string
	for _, v := range verbs() {
		want = append(want, v.name)
	}
	if got := firstColumn(readmeSection(t, "Verbs")); !slices.Equal(got, want) {
		t.Errorf("the README's table of verbs is\n%q, want, in the order of the help,\n%q", got, want)
	}
}

func TestReadmeHasEveryOption(t *testing.T) {
	section := readmeSection(t, "Verbs")
	for _, v := range verbs() {
		for _, option := range regexp.MustCompile(`--[a-z]+|-c\b`).FindAllString(v.arguments, -1) {
			if !strings.Contains(section, option) {
				t.Errorf("the README does not say %s of %s", option, v.name)
			}
		}
	}
}

func TestReadmeHasEveryVerdictAndPhase(t *testing.T) {
	section := readmeSection(t, "MQTT")
	words := []string{string(gateway.Watching), string(gateway.Suspect), string(gateway.Local), string(gateway.Returning),
		string(gateway.Quiet), string(gateway.Sounding), string(gateway.Hushed)}
	for _, v := range []gateway.Verdict{gateway.VerdictUnknown, gateway.VerdictOK, gateway.VerdictCloudDown, gateway.VerdictDegraded,
		gateway.VerdictInternetDown, gateway.VerdictLANDown, gateway.VerdictResolver, gateway.VerdictHijack, gateway.VerdictCaptive,
		gateway.VerdictAuthRevoked, gateway.VerdictRateLimited, gateway.VerdictClockWrong, gateway.VerdictSelf} {
		words = append(words, string(v))
	}
	for _, w := range words {
		if !strings.Contains(section, "`"+w+"`") {
			t.Errorf("the README does not list %s", w)
		}
	}
}

// TestExampleIsTheDefaults reads scripts/example.yaml: it holds every key, at its default.
func TestExampleIsTheDefaults(t *testing.T) {
	file := filepath.Join("..", "..", "scripts", "example.yaml")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, faults := readConfig(file, content)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := defaults()
	want.Uplink.Witnesses = uplink.DefaultWitnesses()
	want.Uplink.Resolvers = []string{} // the same as none
	want.Clock.Dates = clock.DefaultDates()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the example gives\n%+v, want\n%+v", got, want)
	}
	for _, k := range keys {
		section, name, nested := strings.Cut(k.path, ".")
		if !nested {
			section, name = "", k.path
		}
		if !regexp.MustCompile(`(?m)^[ #]*` + name + `:`).MatchString(sectionOf(string(content), section)) {
			t.Errorf("the example does not name %s", k.path)
		}
	}
	for _, name := range []string{"id", "address", "room", "siren"} {
		if !strings.Contains(sectionOf(string(content), "accessories"), name+":") {
			t.Errorf("the example does not name %s of an accessory", name)
		}
	}
}

// sectionOf is the lines of a YAML file that stand below a key of its first level, all lines for "".
func sectionOf(content, name string) string {
	if name == "" {
		return content
	}
	_, rest, _ := strings.Cut(content, "\n"+name+":")
	if end := regexp.MustCompile(`(?m)^[a-z]+:`).FindStringIndex(rest); end != nil {
		rest = rest[:end[0]]
	}
	return rest
}
