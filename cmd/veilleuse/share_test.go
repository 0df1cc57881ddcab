package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
	"github.com/veilleuse/veilleuse/adapters/web"
	notes "github.com/veilleuse/veilleuse/firmware-notes"
)

// theSiren is the siren of the demonstration's house.
func (l *lived) theSiren(t *testing.T) *haptest.Accessory {
	t.Helper()
	fake, err := l.world.house.Accessory(demoSiren)
	if err != nil {
		t.Fatal(err)
	}
	return fake
}

// must runs a verb that must do well and returns what it says.
func (l *lived) must(t *testing.T, verb string, args ...string) string {
	t.Helper()
	code, out, err := said(t, append([]string{verb, "-c", l.config}, args...)...)
	if code != exitWell {
		t.Fatalf("%s %v gives %d: %s%s", verb, args, code, out, err)
	}
	return out
}

// mustNot runs a verb that must be refused by a sentence with these words.
func (l *lived) mustNot(t *testing.T, words string, verb string, args ...string) (out string) {
	t.Helper()
	code, out, err := said(t, append([]string{verb, "-c", l.config}, args...)...)
	if code != exitNo || !strings.Contains(err, words) {
		t.Errorf("%s %v gives %d: %s\nwant: %s", verb, args, code, err, words)
	}
	return out
}

// waits is what a verb says when it begins to wait for somebody to do something.
const waits = "waiting for that to change"

// saidMeanwhile runs a verb like said, and does something when the verb begins to wait for it, before it looks again.
func (l *lived) saidMeanwhile(ctx context.Context, do func(), verb string, args ...string) (code int, out, err string) {
	var stdout strings.Builder
	stderr := overheard{words: waits, do: do}
	code = command(ctx, append([]string{verb, "-c", l.config}, args...), console{strings.NewReader(""), &stdout, &stderr})
	return code, stdout.String(), stderr.String()
}

// overheard does something once when words are written.
type overheard struct {
	strings.Builder
	words string
	do    func()
}

func (o *overheard) Write(p []byte) (int, error) {
	n, err := o.Builder.Write(p)
	if do := o.do; do != nil && strings.Contains(o.String(), o.words) {
		o.do = nil
		do()
	}
	return n, err
}

func identity(t *testing.T) hap.Identity {
	t.Helper()
	i, err := hap.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestControllersOfAnAccessory lists, adds and removes them, through the daemon and then without it.
func TestControllersOfAnAccessory(t *testing.T) {
	l := live(t, false)
	l.status(t, "the daemon", func(statusReport) bool { return true })
	fake := l.theSiren(t)
	l.must(t, "pair", fake.ID(), fake.Code())
	for _, daemon := range []bool{true, false} {
		t.Run(fmt.Sprintf("daemon %v", daemon), func(t *testing.T) {
			if !daemon {
				l.stop()
				if err := <-l.ended; err != nil {
					t.Fatal(err)
				}
				l.ended <- nil
			}
			if out := l.must(t, "pairings", fake.ID()); !strings.Contains(out, "admin") || !strings.Contains(out, "this Veilleuse") || !strings.Contains(out, "Nobody else may control it") {
				t.Errorf("the list is:\n%s", out)
			}
			guest := identity(t)
			var shared web.Shared
			out := l.must(t, "share", "--json", fake.ID(), hex.EncodeToString([]byte(guest.ID)), hex.EncodeToString(guest.Public()))
			if err := json.Unmarshal([]byte(out), &shared); err != nil || shared.AccessoryPairingID != fake.ID() || shared.Connection != "IP" || addressOf(shared) != fake.Address() {
				t.Fatalf("shared is %s", out)
			}
			key, err := parseKey(shared.AccessoryLTPK)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			pairing := hap.Pairing{AccessoryID: shared.AccessoryPairingID, AccessoryKey: key, Controller: guest}
			session, err := hap.Connect(ctx, addressOf(shared), pairing, nil)
			if err != nil {
				t.Fatalf("the guest does not get in: %v", err)
			}
			session.Close()
			var r pairingsReport
			if err := json.Unmarshal([]byte(l.must(t, "pairings", "--json", fake.ID())), &r); err != nil || len(r.Controllers) != 2 || !r.Controllers[0].Own || r.Controllers[1].ID != guest.ID {
				t.Errorf("listed are %+v (%v)", r, err)
			}
			l.mustNot(t, "that is Veilleuse itself: veilleuse unpair", "pairings", fake.ID(), "--remove", r.Controllers[0].ID)
			if out := l.must(t, "pairings", fake.ID(), "--remove", guest.ID); !strings.Contains(out, "has forgotten") || strings.Contains(out, "user") {
				t.Errorf("after the guest has gone:\n%s", out)
			}
			if len(fake.Controllers()) != 1 {
				t.Errorf("it knows %v", fake.Controllers())
			}
			l.mustNot(t, "has no controller", "pairings", fake.ID(), "--remove", guest.ID)
			if out := l.must(t, "share", "--user", fake.ID(), guest.ID, hex.EncodeToString(guest.Public())); !strings.Contains(out, "as a user") {
				t.Errorf("share says:\n%s", out)
			}
			if out := l.must(t, "pairings", fake.ID()); !strings.Contains(out, "We are its only admin") {
				t.Errorf("the list is:\n%s", out)
			}
			if daemon {
				l.must(t, "pairings", fake.ID(), "--remove", guest.ID)
				return
			}
			if out := l.must(t, "unpair", fake.ID()); !strings.Contains(out, "we were its last admin, so it has forgotten "+guest.ID) || len(fake.Controllers()) != 0 {
				t.Errorf("unpair says %s, it knows %v", out, fake.Controllers())
			}
		})
	}
}

// TestPairWaitsForAnAccessoryToBecomeFree plays the wizard: told what to do, waiting, going on by itself.
func TestPairWaitsForAnAccessoryToBecomeFree(t *testing.T) {
	l := live(t, false)
	l.status(t, "the daemon", func(statusReport) bool { return true })
	fake := l.theSiren(t)
	if _, err := fake.Pair(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := l.must(t, "discover"); !strings.Contains(out, "paired elsewhere: veilleuse pair "+strings.ToLower(fake.ID())+" CODE says how to free it") {
		t.Errorf("discover says:\n%s", out)
	}
	code, out, complaint := said(t, "pair", "-c", l.config, fake.ID(), fake.Code())
	if code != exitNo || !strings.Contains(complaint, "still belongs to another controller") || strings.Contains(complaint, waits) {
		t.Errorf("where nobody sits, pair gives %d: %s", code, complaint)
	}
	for _, words := range []string{"paired with another controller", "1. Remove it", "2. If its owner is gone for good, reset it", "3. Or leave it", "--join"} {
		if !strings.Contains(out, words) {
			t.Errorf("the steps do not say %q:\n%s", words, out)
		}
	}
	code, out, complaint = l.saidMeanwhile(t.Context(), func() {
		if err := fake.Forget(); err != nil {
			t.Error(err)
		}
	}, "pair", "--wait", "5s", fake.ID(), fake.Code())
	if code != exitWell || !strings.Contains(out, "is paired; keep its setup code") || strings.Count(out, "1. Remove it") != 1 {
		t.Errorf("pair gives %d: %s%s", code, out, complaint)
	}
}

func TestWaitingEndsWithCtrlC(t *testing.T) {
	l := live(t, false)
	l.status(t, "the daemon", func(statusReport) bool { return true })
	fake := l.theSiren(t)
	if _, err := fake.Pair(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	began := time.Now()
	code, _, complaint := l.saidMeanwhile(ctx, cancel, "pair", "--wait", "1h", fake.ID(), fake.Code())
	if code != exitNo || !strings.Contains(complaint, "not waited for any longer") || time.Since(began) > patience {
		t.Errorf("it ends with %d after %v: %s", code, time.Since(began), complaint)
	}
}

func TestJoinAnAccessoryThatHasAnOwner(t *testing.T) {
	l := live(t, false)
	l.status(t, "the daemon", func(statusReport) bool { return true })
	fake := l.theSiren(t)
	owner, err := fake.Pair(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := l.must(t, "pair", "--join", fake.ID())
	words := regexp.MustCompile(`(?s)controller  (\S+)\n  public key  ([0-9a-f]{64})\n.*--join --key KEY`).FindStringSubmatch(out)
	if words == nil {
		t.Fatalf("pair --join says:\n%s", out)
	}
	accessoryKey := hex.EncodeToString(owner.AccessoryKey)
	l.mustNot(t, "does not know us yet", "pair", "--join", "--key", accessoryKey, fake.ID())
	l.mustNot(t, "is no Ed25519 public key", "pair", "--join", "--key", "abc", fake.ID())
	code, out, complaint := l.saidMeanwhile(t.Context(), func() {
		session, err := hap.Connect(t.Context(), fake.Address(), owner, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer session.Close()
		key, err := parseKey(words[2])
		if err == nil {
			err = session.AddPairing(t.Context(), hap.PairedController{ID: words[1], Key: key, Admin: true})
		}
		if err != nil {
			t.Error(err)
		}
	}, "pair", "--join", "--wait", "5s", "--key", accessoryKey, "--room", "Hall", fake.ID())
	if code != exitWell || !strings.Contains(out, "has let us join") {
		t.Fatalf("pair --join gives %d: %s%s", code, out, complaint)
	}
	l.status(t, "the siren", func(r statusReport) bool {
		for _, d := range r.Devices {
			if d.Name == demoSiren && d.Reachable {
				return true
			}
		}
		return false
	})
	if out := l.must(t, "pairings", fake.ID()); strings.Count(out, "admin") != 2 {
		t.Errorf("the list is:\n%s", out)
	}
}

func TestTheStepsNameTheResetThatTheVendorTells(t *testing.T) {
	known := readNotes(slog.New(slog.DiscardHandler))
	h := &house{notes: func() notes.Notes { return known }}
	for model, want := range map[string]string{
		"Netatmo Relay": "reset it (Netatmo Relay). Plugged into a socket, hold its button for 20 s",
		"Presence":      "within 15 minutes of being powered up",
		"Netatmo NCO":   "reset it as its manual says. Then its maker's app", "": "reset it as its manual says.",
	} {
		steps := h.taken(accessory.Announced{ID: "70:ee:50:12:34:56", Model: model}, "").Steps
		if len(steps) != 3 || !strings.Contains(steps[1], want) || !strings.Contains(steps[2], "veilleuse pair 70:ee:50:12:34:56 --join") {
			t.Errorf("%s: the steps are %q, want %s", model, steps, want)
		}
	}
}

func TestWrongUseOfPairAndShare(t *testing.T) {
	for _, args := range [][]string{
		{"pair", "AA:BB:CC:DD:EE:FF"}, {"pair", "--join", "AA:BB:CC:DD:EE:FF", "123-45-678"},
		{"pair", "--key", "00", "AA:BB:CC:DD:EE:FF", "123-45-678"}, {"pair", "--wait", "48h", "AA:BB:CC:DD:EE:FF", "123-45-678"},
		{"pair", "--wait", "-1s", "AA:BB:CC:DD:EE:FF", "123-45-678"},
		{"pairings"}, {"share", "AA:BB:CC:DD:EE:FF", "x"},
	} {
		if code, _, err := said(t, args...); code != exitUsage {
			t.Errorf("%v gives %d: %s", args, code, err)
		}
	}
	if code, _, err := said(t, "share", "AA:BB:CC:DD:EE:FF", "x", "zz"); code != exitNo || !strings.Contains(err, "the controller's key") {
		t.Errorf("a key that is none gives %d: %s", code, err)
	}
}

func TestKeysAndIDsInTheSpellingsThatOccur(t *testing.T) {
	const id = "9A0CB3A5-1D6B-4F0E-9C0B-6A3F0C4D2E11"
	if got := controllerID(hex.EncodeToString([]byte(id))); got != id {
		t.Errorf("hap-controller's spelling is taken for %s", got)
	}
	for _, as := range []string{id, strings.ToLower(id), "decaf0", "x"} {
		if got := controllerID(as); got != as {
			t.Errorf("%s is taken for %s", as, got)
		}
	}
	for text, good := range map[string]bool{
		strings.Repeat("0f", 32): true, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=": true,
		"": false, strings.Repeat("00", 32): false, strings.Repeat("0f", 31): false, strings.Repeat("0g", 32): false,
	} {
		if key, err := parseKey(text); (err == nil) != good || good && len(key) != 32 {
			t.Errorf("%q gives %x, %v", text, key, err)
		}
	}
	for id, want := range map[string]string{"abc": "abc", "Küche": "Küche", "a\x1b[2J": `"a\x1b[2J"`, "\xff": `"\xff"`, `a"b`: `"a\"b"`} {
		if got := printable(id); got != want {
			t.Errorf("%q is shown as %s, want %s", id, got, want)
		}
	}
}

func FuzzKeyAndController(f *testing.F) {
	f.Add(strings.Repeat("0f", 32), "9A0CB3A5-1D6B-4F0E-9C0B-6A3F0C4D2E11")
	f.Add("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "3941\x00")
	f.Fuzz(func(t *testing.T, key, id string) {
		c, err := controllerOf(web.Share{Controller: controllerID(id), Key: key})
		if err == nil && (len(c.Key) != 32 || c.ID == "" || len(c.ID) > 64 || strings.ContainsAny(c.ID, "\x00\x1b\n")) {
			t.Errorf("%q and %q are taken for %+v", key, id, c)
		}
		if shown := printable(id); strings.ContainsAny(shown, "\x00\x1b\n\r\x7f") {
			t.Errorf("%q is shown as %q", id, shown)
		}
	})
}
