package accessory_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// stranger is another controller.
func stranger(t *testing.T) hap.Identity {
	t.Helper()
	identity, err := hap.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func asController(i hap.Identity) accessory.Controller {
	return accessory.Controller{ID: i.ID, Key: i.Public(), Admin: true}
}

// TestAnAccessoryIsSharedAndJoined plays two houses with one accessory, by the running adapter and without it.
func TestAnAccessoryIsSharedAndJoined(t *testing.T) {
	for _, running := range []bool{true, false} {
		name := "while it runs"
		if !running {
			name = "while it does not"
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, network := quiet(t, alone())
				s.back(time.Minute, smokeID)
				if !running {
					s.house.Stop()
				}
				a := s.server("Smoke")
				other := accessory.New(accessory.Options{Vault: gatewaytest.NewVault(), Browse: s.browse, Dial: network.Dial})
				me, err := other.Identity()
				s.must(err)

				if _, err := other.Join(t.Context(), a.ID(), "", a.Key(), ""); !errors.Is(err, accessory.ErrNotAdded) {
					t.Errorf("to join before being added gives %v", err)
				}
				me.Admin = true
				shared, err := s.adapter.Share(t.Context(), a.ID(), me)
				s.must(err)
				if shared.AccessoryID != a.ID() || !bytes.Equal(shared.AccessoryKey, a.Key()) || shared.Address != a.Address() {
					t.Errorf("shared is %+v", shared)
				}
				wrong, _, _ := ed25519.GenerateKey(nil)
				if _, err := other.Join(t.Context(), a.ID(), "", wrong, ""); err == nil || !strings.Contains(err.Error(), "does not prove itself by that key") {
					t.Errorf("to join with another's key gives %v", err)
				}
				if p, err := other.Join(t.Context(), strings.ToLower(a.ID()), "", shared.AccessoryKey, "Hall"); err != nil || p.Room != "Hall" || p.Name != "Smoke" {
					t.Fatalf("joined %+v, %v", p, err)
				}
				both, err := other.Controllers(t.Context(), a.ID())
				if err != nil || len(both) != 2 || !both[0].Own || both[0].ID != me.ID || !both[0].Admin || both[1].Own {
					t.Errorf("its controllers are %+v (%v)", both, err)
				}
				s.must(s.adapter.RemoveController(t.Context(), a.ID(), me.ID))
				if _, err := other.Controllers(t.Context(), a.ID()); err == nil || !strings.Contains(err.Error(), "pairing was removed") {
					t.Errorf("the one that was removed gets %v", err)
				}
				if got := a.Controllers(); len(got) != 1 {
					t.Errorf("it knows %v", got)
				}
			})
		})
	}
}

func TestARunningAdapterJoinsAndLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, network := quiet(t, alone())
		s.back(time.Minute, smokeID)
		s.house.Stop()
		owner := accessory.New(accessory.Options{Vault: s.vault, Browse: s.browse, Dial: network.Dial})
		s.vault = gatewaytest.NewVault()
		s.adapter = accessory.New(accessory.Options{Vault: s.vault, Browse: s.browse, Dial: network.Dial})
		s.house = gatewaytest.Start(t, gateway.AccessoryAdapter, s.adapter)
		a := s.server("Smoke")
		me, err := s.adapter.Identity()
		s.must(err)
		_, err = owner.Share(t.Context(), a.ID(), me) // no admin
		s.must(err)
		_, err = s.adapter.Join(t.Context(), a.ID(), a.Address(), a.Key(), "")
		s.must(err)
		s.back(time.Minute, smokeID)
		if _, err := s.adapter.Controllers(t.Context(), a.ID()); err == nil || !strings.Contains(err.Error(), "no admin") {
			t.Errorf("one that is no admin gets the list: %v", err)
		}
		s.must(s.fake.SetSmoke("Smoke", true))
		happens(s, time.Second, "the smoke", func(r gateway.Reading) bool { return r.Quantity == gateway.Smoke && r.Value.Yes() })
		if _, err := s.adapter.Join(t.Context(), a.ID(), "", a.Key(), ""); err == nil || !strings.Contains(err.Error(), "paired with us already") {
			t.Errorf("to join twice gives %v", err)
		}
		forgotten, err := owner.Unpair(t.Context(), a.ID())
		if err != nil || len(forgotten) != 1 || forgotten[0].ID != me.ID {
			t.Errorf("with its last admin it forgets %+v (%v), want us", forgotten, err)
		}
		happens(s, 2*time.Minute, "the word of it", func(r gateway.Reach) bool { return !r.OK && strings.Contains(r.Why, "pairing was removed") })
	})
}

func TestWhatAboutControllersIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, network := quiet(t, alone())
		s.back(time.Minute, smokeID)
		a := s.server("Smoke")
		me, err := s.adapter.Identity()
		s.must(err)
		friend := asController(stranger(t))
		twin := friend
		twin.Key = stranger(t).Public()
		_, err = s.adapter.Share(t.Context(), a.ID(), friend)
		s.must(err)
		share := func(c accessory.Controller) error { _, err := s.adapter.Share(t.Context(), a.ID(), c); return err }
		for _, test := range []struct {
			name string
			err  error
			want string
		}{
			{"us, to be removed", s.adapter.RemoveController(t.Context(), a.ID(), me.ID), "that is Veilleuse itself: veilleuse unpair " + normal(a.ID()) + " ends our own pairing"},
			{"nobody, to be removed", s.adapter.RemoveController(t.Context(), a.ID(), "nobody"), `Smoke has no controller "nobody"`},
			{"of an accessory that is not ours", s.adapter.RemoveController(t.Context(), "12:34:56:78:9a:bc", "x"), "no accessory with the id 12:34:56:78:9a:bc is paired with us"},
			{"us, to be added", share(me), "that is Veilleuse itself"},
			{"the same with another key", share(twin), "knows " + friend.ID + " with another key"},
			{"a short key", share(accessory.Controller{ID: "x", Key: []byte{1}}), "the public key has 1 bytes: an Ed25519 key has 32"},
			{"a key of zeros", share(accessory.Controller{ID: "x", Key: make([]byte, 32)}), "nothing but zeros"},
			{"no name", share(accessory.Controller{Key: friend.Key}), `"" is no controller's id`},
			{"a name with a bell", share(accessory.Controller{ID: "a\a", Key: friend.Key}), "is no controller's id"},
			{"a long name", share(accessory.Controller{ID: strings.Repeat("a", 65), Key: friend.Key}), "is no controller's id"},
		} {
			if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
				t.Errorf("%s: got %v\nwant %s", test.name, test.err, test.want)
			}
		}
		if got := a.Controllers(); len(got) != 2 {
			t.Errorf("it knows %v", got)
		}
		if _, ever := a.Connections(); ever != 1 {
			t.Errorf("all that took %d connections", ever)
		}
		s.must(a.Stop())
		happens(s, time.Minute, "the loss", func(r gateway.Reach) bool { return !r.OK })
		began := time.Now()
		if _, err := s.adapter.Controllers(t.Context(), a.ID()); err == nil || !strings.Contains(err.Error(), "Smoke does not answer") || time.Since(began) > 0 {
			t.Errorf("one that is off gives %v after %v", err, time.Since(began))
		}
		s.house.Stop()
		if _, err := s.adapter.Controllers(t.Context(), a.ID()); err == nil || !strings.Contains(err.Error(), "Smoke does not answer: it refuses the connection") {
			t.Errorf("one that is off, without the daemon, gives %v", err)
		}
		free := accessory.New(accessory.Options{Vault: gatewaytest.NewVault(), Browse: s.browse, Dial: network.Dial})
		if _, err := free.Join(t.Context(), "relay", "", a.Key(), ""); err == nil || !strings.Contains(err.Error(), "is no HomeKit id") {
			t.Errorf("got %v", err)
		}
		s.must(a.Start())
		s.must(a.Forget())
		if _, err := free.Join(t.Context(), a.ID(), "", a.Key(), ""); err == nil || !strings.Contains(err.Error(), "Smoke has no owner: veilleuse pair") {
			t.Errorf("to join what is free gives %v", err)
		}
	})
}

// TestUnpairTakesTheSessionThatThereIs has an accessory told goodbye without a second connection.
func TestUnpairTakesTheSessionThatThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quiet(t, alone())
		s.back(time.Minute, smokeID)
		a := s.server("Smoke")
		forgotten, err := s.adapter.Unpair(t.Context(), a.ID())
		if err != nil || len(forgotten) != 0 || len(a.Controllers()) != 0 {
			t.Errorf("forgotten %+v, known %v (%v)", forgotten, a.Controllers(), err)
		}
		synctest.Wait() // the accessory hears of the end a moment later
		if open, ever := a.Connections(); open != 0 || ever != 1 {
			t.Errorf("it had %d connections, %d are open", ever, open)
		}
	})
}

// joinedByAnother has a second house join the alarm and take its leave.
func (b *bedside) joinedByAnother() {
	t := b.t
	t.Helper()
	other := accessory.New(accessory.Options{Vault: gatewaytest.NewVault(), Browse: nothingOnTheLAN, Radio: b.radio, Log: slog.New(slog.DiscardHandler)})
	me, err := other.Identity()
	if err != nil {
		t.Fatal(err)
	}
	me.Admin = true
	shared, err := b.adapter.Share(t.Context(), b.alarm.ID(), me)
	if err != nil {
		t.Fatal(err)
	}
	b.asleep()
	p, err := other.Join(t.Context(), b.alarm.ID(), "", shared.AccessoryKey, "")
	if err != nil || !p.Bluetooth || p.ID != normal(b.alarm.ID()) {
		t.Fatalf("joined %+v (%v)", p, err)
	}
	b.asleep()
	if forgotten, err := other.Unpair(t.Context(), b.alarm.ID()); err != nil || len(forgotten) != 0 || len(b.alarm.Controllers()) != 1 {
		t.Errorf("after its leave %+v are forgotten, %v are left (%v)", forgotten, b.alarm.Controllers(), err)
	}
}

func TestControllersOfOneOnBluetooth(t *testing.T) {
	for _, running := range []bool{true, false} {
		name := "while it runs"
		if !running {
			name = "while it does not"
		}
		t.Run(name, func(t *testing.T) {
			b := paired(t)
			if !running {
				b.house.Stop()
			}
			friend := stranger(t)
			shared, err := b.adapter.Share(t.Context(), b.alarm.ID(), asController(friend))
			if err != nil || !shared.Bluetooth {
				t.Fatalf("shared %+v (%v)", shared, err)
			}
			all, err := b.adapter.Controllers(t.Context(), b.alarm.ID())
			if err != nil || len(all) != 2 || !all[0].Own || all[1].ID != friend.ID {
				t.Errorf("its controllers are %+v (%v)", all, err)
			}
			p, err := b.alarm.Connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			pairing := hap.Pairing{AccessoryID: shared.AccessoryID, AccessoryKey: shared.AccessoryKey, Controller: friend}
			session, err := ble.Open(t.Context(), p, pairing, ble.Layout{}, 1)
			if err != nil {
				t.Fatal(err)
			}
			session.Close()
			b.asleep()
			if err := b.adapter.RemoveController(t.Context(), b.alarm.ID(), friend.ID); err != nil {
				t.Fatal(err)
			}
			if left := b.alarm.Controllers(); len(left) != 1 {
				t.Errorf("left are %+v", left)
			}
			b.asleep()
			b.joinedByAnother()
		})
	}
}
