package hap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

var testKey = Key{1, 2, 3}

// frames seals plain pieces as one frame each, which need not be full.
func frames(counter uint64, pieces ...string) []byte {
	var out []byte
	for _, piece := range pieces {
		head := binary.LittleEndian.AppendUint16(nil, uint16(len(piece)))
		out = testKey.AEAD().Seal(append(out, head...), CounterNonce(counter), []byte(piece), head)
		counter++
	}
	return out
}

func TestFrameReader(t *testing.T) {
	full := strings.Repeat("x", frameMax)
	for _, test := range []struct {
		name   string
		sealed []byte
		want   string
	}{
		{"nothing", nil, ""},
		{"one", frames(0, "hello"), "hello"},
		{"a message over short frames", frames(0, "he", "l", "lo"), "hello"},
		{"full frames", frames(0, full, full), full + full},
		{"an empty frame means nothing", frames(0, "he", "", "", "llo"), "hello"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, source := range []io.Reader{bytes.NewReader(test.sealed), iotest.OneByteReader(bytes.NewReader(test.sealed))} {
				got, err := io.ReadAll(newFrameReader(source, testKey))
				if err != nil || string(got) != test.want {
					t.Fatalf("got %q, %v", got, err)
				}
			}
		})
	}
}

func TestFrameReaderRefuses(t *testing.T) {
	good := frames(0, "hello")
	changed := func(at int) []byte {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		return bad
	}
	for _, test := range []struct {
		name   string
		sealed []byte
		want   string
	}{
		{"a frame of the past", append(frames(0, "a"), frames(0, "b")...), "open frame 1"},
		{"a lost frame", append(frames(0, "a"), frames(2, "b")...), "open frame 1"},
		{"another text", changed(3), "open frame 0"},
		{"another tag", changed(len(good) - 1), "open frame 0"},
		{"another length", append(changed(0), 0), "open frame 0"},
		{"too large", frames(0, strings.Repeat("x", frameMax+1)), "claims 1025 bytes"},
		{"an end inside the head", good[:1], "unexpected EOF"},
		{"an end after the head", good[:2], "unexpected EOF"},
		{"an end inside the body", good[:9], "unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			reader := newFrameReader(bytes.NewReader(append(test.sealed, frames(1, "later")...)[:len(test.sealed)]), testKey)
			_, err := io.ReadAll(reader)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if _, again := reader.Read(make([]byte, 1)); !errors.Is(again, err) {
				t.Fatalf("after %v it says %v", err, again)
			}
		})
	}
}

// writeCounter counts the writes that reach the wire.
type writeCounter struct {
	net.Conn
	mu     sync.Mutex
	writes [][]byte
	fail   error
}

func (w *writeCounter) SetWriteDeadline(time.Time) error { return nil }
func (w *writeCounter) Close() error                     { return nil }
func (w *writeCounter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes = append(w.writes, bytes.Clone(p))
	return len(p), w.fail
}

func TestChannelSendsMessagesWhole(t *testing.T) {
	wire := &writeCounter{}
	c := newChannel(wire)
	if err := c.send([]byte("plain")); err != nil || string(wire.writes[0]) != "plain" {
		t.Fatalf("%v, %q", err, wire.writes)
	}
	if err := c.encrypt(Key{}, testKey); err != nil {
		t.Fatal(err)
	}
	if err := c.encrypt(Key{}, testKey); err == nil {
		t.Fatal("a second switch begins the counters anew")
	}
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			if err := c.send(bytes.Repeat([]byte{byte(i)}, 1+i*100)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(wire.writes) != 51 {
		t.Fatalf("51 messages left in %d writes", len(wire.writes))
	}
	plain, err := io.ReadAll(newFrameReader(bytes.NewReader(bytes.Join(wire.writes[1:], nil)), testKey))
	if err != nil {
		t.Fatal(err)
	}
	for seen := 0; len(plain) > 0; seen++ {
		size := 1 + int(plain[0])*100
		if size > len(plain) || bytes.Count(plain[:size], plain[:1]) != size {
			t.Fatalf("message %d is torn", seen)
		}
		plain = plain[size:]
	}
}

func TestChannelReadsWhatCameWithTheSwitch(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		far.Write(append([]byte("M4\n"), frames(0, "hello ", "there\n")...))
		far.Close()
	}()
	c := newChannel(near)
	if line, err := c.in.ReadString('\n'); line != "M4\n" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	if err := c.encrypt(testKey, Key{}); err != nil {
		t.Fatal(err)
	}
	if line, err := c.in.ReadString('\n'); line != "hello there\n" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
}

func TestChannelIsBrokenAfterAFailedSend(t *testing.T) {
	fault := errors.New("cable cut")
	c := newChannel(&writeCounter{fail: fault})
	for range 2 {
		if err := c.send([]byte("x")); !errors.Is(err, fault) {
			t.Fatalf("got %v", err)
		}
	}
	if got := len(c.conn.(*writeCounter).writes); got != 1 {
		t.Fatalf("%d writes after the first failure", got-1)
	}
}

func TestChannelGivesUpOnAPeerThatStopsReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		start := time.Now()
		if err := newChannel(near).send([]byte("x")); err == nil {
			t.Fatal("sent to nobody")
		}
		if took := time.Since(start); took != sendTimeout {
			t.Fatalf("gave up after %s", took)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Fatalf("the connection is still open: %v", err)
		}
	})
}

func FuzzFrameReader(f *testing.F) {
	f.Add(frames(0, "hello", "there"), uint8(3))
	f.Add(frames(0, strings.Repeat("x", frameMax)), uint8(255))
	f.Add([]byte{0xff, 0xff, 1, 2, 3}, uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		// Garbage must not crash, and gives no byte.
		garbage, err := io.ReadAll(newFrameReader(bytes.NewReader(stream), Key{9}))
		if len(garbage) > 0 || len(stream) > 0 && err == nil {
			t.Fatalf("%d bytes of garbage, %v", len(garbage), err)
		}
		// The same bytes as a text, cut into frames at random, come back.
		random := rand.New(rand.NewPCG(uint64(step), uint64(len(stream))))
		var pieces []string
		for rest := stream; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(1+int(step)*4), frameMax)
			pieces, rest = append(pieces, string(rest[:n])), rest[n:]
		}
		got, err := io.ReadAll(newFrameReader(bytes.NewReader(frames(0, pieces...)), testKey))
		if err != nil || !bytes.Equal(got, stream) {
			t.Fatalf("got %d of %d bytes, %v", len(got), len(stream), err)
		}
	})
}
