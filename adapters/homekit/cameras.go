package homekit

import (
	"context"
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/homekit/stream"
	"github.com/veilleuse/veilleuse/gateway"
)

// Cameras are the pictures of the cameras on the LAN. Both methods are called from many goroutines.
type Cameras interface {
	// Picture returns a JPEG within about a second, and when it was taken.
	Picture(ctx context.Context, device gateway.DeviceID) (jpeg []byte, at time.Time, err error)
	// Watch shows the live picture until ctx ends, show fails, or the camera is lost, and returns why. show gets
	// one picture of H.264 after the other, when it is due, as NAL units without start codes; at is its time
	// since the first, which decoding can begin with. width is what is wanted, in pixels; 0: the best.
	Watch(ctx context.Context, device gateway.DeviceID, width int, show func(at time.Duration, units [][]byte) error) error
}

// viewersOfOne is how many may watch one camera at once: HomeKit wants two, and a camera has few
// connections to give. Each has a service of its own.
const viewersOfOne = 2

// place is where one viewer watches a camera.
type place struct {
	device gateway.DeviceID
	number int // from 1 to viewersOfOne
}

// view is what a viewer negotiates by writing to a characteristic.
type view struct {
	place
	kind hap.UUID
}

// onLAN reports whether a camera is known to answer by its own HTTP interface, or once did.
func onLAN(d gateway.Device) bool {
	_, ok := d.Face(gateway.CameraAdapter)
	return ok
}

// withPictures adds the services of a camera to a device's accessory. Pictures are what it is there for,
// unless it is a doorbell.
func withPictures(m model, device gateway.DeviceID, taken [viewersOfOne]bool) model {
	doorbell := false
	for i := range m.services {
		doorbell = doorbell || isDoorbell(m.services[i])
		m.services[i].primary = isDoorbell(m.services[i])
	}
	for i, inUse := range taken {
		s := streamService(place{device, i + 1}, inUse)
		s.primary = !doorbell && i == 0
		m.services = append(m.services, s)
	}
	return m
}

// streamService is the Camera RTP Stream Management of one viewer (HAP R14 11).
func streamService(p place, inUse bool) serviceModel {
	negotiated := func(kind hap.UUID, value []byte) point {
		return point{kind: kind, value: hap.DataValue(value), view: view{p, kind}}
	}
	return serviceModel{kind: hap.ServiceCameraStream, name: fmt.Sprint("viewer", p.number), points: []point{
		{kind: hap.CharacteristicStreamingStatus, value: hap.DataValue(stream.Streaming(inUse))},
		{kind: hap.CharacteristicSupportedVideoConfiguration, value: hap.DataValue(stream.SupportedVideo())},
		{kind: hap.CharacteristicSupportedAudioConfiguration, value: hap.DataValue(stream.SupportedAudio())},
		{kind: hap.CharacteristicSupportedRTPConfiguration, value: hap.DataValue(stream.SupportedRTP())},
		negotiated(hap.CharacteristicSetupEndpoints, stream.NoEndpoints()),
		negotiated(hap.CharacteristicSelectedStreamConfiguration, nil),
	}}
}

// snapshot is the picture for a tile. It comes in the size that the camera gives, whatever was asked for: the Home app
// makes it fit, and to make it smaller here would cost a small board more than to send it.
func (a *Adapter) snapshot(ctx context.Context, b *bridge, wanted hap.SnapshotRequest) ([]byte, error) {
	a.mu.Lock()
	device, ok := b.shelf.camera(wanted.AID)
	a.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("accessory %d is no camera", wanted.AID)
	}
	jpeg, _, err := a.options.Cameras.Picture(ctx, device)
	return jpeg, err
}
