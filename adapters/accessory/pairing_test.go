package accessory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestPairing(t *testing.T) {
	bare := func(id string) string { return strings.ToLower(strings.ReplaceAll(id, ":", "")) }
	for _, test := range []struct {
		name  string
		names func(id, address string) string
		code  func(string) string
		lost  bool // nothing is announced
	}{
		{name: "by id"},
		{name: "by id without colons", names: func(id, _ string) string { return bare(id) }},
		{name: "by address, announced", names: func(_, address string) string { return address }},
		{name: "by address, not announced", names: func(_, address string) string { return address }, lost: true},
		{name: "code without dashes", code: func(c string) string { return strings.ReplaceAll(c, "-", "") }},
		{name: "code in two halves", code: func(c string) string {
			c = strings.ReplaceAll(c, "-", "")
			return " " + c[:4] + "-" + c[4:] + " "
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := prepare(t, alone(), func(o *accessory.Options) {
				if test.lost {
					o.Browse = func(context.Context) ([]accessory.Announced, error) { return nil, errors.New("no network") }
				}
			})
			a := s.server("Smoke")
			who, code := a.ID(), a.Code()
			if test.names != nil {
				who = test.names(a.ID(), a.Address())
			}
			if test.code != nil {
				code = test.code(code)
			}
			p, err := s.adapter.Pair(t.Context(), who, code, " Hall ")
			if err != nil {
				t.Fatal(err)
			}
			if p.ID != strings.ToLower(a.ID()) || p.Room != "Hall" || p.Address != a.Address() {
				t.Errorf("paired %+v", p)
			}
			listed, err := s.adapter.Paired()
			if err != nil || len(listed) != 1 || listed[0].ID != p.ID {
				t.Errorf("listed are %+v (%v)", listed, err)
			}
			s.run(1)
			f := gatewaytest.Wait[gateway.Found](s.house, nil)
			if f.RoomName != "Hall" {
				t.Errorf("the device is found as %+v", f)
			}
		})
	}
}

func TestPairingIsRefusedWithASentence(t *testing.T) {
	other := prepare(t, alone())
	other.pair("Smoke")
	taken := other.server("Smoke")
	wrong := func(code string) string {
		if code == "111-22-333" {
			return "111-22-334"
		}
		return "111-22-333"
	}
	for _, test := range []struct {
		name string
		do   func(*scene) error
		want string
	}{
		{"a code that is too short", func(s *scene) error {
			_, err := s.adapter.Pair(t.Context(), s.server("Smoke").ID(), "123-45-67", "")
			return err
		}, "a setup code has eight digits, such as 123-45-678: it is on the device, its box or its manual"},
		{"a wrong code", func(s *scene) error {
			a := s.server("Smoke")
			_, err := s.adapter.Pair(t.Context(), a.ID(), wrong(a.Code()), "")
			return err
		}, "the setup code is wrong"},
		{"a name that is none", func(s *scene) error { _, err := s.adapter.Pair(t.Context(), "relay", "123-45-678", ""); return err },
			`"relay" is neither a HomeKit id such as 12:34:56:78:9a:bc nor host:port`},
		{"an id that is not there", func(s *scene) error {
			_, err := s.adapter.Pair(t.Context(), "12:34:56:78:9a:bc", "123-45-678", "")
			return err
		}, "no accessory with the id 12:34:56:78:9a:bc announces itself"},
		{"paired with us already", func(s *scene) error {
			s.pair("Smoke")
			_, err := s.adapter.Pair(t.Context(), s.server("Smoke").ID(), s.server("Smoke").Code(), "")
			return err
		}, "Smoke is paired with us already"},
		{"paired with somebody else, as announced", func(s *scene) error {
			s.adapter = accessory.New(accessory.Options{Vault: s.vault, Browse: other.browse})
			_, err := s.adapter.Pair(t.Context(), taken.ID(), taken.Code(), "")
			return err
		}, "Smoke is paired with another controller: remove it from Apple Home first"},
		{"paired with somebody else, as it says itself", func(s *scene) error {
			_, err := s.adapter.Pair(t.Context(), taken.Address(), taken.Code(), "")
			return err
		}, "paired with another controller: remove it from Apple Home first"},
		{"it wants to be left alone", func(s *scene) error {
			s.server("Smoke").FailPairing("/pair-setup", hap.PairingError{Code: hap.ErrorBackoff, Retry: 30 * time.Second}, 1)
			_, err := s.adapter.Pair(t.Context(), s.server("Smoke").ID(), s.server("Smoke").Code(), "")
			return err
		}, "Smoke wants to be left alone for 30 s"},
		{"and is", func(s *scene) error {
			a := s.server("Smoke")
			a.FailPairing("/pair-setup", hap.PairingError{Code: hap.ErrorBackoff, Retry: 30 * time.Second}, 1)
			_, first := s.adapter.Pair(t.Context(), a.ID(), a.Code(), "")
			_, before := a.Connections()
			_, err := s.adapter.Pair(t.Context(), a.ID(), a.Code(), "")
			if _, after := a.Connections(); after != before || first == nil {
				t.Errorf("it was tried again at once: %d connections more", after-before)
			}
			if _, rest, _ := strings.Cut(fmt.Sprint(err), "try again in "); rest != "30 s" && rest != "29 s" && rest != "28 s" { // some of it has gone by
				t.Errorf("it is to be tried again in %q", rest)
			}
			return err
		}, "Smoke wants to be left alone: try again in "},
		{"unpairing what is not paired", func(s *scene) error { _, err := s.adapter.Unpair(t.Context(), "123456789ABC"); return err },
			"no accessory with the id 12:34:56:78:9a:bc is paired with us"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.do(prepare(t, alone()))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestAPairingThatCannotBeKeptIsUndone(t *testing.T) {
	s := prepare(t, alone())
	s.pair("Smoke")
	s.unpair(s.server("Smoke").ID()) // the identity is there now
	s.vault.Break(errors.New("the card is full"))
	a := s.server("Smoke")
	if _, err := s.adapter.Pair(t.Context(), a.ID(), a.Code(), ""); err == nil || !strings.Contains(err.Error(), "the card is full") {
		t.Fatalf("got %v", err)
	}
	s.vault.Break(nil)
	s.pair("Smoke") // it can be paired again
}

func TestPairAndUnpairTakeEffectAtOnce(t *testing.T) {
	s := prepare(t, flat()[:2])
	s.run(1)
	s.pair("Relay")
	s.up(relaySerial, bedroomSerial, bathSerial, hallSerial)
	paired, err := s.adapter.Paired()
	s.must(err)
	if len(paired) != 1 || !paired[0].Live || paired[0].Name != "Relay" || len(paired[0].Devices) != 4 || len(paired[0].NotUnderstood) == 0 {
		t.Errorf("paired are %+v", paired)
	}
	s.pair("CO")
	s.up(s.hkID("CO"))
	s.unpair(s.server("Relay").ID())
	gone := map[gateway.DeviceID]bool{}
	for len(gone) < 4 {
		gone[gatewaytest.Wait[gateway.Gone](s.house, nil).Device] = true
	}
	if !gone[relaySerial] || !gone[bathSerial] {
		t.Errorf("gone are %v", gone)
	}
	s.pair("Relay") // it is free for anybody
	s.up(bedroomSerial)
}

func TestADeviceThatIsGoneIsForgotten(t *testing.T) {
	s := prepare(t, alone())
	p := s.pair("Smoke")
	s.must(s.server("Smoke").Stop())
	_, err := s.adapter.Unpair(t.Context(), p.ID)
	if !errors.Is(err, accessory.ErrOnlyForgotten) || !strings.HasPrefix(err.Error(), "Smoke: it is forgotten here") {
		t.Errorf("got %v", err)
	}
	if listed, err := s.adapter.Paired(); err != nil || len(listed) != 0 {
		t.Errorf("listed are %+v (%v)", listed, err)
	}
	if before, err := s.vault.Get("previous/" + p.ID); err != nil || len(before) == 0 {
		t.Errorf("no backup is kept: %v", err)
	}
}

func TestTheVaultIsTakenAtItsWord(t *testing.T) {
	s := prepare(t, alone())
	p := s.pair("Smoke")
	before, err := s.vault.Get("controller")
	s.must(err)

	t.Run("a damaged identity is not replaced", func(t *testing.T) {
		s.must(s.vault.Set("controller", []byte("{")))
		a := s.server("Smoke")
		s.must(a.Forget())
		if _, err := s.adapter.Pair(t.Context(), a.ID(), a.Code(), ""); err == nil {
			t.Error("it is announced as free, but ours: paired with a new identity")
		}
		if now, err := s.vault.Get("controller"); err != nil || string(now) != "{" {
			t.Errorf("the identity is %s now (%v)", now, err)
		}
		s.must(s.vault.Set("controller", before))
	})
	t.Run("a damaged pairing does not hinder the others, and can be forgotten", func(t *testing.T) {
		s.must(s.vault.Set("pairing/"+p.ID, []byte(`{"version":1}`)))
		if listed, err := s.adapter.Paired(); err != nil || len(listed) != 0 {
			t.Errorf("listed are %+v (%v)", listed, err)
		}
		if _, err := s.adapter.Unpair(t.Context(), p.ID); !errors.Is(err, accessory.ErrOnlyForgotten) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a pairing of a newer version is left alone", func(t *testing.T) {
		newer := []byte(`{"version":99,"pairing":{"accessory_id":"` + p.ID + `"}}`)
		s.must(s.vault.Set("pairing/"+p.ID, newer))
		if _, err := s.adapter.Unpair(t.Context(), p.ID); err == nil || !strings.Contains(err.Error(), "newer version") {
			t.Errorf("got %v", err)
		}
		if now, err := s.vault.Get("pairing/" + p.ID); err != nil || string(now) != string(newer) {
			t.Errorf("it is %s now (%v)", now, err)
		}
	})
}

func TestDiscover(t *testing.T) {
	var own string
	s := prepare(t, flat())
	own = s.server("Coach").ID()
	s.adapter = accessory.New(accessory.Options{Vault: s.vault, Own: func() []string { return []string{own} }, Browse: func(ctx context.Context) ([]accessory.Announced, error) {
		found, err := s.browse(ctx)
		return append(found, found...), err // mDNS tells more than once
	}})
	found, err := s.adapter.Discover(t.Context())
	s.must(err)
	var names []string
	for _, f := range found {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, ", "); got != "CO, Relay, Sirène du hall, Smoke" {
		t.Errorf("found are %s", got)
	}
	if found[1].Model != "Netatmo Relay" || found[1].Category != hap.CategoryBridge || found[1].Paired {
		t.Errorf("the relay is %+v", found[1])
	}
}
