package mqtt_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

const (
	cameraID     = gateway.DeviceID("70:ee:50:00:00:03")
	pictureTopic = "veilleuse/device/70-ee-50-00-00-03/picture"
)

// filmed is a house with a camera, before which somebody moves or not.
func filmed(s gateway.State, motion bool) gateway.State {
	d := gateway.Device{ID: cameraID, Name: "Door", Faces: []gateway.Face{{Adapter: gateway.CameraAdapter, Reaches: true}}}
	s.Devices = s.Devices.With(cameraID, d.WithReading(gateway.Measure{Quantity: gateway.Motion, Value: gateway.Flag(motion), From: gateway.CameraAdapter}))
	return s
}

// photographer takes pictures; each is another unless still.
type photographer struct {
	asked int
	still bool
	fails error
	takes time.Duration
	bytes int
}

func (p *photographer) picture(ctx context.Context, id gateway.DeviceID) ([]byte, time.Time, error) {
	p.asked++
	select {
	case <-time.After(p.takes):
	case <-ctx.Done():
		return nil, time.Time{}, ctx.Err()
	}
	jpeg := "\xff\xd8\xff" + string(id) + strings.Repeat("x", p.bytes)
	if !p.still {
		jpeg += strings.Repeat("y", p.asked)
	}
	return []byte(jpeg), time.Time{}, p.fails
}

// pictures are those that were sent.
func pictures(t *testing.T, f *fakeBroker) (n int) {
	t.Helper()
	for _, p := range f.taken() {
		if p.topic != pictureTopic {
			continue
		}
		if n++; p.retain {
			t.Error("a picture is retained")
		}
		if !strings.HasPrefix(p.payload, "\xff\xd8\xff70:ee") {
			t.Errorf("sent as a picture: %.40q", p.payload)
		}
	}
	return n
}

func withCamera(t *testing.T, p *photographer, f func(*testing.T, *fakeBroker, *gatewaytest.House)) {
	inBubble(t, mqtt.Options{Discovery: "homeassistant", Picture: p.picture}, func(t *testing.T, b *fakeBroker, h *gatewaytest.House) {
		h.Show(func(s gateway.State) gateway.State { return filmed(s, false) })
		synctest.Wait()
		f(t, b, h)
	})
}

func moves(h *gatewaytest.House) {
	for _, motion := range []bool{true, false} {
		h.Show(func(s gateway.State) gateway.State { return filmed(s, motion) })
		synctest.Wait()
	}
}

func TestAPictureIsTakenWhenSomethingHappens(t *testing.T) {
	p := &photographer{}
	withCamera(t, p, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		if n := pictures(t, f); n != 1 {
			t.Errorf("%d pictures of a camera that is found, want one", n)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := pictures(t, f); n != 0 {
			t.Errorf("%d pictures in an hour in which nothing happens", n)
		}
		moves(h)
		if n := pictures(t, f); n != 1 {
			t.Errorf("%d pictures of somebody who moves, want one", n)
		}
	})
}

func TestPicturesAreTakenSeldom(t *testing.T) {
	p := &photographer{}
	withCamera(t, p, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		for range 50 {
			moves(h)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if n := pictures(t, f); n != 2 { // after 0 and 30 s
			t.Errorf("%d pictures in 50 s", n)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := pictures(t, f); n != 1 {
			t.Errorf("%d pictures for the last movement, want one", n)
		}
	})
}

func TestOnlyAChangedPictureIsSent(t *testing.T) {
	p := &photographer{still: true}
	withCamera(t, p, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		pictures(t, f)
		for range 3 {
			time.Sleep(time.Minute)
			moves(h)
		}
		if n := pictures(t, f); n != 0 || p.asked != 4 {
			t.Errorf("%d pictures of %d are sent though they are all the same", n, p.asked)
		}
		time.Sleep(time.Minute)
		f.deliver("homeassistant/status", "homeassistant/status", "online", false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := pictures(t, f); n != 1 {
			t.Errorf("%d pictures for a Home Assistant that was started anew, want one", n)
		}
	})
}

func TestACameraThatFailsHoldsUpNothing(t *testing.T) {
	for name, p := range map[string]*photographer{
		"does not answer": {takes: time.Hour},
		"fails":           {fails: errors.New("no")},
		"sends too much":  {bytes: 600 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			withCamera(t, p, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
				time.Sleep(time.Minute)
				moves(h)
				time.Sleep(time.Minute)
				if n := pictures(t, f); n != 0 {
					t.Errorf("%d pictures", n)
				}
				h.Show(warmer(25))
				synctest.Wait()
				if got := topics(f.taken()); got != "veilleuse/room/r1" {
					t.Errorf("afterwards sent: %s", got)
				}
				h.Stop() // within a second, though the camera takes an hour
			})
		})
	}
}

func TestWithoutTheOptionThereAreNoPictures(t *testing.T) {
	inBubble(t, mqtt.Options{Discovery: "homeassistant"}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		f.taken()
		h.Show(func(s gateway.State) gateway.State { return filmed(s, true) })
		time.Sleep(time.Hour)
		synctest.Wait()
		for _, p := range f.taken() {
			if p.topic == pictureTopic || strings.Contains(p.payload, `"image"`) {
				t.Errorf("sent: %s %s", p.topic, p.payload)
			}
		}
	})
}
