package camera

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/camera/cameratest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// Each fault must be seen, said in words that fit, and be over when it is over.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault cameratest.Fault
		why   string
	}{
		"key refused with 401":      {cameratest.Unauthorized, "key"},
		"key refused with 403":      {cameratest.Forbidden, "key"},
		"a page with status 200":    {cameratest.Page, "something else"},
		"another camera":            {cameratest.OtherCamera, "key"},
		"a router that redirects":   {cameratest.Router, "something else"},
		"an impostor":               {cameratest.Impostor, "something else"},
		"a camera of another model": {cameratest.WrongProduct, "something else"},
		"status 500":                {cameratest.Broken, "something else"},
		"breaks off":                {cameratest.Truncated, "breaks off"},
		"sends without end":         {cameratest.Endless, "more than"},
		"answers too late":          {cameratest.Slow, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, "NACamera")
			if c.fault == cameratest.Slow { // any other is judged by what it says, however late on a busy machine
				s.adapter.client.patience = time.Second
			}
			s.adapter.Learn(s.access())
			s.start()
			s.waitReach(true)
			s.camera.Delay(time.Minute)
			s.camera.Set(c.fault)
			if lost := s.waitReach(false); !strings.Contains(lost.Why, c.why) {
				t.Errorf("the reason is %q, which says nothing of %q", lost.Why, c.why)
			}
			o := s.ask(gateway.Monitoring, gateway.Flag(false))
			if o.Err == "" || o.Final || s.camera.Monitoring() != true {
				t.Errorf("a command meanwhile: %+v", o)
			}
			s.camera.Set(cameratest.None)
			s.waitReach(true)
		})
	}
}

// Cameras have named a link-local address of themselves while they answered at a good one.
func TestACameraThatDoesNotKnowItsAddress(t *testing.T) {
	s := newScene(t, "NACamera")
	s.camera.Set(cameratest.LinkLocal)
	s.adapter.Learn(s.access())
	s.start()
	s.waitReach(true)
}

func TestOneLostPingIsAHiccup(t *testing.T) {
	s := newScene(t, "NACamera")
	s.adapter.Learn(s.access())
	s.start()
	s.waitReach(true)
	s.house.Stop()
	u := newUnit(&household{adapter: s.adapter, look: make(chan struct{}, 1)}, known{Device: indoor, Model: "NACamera"})
	u.told, u.reaches = true, true
	u.failed(errSilent) // would post to a house that is not there
	if !u.reaches || u.pause() != pingAgain[0] {
		t.Errorf("after one lost ping: reaches %v, asked again after %v", u.reaches, u.pause())
	}
	if len(u.house.look) != 1 {
		t.Error("it is not looked for")
	}
}

func TestTheRouterGivesTheCameraAnotherAddress(t *testing.T) {
	s := knownScene(t, "NOC")
	if err := s.camera.Move(); err != nil {
		t.Fatal(err)
	}
	// Others lie about being that camera; they know no key, or another one.
	liar := play(t, cameratest.Setup{Device: string(outdoor), Model: "NOC", Key: "ffffffffffffffffffffffffffffffff"})
	impostor := play(t, cameratest.Setup{Device: string(outdoor), Model: "NOC"})
	impostor.Set(cameratest.Impostor)
	s.announce(outdoor, liar.Address())
	s.announce(outdoor, impostor.Address())
	s.announce(outdoor, netip.MustParseAddrPort("169.254.3.4:80"))
	s.announce(outdoor, netip.MustParseAddrPort("8.8.8.8:80"))
	s.announce(indoor, s.camera.Address())
	s.waitReach(false)
	s.announce(outdoor, s.camera.Address())
	s.waitReach(true)
	if o := s.ask(gateway.Floodlight, gateway.Word("on")); o.Err != "" {
		t.Error(o.Err)
	}
	if !strings.Contains(s.camera.Floodlight(), `"mode":"on"`) || strings.Contains(liar.Floodlight()+impostor.Floodlight(), `"mode":"on"`) {
		t.Error("the command went elsewhere")
	}
	data, err := s.vault.Get(vaultPrefix + string(outdoor))
	if err != nil || !strings.Contains(string(data), s.camera.Address().String()) {
		t.Errorf("the new address is not kept: %v", err)
	}
}

func TestTheCameraGetsAnotherKey(t *testing.T) {
	s := knownScene(t, "NACamera")
	s.camera.SetKey("00000000000000000000000000000001")
	if lost := s.waitReach(false); !strings.Contains(lost.Why, "key") {
		t.Errorf("the reason is %q", lost.Why)
	}
	a := s.access()
	a.LocalURL = "" // the cloud's vpn_url names the key alone
	s.adapter.Learn(a)
	s.waitReach(true)
}

// The cloud has named wrong addresses. What worked goes on working.
func TestWrongNewsFromTheCloudDoesNoHarm(t *testing.T) {
	s := knownScene(t, "NACamera")
	good := s.access()
	for name, change := range map[string]func(*Access){
		"link-local address": func(a *Access) { a.LocalURL = "http://169.254.79.219/" + a.Key },
		"public address":     func(a *Access) { a.LocalURL = "http://198.65.1.2/" + a.Key },
		"no address":         func(a *Access) { a.LocalURL = "" },
		"no key":             func(a *Access) { a.LocalURL, a.Key = "", "" },
		"another key":        func(a *Access) { a.LocalURL, a.Key = "", "0123456789abcdef" },
		"a key that is none": func(a *Access) { a.LocalURL, a.Key = "", "../../etc" },
		"not local":          func(a *Access) { a.IsLocal = false },
	} {
		a := good
		change(&a)
		s.adapter.Learn(a)
		if name == "link-local address" { // before the next news takes its place
			s.waitSaid(name)
		}
		if o := s.ask(gateway.Monitoring, gateway.Flag(false)); o.Err != "" {
			t.Errorf("%s: %s", name, o.Err)
		}
	}
	s.house.Stop()
	for {
		select {
		case e := <-s.house.Facts():
			if r, ok := e.Fact.(gateway.Reach); ok && !r.OK {
				t.Errorf("the camera was lost: %+v", r)
			}
			continue
		default:
		}
		break
	}
}

func TestLoopbackIsNotDialledUnlessAllowed(t *testing.T) {
	s := knownScene(t, "NACamera") // puts a loopback address in the vault
	s.house.Stop()
	s.camera.Requests()
	s.adapter = New(Options{Vault: s.vault, Log: slog.New(slog.DiscardHandler),
		Browse: func(context.Context) ([]Announced, error) {
			return []Announced{{string(indoor), s.camera.Address()}}, nil
		}})
	s.start()
	s.waitReach(false)
	s.ask(gateway.Monitoring, gateway.Flag(false))
	if asked := s.camera.Requests(); len(asked) > 0 {
		t.Errorf("an address of this machine was asked %q", asked)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	s := knownScene(t, "NACamera")
	s.camera.Set(cameratest.Router)
	s.waitReach(false)
	for _, route := range s.camera.Requests() {
		if strings.Contains(route, "login") {
			t.Error("a redirect was followed")
		}
	}
}

func TestAVaultThatFails(t *testing.T) {
	s := newScene(t, "NACamera")
	s.adapter.Learn(s.access())
	s.start()
	s.waitReach(true)
	s.house.Stop()

	s.vault.Break(errors.New("the card is gone"))
	s.adapter = s.newAdapter()
	s.start()
	down := gatewaytest.Wait(s.house, func(h gateway.Health) bool { return !h.Up })
	if !strings.Contains(down.Why, "the card is gone") {
		t.Errorf("%q", down.Why)
	}
	s.house.Stop()

	// Learnt while nothing can be kept: it works all the same, and it is said.
	s.vault = gatewaytest.NewVault()
	s.vault.Seal(errors.New("the card is full"))
	s.adapter = s.newAdapter()
	s.start()
	s.adapter.Learn(s.access())
	s.waitReach(true)
	if !strings.Contains(s.said.String(), "will be forgotten") {
		t.Errorf("nothing is said: %s", s.said)
	}
}

func TestUnreadableKeepsakesAreNamedAndLeftAlone(t *testing.T) {
	s := newScene(t, "NACamera")
	s.vault.Put(vaultPrefix+"70:ee:50:00:00:01", `{"version":9,"device":"70:ee:50:00:00:01","model":"NOC"}`)
	s.vault.Put(vaultPrefix+"70:ee:50:00:00:02", `{`)
	s.adapter.Learn(s.access())
	s.start()
	s.waitReach(true)
	for _, id := range []string{"70:ee:50:00:00:01", "70:ee:50:00:00:02"} {
		if !strings.Contains(s.said.String(), id) {
			t.Errorf("%s is not named: %s", id, s.said)
		}
		if v, _ := s.vault.Get(vaultPrefix + id); len(v) == 0 {
			t.Errorf("%s is gone", id)
		}
	}
}

// Whoever reads a log, a fact or an error must not get into the camera.
func TestSecretsStayInside(t *testing.T) {
	s := newScene(t, "NOC")
	var errs []string
	picture := func() {
		if _, _, err := s.adapter.Snapshot(context.Background(), outdoor); err != nil {
			errs = append(errs, err.Error())
		}
	}
	s.adapter.fresh = 0
	s.adapter.client.patience, s.adapter.client.picturePatience = 500*time.Millisecond, 500*time.Millisecond
	a := s.access()
	s.adapter.Learn(a)
	a.LocalURL = "http://198.65.1.2/" + a.Key
	s.start()
	s.waitReach(true)
	s.adapter.Learn(a)
	s.camera.Delay(time.Minute)
	for fault := cameratest.None; fault <= cameratest.Slow; fault++ {
		s.camera.Set(fault)
		errs = append(errs, s.ask(gateway.Monitoring, gateway.Flag(fault%2 == 0)).Err, s.ask(gateway.Floodlight, gateway.Word("on")).Err)
		picture()
	}
	s.camera.Close()
	errs = append(errs, s.ask(gateway.Monitoring, gateway.Flag(true)).Err)
	picture()
	s.house.Stop()
	all := s.said.String() + strings.Join(errs, "\n") + fmt.Sprintf("%v %+v", a, a)
	for {
		select {
		case e := <-s.house.Facts():
			all += fmt.Sprintf("%+v\n", e)
			continue
		default:
		}
		break
	}
	for _, secret := range []string{s.camera.Key(), "http:", "127.0.0.1", "198.65"} {
		if i := strings.Index(all, secret); i >= 0 {
			t.Errorf("%q slipped out: %.200s", secret, all[max(0, i-100):])
		}
	}
	if len(errs) < 20 {
		t.Errorf("only %d errors were looked at", len(errs))
	}
}
