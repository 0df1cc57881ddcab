package ear

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// bench is a microphone that a test plays: live, in pieces of a tenth of a second.
type bench struct {
	*microphone
	pieces chan []byte
	ended  chan error
	closed chan struct{}
}

func newBench() *bench {
	b := &bench{pieces: make(chan []byte), ended: make(chan error, 1), closed: make(chan struct{})}
	b.microphone = &microphone{wave: Wave{Rate: Rate, Channels: 1}, live: true, close: func() error { close(b.closed); return nil }}
	return b
}

const pieceTime = chunk * time.Second / Rate

// record gives so many pieces, each when it is due, and then stays silent until it is closed, or ends.
func (b *bench) record(pieces int, ends bool) {
	defer func() { b.ended <- io.EOF }()
	for range pieces {
		time.Sleep(pieceTime)
		select {
		case b.pieces <- make([]byte, 2*chunk):
		case <-b.closed:
			return
		}
	}
	if !ends {
		<-b.closed
	}
}

// A machine that swaps stands still for longer than a microphone may be silent. What was recorded meanwhile waits.
func TestAListenerWhoStoodStillBlamesNoMicrophone(t *testing.T) {
	for range 20 { // of two that are ready either may be served
		synctest.Test(t, func(t *testing.T) {
			b := newBench()
			go b.record(100, true)
			n := 0
			err := b.consume(t.Context(), b.pieces, b.ended, func([]int16) bool {
				if n++; n%10 == 0 {
					time.Sleep(2 * silentFor)
				}
				return true
			})
			if !errors.Is(err, io.EOF) || n != 100 {
				t.Fatalf("it ends after %d of 100 pieces: %v", n, err)
			}
		})
	}
}

func TestASilentMicrophoneIsNoticedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		go b.record(1, false)
		began := time.Now()
		err := b.consume(t.Context(), b.pieces, b.ended, func([]int16) bool { return true })
		if err == nil || !strings.Contains(err.Error(), "no sound at all for 3s") || time.Since(began) > silentFor+time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}
