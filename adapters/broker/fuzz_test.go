package broker_test

import (
	"bytes"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

// FuzzConnection lets a client say anything, with or without having introduced itself, and checks that
// the broker still serves others.
func FuzzConnection(f *testing.F) {
	hello := func(version byte) []byte { return brokertest.Connect{ID: "fuzz", Version: version}.Bytes() }
	for version := byte(3); version <= 5; version++ {
		f.Add(version, brokertest.Subscribe(version, 1, "a/#", 2))
		f.Add(version, brokertest.Publish(version, 1, "a/b", []byte("x"), 2, true))
		f.Add(version, bytes.Join([][]byte{brokertest.Ack(1), {0xc0, 0}, {0xe0, 0}}, nil))
		f.Add(version, hello(version)) // once more
		f.Add(byte(0), hello(version))
		f.Add(version, brokertest.Frame(0x82, []byte("\x00\x02\x00\x00\x01b")))
		f.Add(version, randomPackets(rand.New(rand.NewPCG(1, uint64(version))), version, 200))
	}
	f.Add(byte(0), []byte("GET / HTTP/1.1\r\n\r\n"))
	b, err := broker.New("127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	if err := b.Start(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(b.Stop)
	f.Fuzz(func(t *testing.T, version byte, says []byte) {
		if version != 0 {
			says = append(hello(version), says...)
		}
		converse(t, b.Address(), says)
		brokertest.Join(t, b.Address(), brokertest.Connect{ID: "witness"}).Ping()
	})
}

// Packets that look right from outside reach deeper than bytes at random.
func TestRandomPackets(t *testing.T) {
	b := brokertest.Start(t)
	witness := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "witness", Version: 5})
	random := rand.New(rand.NewPCG(7, 29))
	for round := range 300 {
		version := byte(3 + round%3)
		converse(t, b.Address(), append(brokertest.Connect{ID: "fuzz", Version: version, Resume: round%2 == 0, Remember: 9}.Bytes(),
			randomPackets(random, version, 50)...))
	}
	witness.Ping()
	eventually(t, "only the witness is left", func() bool { waiting, inside := b.Connections(); return waiting == 0 && inside == 1 })
}

// converse says something, then reads until the broker has had enough.
func converse(t *testing.T, address string, says []byte) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	go func() {
		_, _ = connection.Write(says)
		_ = connection.(*net.TCPConn).CloseWrite()
	}()
	_ = connection.SetReadDeadline(time.Now().Add(deadline))
	if _, err := io.Copy(io.Discard, connection); err != nil && err.(net.Error).Timeout() {
		t.Fatal("the broker keeps a connection that the client has ended")
	}
}

// randomPackets makes packets of all types with right lengths and mostly wrong contents.
func randomPackets(random *rand.Rand, version byte, n int) (all []byte) {
	topics := []string{"a", "a/b", "a/+", "a/#", "$SYS/x", "$share/g/a", "", "/", "x/set", "\xff"}
	for range n {
		topic := topics[random.IntN(len(topics))]
		id := uint16(random.IntN(4))
		switch random.IntN(8) {
		case 0, 1:
			all = append(all, brokertest.Publish(version, id, topic, noise(random, 40), byte(random.IntN(3)), random.IntN(2) == 0)...)
		case 2:
			all = append(all, brokertest.Subscribe(version, id, topic, byte(random.IntN(3)))...)
		case 3: // acknowledgements
			head := []byte{0x40, 0x50, 0x62, 0x70}[random.IntN(4)]
			all = append(all, brokertest.Frame(head, []byte{0, byte(id)})...)
		case 4:
			all = append(all, brokertest.Frame(0xa2, append([]byte{0, byte(id)}, noise(random, 9)...))...)
		case 5: // something good, changed
			packet := brokertest.Publish(version, id, topic, noise(random, 9), 1, true)
			packet[random.IntN(len(packet))] = byte(random.IntN(256))
			all = append(all, packet...)
		case 6:
			all = append(all, 0xc0, 0)
		case 7:
			if random.IntN(10) == 0 { // often the end
				all = append(all, brokertest.Frame(byte(random.IntN(256)), noise(random, 30))...)
			}
		}
	}
	return all
}

func noise(random *rand.Rand, most int) []byte {
	noise := make([]byte, random.IntN(most+1))
	for i := range noise {
		noise[i] = byte(random.IntN(256))
	}
	return noise
}
