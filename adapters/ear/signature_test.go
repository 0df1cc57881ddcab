package ear

import (
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func good() Signature {
	return Signature{Name: "Kitchen smoke", Kind: gateway.Smoke, Room: "Kitchen", Frequency: 3120, Level: -23,
		Cadence: temporal3(), Learnt: time.Date(2025, 10, 29, 16, 0, 0, 0, time.UTC)}
}

func TestSignatureComesBack(t *testing.T) {
	data, err := good().encode()
	if err != nil {
		t.Fatal(err)
	}
	s, err := DecodeSignature(data)
	if err != nil || s.Name != good().Name || !s.Cadence.like(good().Cadence) || !s.Learnt.Equal(good().Learnt) || s.Device() != "ear/kitchen-smoke" {
		t.Errorf("%+v %v", s, err)
	}
}

func TestSignaturesThatMakeNoSense(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Signature)
		want   string
	}{
		{"no name", func(s *Signature) { s.Name = "  " }, "no name for a detector"},
		{"long name", func(s *Signature) { s.Name = strings.Repeat("x", 99) }, "no name for a detector"},
		{"our own name", func(s *Signature) { s.Name = "Smoke" }, "calls its own"},
		{"kind", func(s *Signature) { s.Kind = gateway.Rain }, "no kind of alarm"},
		{"room", func(s *Signature) { s.Room = strings.Repeat("x", 99) }, "room's name"},
		{"pitch", func(s *Signature) { s.Frequency = 520 }, "no pitch of a siren"},
		{"second pitch", func(s *Signature) { s.Cadence = Cadence{Shape: TwoTone}; s.Second = 9 }, "no second pitch"},
		{"shape", func(s *Signature) { s.Cadence.Shape = "jazz" }, "no cadence"},
		{"pulses of a tone", func(s *Signature) { s.Cadence.Shape = Continuous }, "has no pulses"},
		{"no pulses", func(s *Signature) { s.Cadence.Beats = nil }, "0 pulses"},
		{"short pulse", func(s *Signature) { s.Cadence.Beats = []Beat{{1, 100}} }, "pulse 1 is on for 1 ms"},
		{"long cycle", func(s *Signature) { s.Cadence.Beats = []Beat{{500, 20000}} }, "too long"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := good()
			test.change(&s)
			data, _ := s.encode()
			if _, err := DecodeSignature(data); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "learn it again") {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
	for _, text := range []string{"", "{", `{"version":2}`} {
		if _, err := DecodeSignature([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestCadencesInWords(t *testing.T) {
	for want, c := range map[string]Cadence{
		"temporal-3":    {Pulses, []Beat{{540, 470}, {520, 490}, {530, 1420}}},
		"temporal-4":    {Pulses, []Beat{{120, 90}, {110, 90}, {110, 90}, {120, 4900}}},
		"2 pulses in 1": {Pulses, []Beat{{300, 200}, {300, 200}}},
		"without pause": {Shape: Continuous},
		"in turn":       {Shape: TwoTone},
	} {
		if got := c.String(); !strings.Contains(got, want) {
			t.Errorf("%v is %q, want %q", c, got, want)
		}
	}
	if c := (Cadence{Pulses, []Beat{{500, 500}}}); c.like(temporal3()) || c.like(Cadence{Shape: Continuous}) {
		t.Error("one pulse is like others")
	}
}

func FuzzDecodeSignature(f *testing.F) {
	data, _ := good().encode()
	f.Add(data)
	f.Add([]byte(`{"version":1,"name":"a","kind":"co","frequency":3000,"cadence":{"shape":"pulses","beats":[{"on":30,"off":30}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := DecodeSignature(data)
		if err != nil {
			return
		}
		again, err := s.encode()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := DecodeSignature(again); err != nil || back.Device() != s.Device() {
			t.Fatalf("%+v does not come back: %v", s, err)
		}
		NewDetector([]Signature{s}).Write(make([]int16, 2*Rate))
	})
}
