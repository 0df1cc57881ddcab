package stream

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/srtp/v3"
)

// Sizes in bytes of what is around a payload.
const (
	headerSize = 12
	tagSize    = 10 // of HMAC_SHA1_80
)

const ticksPerSecond = 90_000 // of the clock of H.264 in RTP (RFC 6184 5.1)

// Sender sends pictures to one viewer. Its methods may be called from any goroutine; Send from one at a time.
type Sender struct {
	endpoints Endpoints
	conn      *net.UDPConn
	viewer    netip.AddrPort
	sources   [2]uint32 // of pictures and sound

	mu          sync.Mutex // guards the rest
	rtp         *srtp.Context
	reports     *srtp.Context
	chosen      Selection
	header      rtp.Header
	payloader   codecs.H264Payloader
	plain, seal []byte    // buffers
	base        uint32    // RTP's time of the first picture
	sent        time.Time // when the last picture was sent; zero: none was
	packets     uint32
	bytes       uint32
	heard       time.Time // when the viewer last reported
}

// Open takes a port for a stream to a viewer whose negotiation came from that address. The caller closes it.
func Open(e Endpoints, from netip.Addr) (*Sender, error) {
	viewer, err := e.Reach(from)
	if err != nil {
		return nil, err
	}
	conn, err := listenTowards(viewer)
	if err != nil {
		return nil, fmt.Errorf("open a port towards the viewer: %w", err)
	}
	s := &Sender{endpoints: e, conn: conn, viewer: viewer, payloader: codecs.H264Payloader{DisableStapA: true}, heard: time.Now()}
	var drawn [14]byte
	if _, err := rand.Read(drawn[:]); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s.sources = [2]uint32{binary.LittleEndian.Uint32(drawn[:]) >> 1, binary.LittleEndian.Uint32(drawn[4:]) >> 1} // some read them as signed
	s.base = binary.LittleEndian.Uint32(drawn[8:])
	s.header = rtp.Header{Version: 2, SSRC: s.sources[0], SequenceNumber: binary.LittleEndian.Uint16(drawn[12:]) >> 1}
	for _, c := range []**srtp.Context{&s.rtp, &s.reports} {
		if *c, err = srtp.CreateContext(e.key, e.salt, srtp.ProtectionProfileAes128CmHmacSha1_80, srtp.SRTCPReplayProtection(64)); err != nil {
			return nil, errors.Join(fmt.Errorf("use the viewer's keys: %w", err), conn.Close())
		}
	}
	return s, nil
}

// listenTowards takes a free port at the address of this machine from which the viewer is reached.
func listenTowards(viewer netip.AddrPort) (*net.UDPConn, error) {
	probe, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(viewer)) // sends nothing
	if err != nil {
		return nil, err
	}
	local := *probe.LocalAddr().(*net.UDPAddr)
	if err := probe.Close(); err != nil {
		return nil, err
	}
	local.Port = 0
	return net.ListenUDP("udp", &local)
}

// Answer is what SetupEndpoints answers to the viewer.
func (s *Sender) Answer() []byte {
	local := s.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return s.endpoints.accepted(netip.AddrPortFrom(local.Addr().Unmap(), local.Port()), s.sources[0], s.sources[1])
}

// Configure takes what the viewer selects; what a later selection does not say stays.
func (s *Sender) Configure(c Selection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.PayloadType != 0 {
		s.header.PayloadType = c.PayloadType
	}
	if c.PacketSize != 0 || s.chosen.PacketSize == 0 {
		s.chosen.PacketSize = c.PacketSize
	}
	if most := s.largest(); s.chosen.PacketSize == 0 || s.chosen.PacketSize > most {
		s.chosen.PacketSize = most
	}
	if c.Interval != 0 {
		s.chosen.Interval = c.Interval
	}
	s.chosen.Interval = max(s.chosen.Interval, shortestReport)
	s.heard = time.Now() // the viewer's patience and ours begin anew
}

func (s *Sender) largest() int {
	if s.viewer.Addr().Is6() {
		return largestPacket6
	}
	return largestPacket
}

// Interval is the time between two reports.
func (s *Sender) Interval() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.chosen.Interval
}

// Begin says that the times of Send count from zero again. The viewer's clock goes on.
func (s *Sender) Begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.sent.IsZero() {
		s.base = s.now()
	}
}

// now is RTP's time at this moment, going on from the last picture.
func (s *Sender) now() uint32 { return s.header.Timestamp + rtpTicks(time.Since(s.sent)) }

func rtpTicks(d time.Duration) uint32 {
	return uint32(d/time.Second*ticksPerSecond) + uint32(d%time.Second*ticksPerSecond/time.Second)
}

// Send sends a picture, which is shown at that time since the first. What the network does not take is lost, as on its
// way; only after Close is there an error.
func (s *Sender) Send(at time.Duration, units [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header.Timestamp, s.sent = s.base+rtpTicks(at), time.Now()
	room := uint16(s.chosen.PacketSize - headerSize - tagSize)
	for i, unit := range units {
		payloads := s.payloader.Payload(room, unit)
		for j, payload := range payloads {
			last := i == len(units)-1 && j == len(payloads)-1
			if err := s.sendPacket(payload, last); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Sender) sendPacket(payload []byte, last bool) error {
	s.header.Marker = last
	size := s.header.MarshalSize()
	if cap(s.plain) < size+len(payload) {
		s.plain = make([]byte, 2*largestPacket)
	}
	s.plain = s.plain[:size+len(payload)]
	if _, err := s.header.MarshalTo(s.plain); err != nil {
		return fmt.Errorf("write a packet's header: %w", err)
	}
	copy(s.plain[size:], payload)
	var err error
	if s.seal, err = s.rtp.EncryptRTP(s.seal, s.plain, &s.header); err != nil {
		return fmt.Errorf("encrypt a packet: %w", err)
	}
	s.header.SequenceNumber++
	s.packets++
	s.bytes += uint32(len(payload))
	return s.write(s.seal)
}

// write lets the network lose packets, and tells when the port is closed.
func (s *Sender) write(packet []byte) error {
	if _, err := s.conn.WriteToUDPAddrPort(packet, s.viewer); errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Report tells the viewer which moment its clock stands for and how much was sent (RFC 3550 6.4.1).
func (s *Sender) Report() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent.IsZero() {
		return nil
	}
	report := reportHeader(senderReport, 0, 24, s.sources[0])
	report = binary.BigEndian.AppendUint64(report, ntp(time.Now()))
	for _, n := range []uint32{s.now(), s.packets, s.bytes} {
		report = binary.BigEndian.AppendUint32(report, n)
	}
	return s.report(report)
}

// Types of reports (RFC 3550 12.1).
const (
	senderReport = 200
	goodbye      = 203
)

// reportHeader begins a report of that type with its count and so many bytes to come, the source included. The library
// that has these would bring them all, with all that is needed to print them.
func reportHeader(kind, count byte, size int, source uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{0x80 | count, kind, 0, byte(size / 4)}, source)
}

func (s *Sender) report(plain []byte) error {
	sealed, err := s.reports.EncryptRTCP(nil, plain, nil)
	if err != nil {
		return fmt.Errorf("encrypt a report: %w", err)
	}
	return s.write(sealed)
}

// ntp is a time in seconds since 1900, with 32 bits of fraction.
func ntp(t time.Time) uint64 {
	const since1900 = 2_208_988_800 // seconds of 1970
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// Listen hears the viewer's reports until Close.
func (s *Sender) Listen() {
	packet := make([]byte, 2*largestPacket)
	for {
		n, _, err := s.conn.ReadFromUDPAddrPort(packet)
		if err != nil {
			return
		}
		s.hear(packet[:n])
	}
}

// hear takes a packet and tells whether it is a report of the viewer: what is not sealed with its key, or
// comes for the second time, is not.
func (s *Sender) hear(packet []byte) bool {
	const firstReport, lastReport = 192, 223 // types of packets (RFC 5761 4)
	if len(packet) < headerSize || packet[1] < firstReport || packet[1] > lastReport {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.reports.DecryptRTCP(nil, packet, nil); err != nil {
		return false
	}
	s.heard = time.Now()
	return true
}

// Heard is when the viewer last reported, or was last configured.
func (s *Sender) Heard() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

// Close says goodbye to the viewer and frees the port.
func (s *Sender) Close() error {
	s.mu.Lock()
	said := s.report(reportHeader(goodbye, 1, 4, s.sources[0]))
	s.mu.Unlock()
	return errors.Join(said, s.conn.Close())
}
