package stream

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// recorded is what an iPhone wrote to SetupEndpoints; it stands in the tests of github.com/brutella/hap.
const recorded = "ARBz21VuCupGZre3A62biD8XAxkBAQACDDE5Mi4xNjguMC4xMwMC+OUEAurRBCUCEPpLBUWQEzkfFiGd1qkieqoDDi8cIMO0Vl1+kegzGgnpAQEABSUCEJQ27Ze9EEmuxcIVPhDEs68DDlaHwww6f6d5+NSClT7TAQEA"

func decode(t testing.TB, text string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// endpoints is what a viewer at that address writes.
func endpoints(address string, port uint16) hap.TLV {
	where := hap.TLV{{Tag: 1, Value: []byte{0}}, {Tag: 2, Value: []byte(address)}, {Tag: 3, Value: number(port)}, {Tag: 4, Value: number(port + 1)}}
	keys := func(fill byte) []byte {
		return hap.TLV{{Tag: 1, Value: []byte{0}}, {Tag: 2, Value: bytes.Repeat([]byte{fill}, keySize)}, {Tag: 3, Value: bytes.Repeat([]byte{fill + 1}, saltSize)}}.Encode()
	}
	return hap.TLV{{Tag: 1, Value: []byte("0123456789abcdef")}, {Tag: 3, Value: where.Encode()}, {Tag: 4, Value: keys(7)}, {Tag: 5, Value: keys(9)}}
}

func TestReadEndpoints(t *testing.T) {
	e, err := ReadEndpoints(decode(t, recorded))
	if err != nil {
		t.Fatal(err)
	}
	if e.Viewer != netip.MustParseAddrPort("192.168.0.13:58872") || len(e.Session) != 16 || len(e.key) != keySize || len(e.salt) != saltSize {
		t.Errorf("%v, session of %d, key of %d, salt of %d bytes", e.Viewer, len(e.Session), len(e.key), len(e.salt))
	}
}

func TestReadEndpointsRefuses(t *testing.T) {
	with := func(tag hap.Tag, value []byte) []byte {
		all := endpoints("192.168.0.13", 5000)
		for i := range all {
			if all[i].Tag == tag {
				all[i].Value = value
			}
		}
		return all.Encode()
	}
	address := func(text string, port uint16) []byte { return endpoints(text, port).Get(3) }
	for name, c := range map[string]struct {
		value []byte
		want  string
	}{
		"nothing":            {nil, "no session"},
		"cut":                {with(1, nil)[:9], "read the viewer's endpoints"},
		"short session":      {with(1, []byte("short")), "no session"},
		"long sound":         {with(5, make([]byte, 65)), "no session"},
		"no address":         {with(3, nil), "no address"},
		"a name":             {with(3, address("camera.example", 5000)), "no address"},
		"port 0":             {with(3, address("192.168.0.13", 0)), "no address"},
		"another suite":      {with(4, hap.TLV{{Tag: 1, Value: []byte{1}}, {Tag: 2, Value: make([]byte, 32)}, {Tag: 3, Value: make([]byte, 14)}}.Encode()), "AES_CM_128"},
		"a short key":        {with(4, hap.TLV{{Tag: 1, Value: []byte{0}}, {Tag: 2, Value: make([]byte, 15)}, {Tag: 3, Value: make([]byte, 14)}}.Encode()), "AES_CM_128"},
		"keys that are none": {with(4, []byte{1, 200}), "cannot be read"},
	} {
		if _, err := ReadEndpoints(c.value); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nobody can have us send pictures out of the house.
func TestReach(t *testing.T) {
	for _, c := range []struct {
		name, viewer, from, want string
	}{
		{"where the controller is", "192.168.1.20", "192.168.1.20", "192.168.1.20"},
		{"another device of the home", "192.168.1.20", "192.168.1.30", "192.168.1.20"},
		{"a home with public addresses", "203.0.113.9", "203.0.113.9", "203.0.113.9"},
		{"a stranger", "203.0.113.9", "192.168.1.30", ""},
		{"all at once", "255.255.255.255", "192.168.1.30", ""},
		{"a group", "224.0.0.251", "192.168.1.30", ""},
		{"this machine, from outside", "127.0.0.1", "192.168.1.30", ""},
		{"this machine, from itself", "127.0.0.1", "127.0.0.1", "127.0.0.1"},
		{"nowhere", "0.0.0.0", "192.168.1.30", ""},
		{"IPv6 of the home", "fd00::1", "fd00::2", "fd00::1"},
		{"link-local by the controller's link", "fe80::1", "fe80::2%lo", "fe80::1%lo"},
		{"link-local by no link", "fe80::1", "192.168.1.30", ""},
		{"IPv6 of the same network", "2001:db8:1:2::1", "2001:db8:1:2::9", "2001:db8:1:2::1"},
		{"IPv6 of another network", "2001:db8:1:3::1", "2001:db8:1:2::9", ""},
		{"a group of IPv6", "ff02::fb", "fe80::2%lo", ""},
		{"IPv4 in IPv6", "::ffff:203.0.113.9", "192.168.1.30", ""},
	} {
		e, err := ReadEndpoints(endpoints(c.viewer, 5000).Encode())
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Reach(netip.MustParseAddr(c.from))
		if err == nil && got.Addr().String() != c.want || err != nil && c.want != "" {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

// selection is what a viewer selects.
func selection(order Order, rtp hap.TLV, width, height uint16) hap.TLV {
	control := hap.TLV{{Tag: 1, Value: []byte("0123456789abcdef")}, {Tag: 2, Value: []byte{byte(order)}}}
	attributes := hap.TLV{{Tag: 1, Value: number(width)}, {Tag: 2, Value: number(height)}, {Tag: 3, Value: []byte{30}}}
	video := hap.TLV{{Tag: 1, Value: []byte{0}}, {Tag: 3, Value: attributes.Encode()}, {Tag: 4, Value: rtp.Encode()}}
	return hap.TLV{{Tag: 1, Value: control.Encode()}, {Tag: 2, Value: video.Encode()}}
}

func packets(kind byte, size uint16, interval float32) hap.TLV {
	return hap.TLV{{Tag: 1, Value: []byte{kind}}, {Tag: 2, Value: []byte{1, 2, 3, 4}}, {Tag: 3, Value: number(299)},
		{Tag: 4, Value: binary.LittleEndian.AppendUint32(nil, math.Float32bits(interval))}, {Tag: 5, Value: number(size)}}
}

func TestReadSelection(t *testing.T) {
	got, err := ReadSelection(selection(Start, packets(99, 1378, 0.5), 1280, 720).Encode())
	want := Selection{Session: "0123456789abcdef", Order: Start, Width: 1280, Height: 720, PayloadType: 99, PacketSize: 1378, Interval: 500 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	end, err := ReadSelection(decode(t, "ARUCAQABEHW8tiJ9E0F4tLlvOURdFCc=")) // recorded
	if err != nil || end.Order != End || len(end.Session) != 16 {
		t.Errorf("%+v, %v", end, err)
	}
	for _, c := range []struct {
		size     uint16
		interval float32
		wantSize int
		want     time.Duration
	}{{1, 0.001, smallestPacket, shortestReport}, {65535, 1e30, largestPacket, longestReport}, {0, float32(math.NaN()), 0, 0}, {1000, -5, 1000, 0}} {
		got, err := ReadSelection(selection(Reconfigure, packets(99, c.size, c.interval), 0, 0).Encode())
		if err != nil || got.PacketSize != c.wantSize || got.Interval != c.want {
			t.Errorf("%d bytes, %v s: %+v, %v", c.size, c.interval, got, err)
		}
	}
}

func TestReadSelectionRefuses(t *testing.T) {
	h265 := selection(Start, packets(99, 1378, 1), 1280, 720)
	h265[1].Value = hap.TLV{{Tag: 1, Value: []byte{1}}}.Encode()
	for name, value := range map[string][]byte{
		"nothing":            nil,
		"cut":                {1},
		"another order":      selection(9, packets(99, 1378, 1), 1280, 720).Encode(),
		"no payload type":    selection(Start, nil, 1280, 720).Encode(),
		"one of a report":    selection(Start, packets(72, 1378, 1), 1280, 720).Encode(),
		"one of eight bits":  selection(Start, packets(227, 1378, 1), 1280, 720).Encode(),
		"video that is none": {1, 21, 2, 1, 1, 1, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 2, 1, 7},
		"H.265":              h265.Encode(),
	} {
		if s, err := ReadSelection(value); err == nil {
			t.Errorf("%s was taken: %+v", name, s)
		}
	}
}

// What is offered can be read, and has what controllers look for.
func TestSupported(t *testing.T) {
	inner := func(value []byte, tags ...hap.Tag) hap.TLV {
		t.Helper()
		items, err := hap.DecodeTLV(value)
		for _, tag := range tags {
			if err != nil {
				break
			}
			items, err = hap.DecodeTLV(items.Get(tag))
		}
		if err != nil {
			t.Fatal(err)
		}
		return items
	}
	var widths []uint64
	for _, item := range inner(SupportedVideo(), 1) {
		if item.Tag == 3 {
			width, _ := inner(item.Value).Number(1)
			widths = append(widths, width)
		}
	}
	if len(widths) != len(sizes) || widths[0] != 1920 || widths[1] != 1280 {
		t.Errorf("the widths %d are offered", widths)
	}
	if codec, ok := inner(SupportedVideo(), 1).Byte(1); !ok || codec != 0 {
		t.Error("no H.264 is offered")
	}
	if codec, ok := inner(SupportedAudio(), 1).Byte(1); !ok || codec != 3 {
		t.Error("no sound is offered, which controllers do not accept")
	}
	if suite, ok := inner(SupportedRTP()).Byte(2); !ok || suite != 0 {
		t.Error("the suite is not offered")
	}
	if free, used := inner(Streaming(false)), inner(Streaming(true)); bytes.Equal(free.Get(1), used.Get(1)) {
		t.Error("a place that is taken looks free")
	}
}

func FuzzReadEndpoints(f *testing.F) {
	f.Add(decode(f, recorded))
	f.Add(endpoints("fe80::1", 5000).Encode())
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := ReadEndpoints(value)
		if err != nil {
			return
		}
		if to, err := e.Reach(netip.MustParseAddr("192.168.1.30")); err == nil && (to.Addr().IsMulticast() || to.Addr().IsUnspecified() || to.Addr().IsLoopback() || to.Port() == 0) {
			t.Errorf("it would be sent to %v", to)
		}
		if _, err := hap.DecodeTLV(e.accepted(netip.MustParseAddrPort("192.168.1.2:5000"), 1, 2)); err != nil {
			t.Error(err)
		}
		for _, answer := range [][]byte{e.Busy(), e.Failed()} {
			if _, err := hap.DecodeTLV(answer); err != nil {
				t.Error(err)
			}
		}
	})
}

func FuzzReadSelection(f *testing.F) {
	f.Add(decode(f, "ARUCAQABEHW8tiJ9E0F4tLlvOURdFCc="))
	f.Add(selection(Start, packets(99, 1378, 0.5), 1280, 720).Encode())
	f.Fuzz(func(t *testing.T, value []byte) {
		s, err := ReadSelection(value)
		if err != nil {
			return
		}
		if s.PayloadType > 127 || s.PacketSize > largestPacket || s.Interval > longestReport || s.Interval < 0 || s.Order > Reconfigure {
			t.Errorf("%+v", s)
		}
	})
}
