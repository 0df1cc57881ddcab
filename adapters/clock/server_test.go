package clock

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// packet makes a server's answer that says the times.
func packet(number []byte, heard, said time.Time) []byte {
	p := make([]byte, packetSize)
	p[0], p[1] = 4<<3|4, 2
	copy(p[24:32], number)
	stamp(p[32:40], heard)
	stamp(p[40:48], said)
	return p
}

func stamp(p []byte, t time.Time) {
	binary.BigEndian.PutUint32(p, uint32(t.Unix()-epoch.Unix()))
	binary.BigEndian.PutUint32(p[4:], uint32(int64(t.Nanosecond())<<32/int64(time.Second)))
}

var number = []byte("8 random")

func TestReadAnswer(t *testing.T) {
	sent := saved.Add(time.Hour)
	trip := 40 * time.Millisecond
	for _, c := range []struct {
		name   string
		change func(p []byte) []byte
		want   string // "": it is good
	}{
		{"good", nil, ""},
		{"longer than needed", func(p []byte) []byte { return append(p, 1, 2, 3, 4) }, ""},
		{"version 3", func(p []byte) []byte { p[0] = 3<<3 | 4; return p }, ""},
		{"empty", func(p []byte) []byte { return nil }, "too short"},
		{"short", func(p []byte) []byte { return p[:47] }, "too short"},
		{"a client's question", func(p []byte) []byte { p[0] = 4<<3 | 3; return p }, "not a server's"},
		{"broadcast", func(p []byte) []byte { p[0] = 4<<3 | 5; return p }, "not a server's"},
		{"version 7", func(p []byte) []byte { p[0] = 7<<3 | 4; return p }, "not a server's"},
		{"another's question", func(p []byte) []byte { p[24]++; return p }, "somebody else's"},
		{"kiss of death", func(p []byte) []byte { p[1] = 0; copy(p[12:], "RATE"); return p }, `"RATE"`},
		{"alarm", func(p []byte) []byte { p[0] |= 3 << 6; return p }, "does not know"},
		{"stratum 16", func(p []byte) []byte { p[1] = 16; return p }, "does not know"},
		{"no time", func(p []byte) []byte { clear(p[40:48]); return p }, "does not say"},
		{"backwards", func(p []byte) []byte { stamp(p[40:], saved); return p }, "inexact"},
		{"longer inside than the trip", func(p []byte) []byte { stamp(p[40:], sent.Add(2*time.Hour)); return p }, "inexact"},
		{"far from its own source", func(p []byte) []byte { p[9] = 2; return p }, "inexact"},
	} {
		heard := sent.Add(30 * time.Second).Add(20 * time.Millisecond)
		p := packet(number, heard, heard.Add(time.Millisecond))
		if c.change != nil {
			p = c.change(p)
		}
		s, err := readAnswer(p, number, sent, trip, saved)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", c.name, err, c.want)
			}
			continue
		}
		if err != nil || (s.Ahead-30*time.Second).Abs() > 5*time.Millisecond || s.Error > trip {
			t.Errorf("%s: %+v, %v, want 30 s ahead", c.name, s, err)
		}
	}
	if _, err := readAnswer(packet(number, sent, sent), number, sent, 2*time.Second, saved); err == nil {
		t.Error("an answer that was under way for 2 s is taken")
	}
}

func TestInstantKnowsItsEra(t *testing.T) {
	floor := saved
	for _, want := range []time.Time{
		saved, time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC), time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC),
		time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		p := make([]byte, 8)
		stamp(p, want)
		if got := instant(p, floor); !got.Equal(want) {
			t.Errorf("%v is read as %v", want, got)
		}
	}
}

// ntpServer answers with the true time, which is ahead of everybody's clock by that much.
type ntpServer struct {
	conn  net.PacketConn
	mu    sync.Mutex
	truth func() time.Time
	asked int
	heard []byte
	done  chan struct{}
}

func serveTime(t *testing.T, truth func() time.Time) *ntpServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &ntpServer{conn: conn, truth: truth, done: make(chan struct{})}
	go s.run()
	t.Cleanup(func() { conn.Close(); <-s.done })
	return s
}

func (s *ntpServer) run() {
	defer close(s.done)
	question := make([]byte, 512)
	for {
		n, from, err := s.conn.ReadFrom(question)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.asked++
		s.heard = bytes.Clone(question[:n])
		now := s.truth()
		s.mu.Unlock()
		if n >= packetSize && !now.IsZero() {
			s.conn.WriteTo(packet(question[40:48], now, now), from)
		}
	}
}

func (s *ntpServer) address() string { return s.conn.LocalAddr().String() }

func (s *ntpServer) set(truth func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.truth = truth
}

func (s *ntpServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *ntpServer) question() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

func TestQueryOnARealSocket(t *testing.T) {
	began := time.Now()
	ours := func() Machine { return Machine{Wall: saved.Add(time.Since(began))} }
	s := serveTime(t, func() time.Time { return saved.Add(time.Since(began)).Add(-90 * time.Second) })
	got, err := query(t.Context(), s.address(), ours, saved.AddDate(0, 0, -1))
	if err != nil {
		t.Fatal(err)
	}
	if (got.Ahead+90*time.Second).Abs() > time.Second || !strings.Contains(got.From, s.address()) {
		t.Errorf("%+v, want 90 s behind", got)
	}
	first := s.question()
	if _, err := query(t.Context(), s.address(), ours, saved.AddDate(0, 0, -1)); err != nil {
		t.Fatal(err)
	}
	if again := s.question(); bytes.Equal(first[40:], again[40:]) || !bytes.Equal(first[:40], again[:40]) {
		t.Errorf("two questions differ in other than the random number: %x, %x", first, again)
	}
	s.set(func() time.Time { return time.Time{} })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := query(ctx, s.address(), ours, saved); err == nil {
		t.Error("a silent server has answered")
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(packet(number, saved, saved), int64(20))
	f.Add(packet(number, epoch, saved)[:40], int64(-1))
	f.Add([]byte{}, int64(0))
	f.Fuzz(func(t *testing.T, p []byte, milliseconds int64) {
		trip := time.Duration(milliseconds%10_000) * time.Millisecond
		s, err := readAnswer(p, number, saved, trip, saved)
		if err != nil {
			return
		}
		if s.Error < 0 || s.Error > longestTrip+longestChain {
			t.Errorf("%+v", s)
		}
		if at := saved.Add(s.Ahead); at.Year() < 2020 || at.Year() > 2170 {
			t.Errorf("it says the year %d", at.Year())
		}
	})
}
