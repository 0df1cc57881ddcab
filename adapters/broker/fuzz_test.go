package broker_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
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

// A hundred thousand packets, as the broker counts them, from strangers and from those who were let in: nothing
// crashes, nobody writes what the access list forbids, no wish is retained, and the house is served all the
// while.
func TestAHundredThousandPackets(t *testing.T) {
	const packets, each = 100_000, 25
	folder := t.TempDir()
	list := put(t, filepath.Join(folder, "acl"), "topic readwrite a/#\ntopic readwrite x/#\ntopic read house/#\n")
	var log lockedBuffer
	b, err := broker.New("127.0.0.1:0", slog.New(slog.NewTextHandler(&log, nil)), broker.WithAccess(list),
		broker.WithArchive(filepath.Join(folder, "retained")), broker.WithLimits(broker.Limits{Rate: 1 << 20, Burst: 1 << 20}))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	var forbidden atomic.Int64
	if err := b.Subscribe("#", func(topic string, _ []byte, _ bool) {
		if !strings.HasPrefix(topic, "a") && !strings.HasPrefix(topic, "x/") && !strings.HasPrefix(topic, "house/") {
			forbidden.Add(1)
		}
	}); err != nil {
		t.Fatal(err)
	}
	witness := listen(t, join(t, b, "witness"), "house/#", 0)
	random := rand.New(rand.NewPCG(100, 1000))
	worst := time.Duration(0)
	for round := 0; b.Received() < packets; round++ {
		version := byte(3 + round%3)
		says := randomPackets(random, version, each)
		if round%3 == 0 { // few get far with those: here the faults are in what is meant
			says = append(oddPackets(random, version, 20*each), says...)
		}
		if round%10 > 0 {
			says = append(brokertest.Connect{ID: "fuzz", Version: version, Resume: round%4 == 0, Remember: 9}.Bytes(), says...)
		}
		converse(t, b.Address(), says)
		if round%100 == 0 {
			began := time.Now()
			if err := b.Publish("house/state", fmt.Append(nil, round), true); err != nil {
				t.Fatal(err)
			}
			if m := next(t, witness); m.payload != fmt.Sprint(round) {
				t.Fatalf("the house says %d, others hear %+v", round, m)
			}
			worst = max(worst, time.Since(began))
		}
	}
	if n := forbidden.Load(); n > 0 {
		t.Errorf("%d messages were written against the access list", n)
	}
	for topic := range shelfOf(t, b) {
		if strings.HasSuffix(topic, "/set") {
			t.Errorf("a wish is retained on %s", topic)
		}
	}
	eventually(t, "only the witness is left", func() bool { waiting, inside := b.Connections(); return waiting == 0 && inside == 1 })
	if n := strings.Count(log.String(), "level=WARN"); n > 60 {
		t.Errorf("the log has %d warnings", n)
	}
	t.Logf("%d packets read; meanwhile a message of the house took %v at worst", b.Received(), worst)
}

// oddPackets are well-formed and make little sense.
func oddPackets(random *rand.Rand, version byte, n int) (all []byte) {
	topics := []string{"a", "a/b", "x/set", "house/x", "house/room/set", "other"}
	filters := append(topics, "#", "a/+", "$share/g/a/#", "house/#", "$SYS/#")
	for range n {
		id := uint16(1 + random.IntN(4))
		switch random.IntN(6) {
		case 0, 1, 2:
			all = append(all, brokertest.Publish(version, id, topics[random.IntN(len(topics))], noise(random, 40), byte(random.IntN(3)), random.IntN(2) == 0)...)
		case 3:
			all = append(all, brokertest.Subscribe(version, id, filters[random.IntN(len(filters))], byte(random.IntN(3)))...)
		case 4: // acknowledgements of what nobody has sent
			all = append(all, brokertest.Frame([]byte{0x40, 0x50, 0x62, 0x70}[random.IntN(4)], []byte{0, byte(id)})...)
		case 5:
			all = append(all, 0xc0, 0)
		}
	}
	return all
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
