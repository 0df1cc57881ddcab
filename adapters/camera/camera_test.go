package camera

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/camera/cameratest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestACameraThatTheCloudTellsOf(t *testing.T) {
	s := newScene(t, "NOC")
	s.start()
	s.adapter.Learn(s.access())
	first := gatewaytest.Wait[gateway.Found](s.house, nil)
	if len(first.Controls) != 0 {
		t.Errorf("before it has answered, commands would go to it: %+v", first)
	}
	found := gatewaytest.Wait[gateway.Found](s.house, nil)
	want := []gateway.Control{{Quantity: gateway.Monitoring}, {Quantity: gateway.Floodlight}}
	if found.Device != outdoor || found.Name != "Entrée" || found.Model != "NOC" || !slices.Equal(found.Controls, want) {
		t.Errorf("%+v", found)
	}
	s.waitReach(true)
	light := gatewaytest.Wait[gateway.Reading](s.house, nil)
	if light.Quantity != gateway.Floodlight || light.Value != gateway.Word("auto") || light.Device != outdoor {
		t.Errorf("%+v", light)
	}
	s.camera.SetFloodlight("on")
	gatewaytest.Wait(s.house, func(r gateway.Reading) bool { return r.Value == gateway.Word("on") })
}

// A restart during an outage must not lose the camera: what was learnt is kept.
func TestARestartWithoutTheCloud(t *testing.T) {
	s := knownScene(t, "NACamera")
	s.house.Stop()
	s.adapter = s.newAdapter()
	s.start()
	found := gatewaytest.Wait[gateway.Found](s.house, nil)
	if found.Device != indoor || found.Name != "Entrée" || !slices.Equal(found.Controls, []gateway.Control{{Quantity: gateway.Monitoring}}) {
		t.Errorf("%+v", found)
	}
	s.waitReach(true)
}

// What the cloud told is kept even if the camera sleeps just then.
func TestWhatIsLearntIsKeptBeforeItIsTried(t *testing.T) {
	s := newScene(t, "NACamera")
	s.camera.Close()
	s.adapter.Learn(s.access())
	s.start()
	s.waitReach(false)
	s.house.Stop()
	s.adapter = s.newAdapter()
	if err := s.camera.Move(); err != nil {
		t.Fatal(err)
	}
	s.announce(indoor, s.camera.Address())
	s.start()
	s.waitReach(true)
}

func TestModelsWithoutLocalHTTPAreIgnored(t *testing.T) {
	s := newScene(t, "NACamera")
	for _, model := range []string{"NDB", "NSD", ""} {
		a := s.access()
		a.Model = model
		s.adapter.Learn(a)
	}
	s.start()
	s.adapter.Learn(Access{Device: outdoor, Model: "NOC", Key: "abcdef"}) // a sign that all before was taken
	gatewaytest.Wait(s.house, func(f gateway.Found) bool {
		if f.Device == indoor {
			t.Errorf("found: %+v", f)
		}
		return f.Device == outdoor
	})
	if asked := s.camera.Requests(); len(asked) != 0 {
		t.Errorf("it was asked %q", asked)
	}
}

func TestMonitoring(t *testing.T) {
	s := knownScene(t, "NACamera")
	for _, c := range []struct {
		name  string
		value gateway.Value
		on    bool
	}{
		{"off", gateway.Flag(false), false},
		{"off again", gateway.Flag(false), false},
		{"on by a word", gateway.Word("on"), true},
		{"on again", gateway.Flag(true), true},
		{"off by a word", gateway.Word("off"), false},
	} {
		point := gateway.Point{Adapter: "camera", Of: string(indoor), Quantity: gateway.Monitoring}
		id := s.house.Send(gateway.Command{Point: point, Value: c.value})
		read := gatewaytest.Wait(s.house, func(r gateway.Reading) bool { return r.Quantity == gateway.Monitoring })
		if read.Value != gateway.Flag(c.on) || s.camera.Monitoring() != c.on {
			t.Errorf("%s: read %v, camera %v", c.name, read.Value, s.camera.Monitoring())
		}
		if o := gatewaytest.Wait(s.house, func(o gateway.Outcome) bool { return o.ID == id }); o.Err != "" {
			t.Errorf("%s: %s", c.name, o.Err)
		}
	}
}

func TestFloodlightKeepsItsOtherSettings(t *testing.T) {
	for _, merges := range []bool{false, true} {
		t.Run(fmt.Sprint("merges ", merges), func(t *testing.T) {
			s := newScene(t, "NOC")
			s.camera.Close()
			s.camera = play(t, cameratest.Setup{Device: string(outdoor), Model: "NOC", Product: "noc", Merges: merges})
			s.adapter.Learn(s.access())
			s.start()
			s.waitReach(true)
			before := s.camera.Floodlight()
			for _, mode := range []string{"on", "off", "off", "auto"} {
				if o := s.ask(gateway.Floodlight, gateway.Word(mode)); o.Err != "" {
					t.Errorf("%s: %s", mode, o.Err)
				}
				want := strings.Replace(before, `"auto"`, `"`+mode+`"`, 1)
				if got := s.camera.Floodlight(); got != want {
					t.Errorf("%s: settings are %s, wanted %s", mode, got, want)
				}
			}
		})
	}
}

func TestCommandsThatCanNeverBeCarriedOut(t *testing.T) {
	s := knownScene(t, "NACamera")
	for _, c := range []struct {
		q    gateway.Quantity
		v    gateway.Value
		want string
	}{
		{gateway.Floodlight, gateway.Word("on"), "no floodlight"},
		{gateway.Monitoring, gateway.Number(20), "on or off"},
		{gateway.Monitoring, gateway.Value{}, "on or off"},
		{gateway.Target, gateway.Number(20), "no target"},
	} {
		if o := s.ask(c.q, c.v); !o.Final || !strings.Contains(o.Err, c.want) {
			t.Errorf("%s=%v: %+v", c.q, c.v, o)
		}
	}
	id := s.house.Send(gateway.Command{Point: gateway.Point{Adapter: "camera", Of: "ff:ff", Quantity: gateway.Monitoring}, Value: gateway.Flag(true)})
	if o := gatewaytest.Wait(s.house, func(o gateway.Outcome) bool { return o.ID == id }); !o.Final || o.Err == "" {
		t.Errorf("an unknown camera: %+v", o)
	}
	o := knownScene(t, "NOC").ask(gateway.Floodlight, gateway.Word("disco"))
	if !o.Final || !strings.Contains(o.Err, "disco") {
		t.Errorf("%+v", o)
	}
}

func TestContract(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	nobody := func(context.Context) ([]Announced, error) { return nil, nil }
	t.Run("no camera", func(t *testing.T) {
		gatewaytest.Contract(t, "camera", func(testing.TB) gateway.Adapter {
			return New(Options{Vault: gatewaytest.NewVault(), Browse: nobody, Log: quiet})
		})
	})
	for name, fault := range map[string]cameratest.Fault{"a camera": cameratest.None, "a camera that hangs": cameratest.Slow} {
		t.Run(name, func(t *testing.T) {
			c := play(t, cameratest.Setup{Device: string(outdoor), Model: "NOC"})
			c.Delay(time.Minute)
			c.Set(fault)
			gatewaytest.Contract(t, "camera", func(testing.TB) gateway.Adapter {
				a := New(Options{Vault: gatewaytest.NewVault(), Browse: nobody, Log: quiet, AllowLoopback: true})
				a.Learn(Access{Device: outdoor, Model: "NOC", Key: c.Key(), LocalURL: c.URL()})
				return a
			})
		})
	}
}
