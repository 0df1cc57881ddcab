package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/homekit"
)

func TestPairHome(t *testing.T) {
	l := live(t, false)
	l.status(t, "the bridge", func(r statusReport) bool { return len(r.Bridges) == 1 && r.Bridges[0].Controllers == 0 })
	read := func(args ...string) codeReport {
		t.Helper()
		var r codeReport
		code, out, err := said(t, append(slices.Clone(args), "-c", l.config, "--json")...)
		if code != exitWell || json.Unmarshal([]byte(out), &r) != nil {
			t.Fatalf("%q gives %d: %s%s", args, code, out, err)
		}
		return r
	}
	awaitListen(t, l)
	first := read("pair-home")
	if first.Code != read("code").Code {
		t.Error("pair-home and code show different codes")
	}
	if code, out, _ := said(t, "pair-home", "-c", l.config); code != exitWell || !strings.Contains(out, "Nobody is paired") || !strings.Contains(out, first.Code) {
		t.Errorf("for people it is %d:\n%s", code, out)
	}
	phone := pairPhone(t, first)
	l.status(t, "the phone", func(r statusReport) bool { return r.Bridges[0].Controllers == 1 })
	if code, out, _ := said(t, "pair-home", "-c", l.config); code != exitWell || !strings.Contains(out, "paired already") {
		t.Errorf("with a phone it is %d:\n%s", code, out)
	}
	for _, answer := range []string{"", "no\n", "y\n"} {
		if code, _, err := saidTo(t, answer, "pair-home", "-c", l.config, "--reset"); code != exitNo || !strings.Contains(err, "nothing was changed") {
			t.Errorf("%q gives %d, %s", answer, code, err)
		}
	}
	if got := read("code"); got.Code != first.Code || got.Controllers != 1 {
		t.Errorf("without a yes something changed: %+v", got)
	}
	code, out, complaint := saidTo(t, "yes\n", "pair-home", "-c", l.config, "--reset")
	if code != exitWell || !strings.Contains(out, "remove the old bridge") {
		t.Fatalf("yes gives %d:\n%s%s", code, out, complaint)
	}
	second := read("code")
	if second.Code == first.Code || second.Controllers != 0 || !strings.Contains(out, second.Code) {
		t.Errorf("after the reset: %+v", second)
	}
	if _, err := hap.Connect(t.Context(), awaitListen(t, l), phone, nil); err == nil {
		t.Error("the phone that was forgotten is let in")
	}
	pairPhone(t, codeReport{Code: second.Code, Listen: awaitListen(t, l)})

	l.stop()
	if err := <-l.ended; err != nil {
		t.Fatal(err)
	}
	l.ended <- nil
	third := read("pair-home", "--reset", "--yes") // without a daemon
	if third.Code == second.Code || third.Controllers != 0 {
		t.Errorf("after a reset without a daemon: %+v", third)
	}
	if code, _, _ := said(t, "pair-home", "--yes"); code != exitUsage {
		t.Errorf("--yes alone gives %d", code)
	}
}

// awaitListen is where the first bridge listens now.
func awaitListen(t *testing.T, l *lived) string {
	t.Helper()
	r := l.status(t, "an open door", func(r statusReport) bool {
		return len(r.Bridges) == 1 && r.Bridges[0].Listen != "" && !strings.HasSuffix(r.Bridges[0].Listen, ":0")
	})
	return r.Bridges[0].Listen
}

// pairPhone pairs a controller of our own with a bridge.
func pairPhone(t *testing.T, r codeReport) hap.Pairing {
	t.Helper()
	identity, err := hap.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	pairing, err := hap.PairSetup(t.Context(), r.Listen, r.Code, identity, 0)
	if err != nil {
		t.Fatal(err)
	}
	return pairing
}

func TestCodesOfSeveralBridges(t *testing.T) {
	r := codesOf([]homekit.Bridge{
		{Name: "Veilleuse", Code: "111-22-334", URI: "X-HM://0024RX5FF1234", Listen: "[::]:51826", Controllers: 2},
		{Name: "Veilleuse 2", Code: "555-66-778", URI: "X-HM://0024RX5FF5678"},
	})
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"code":"111-22-334","uri":"X-HM://0024RX5FF1234","listen":"[::]:51826","name":"Veilleuse","controllers":2,` +
		`"more":[{"code":"555-66-778","uri":"X-HM://0024RX5FF5678","listen":"","name":"Veilleuse 2","controllers":0}]}`
	if string(raw) != want {
		t.Errorf("as JSON it is\n%s, want\n%s", raw, want)
	}
	var out bytes.Buffer
	if err := (&options{}).sayCodes(&out, r); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"this house has 2", "Veilleuse, paired with 2 controllers", "Veilleuse 2, paired with nobody", "111-22-334", "555-66-778"} {
		if !strings.Contains(out.String(), words) {
			t.Errorf("%q is not said:\n%s", words, out.String())
		}
	}
	out.Reset()
	printBridges(&out, []bridgeReport{{Name: "Veilleuse", Controllers: 2, Announced: "its record does not come back on eth0"}, {Name: "Veilleuse 2"}})
	if got := out.String(); !strings.Contains(got, "Veilleuse 2 is paired with nobody") || !strings.Contains(got, "on eth0") {
		t.Errorf("the status says\n%s", got)
	}
	out.Reset()
	if printBridges(&out, []bridgeReport{{Name: "Veilleuse"}}); out.Len() > 0 {
		t.Errorf("of one bridge that is well it says\n%s", out.String())
	}
}
