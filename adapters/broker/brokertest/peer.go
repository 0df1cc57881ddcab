package brokertest

import (
	"bufio"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// Patience is how long a Peer waits for a packet before it fails its test.
const Patience = time.Minute

// Peer is an MQTT client that does only what it is told: it acknowledges nothing, pings never, and reads
// when asked.
type Peer struct {
	net.Conn
	t       testing.TB
	in      *bufio.Reader
	version byte
}

// Packet is one MQTT packet as it came: type in the upper half of Head, flags in the lower.
type Packet struct {
	Head byte
	Body []byte
}

// Dial opens a connection and says nothing. It is closed when the test ends.
func Dial(t testing.TB, address string) *Peer {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return Over(t, connection)
}

// Over makes a Peer of a connection that exists.
func Over(t testing.TB, connection net.Conn) *Peer {
	return &Peer{Conn: connection, t: t, in: bufio.NewReader(connection)}
}

// Join dials and introduces itself with c; the broker must agree.
func Join(t testing.TB, address string, c Connect) *Peer {
	t.Helper()
	p := Dial(t, address)
	if code := p.Introduce(c); code != 0 {
		t.Fatalf("client %q was refused with code %#x", c.ID, code)
	}
	return p
}

// Introduce sends CONNECT and returns the code of the broker's answer, 0 for yes.
func (p *Peer) Introduce(c Connect) byte {
	p.t.Helper()
	p.Send(c.Bytes())
	p.version = c.version()
	answer := p.Next()
	if answer.Head != 0x20 || len(answer.Body) < 2 {
		p.t.Fatalf("expected CONNACK, got %#x %x", answer.Head, answer.Body)
	}
	return answer.Body[1]
}

// TakeLittle makes the system hold little for a Peer that does not read, so that the broker notices soon.
func (p *Peer) TakeLittle() {
	if tcp, ok := p.Conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096)
	}
}

// Send writes raw bytes and does not mind if nobody reads them any more.
func (p *Peer) Send(raw []byte) {
	_ = p.SetWriteDeadline(time.Now().Add(Patience))
	_, _ = p.Write(raw)
}

// Next returns the next packet; it fails the test if none comes in time.
func (p *Peer) Next() Packet {
	p.t.Helper()
	packet, err := p.Receive()
	if err != nil {
		p.t.Fatalf("no packet from the broker: %v", err)
	}
	return packet
}

// Receive returns the next packet, or why there is none.
func (p *Peer) Receive() (Packet, error) {
	_ = p.SetReadDeadline(time.Now().Add(Patience))
	head, err := p.in.ReadByte()
	if err != nil {
		return Packet{}, err
	}
	length, err := p.length()
	if err != nil {
		return Packet{}, err
	}
	body := make([]byte, length)
	_, err = io.ReadFull(p.in, body)
	return Packet{head, body}, err
}

// length reads one to four bytes with seven bits each, the lowest first.
func (p *Peer) length() (length int, err error) {
	for shift := 0; shift < 28; shift += 7 {
		b, err := p.in.ReadByte()
		if err != nil {
			return 0, err
		}
		length |= int(b&127) << shift
		if b < 128 {
			return length, nil
		}
	}
	return 0, errors.New("the length has more than four bytes")
}

// AwaitEnd reads until the broker closes the connection; it fails the test if that takes too long.
func (p *Peer) AwaitEnd() {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(Patience))
	_, err := io.Copy(io.Discard, p.in)
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() {
		p.t.Fatal("the broker did not close the connection")
	}
}

// Subscribe subscribes with packet id 1 and returns the code that the broker grants, 0x80 and above for no.
// What else arrives before the answer is dropped.
func (p *Peer) Subscribe(filter string, qos byte) byte {
	p.t.Helper()
	p.Send(Subscribe(p.version, 1, filter, qos))
	for {
		packet := p.Next()
		if packet.Head == 0x90 {
			return packet.Body[len(packet.Body)-1]
		}
	}
}

// Publish publishes, with packet id 1 if qos is not 0, and waits for nothing.
func (p *Peer) Publish(topic, payload string, qos byte, retain bool) {
	p.Send(Publish(p.version, 1, topic, []byte(payload), qos, retain))
}

// NextMessage returns topic and payload of the next PUBLISH; other packets before it are dropped.
func (p *Peer) NextMessage() (topic, payload string) {
	p.t.Helper()
	for {
		if packet := p.Next(); packet.Head>>4 == 3 {
			m, _ := packet.Message(p.version)
			return m.Topic, string(m.Payload)
		}
	}
}

// Ping asks for an answer and waits for it: what was sent before has then been dealt with.
func (p *Peer) Ping() {
	p.t.Helper()
	p.Send([]byte{0xc0, 0})
	for {
		if packet := p.Next(); packet.Head == 0xd0 {
			return
		}
	}
}
