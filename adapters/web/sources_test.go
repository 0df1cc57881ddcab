package web

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// speaking are the files in which the words are made that reach the page as reasons: what is decided and why, what a wish is
// refused for, what a device or a part of the house fails at, what an outage would find.
var speaking = []string{
	"rules/*.go", "rules/schedule/*.go", "rules/thermal/*.go",
	"adapters/uplink/address.go", "adapters/uplink/classify*.go", "adapters/uplink/evidence.go", "adapters/uplink/observation.go", "adapters/uplink/operator.go", "adapters/uplink/witness.go",
	"adapters/clock/belief.go",
	"adapters/netatmo/answer.go", "adapters/netatmo/ask.go", "adapters/netatmo/commands.go", "adapters/netatmo/effects.go", "adapters/netatmo/homesdata.go", "adapters/netatmo/homestatus.go",
	"adapters/netatmo/judge.go", "adapters/netatmo/known.go", "adapters/netatmo/mirror.go", "adapters/netatmo/refresh.go",
	"adapters/mqtt/alarm.go", "adapters/mqtt/attachments.go", "adapters/mqtt/drill.go", "adapters/mqtt/guard.go", "adapters/mqtt/preset.go", "adapters/mqtt/profiled.go", "adapters/mqtt/profiles.go",
	"adapters/mqtt/range.go", "adapters/mqtt/remote.go", "adapters/mqtt/shelly.go", "adapters/mqtt/tasmota.go", "adapters/mqtt/wish.go", "adapters/mqtt/wishjson.go",
	"adapters/accessory/house.go", "adapters/accessory/keeper.go", "adapters/accessory/learn.go", "adapters/accessory/nap.go", "adapters/accessory/opening.go", "adapters/accessory/order.go",
	"adapters/accessory/radio.go", "adapters/accessory/setting.go", "adapters/accessory/sleeper.go", "adapters/accessory/visit.go", "adapters/hap/status.go",
	"adapters/camera/camera.go", "adapters/camera/client.go", "adapters/camera/command.go", "adapters/camera/unit.go",
	"adapters/ear/ear.go", "adapters/ear/house.go", "adapters/ear/meter.go", "adapters/ear/microphone.go", "adapters/ear/stream.go",
	"adapters/homekit/tell.go", "adapters/homekit/homekit.go", "adapters/command/command.go",
	"adapters/web/call.go", "adapters/web/web.go", "adapters/web/wish.go", "gateway/keep.go",
	"adapters/ear/learner.go", "adapters/netatmo/application.go", "adapters/netatmo/token.go", "adapters/accessory/pairing.go", "cmd/veilleuse/wizard.go",
	"adapters/store/backup/run.go", "cmd/veilleuse/rolledback.go", "cmd/veilleuse/doctorchecks.go", "cmd/veilleuse/doctordevices.go", "cmd/veilleuse/doctorrooms.go", "cmd/veilleuse/doctorscore.go",
}

// notSpoken are words in those files that no page shows as a reason, and why.
var notSpoken = map[string]string{
	"hush, acknowledge, test": listed, "test, device": listed, "drill alone": listed, "guard, bypass": listed, "preset, for, until": listed,
	"target, mode, preset, for, until": listed, "mode, schedule, for, until, drill, guard": listed,
	" by ear": named, "Unanswered alarm": named, "bus thermostat": named, "pilot wire heating": named,
	" comfort away frost_guard stand_by comfort_1 comfort_2 ": sought, " on off auto ": sought, "HTTP response to HTTPS client": sought, "is before": sought, "server misbehaving": sought,
	"%.40q is not a characteristic id such as 1.10":                                                     configured,
	"%q is not host:port; expected one as in 1.1.1.1:443":                                               configured,
	"%q lacks a port; expected one as in 1.1.1.1:443":                                                   configured,
	"%q is no witness; expected a name, a host:port, or a page as in http://example.org/ok.txt success": configured,
	"%q cannot be a witness; a page must begin with http://, for only such a one shows a portal":        configured,
	"%q is not a port":           configured,
	"upgrade: %s since %s: %s\n": ofPrograms, "%s is %.80q: it has to be two versions, a reason and a time": logged,
	"the sign-in lacks the right; with all scopes ticked, ": logged, "read a day of samples: %w": logged, "read a day of samples: it is cut off": logged,
	`say which page shows which alarm, as in {"page":1,"alarm":42}`: ofPrograms, "no open page has that number; its stream says it first": ofPrograms,
	"the answer cannot be written: ":                         ofPrograms,
	"%s; waiting for that to change until %s, Ctrl-C ends\n": atTerminal, "not waited for any longer: ": atTerminal, "%s still belongs to another controller": atTerminal,
	"%s (%s) is paired with another controller, which alone may let it go. Do one of these:": atTerminal,
	"%s (%s) is paired; keep its setup code":                                                 atTerminal,
	"%s (%s) is paired, although you asked for %s: veilleuse unpair %s ends it":              atTerminal,
	"expected 2 arguments besides options, the accessory's id and its setup code, got %d":    atTerminal,
	"--join takes the accessory's id alone: there is no setup code in it":                    atTerminal,
	"--key belongs to --join": atTerminal, "--wait is 0s to %v, not %v": atTerminal,
	", and asks to wait %.0f s":      "the time is one gap there: {length}",
	"%s: %s and %s would be served.": "what is counted stands in the phrase",
}

// Why words are not spoken.
const (
	listed     = "what to type is the same in every language"
	named      = "a name or a kind, no sentence"
	sought     = "is looked for in what others say"
	configured = "stops the start, before there is a page"
	logged     = "goes to the log alone"
	ofPrograms = "answers a program"
	atTerminal = "is said at a terminal; the page has words of its own"
)

// verb is a gap of a format.
var verb = regexp.MustCompile(`%[-+#]?[0-9]*\.?[0-9]*[a-zA-Z]`)

// Every sentence, and every piece of one, that the sources can make a reason of stands in the table of French phrases: who writes
// a new one is told here that it lacks its French.
func TestEveryReasonOfTheSourcesHasFrench(t *testing.T) {
	var known []string
	for _, phrases := range readPhrases(unpacked(theReasons)[theReasons]) {
		for _, f := range phrases {
			known = append(known, strings.Join(f.words, "\x00"))
		}
	}
	all := strings.Join(known, "\n")
	seen := 0
	for _, pattern := range speaking {
		files, err := filepath.Glob("../../" + pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			for at, said := range saidIn(t, name) {
				seen++
				if _, excepted := notSpoken[said]; !excepted && !covered(all, said) {
					t.Errorf("%s: %q has no French in adapters/web/reasons.fr.txt", strings.TrimPrefix(at, "../../"), said)
				}
			}
		}
	}
	if seen < 500 {
		t.Errorf("only %d sentences were found: the test looks in the wrong places", seen)
	}
	t.Logf("%d sentences in the sources", seen)
}

// covered reports whether the words of a format stand in a phrase, with a gap where the format has one.
func covered(all, format string) bool {
	words, _, _ := strings.Cut(strings.ReplaceAll(format, "%q", `"%v"`), "\n")
	words = strings.ReplaceAll(verb.ReplaceAllString(words, "\x00"), "%%", "%")
	for _, form := range []string{words, "Netatmo" + strings.TrimPrefix(words, "\x00")} { // the vendor's name is a constant
		form = strings.Trim(form, " ;:,()\x00")
		if form == "" || strings.Contains(all, form) || strings.Contains(all, strings.ToLower(form[:1])+form[1:]) {
			return true
		}
	}
	return false
}

// saidIn are the sentences of a file, by their place: words with a space between them that are no name of something for programs,
// and no word for the log.
func saidIn(t *testing.T, name string) map[string]string {
	t.Helper()
	positions := token.NewFileSet()
	file, err := parser.ParseFile(positions, name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			if n.Tag != nil {
				return false
			}
		case *ast.CompositeLit:
			if isWell(n) {
				return false
			}
		case *ast.CallExpr:
			if method, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Info", "Warn", "Debug", "Error", "Log"}, method.Sel.Name) && len(n.Args) > 0 {
				return false
			}
		case *ast.BasicLit:
			if said, ok := literal(n); ok && isSpoken(said) {
				at := positions.Position(n.Pos())
				found[fmt.Sprintf("%s:%d:%d", at.Filename, at.Line, at.Column)] = said
			}
		}
		return true
	})
	return found
}

// isWell reports whether a finding is that something is well: the page shows what is not.
func isWell(n *ast.CompositeLit) bool {
	return slices.ContainsFunc(n.Elts, func(e ast.Expr) bool {
		field, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		name, _ := field.Key.(*ast.Ident)
		value, _ := field.Value.(*ast.Ident)
		return name != nil && value != nil && name.Name == "Result" && value.Name == "well"
	})
}

var twoWords = regexp.MustCompile(`^[0-9]+ [a-z]{3,}|[A-Za-z’']{2,} [a-z]|[a-z],? [A-Za-z]{2,}|[a-z]+ %|%[a-z] [a-z]`)

// timeUnits are numbers with a unit of time: {length}.
var timeUnits = regexp.MustCompile(`^%[0-9.]*[df] (ms|days|hours|minutes|years)$`)

func isSpoken(text string) bool {
	return twoWords.MatchString(text) && !timeUnits.MatchString(text) && !strings.Contains(text, "value_json")
}
