package homekit

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/srtp/v3"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/homekit/stream"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// guest is one who watches, or wants to.
type guest struct {
	t       *testing.T
	c       cinema
	session string
	key     []byte
	salt    []byte
	conn    *net.UDPConn
	place   hap.Service
	aid     uint64
}

// guest finds the camera's service for its n-th viewer.
func (c cinema) guest(t *testing.T, n int, session string) *guest {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	g := &guest{t: t, c: c, session: (session + strings.Repeat("-", 16))[:16], key: bytes.Repeat([]byte{byte(n)}, 16), salt: bytes.Repeat([]byte{9}, 14), conn: conn}
	id, _ := find(t, c.all, "camera", hap.ServiceCameraStream, hap.CharacteristicStreamingStatus)
	for _, a := range c.all {
		if a.AID != id.AID {
			continue
		}
		g.aid = a.AID
		var places []hap.Service
		for _, s := range a.Services {
			if s.Type == hap.ServiceCameraStream {
				places = append(places, s)
			}
		}
		g.place = places[n-1]
	}
	return g
}

func (g *guest) id(kind hap.UUID) hap.CharacteristicID {
	g.t.Helper()
	c, ok := g.place.Find(kind)
	if !ok {
		g.t.Fatalf("there is no %s", kind)
	}
	return hap.CharacteristicID{AID: g.aid, IID: c.IID}
}

func (g *guest) write(kind hap.UUID, value hap.TLV) hap.Status {
	g.t.Helper()
	results, err := g.c.session.Write(g.t.Context(), hap.Write{ID: g.id(kind), Value: hap.DataValue(value.Encode())})
	if err != nil {
		g.t.Fatal(err)
	}
	return results[0].Status
}

func (g *guest) read(kind hap.UUID) hap.TLV {
	g.t.Helper()
	results, err := g.c.session.Read(g.t.Context(), g.id(kind))
	if err != nil || results[0].Status != hap.StatusOK {
		g.t.Fatal(err, results)
	}
	text, _ := hap.TextOf(results[0].Value)
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		g.t.Fatal(err)
	}
	items, err := hap.DecodeTLV(data)
	if err != nil {
		g.t.Fatal(err)
	}
	return items
}

// setUp negotiates the endpoints and returns the answer's status.
func (g *guest) setUp() uint64 {
	g.t.Helper()
	port := binary.LittleEndian.AppendUint16(nil, uint16(g.conn.LocalAddr().(*net.UDPAddr).Port))
	where := hap.TLV{{Tag: 1, Value: []byte{0}}, {Tag: 2, Value: []byte("127.0.0.1")}, {Tag: 3, Value: port}, {Tag: 4, Value: port}}.Encode()
	keys := hap.TLV{{Tag: 1, Value: []byte{0}}, {Tag: 2, Value: g.key}, {Tag: 3, Value: g.salt}}.Encode()
	if status := g.write(hap.CharacteristicSetupEndpoints, hap.TLV{{Tag: 1, Value: []byte(g.session)}, {Tag: 3, Value: where}, {Tag: 4, Value: keys}, {Tag: 5, Value: keys}}); status != hap.StatusOK {
		g.t.Fatal(status)
	}
	answer := g.read(hap.CharacteristicSetupEndpoints)
	if string(answer.Get(1)) != g.session {
		g.t.Errorf("the answer is of session %q", answer.Get(1))
	}
	status, _ := answer.Number(2)
	return status
}

func (g *guest) order(order stream.Order, width uint16) hap.Status {
	g.t.Helper()
	control := hap.TLV{{Tag: 1, Value: []byte(g.session)}, {Tag: 2, Value: []byte{byte(order)}}}.Encode()
	attributes := hap.TLV{{Tag: 1, Value: binary.LittleEndian.AppendUint16(nil, width)}}.Encode()
	interval := binary.LittleEndian.AppendUint32(nil, math.Float32bits(0.5))
	rtp := hap.TLV{{Tag: 1, Value: []byte{99}}, {Tag: 4, Value: interval}}.Encode()
	video := hap.TLV{{Tag: 3, Value: attributes}, {Tag: 4, Value: rtp}}.Encode()
	return g.write(hap.CharacteristicSelectedStreamConfiguration, hap.TLV{{Tag: 1, Value: control}, {Tag: 2, Value: video}})
}

// watches receives a picture that only it can read.
func (g *guest) watches() {
	g.t.Helper()
	keys, err := srtp.CreateContext(g.key, g.salt, srtp.ProtectionProfileAes128CmHmacSha1_80)
	if err != nil {
		g.t.Fatal(err)
	}
	packet := make([]byte, 2000)
	for {
		g.conn.SetReadDeadline(time.Now().Add(gatewaytest.Patience))
		n, err := g.conn.Read(packet)
		if err != nil {
			g.t.Fatal(err)
		}
		if packet[1]&0x7f != 99 { // a report
			continue
		}
		if plain, err := keys.DecryptRTP(nil, packet[:n], nil); err != nil || plain[12] != 0x65 {
			g.t.Fatalf("%v, %x", err, plain)
		}
		return
	}
}

// inUse reports what the Home app sees of its place.
func (g *guest) inUse() bool {
	status, _ := g.read(hap.CharacteristicStreamingStatus).Number(1)
	return status == 1
}

const done, busy = 0, 1 // answers to SetupEndpoints

func TestACameraIsWatchedInTheHomeApp(t *testing.T) {
	c := openCinema(t, nil)
	g := c.guest(t, 1, "first")
	if g.inUse() {
		t.Error("nobody watches, and the place is taken")
	}
	status := g.id(hap.CharacteristicStreamingStatus)
	if _, err := c.session.Subscribe(t.Context(), status); err != nil {
		t.Fatal(err)
	}
	if got := g.setUp(); got != done {
		t.Fatalf("the answer has status %d", got)
	}
	if got := c.event(t, status); got != string(hap.DataValue(stream.Streaming(true))) {
		t.Errorf("the other phones see the status %s", got)
	}
	if status := g.order(stream.Start, 1280); status != hap.StatusOK {
		t.Fatal(status)
	}
	g.watches()
	g.order(stream.Suspend, 0)
	g.order(stream.Resume, 0)
	g.order(stream.Reconfigure, 640)
	until(t, "another size is another quality", func() bool { return slices.Equal(c.film.asked(), []int{1280, 1280, 640}) })
	g.watches()
	g.order(stream.End, 0)
	if got := c.event(t, status); got != string(hap.DataValue(stream.Streaming(false))) {
		t.Errorf("the other phones see the status %s", got)
	}
	if status := g.order(stream.End, 0); status != hap.StatusOK {
		t.Errorf("to end what has ended: %v", status)
	}
	if status := g.order(stream.Start, 1280); status != hap.StatusNotAllowedNow {
		t.Errorf("to start what was not negotiated: %v", status)
	}
}

func TestTwoWatchAndAThirdIsRefused(t *testing.T) {
	c := openCinema(t, nil)
	first, second, third := c.guest(t, 1, "first"), c.guest(t, 2, "second"), c.guest(t, 2, "third")
	for _, g := range []*guest{first, second} {
		if got := g.setUp(); got != done {
			t.Fatalf("the answer has status %d", got)
		}
		g.order(stream.Start, 1280)
		g.watches()
	}
	until(t, "a place that is taken looks free", third.inUse)
	if got := third.setUp(); got != busy {
		t.Errorf("the third is answered with status %d", got)
	}
	if status := third.order(stream.Start, 1280); status != hap.StatusNotAllowedNow {
		t.Errorf("and may start nevertheless: %v", status)
	}
	first.watches() // undisturbed
	second.order(stream.End, 0)
	until(t, "the place stays taken", func() bool { return !third.inUse() })
	if got := third.setUp(); got != done {
		t.Errorf("once there is a place, the third is answered with status %d", got)
	}
}

// Whatever becomes of a viewer, its place is free again.
func TestAPlaceIsFreedWhen(t *testing.T) {
	soonBegun := func(v *viewers) { v.begin = 300 * time.Millisecond }
	soonHeard := func(v *viewers) { v.silence = 300 * time.Millisecond }
	for _, test := range []struct {
		name   string
		change func(*viewers)
		lose   func(cinema, *guest)
		why    string
	}{
		{"the viewer never begins", soonBegun, func(cinema, *guest) {}, "never begun"},
		{"the viewer is silent", soonHeard, func(_ cinema, g *guest) { g.order(stream.Start, 1280) }, "was silent"},
		{"the viewer's controller leaves", nil, func(c cinema, g *guest) { g.order(stream.Start, 1280); g.watches(); c.session.Close() }, "its controller left"},
		{"the camera is lost", nil, func(c cinema, g *guest) { g.order(stream.Start, 1280); c.film.lose(errors.New("the camera is gone")) }, "the camera is gone"},
		{"the bridge stops", nil, func(c cinema, g *guest) { g.order(stream.Start, 1280); c.Stop() }, "its controller left"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := openCinema(t, test.change)
			g := c.guest(t, 1, "one")
			if got := g.setUp(); got != done {
				t.Fatalf("the answer has status %d", got)
			}
			test.lose(c, g)
			until(t, "the place stays taken", func() bool { return c.bridge.viewers.places("camera") == [viewersOfOne]bool{} })
			if !strings.Contains(c.said.String(), test.why) {
				t.Errorf("the log says:\n%s", c.said)
			}
		})
	}
}

func TestWhatIsNoNegotiationIsRefused(t *testing.T) {
	c := openCinema(t, nil)
	g := c.guest(t, 1, "one")
	for _, kind := range []hap.UUID{hap.CharacteristicSetupEndpoints, hap.CharacteristicSelectedStreamConfiguration} {
		if status := g.write(kind, hap.TLV{{Tag: 1, Value: []byte("short")}}); status != hap.StatusInvalidValue {
			t.Errorf("%s: %v", kind, status)
		}
	}
	g.key = make([]byte, 3)
	results, err := c.session.Write(t.Context(), hap.Write{ID: g.id(hap.CharacteristicSetupEndpoints), Value: json.RawMessage(`"x"`)})
	if err != nil || results[0].Status != hap.StatusInvalidValue {
		t.Errorf("%v, %v", results, err)
	}
}

// All cameras together have places for so many viewers.
func TestTheHouseIsFullOfViewers(t *testing.T) {
	v := newViewers(&film{}, slog.New(slog.DiscardHandler))
	for i := range viewersMax {
		v.taken[place{gateway.DeviceID(rune('a' + i)), 1}] = &viewer{}
	}
	e := stream.Endpoints{Session: "0123456789abcdef"}
	if got := v.enter(t.Context(), place{"camera", 1}, e, hap.WriteRequest{}); !bytes.Equal(got, e.Busy()) {
		t.Errorf("the answer is %x", got)
	}
}
