package ear

import (
	"context"
	"errors"
	"io"
	"math"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Hearing is what the ear heard in a stretch of sound.
type Hearing struct {
	Seconds   float64 `json:"seconds"`
	Level     float64 `json:"level"`          // dBFS, of the last second
	Tone      float64 `json:"tone,omitempty"` // Hz, the pitch that stood out most often; 0: none
	ToneLevel float64 `json:"tone_level,omitempty"`
	ToneShare float64 `json:"tone_share,omitempty"` // part of the time in which it stood out, 0 to 1
	Heard     []Voice `json:"heard"`
	Fault     string  `json:"fault,omitempty"` // of the microphone
}

// Voice is a siren that was heard.
type Voice struct {
	Device    gateway.DeviceID `json:"device"`
	Name      string           `json:"name"`
	Kind      gateway.Quantity `json:"kind"`
	Cadence   string           `json:"cadence"`
	Frequency float64          `json:"frequency"` // Hz
	After     float64          `json:"after"`     // seconds of sound until it was certain
}

// Hear listens for so long and says what there was. It needs no Run, and does not disturb one.
func (a *Adapter) Hear(ctx context.Context, length time.Duration) (Hearing, error) {
	learnt, _, err := a.Learnt()
	if err != nil {
		return Hearing{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, length+10*time.Second)
	defer cancel()
	w := newWitness(learnt)
	err = a.each(ctx, func(s []int16) bool {
		w.write(s)
		return w.detector.Age() < length
	})
	if errors.Is(err, errEnded) || errors.Is(err, context.DeadlineExceeded) && w.detector.Age() > 0 {
		err = nil
	}
	return w.hearing(), err
}

// HearStream says what there is in a stream of sound, WAV or bare samples.
func HearStream(r io.Reader, learnt []Signature) (Hearing, error) {
	wave, rest, err := sniff(r)
	if errors.Is(err, io.EOF) {
		err = errors.New("it is empty")
	}
	if err != nil {
		return Hearing{}, err
	}
	w, converter := newWitness(learnt), newResampler(wave)
	buffer := make([]byte, 2*chunk)
	for {
		n, err := rest.Read(buffer)
		w.write(converter.write(buffer[:n]))
		if errors.Is(err, io.EOF) {
			return w.hearing(), nil
		}
		if err != nil {
			return w.hearing(), err
		}
	}
}

// witness sums up what a detector sees.
type witness struct {
	detector *Detector
	seen     [bandBins]int
	frames   int
	voices   []Voice
}

func newWitness(learnt []Signature) *witness {
	return &witness{detector: NewDetector(learnt), voices: []Voice{}}
}

func (w *witness) write(samples []int16) {
	for len(samples) > 0 {
		piece := samples[:min(len(samples), hop)]
		samples = samples[len(piece):]
		before := w.detector.listener.count
		for _, h := range w.detector.Write(piece) {
			w.note(h)
		}
		if l := w.detector.listener; l.count > before {
			w.frames++
			if p := l.at(l.count - 1).peaks[0]; p.share > 0 {
				w.seen[p.bin]++
			}
		}
	}
}

// note keeps the first time that each voice was heard.
func (w *witness) note(h Heard) {
	for _, v := range w.voices {
		if v.Device == h.Signature.Device() && v.Cadence == h.Signature.Cadence.String() {
			return
		}
	}
	w.voices = append(w.voices, Voice{h.Signature.Device(), h.Signature.Name, h.Signature.Kind, h.Signature.Cadence.String(), math.Round(h.Frequency), h.At.Seconds()})
}

// leastTone is the part of the time for which a pitch must stand out to be named.
const leastTone = 0.02

func (w *witness) hearing() Hearing {
	h := Hearing{Seconds: w.detector.Age().Seconds(), Heard: w.voices, Fault: w.detector.Deaf()}
	h.Level, _ = w.detector.Level()
	h.Level = math.Round(h.Level)
	bin := most(w.seen, -turnApart-1)
	if n := float64(around(w.seen, bin)) / float64(max(w.frames, 1)); n >= leastTone {
		h.Tone = math.Round(float64(firstBin+bin) * binWidth)
		h.ToneLevel = math.Round(w.detector.listener.level(h.Tone))
		h.ToneShare = math.Round(n*100) / 100
	}
	return h
}
