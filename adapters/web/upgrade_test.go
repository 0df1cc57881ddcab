package web

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// An upgrade that was taken back is told on the page in both languages, and in the JSON; otherwise not a word of it.
func TestPageSaysThatAnUpgradeWasTakenBack(t *testing.T) {
	back := RolledBack{Failed: "1.0.1<b>", Serving: "1.0.0", Reason: "crashed", At: evening}
	draw := func(r *RolledBack, in lang) string {
		p := sheetOf(New(Options{Vault: gatewaytest.NewVault(), Log: quiet, RolledBack: r}).view(cottage()), in, evening)
		parts := p.parts()
		p.out.Reset()
		p.whole(parts)
		return p.out.String()
	}
	for in, wants := range map[lang][]string{
		english: {"The upgrade was taken back", "Version 1.0.1&lt;b&gt; failed its trial, so 1.0.0 serves again.", "It crashed.", "tried by itself"},
		french:  {"La mise à jour a été annulée", "La version 1.0.1&lt;b&gt; a échoué", "Elle a planté."},
	} {
		page := draw(&back, in)
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s: %q is not in the page", in.code(), want)
			}
		}
	}
	for _, unknown := range []string{"eaten", "back", "next", ""} {
		strange := back
		strange.Reason = unknown
		if page := draw(&strange, english); !strings.Contains(page, "The system journal says more.") || strings.Contains(page, "%!") {
			t.Errorf("of the reason %q the page says something else", unknown)
		}
	}
	if page := draw(nil, english); strings.Contains(page, "taken back") {
		t.Error("the page speaks of an upgrade, and there was none")
	}
	data, err := json.Marshal(New(Options{Vault: gatewaytest.NewVault(), Log: quiet, RolledBack: &back}).view(gateway.State{}))
	if err != nil || !strings.Contains(string(data), `"rolled_back":{"failed":"1.0.1\u003cb\u003e","serving":"1.0.0","reason":"crashed","at":"2025-10-29T17:00:00Z"}`) {
		t.Errorf("%s, %v", data, err)
	}
}
