package homekit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// film is a camera that sends a small picture a hundred times a second.
type film struct {
	mu     sync.Mutex
	widths []int // that were asked for
	lost   error // set: there is nothing to see
}

func (f *film) Picture(_ context.Context, device gateway.DeviceID) ([]byte, time.Time, error) {
	if device != "camera" {
		return nil, time.Time{}, errors.New("no such camera")
	}
	return []byte("\xff\xd8a picture\xff\xd9"), at, nil
}

func (f *film) Watch(ctx context.Context, _ gateway.DeviceID, width int, show func(time.Duration, [][]byte) error) error {
	f.mu.Lock()
	f.widths = append(f.widths, width)
	f.mu.Unlock()
	for n := 0; ; n++ {
		f.mu.Lock()
		lost := f.lost
		f.mu.Unlock()
		if lost != nil {
			return lost
		}
		if err := show(time.Duration(n)*10*time.Millisecond, [][]byte{{0x65, byte(n), 1, 2}}); err != nil {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *film) lose(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lost = why
}

func (f *film) asked() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.widths)
}

// filmed is the home with cameras that answer on the LAN: one indoors, and one that is a doorbell, too.
func filmed() gateway.State {
	s := home()
	for _, id := range []gateway.DeviceID{"camera", "bell"} {
		d, _ := s.Devices.Get(id)
		d.Faces = append(slices.Clone(d.Faces), gateway.Face{Adapter: gateway.CameraAdapter, Reaches: true})
		s.Devices = s.Devices.With(id, d)
	}
	return s
}

// cinema is a live bridge with a camera.
type cinema struct {
	live
	film *film
	said *spoken
}

// spoken is a log that may be written and read at the same time.
type spoken struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *spoken) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *spoken) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// openCinema starts it; change may alter how patient it is.
func openCinema(t *testing.T, change func(*viewers)) cinema {
	t.Helper()
	c := cinema{film: &film{}, said: &spoken{}}
	a := New(Options{Vault: gatewaytest.NewVault(), Listen: "127.0.0.1:0", Name: "Test", Cameras: c.film, Log: slog.New(slog.NewTextHandler(c.said, nil))})
	if change != nil {
		change(a.viewers)
	}
	c.live = startWith(t, a, filmed())
	return c
}

// until waits for what takes a moment.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(gatewaytest.Patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

func TestCameraAccessories(t *testing.T) {
	c := openCinema(t, nil)
	primaries := func(name string) (kinds []hap.UUID, streams int) {
		id, _ := find(t, c.all, name, hap.ServiceCameraStream, hap.CharacteristicSetupEndpoints)
		for _, a := range c.all {
			if a.AID != id.AID {
				continue
			}
			for _, s := range a.Services {
				if s.Primary {
					kinds = append(kinds, s.Type)
				}
				if s.Type == hap.ServiceCameraStream {
					streams++
				}
			}
		}
		return kinds, streams
	}
	if kinds, streams := primaries("camera"); !slices.Equal(kinds, []hap.UUID{hap.ServiceCameraStream}) || streams != viewersOfOne {
		t.Errorf("the camera is %s, with %d places", kinds, streams)
	}
	if kinds, streams := primaries("bell"); !slices.Equal(kinds, []hap.UUID{hap.ServiceDoorbell}) || streams != viewersOfOne {
		t.Errorf("the doorbell is %s, with %d places", kinds, streams)
	}
	find(t, c.all, "camera", hap.ServiceMotionSensor, hap.CharacteristicMotionDetected)
	for _, a := range c.all {
		if _, ok := a.Find(hap.ServiceMicrophone); ok {
			t.Error("there is a microphone, of which nothing would be heard")
		}
	}
}

func TestSnapshotOfTheRightAccessory(t *testing.T) {
	c := openCinema(t, nil)
	camera, _ := find(t, c.all, "camera", hap.ServiceMotionSensor, hap.CharacteristicMotionDetected)
	bell, _ := find(t, c.all, "bell", hap.ServiceDoorbell, hap.CharacteristicProgrammableSwitchEvent)
	station, _ := find(t, c.all, "station", hap.ServiceTemperatureSensor, hap.CharacteristicCurrentTemperature)
	if jpeg, err := c.bridge.snapshot(t.Context(), c.bridge.bridges[0], hap.SnapshotRequest{AID: camera.AID, Width: 640, Height: 360}); err != nil || len(jpeg) == 0 {
		t.Error(err)
	}
	for _, id := range []hap.CharacteristicID{bell, station, {AID: 9999}} {
		if _, err := c.bridge.snapshot(t.Context(), c.bridge.bridges[0], hap.SnapshotRequest{AID: id.AID}); err == nil {
			t.Errorf("accessory %d gave a picture", id.AID)
		}
	}
}

// After a restart nobody knows yet how the camera is reached. Its services stay, for the Home app would forget them, and
// who wants to watch hears that it cannot be reached.
func TestACameraThatIsNotKnownYet(t *testing.T) {
	v := gatewaytest.NewVault()
	open := func(s gateway.State) *Adapter {
		a := New(Options{Vault: v, Name: "Veilleuse", Cameras: &film{}, Log: slog.New(slog.DiscardHandler)})
		if err := a.load(make(chan write, wishQueue)); err != nil {
			t.Fatal(err)
		}
		a.begin()
		if err := a.publish(gateway.State{}, s, at); err != nil {
			t.Fatal(err)
		}
		return a
	}
	before := open(filmed()).bridges[0].shelf.accessories()
	a := open(home())
	b := a.bridges[0]
	after := b.shelf.accessories()
	for _, kind := range []hap.UUID{hap.CharacteristicSetupEndpoints, hap.CharacteristicSelectedStreamConfiguration} {
		was, _ := find(t, before, "camera", hap.ServiceCameraStream, kind)
		id, _ := find(t, after, "camera", hap.ServiceCameraStream, kind)
		if id != was {
			t.Errorf("%s was %v and is %v", kind, was, id)
		}
		results := a.take(t.Context(), b, []hap.WriteRequest{{ID: id, Value: hap.DataValue(nil)}}, nil)
		if results[0].Status != hap.StatusUnreachable {
			t.Errorf("a write to %s gives %v", kind, results[0].Status)
		}
	}
	id, _ := find(t, after, "camera", hap.ServiceCameraStream, hap.CharacteristicStreamingStatus)
	if _, err := a.snapshot(t.Context(), b, hap.SnapshotRequest{AID: id.AID}); err == nil {
		t.Error("it gave a picture")
	}
}
