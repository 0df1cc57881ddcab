package ear

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// chunk is how much sound is read at once: a tenth of a second.
const chunk = Rate / 10

// How long a live microphone may give nothing, and when its rate is judged. Real time: a microphone knows
// no other.
const (
	silentFor = 3 * time.Second
	judgeRate = 5 * time.Second
	rateError = 0.2 // part by which the rate may differ: buffers are filled in bursts
)

// errEnded says that a recording has been played to its end.
var errEnded = errors.New("the recording has ended")

// listen opens the microphone and hands each piece of sound to take until ctx ends or take says no. The
// samples are valid during the call only. It always ends with a reason, nil if ctx or take ended it.
func listen(ctx context.Context, name, program string, take func([]int16) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m, err := openMicrophone(ctx, name, program)
	if err != nil {
		return err
	}
	pieces, ended := make(chan []byte), make(chan error, 1)
	go func() { ended <- m.read(ctx, pieces) }()
	err = m.consume(ctx, pieces, ended, take)
	words := m.close() // before ctx ends, which would be its last word
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) && words != nil && m.live {
		return fmt.Errorf("the microphone %s has stopped: %w", name, words)
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the microphone %s has stopped: the stream has ended", name)
	}
	return fmt.Errorf("the microphone %s: %w", name, err)
}

// read reads pieces until the stream or ctx ends.
func (m *microphone) read(ctx context.Context, pieces chan<- []byte) error {
	buffer := [2][]byte{make([]byte, 2*chunk), make([]byte, 2*chunk)}
	for i := 0; ; i ^= 1 {
		n, err := m.reader.Read(buffer[i])
		if n > 0 {
			select {
			case pieces <- buffer[i][:n]:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err != nil {
			return err
		}
	}
}

// consume hands on what is read; it returns when reading has ended or must end, and has ended.
func (m *microphone) consume(ctx context.Context, pieces <-chan []byte, ended chan error, take func([]int16) bool) error {
	converter := newResampler(m.wave)
	watchdog := time.NewTimer(silentFor)
	defer watchdog.Stop()
	began, samples, doubted := time.Now(), 0, false
	leave := func(reason error) error {
		m.close() // wakes the reader
		select {
		case <-ended:
		case <-pieces:
			<-ended
		}
		return reason
	}
	for {
		select {
		case <-ctx.Done():
			return leave(nil)
		case <-watchdog.C:
			if !doubted { // we may have stood still ourselves: what came meanwhile is taken first
				doubted = true
				watchdog.Reset(chunk * time.Second / Rate)
				continue
			}
			return leave(fmt.Errorf("it gives no sound at all for %v", silentFor))
		case err := <-ended:
			if m.recording && errors.Is(err, io.EOF) {
				return errEnded
			}
			return err
		case piece := <-pieces:
			doubted = false
			watchdog.Reset(silentFor)
			out := converter.write(piece)
			samples += len(out)
			if !take(out) {
				return leave(nil)
			}
			if err := m.wrongRate(time.Since(began), samples); err != nil {
				return leave(err)
			}
			if m.recording && !pace(ctx, began, samples) {
				return leave(nil)
			}
		}
	}
}

// wrongRate reports that a device records at a rate of its own. It would put every pitch in another place.
func (m *microphone) wrongRate(age time.Duration, samples int) error {
	if !m.live || age < judgeRate {
		return nil
	}
	if rate := float64(samples) / age.Seconds(); rate > Rate*(1+rateError) {
		return fmt.Errorf("it gives %.0f samples a second instead of %d; name it as plughw:CARD,DEVICE rather than hw:CARD,DEVICE", rate, Rate)
	}
	return nil
}

// pace waits until a recording may go on, as if it happened now.
func pace(ctx context.Context, began time.Time, samples int) bool {
	wait := time.NewTimer(time.Until(began.Add(time.Duration(samples) * time.Second / Rate)))
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-ctx.Done():
		return false
	}
}
