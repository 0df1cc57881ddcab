package camera

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// pingEvery is how often a camera is asked whether it is there, in the house's time. One that does not
// answer is asked again sooner at first: it may be restarting.
const pingEvery = time.Minute

var pingAgain = []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second}

// patientFailures is how many pings may fail before a camera that was there counts as gone: one lost
// ping is a hiccup of the Wi-Fi.
const patientFailures = 2

// unit is one camera. Two goroutines serve it: keepInTouch, which alone knows how it stands, and
// servePictures.
type unit struct {
	id        gateway.DeviceID
	house     *household
	client    client
	learned   chan Access
	announced chan []Announced
	commands  chan gateway.Command
	pictures  chan pictureWish

	// Of keepInTouch alone.
	known    known
	failures int    // pings in a row
	told     bool   // whether Reach was posted at all
	reaches  bool   // as posted
	why      string // as posted
	steered  bool   // whether Found was posted with what can be set

	mu       sync.Mutex
	way      way // to take pictures by; the zero one: none
	last     picture
	watchers int
}

func newUnit(h *household, k known) *unit {
	return &unit{
		id: k.Device, house: h, client: h.adapter.client, known: k,
		learned:   make(chan Access, 1),
		announced: make(chan []Announced, 1),
		commands:  make(chan gateway.Command, 8),
		pictures:  make(chan pictureWish),
	}
}

func (u *unit) keepInTouch() {
	ctx, port := u.house.ctx, u.house.port
	u.introduce()
	next := port.After(0)
	if len(u.known.keys()) == 0 { // what was learnt follows at once
		next = nil
	}
	for {
		select {
		case <-next:
			u.ping(ctx)
		case a := <-u.learned:
			u.learn(a)
			u.ping(ctx)
		case list := <-u.announced:
			if u.failures == 0 && u.told {
				continue
			}
			if !u.tryAnnounced(ctx, list) {
				continue
			}
		case c := <-u.commands:
			u.obey(ctx, c)
			if u.failures == 0 {
				continue
			}
		case <-ctx.Done():
			return
		}
		next = port.After(u.pause())
	}
}

func (u *unit) pause() time.Duration {
	if u.failures > 0 && u.failures <= len(pingAgain) {
		return pingAgain[u.failures-1]
	}
	return pingEvery
}

// introduce posts what the camera is. What can be set on it is said once it has answered: until then
// the cloud is the better way.
func (u *unit) introduce() {
	found := gateway.Found{Device: u.id, Name: u.known.Name, Model: u.known.Model}
	u.steered = u.known.Good.complete()
	if u.steered {
		found.Controls = []gateway.Control{{Quantity: gateway.Monitoring}}
		if models[u.known.Model].floodlight {
			found.Controls = append(found.Controls, gateway.Control{Quantity: gateway.Floodlight})
		}
	}
	u.house.port.Post(found)
}

// learn takes what the cloud says and keeps it, tried or not: the cloud may be gone when it is needed.
func (u *unit) learn(a Access) {
	before := u.known
	k, err := u.known.take(a, u.house.adapter.options.AllowLoopback)
	if err != nil {
		u.house.adapter.options.Log.Warn(err.Error())
	}
	if k == before {
		return
	}
	u.keep(k)
	if k.Name != before.Name || k.Model != before.Model {
		u.introduce()
	}
}

// keep makes k known, and durable.
func (u *unit) keep(k known) {
	u.known = k
	if err := k.save(u.house.adapter.options.Vault); err != nil {
		u.house.adapter.options.Log.Error("a camera's address will be forgotten with a restart", "camera", k.Device, "err", err)
	}
}

// ping asks the camera, by each way that may lead to it, and says whether it is there.
func (u *unit) ping(ctx context.Context) bool {
	err := errors.New("its address is not known yet")
	for _, w := range u.known.ways() {
		if err = u.verify(ctx, w); err == nil {
			u.reached(ctx, w)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
	}
	u.failed(err)
	return false
}

// verify asks whoever is there at the end of a way whether it is this camera: it must answer under the
// key and name the address itself. That tells one device from another, which is what DHCP mixes up; it
// is no proof against an attacker in the LAN, who reads the key in the question. Plain HTTP has none.
// An address that nobody could dial does not count: cameras have named link-local ones of themselves
// (pyatmo#354).
func (u *unit) verify(ctx context.Context, w way) error {
	id, err := u.client.ping(ctx, w)
	if errors.Is(err, errMissing) {
		return errOther // every camera knows the ping
	}
	if err != nil {
		return err
	}
	own, err := parseLocalURL(id.LocalURL)
	if err != nil || own.Key != w.Key || isOther(u.known.Model, id.Product) {
		return errOther
	}
	if own.Address != w.Address && mayDial(own.Address, u.house.adapter.options.AllowLoopback) == nil {
		return errors.New("the camera there says that its address is another one")
	}
	return nil
}

// reached notes that a way leads to the camera, and reads how it stands.
func (u *unit) reached(ctx context.Context, w way) {
	u.failures = 0
	if u.known.Good != w {
		k := u.known
		k.Good = w
		u.keep(k)
	}
	u.setWay(w)
	if !u.steered {
		u.introduce()
	}
	u.tell(true, "")
	u.readLight(ctx, w)
}

// failed notes that no way leads to the camera, and has it looked for.
func (u *unit) failed(err error) {
	u.failures++
	u.house.wantLook()
	sure := errors.Is(err, errKey) || errors.Is(err, errOther)
	if u.reaches && !sure && u.failures < patientFailures {
		return
	}
	u.setWay(way{})
	u.tell(false, err.Error())
}

// tell posts whether the camera answers, if that is news.
func (u *unit) tell(reaches bool, why string) {
	if u.told && u.reaches == reaches && u.why == why {
		return
	}
	if u.told && u.reaches != reaches || !u.told && !reaches {
		u.house.adapter.options.Log.Info("camera", "camera", u.id, "answers", reaches, "why", why)
	}
	u.told, u.reaches, u.why = true, reaches, why
	u.house.port.Post(gateway.Reach{Device: u.id, OK: reaches, Why: why})
}

// tryAnnounced tries the addresses at which this camera announced itself, once it is missed. Anybody
// can announce anything, so that each is verified like any other.
func (u *unit) tryAnnounced(ctx context.Context, list []Announced) bool {
	for _, a := range list {
		if !sameHardware(a.Hardware, string(u.id)) {
			continue
		}
		address := a.Address
		if !address.Addr().IsLoopback() { // its port is that of another service
			address = netip.AddrPortFrom(address.Addr().Unmap(), cameraPort)
		}
		if mayDial(address, u.house.adapter.options.AllowLoopback) != nil {
			continue
		}
		for _, key := range u.known.keys() {
			if w := (way{address, key}); u.verify(ctx, w) == nil {
				u.reached(ctx, w)
				return true
			}
		}
	}
	return false
}

// readLight posts how the floodlight stands. That it cannot be read now is no news.
func (u *unit) readLight(ctx context.Context, w way) {
	if !models[u.known.Model].floodlight {
		return
	}
	if l, err := u.client.light(ctx, w); err == nil {
		u.report(gateway.Floodlight, gateway.Word(l.mode()))
	}
}

func (u *unit) report(q gateway.Quantity, v gateway.Value) {
	u.house.port.Post(gateway.Reading{Device: u.id, Quantity: q, Value: v})
}

func (u *unit) setWay(w way) {
	u.mu.Lock()
	u.way = w
	u.mu.Unlock()
}

func (u *unit) wayNow() way {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.way
}
