package stream

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/srtp/v3"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// phone is a viewer with a port of its own.
type phone struct {
	t      *testing.T
	conn   *net.UDPConn
	keys   *srtp.Context
	sender *Sender
	answer hap.TLV
}

func newPhone(t *testing.T) *phone {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	p := &phone{t: t, conn: conn}
	e, err := ReadEndpoints(endpoints("127.0.0.1", uint16(conn.LocalAddr().(*net.UDPAddr).Port)).Encode())
	if err != nil {
		t.Fatal(err)
	}
	if p.sender, err = Open(e, netip.MustParseAddr("127.0.0.1")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.sender.conn.Close() })
	if p.answer, err = hap.DecodeTLV(p.sender.Answer()); err != nil {
		t.Fatal(err)
	}
	if p.keys, err = srtp.CreateContext(e.key, e.salt, srtp.ProtectionProfileAes128CmHmacSha1_80); err != nil {
		t.Fatal(err)
	}
	return p
}

// receive returns the next datagram.
func (p *phone) receive() []byte {
	p.t.Helper()
	packet := make([]byte, 2000)
	p.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := p.conn.Read(packet)
	if err != nil {
		p.t.Fatal(err)
	}
	return packet[:n]
}

// picture receives one picture: its units with start codes, and the packets.
func (p *phone) picture() (units []byte, packets []*rtp.Packet) {
	p.t.Helper()
	joined := &codecs.H264Packet{}
	for {
		sealed := p.receive()
		if len(sealed) > p.sender.chosen.PacketSize {
			p.t.Errorf("a packet of %d bytes", len(sealed))
		}
		plain, err := p.keys.DecryptRTP(nil, sealed, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		packet := &rtp.Packet{}
		if err := packet.Unmarshal(plain); err != nil {
			p.t.Fatal(err)
		}
		part, err := joined.Unmarshal(packet.Payload)
		if err != nil {
			p.t.Fatal(err)
		}
		units, packets = append(units, part...), append(packets, packet)
		if packet.Marker {
			return units, packets
		}
	}
}

func (p *phone) report() []rtcp.Packet {
	p.t.Helper()
	plain, err := p.keys.DecryptRTCP(nil, p.receive(), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	all, err := rtcp.Unmarshal(plain)
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

func withCodes(units [][]byte) (all []byte) {
	for _, unit := range units {
		all = append(append(all, 0, 0, 0, 1), unit...)
	}
	return all
}

func TestSender(t *testing.T) {
	p := newPhone(t)
	p.sender.Configure(Selection{PayloadType: 99, PacketSize: 1200, Interval: time.Second})
	source, _ := p.answer.Number(6)
	units := [][]byte{{0x67, 1, 2, 3}, {0x68, 4, 5}, append([]byte{0x65}, bytes.Repeat([]byte{0xa5}, 50_000)...)}
	var last *rtp.Packet
	var began uint32
	for i := range 3 {
		at := time.Duration(i) * 40 * time.Millisecond
		if err := p.sender.Send(at, units); err != nil {
			t.Fatal(err)
		}
		got, packets := p.picture()
		if !bytes.Equal(got, withCodes(units)) {
			t.Fatalf("picture %d came as %d bytes", i, len(got))
		}
		if i == 0 {
			began = packets[0].Timestamp
		}
		for _, packet := range packets {
			if packet.SSRC != uint32(source) || packet.PayloadType != 99 || packet.Timestamp != began+uint32(i)*3600 {
				t.Fatalf("%+v", packet.Header)
			}
			if last != nil && packet.SequenceNumber != last.SequenceNumber+1 {
				t.Errorf("packet %d follows %d", packet.SequenceNumber, last.SequenceNumber)
			}
			last = packet
		}
	}
}

// A stream of hours passes the end of the packets' numbers; their keys go on.
func TestSenderCountsOn(t *testing.T) {
	p := newPhone(t)
	p.sender.Configure(Selection{PayloadType: 99})
	p.sender.header.SequenceNumber = 65_530
	for range 20 {
		if err := p.sender.Send(0, [][]byte{{0x41, 1, 2, 3}}); err != nil {
			t.Fatal(err)
		}
		p.picture()
	}
}

func TestTheViewersClockGoesOn(t *testing.T) {
	p := newPhone(t)
	p.sender.Configure(Selection{PayloadType: 99})
	send := func(at time.Duration) uint32 {
		t.Helper()
		if err := p.sender.Send(at, [][]byte{{0x41, 1}}); err != nil {
			t.Fatal(err)
		}
		_, packets := p.picture()
		return packets[0].Timestamp
	}
	p.sender.Begin()
	send(0)
	before := send(time.Hour)
	p.sender.sent = p.sender.sent.Add(-2 * time.Second) // suspended for two seconds
	p.sender.Begin()
	if gone := send(0) - before; gone < 2*ticksPerSecond || gone > 10*ticksPerSecond {
		t.Errorf("after two seconds the clock is %d ticks on", gone)
	}
}

func TestReports(t *testing.T) {
	p := newPhone(t)
	p.sender.Configure(Selection{PayloadType: 99})
	if err := p.sender.Report(); err != nil { // nothing was sent: nothing to report
		t.Fatal(err)
	}
	if err := p.sender.Send(0, [][]byte{{0x41, 1, 2, 3}}); err != nil {
		t.Fatal(err)
	}
	_, packets := p.picture()
	if err := p.sender.Report(); err != nil {
		t.Fatal(err)
	}
	report, ok := p.report()[0].(*rtcp.SenderReport)
	if !ok || report.SSRC != packets[0].SSRC || report.PacketCount != 1 || report.OctetCount != 4 || report.RTPTime-packets[0].Timestamp > ticksPerSecond {
		t.Errorf("%+v", report)
	}
	if at := time.Unix(int64(report.NTPTime>>32)-2_208_988_800, 0); time.Since(at).Abs() > 5*time.Second {
		t.Errorf("the report is of %v", at)
	}
	if err := p.sender.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok := p.report()[0].(*rtcp.Goodbye); !ok {
		t.Error("no goodbye")
	}
	if err := p.sender.Send(0, [][]byte{{0x41, 1}}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// Only who has the key is heard, and each report once.
func TestHear(t *testing.T) {
	p := newPhone(t)
	plain, err := (&rtcp.ReceiverReport{SSRC: 7}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := p.keys.EncryptRTCP(nil, plain, nil)
	if err != nil {
		t.Fatal(err)
	}
	forged := bytes.Clone(sealed)
	forged[len(forged)-1]++
	p.sender.heard = time.Time{}
	for _, c := range []struct {
		name   string
		packet []byte
		heard  bool
	}{
		{"not sealed", plain, false},
		{"cut", []byte{0x80, 201}, false},
		{"sealed with nothing", append(bytes.Clone(plain), make([]byte, 14)...), false},
		{"forged", forged, false},
		{"no report", append([]byte{0x80, 99}, make([]byte, 40)...), false},
		{"the viewer's", sealed, true},
		{"the same again", sealed, false},
	} {
		if got := p.sender.hear(c.packet); got != c.heard {
			t.Errorf("%s: heard %t", c.name, got)
		}
	}
	if time.Since(p.sender.Heard()) > time.Minute {
		t.Error("when the viewer was heard is not known")
	}
}

// FuzzReports lets anybody send to the port of a viewer: only who has its keys is heard.
func FuzzReports(f *testing.F) {
	e, err := ReadEndpoints(endpoints("127.0.0.1", 5000).Encode())
	if err != nil {
		f.Fatal(err)
	}
	s, err := Open(e, netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.conn.Close() })
	f.Add(append([]byte{0x81, 201, 0, 7}, make([]byte, 42)...))
	f.Add([]byte{0x80, 200})
	f.Fuzz(func(t *testing.T, packet []byte) {
		if s.hear(packet) {
			t.Errorf("%x is heard", packet)
		}
	})
}

func TestListenEndsWithThePort(t *testing.T) {
	p := newPhone(t)
	ended := make(chan struct{})
	go func() { p.sender.Listen(); close(ended) }()
	if err := p.sender.Close(); err != nil {
		t.Fatal(err)
	}
	<-ended
}

func BenchmarkSend(b *testing.B) {
	e, err := ReadEndpoints(endpoints("127.0.0.1", 9).Encode())
	if err != nil {
		b.Fatal(err)
	}
	s, err := Open(e, netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.Configure(Selection{PayloadType: 99})
	units := [][]byte{append([]byte{0x41}, bytes.Repeat([]byte{0xa5}, 8000)...)} // 720p at 25 a second and 1.6 Mbit/s
	b.SetBytes(8000)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Send(0, units); err != nil {
			b.Fatal(err)
		}
	}
}

// Packets within IPv6 are smaller, whatever the viewer selects, and the answer names an address of its kind.
func TestSenderByIPv6(t *testing.T) {
	conn, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	defer conn.Close()
	e, err := ReadEndpoints(endpoints("::1", uint16(conn.LocalAddr().(*net.UDPAddr).Port)).Encode())
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(e, netip.IPv6Loopback())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	answer, err := hap.DecodeTLV(s.Answer())
	if err != nil {
		t.Fatal(err)
	}
	where, err := hap.DecodeTLV(answer.Get(3))
	if version, _ := where.Byte(1); err != nil || version != 1 || string(where.Get(2)) != "::1" {
		t.Errorf("version %d of %q, %v", version, where.Get(2), err)
	}
	s.Configure(Selection{PayloadType: 99, PacketSize: largestPacket})
	if err := s.Send(0, [][]byte{bytes.Repeat([]byte{0x41}, 5000)}); err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, 2000)
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := conn.Read(packet); err != nil || n > largestPacket6 || n < largestPacket6/2 {
		t.Errorf("a packet of %d bytes, %v", n, err)
	}
}
