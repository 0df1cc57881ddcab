package camera

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/camera/cameratest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

const (
	indoor  = gateway.DeviceID("70:ee:50:12:34:56")
	outdoor = gateway.DeviceID("70:ee:50:ab:cd:ef")
)

// scene is a fake camera, an adapter that may know it, and the house around.
type scene struct {
	t       *testing.T
	camera  *cameratest.Camera
	adapter *Adapter
	house   *gatewaytest.House
	vault   *gatewaytest.Vault
	said    *log

	mu    sync.Mutex
	found []Announced // what Browse finds
}

// log is a buffer that may be written and read at the same time.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func play(t *testing.T, setup cameratest.Setup) *cameratest.Camera {
	t.Helper()
	c, err := cameratest.Start(setup)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// newScene plays a camera of that model. The adapter does not know it yet.
func newScene(t *testing.T, model string) *scene {
	s := &scene{t: t, vault: gatewaytest.NewVault(), said: &log{}}
	device := indoor
	if model == "NOC" {
		device = outdoor
	}
	s.camera = play(t, cameratest.Setup{Device: string(device), Model: model})
	s.adapter = s.newAdapter()
	return s
}

func (s *scene) newAdapter() *Adapter {
	return New(Options{
		Vault: s.vault, AllowLoopback: true, Log: slog.New(slog.NewTextHandler(s.said, nil)),
		Browse: func(context.Context) ([]Announced, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return slices.Clone(s.found), nil
		},
	})
}

// start runs the adapter in a house in which a minute takes a tenth of a second.
func (s *scene) start() *scene {
	const haste = 600
	began := time.Now()
	s.house = gatewaytest.Start(s.t, "camera", s.adapter, func(l *gateway.Loop) {
		l.After = func(d time.Duration) <-chan time.Time { return time.After(d / haste) }
		l.Now = func() time.Time { return began.Add(time.Since(began) * haste) }
	})
	return s
}

func (s *scene) device() gateway.DeviceID { return gateway.DeviceID(s.camera.Device()) }

func (s *scene) access() Access {
	model := "NACamera"
	if s.device() == outdoor {
		model = "NOC"
	}
	return Access{Device: s.device(), Name: "Entrée", Model: model, Key: s.camera.Key(), LocalURL: s.camera.URL()}
}

// known starts the scene with a camera that the cloud has told of and that answers.
func knownScene(t *testing.T, model string) *scene {
	s := newScene(t, model)
	s.adapter.Learn(s.access())
	s.start()
	s.waitReach(true)
	return s
}

func (s *scene) waitReach(ok bool) gateway.Reach {
	s.t.Helper()
	return gatewaytest.Wait(s.house, func(r gateway.Reach) bool { return r.Device == s.device() && r.OK == ok })
}

// waitSaid waits until the log holds a text.
func (s *scene) waitSaid(text string) {
	s.t.Helper()
	for late := time.Now().Add(gatewaytest.Patience); !strings.Contains(s.said.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			s.t.Fatalf("nothing is said of %q: %s", text, s.said)
		}
	}
}

func (s *scene) announce(device gateway.DeviceID, at netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = append(s.found, Announced{strings.ToUpper(strings.ReplaceAll(string(device), ":", "")), at})
}

// ask sends a command and returns how it ended.
func (s *scene) ask(q gateway.Quantity, v gateway.Value) gateway.Outcome {
	s.t.Helper()
	point := gateway.Point{Adapter: "camera", Of: string(s.device()), Quantity: q}
	id := s.house.Send(gateway.Command{Point: point, Value: v, Why: "a test"})
	o := gatewaytest.Wait(s.house, func(o gateway.Outcome) bool { return o.ID == id })
	if o.Point != point {
		s.t.Errorf("the outcome is of %v", o.Point)
	}
	return o
}
