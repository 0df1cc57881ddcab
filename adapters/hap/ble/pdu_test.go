package ble

import (
	"bytes"
	"testing"
)

func TestFragmentsOfARequest(t *testing.T) {
	body := bytes.Repeat([]byte{7}, 250)
	pieces := request{op: opWrite, tid: 9, iid: 0x0102, body: body}.fragments(100)
	if len(pieces) != 3 {
		t.Fatalf("%d pieces, want 3", len(pieces))
	}
	if want := []byte{0, 2, 9, 2, 1, 250, 0, 7}; !bytes.HasPrefix(pieces[0], want) {
		t.Errorf("the first begins %x, want %x", pieces[0][:8], want)
	}
	var whole []byte
	for i, p := range pieces {
		if len(p) > 100 {
			t.Errorf("piece %d has %d bytes", i, len(p))
		}
		if i == 0 {
			whole = append(whole, p[7:]...)
			continue
		}
		if p[0] != 0x80 || p[1] != 9 {
			t.Errorf("piece %d begins %x", i, p[:2])
		}
		whole = append(whole, p[2:]...)
	}
	if !bytes.Equal(whole, body) {
		t.Error("the pieces do not make the body")
	}
	if bare := (request{op: opRead, tid: 1, iid: 5}).fragments(100); len(bare) != 1 || !bytes.Equal(bare[0], []byte{0, 3, 1, 5, 0}) {
		t.Errorf("a request without a body is %x", bare)
	}
}

func TestResponseInPieces(t *testing.T) {
	r, err := beginResponse(9, []byte{2, 9, 0, 5, 0, 1, 2})
	if err != nil || r.complete() {
		t.Fatalf("after the first piece: %+v (%v)", r, err)
	}
	r, err = r.further(9, []byte{0x82, 9, 3, 4, 5})
	if err != nil || !r.complete() || !bytes.Equal(r.body, []byte{1, 2, 3, 4, 5}) {
		t.Errorf("after the second: %+v (%v)", r, err)
	}
	if r, err := beginResponse(9, []byte{2, 9, 4}); err != nil || !r.complete() || r.status != StatusNoSuchInstance {
		t.Errorf("a bare refusal is %+v (%v)", r, err)
	}
}

func TestResponseRefuses(t *testing.T) {
	for name, piece := range map[string][]byte{
		"nothing":                {},
		"a cut head":             {2, 9},
		"another transaction":    {2, 8, 0},
		"a request":              {0, 9, 0},
		"a continuation":         {0x82, 9, 0},
		"a cut length":           {2, 9, 0, 5},
		"more than was said":     {2, 9, 0, 1, 0, 1, 2},
		"an unbelievable length": {2, 9, 0, 0xff, 0xff, 1},
	} {
		if r, err := beginResponse(9, piece); err == nil {
			t.Errorf("%s gives %+v", name, r)
		}
	}
	begun := response{want: 3}
	for name, piece := range map[string][]byte{
		"nothing": {0x82, 9}, "a first piece": {2, 9, 0}, "another transaction": {0x82, 8, 1}, "too much": {0x82, 9, 1, 2, 3, 4},
	} {
		if r, err := begun.further(9, piece); err == nil {
			t.Errorf("%s continues to %+v", name, r)
		}
	}
}

func FuzzResponse(f *testing.F) {
	f.Add([]byte{2, 9, 0, 5, 0, 1, 2}, []byte{0x82, 9, 3, 4, 5})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		r, err := beginResponse(9, first)
		if err != nil {
			return
		}
		if r, err = r.further(9, second); err == nil && len(r.body) > r.want {
			t.Fatalf("%d bytes of %d", len(r.body), r.want)
		}
	})
}
