package main

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestReadRolledBack(t *testing.T) {
	at := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	for text, want := range map[string]web.RolledBack{
		"1.0.1 1.0.0 crashed 2026-11-23T14:00:00Z":                 {Failed: "1.0.1", Serving: "1.0.0", Reason: "crashed", At: at},
		"2:1.0.1+3.gabc~rc1 1.0.0 eaten 2026-11-23T15:00:00+01:00": {Failed: "2:1.0.1+3.gabc~rc1", Serving: "1.0.0", Reason: "eaten", At: at},
	} {
		got, err := readRolledBack(text)
		if err != nil || got.Failed != want.Failed || got.Serving != want.Serving || got.Reason != want.Reason || !got.At.Equal(want.At) {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
	if got, err := readRolledBack(""); got != nil || err != nil {
		t.Errorf("nothing is %+v, %v", got, err)
	}
	for _, text := range []string{"1.0.1", "1.0.1 1.0.0 crashed", "1.0.1 1.0.0 crashed yesterday", "a b c d e"} {
		if got, err := readRolledBack(text); err == nil || got != nil || !strings.Contains(err.Error(), rolledBackName) {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
}

// crashed is a rollback like many.
func crashed() *web.RolledBack {
	return &web.RolledBack{Failed: "1.0.1", Serving: "1.0.0", Reason: "crashed", At: upgradeDay}
}

func TestWhatIsSaidOfAFailedUpgrade(t *testing.T) {
	var out strings.Builder
	printRolledBack(&out, crashed())
	printRolledBack(&out, nil)
	if got := out.String(); !strings.HasPrefix(got, "upgrade: version 1.0.1 was taken back, and 1.0.0 serves again since") ||
		!strings.HasSuffix(got, ": it crashed; the next newer version is tried by itself\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("the status says %q", got)
	}
	if _, why := rolledBackWords(&web.RolledBack{Reason: "eaten"}); !strings.HasPrefix(why, unknownReason) {
		t.Errorf("of what nobody knows it says %q", why)
	}
}

// unknownReason begins what is said of a reason that the program does not know.
const unknownReason = "it failed its trial; "

func TestRollbackContract(t *testing.T) {
	gatewaytest.Contract(t, "upgrade", func(testing.TB) gateway.Adapter { return rollback{crashed()} })
}

// The house hears of it once: after a restart it stands among its decisions.
func TestAFailedUpgradeIsToldOnce(t *testing.T) {
	what, why := rolledBackWords(crashed())
	for _, test := range []struct {
		name string
		when time.Time // a decision of the same words
		told int
	}{{"an earlier trial of the same version", upgradeDay.Add(-time.Hour), 1}, {"this one", upgradeDay.Add(time.Second), 0}} {
		synctest.Test(t, func(t *testing.T) {
			h := gatewaytest.Start(t, "upgrade", rollback{crashed()}, gatewaytest.From(gateway.State{Version: 1, Decisions: []gateway.Decision{{What: what, At: test.when}}}))
			time.Sleep(time.Second)
			told := 0
			for len(h.Facts()) > 0 {
				if n, ok := (<-h.Facts()).Fact.(gateway.Notice); ok {
					told++
					if n.What != what || n.Why != why {
						t.Errorf("it tells %+v", n)
					}
				}
			}
			if told != test.told {
				t.Errorf("%s is known: it is told %d times, want %d", test.name, told, test.told)
			}
			h.Stop()
		})
	}
}

// A house whose program was rolled back says so in its status and its journal.
func TestTheHouseKnowsThatItWasRolledBack(t *testing.T) {
	config, state, _ := houseOnDisk(t, "")
	c, _, err := loadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	h, err := build(c, slog.New(slog.DiscardHandler), outside{quiet: true, rolledBack: crashed()})
	if err != nil {
		t.Fatal(err)
	}
	ctx := runsToTheEnd(t, h.run)
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		var r statusReport
		err := askDaemon(ctx, state, "GET", "/status", nil, &r)
		if err == nil && r.Upgrade != nil && r.Upgrade.Reason == "crashed" && strings.Contains(decisionsOf(r), "version 1.0.1 was taken back") {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%v: %+v, lately %s", err, r.Upgrade, decisionsOf(r))
		}
	}
}

func decisionsOf(r statusReport) string {
	var all []string
	for _, d := range r.Decisions {
		all = append(all, d.What)
	}
	return strings.Join(all, "; ")
}
