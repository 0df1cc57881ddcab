package mqtt

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Pictures of cameras show people, and whoever may read on a broker reads everything: so they are sent only
// if the configuration says so, and never retained, so that none lies on the broker or its disk. A picture is
// taken when something happens before the camera, and when Home Assistant or the broker has come anew.
const (
	picturePause   = 30 * time.Second // between two of one camera
	pictureTime    = 10 * time.Second // for the camera to answer
	longestPicture = 512 << 10        // bytes of JPEG; a camera's full HD picture has some 200 000
)

// scene is what a new picture is taken for when it changes. That a picture was taken is no part of it: ours
// would bring the next.
type scene struct {
	reachable, motion bool
	rings             gateway.Value
}

func sceneOf(d gateway.Device) scene {
	value := func(q gateway.Quantity) gateway.Value { m, _ := d.Reading(q); return m.Value }
	face, _ := d.Face(gateway.CameraAdapter)
	return scene{face.Reaches, value(gateway.Motion).Yes(), value(gateway.Ring)}
}

// calls reports whether something has happened since before, rather than ended.
func (s scene) calls(before scene) bool {
	return s.reachable && !before.reachable || s.motion && !before.motion || s.rings != before.rings
}

// hasPictures reports whether a device is a camera on the LAN.
func hasPictures(d gateway.Device) bool {
	_, ok := d.Face(gateway.CameraAdapter)
	return ok
}

// album takes pictures, one at a time.
type album struct {
	picture func(context.Context, gateway.DeviceID) (jpeg []byte, at time.Time, err error) // nil: none are taken
	scenes  map[gateway.DeviceID]scene
	due     []gateway.DeviceID // oldest wish first
	asked   map[gateway.DeviceID]time.Time
	sent    map[gateway.DeviceID][sha256.Size]byte
	taken   chan taken
	busy    bool
	wake    <-chan time.Time // when the next is due; nil: none is
	running sync.WaitGroup
}

// taken is how taking a picture has ended.
type taken struct {
	of   gateway.DeviceID
	jpeg []byte
	err  error
}

func newAlbum(picture func(context.Context, gateway.DeviceID) ([]byte, time.Time, error)) *album {
	return &album{
		picture: picture, scenes: make(map[gateway.DeviceID]scene), asked: make(map[gateway.DeviceID]time.Time),
		sent: make(map[gateway.DeviceID][sha256.Size]byte), taken: make(chan taken, 1),
	}
}

// look notes which cameras have something to show.
func (a *album) look(old, now gateway.State) {
	if a.picture == nil {
		return
	}
	for id := range now.Devices.Changes(old.Devices) {
		d, ok := now.Devices.Get(id)
		if !ok || !hasPictures(d) {
			delete(a.scenes, id)
			delete(a.sent, id)
			continue
		}
		before := a.scenes[id]
		if a.scenes[id] = sceneOf(d); a.scenes[id].calls(before) {
			a.want(id)
		}
	}
}

func (a *album) want(id gateway.DeviceID) {
	if !slices.Contains(a.due, id) {
		a.due = append(a.due, id)
	}
}

// again wants a picture of every camera: whoever reads them has none.
func (a *album) again() {
	clear(a.sent)
	for id, s := range a.scenes {
		if s.reachable {
			a.want(id)
		}
	}
}

// next begins to take the picture that is due first, or sets the time for it.
func (a *album) next(ctx context.Context) {
	a.wake = nil
	if a.busy || len(a.due) == 0 {
		return
	}
	soonest := picturePause
	for i, id := range a.due {
		pause := picturePause - time.Since(a.asked[id])
		if a.asked[id].IsZero() || pause <= 0 {
			a.due = slices.Delete(a.due, i, i+1)
			a.take(ctx, id)
			return
		}
		soonest = min(soonest, pause)
	}
	a.wake = time.After(soonest)
}

func (a *album) take(ctx context.Context, id gateway.DeviceID) {
	a.busy, a.asked[id] = true, time.Now()
	a.running.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, pictureTime)
		defer cancel()
		jpeg, _, err := a.picture(ctx, id)
		if err == nil && len(jpeg) > longestPicture {
			err = errors.New("it has too many bytes for a message")
		}
		a.taken <- taken{id, jpeg, err} // room for one, and there is one at a time
	})
}

// keep ends taking one, and reports whether it is another than the last.
func (a *album) keep(t taken) bool {
	a.busy = false
	if t.err != nil {
		return false
	}
	if _, still := a.scenes[t.of]; !still {
		return false
	}
	sum := sha256.Sum256(t.jpeg)
	if a.sent[t.of] == sum {
		return false
	}
	a.sent[t.of] = sum
	return true
}

// photograph sends a picture that was taken.
func (s *session) photograph(t taken) {
	place, known := s.view.devices[t.of]
	switch {
	case t.err != nil:
		s.log.Debug("no picture for MQTT", "camera", t.of, "err", t.err)
		s.album.keep(t)
	case s.album.keep(t) && known:
		s.view.board.display(place.page.topic+"/picture", t.jpeg)
	}
}

// pictureEntity announces the pictures of a camera to Home Assistant.
func pictureEntity(page, unique string) fields {
	return fields{
		"platform": "image", "name": "Picture", "unique_id": unique,
		"image_topic": page + "/picture", "content_type": "image/jpeg",
	}
}
