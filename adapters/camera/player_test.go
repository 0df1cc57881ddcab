package camera

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/camera/cameratest"
)

// read turns a film into clips.
func read(t *testing.T, film cameratest.Film) []clip {
	t.Helper()
	var all []clip
	for i, data := range film.Segments {
		pictures, err := readSegment(data)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, clip{pictures: pictures, joins: i > 0, poll: 500 * time.Millisecond})
	}
	return all
}

// shown is one picture with when it was shown.
type shown struct {
	number int
	at     time.Duration // as told
	real   time.Duration // since the beginning
	kinds  []byte
}

// watchClips plays clips that come at those times and returns what was shown.
func watchClips(t *testing.T, clips []clip, arrive ...time.Duration) []shown {
	t.Helper()
	var all []shown
	began := time.Now()
	p := &player{show: func(at time.Duration, units [][]byte) error {
		s := shown{at: at, real: time.Since(began)}
		for _, unit := range units {
			s.kinds = append(s.kinds, unitType(unit))
		}
		s.number, _ = cameratest.Number(units[len(units)-1])
		all = append(all, s)
		return nil
	}}
	film := make(chan clip)
	go func() {
		defer close(film)
		for i, c := range clips {
			time.Sleep(time.Until(began.Add(arrive[i])))
			film <- c
		}
	}()
	if err := p.play(t.Context(), film); err != nil {
		t.Fatal(err)
	}
	return all
}

// Segments come whole, two seconds of pictures at once; the pictures do not.
func TestPicturesComeWhenTheyAreDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clips := read(t, cameratest.DrawFilm(3, 50, 25, 2000))
		all := watchClips(t, clips, 0, 2300*time.Millisecond, 4*time.Second)
		if len(all) != 150 {
			t.Fatalf("%d pictures", len(all))
		}
		for i, s := range all {
			due := time.Duration(i) * 40 * time.Millisecond
			if s.number != i || s.at != due {
				t.Errorf("picture %d: number %d, told %v", i, s.number, s.at)
			}
			if i > 0 {
				due += 500 * time.Millisecond // the small store against uneven arrival
			}
			if s.real != due {
				t.Errorf("picture %d at %v instead of %v", i, s.real, due)
			}
		}
	})
}

// A segment that comes far too late is a stop, not a burst afterwards.
func TestALateSegmentMakesNoBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := watchClips(t, read(t, cameratest.DrawFilm(2, 50, 25, 2000)), 0, 5*time.Second)
		for i := 1; i < len(all); i++ {
			pause := all[i].real - all[i-1].real
			if i > 1 && i != 50 && pause != 40*time.Millisecond {
				t.Errorf("picture %d comes %v after the one before", i, pause)
			}
			if all[i].at-all[i-1].at != 40*time.Millisecond {
				t.Errorf("picture %d is told to be of %v", i, all[i].at)
			}
		}
		if all[50].real != 5*time.Second {
			t.Errorf("the late segment begins at %v", all[50].real)
		}
	})
}

func TestTheStreamsClockMayJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const end = 1 << 33
		var pictures []cameratest.Picture
		for i, clock := range []int64{end - 3600, 0, 3600, 900_000, 903_600, 7200} {
			pictures = append(pictures, cameratest.Picture{Shown: clock, Decoded: clock, Units: [][]byte{{0x65, 0x80, 0x80 | byte(i), 1, 1}}})
		}
		film := cameratest.Film{Segments: [][]byte{cameratest.Mux(pictures)}}
		for i, s := range watchClips(t, read(t, film), 0) {
			if want := time.Duration(i) * 40 * time.Millisecond; s.at != want {
				t.Errorf("picture %d is told to be of %v, wanted %v", i, s.at, want)
			}
		}
	})
}

// Pictures that refer to later ones are decoded in another order than they are shown.
func TestPicturesThatReferToLaterOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pictures []cameratest.Picture
		for i, offset := range []int64{3600, 7200, 0} {
			decoded := int64(i) * 3600
			pictures = append(pictures, cameratest.Picture{Shown: decoded + offset, Decoded: decoded, Units: [][]byte{{0x65, 0x80, 0x80 | byte(i), 1, 1}}})
		}
		var told []time.Duration
		for _, s := range watchClips(t, read(t, cameratest.Film{Segments: [][]byte{cameratest.Mux(pictures)}}), 0) {
			told = append(told, s.at)
		}
		if want := []time.Duration{40 * time.Millisecond, 120 * time.Millisecond, 80 * time.Millisecond}; !slices.Equal(told, want) {
			t.Errorf("told %v", told)
		}
	})
}

// Decoding begins with a key picture, at the beginning and after a gap, and the parameters stand before each.
func TestEachBeginningIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unit := func(kind byte, number int) []byte { return []byte{kind, 0x80, 0x80 | byte(number), 1, 1} }
		clips := []clip{
			{pictures: []accessUnit{
				{units: [][]byte{cameratest.SPS, cameratest.PPS, unit(0x41, 0)}},
				{decoded: 3600, shown: 3600, units: [][]byte{unit(0x65, 1)}, key: true},
				{decoded: 7200, shown: 7200, units: [][]byte{unit(0x41, 2)}},
			}},
			{joins: false, pictures: []accessUnit{
				{decoded: 10800, shown: 10800, units: [][]byte{unit(0x41, 3)}},
				{decoded: 14400, shown: 14400, units: [][]byte{cameratest.SPS, cameratest.PPS, unit(0x65, 4)}, key: true},
			}},
		}
		var numbers []int
		for _, s := range watchClips(t, clips, 0, 0) {
			numbers = append(numbers, s.number)
			if last := s.kinds[len(s.kinds)-1]; last == unitIDR && !slices.Equal(s.kinds, []byte{unitSPS, unitPPS, unitIDR}) {
				t.Errorf("picture %d has the units %d", s.number, s.kinds)
			}
		}
		if !slices.Equal(numbers, []int{1, 2, 4}) {
			t.Errorf("the pictures %d were shown", numbers)
		}
	})
}

func TestAViewerWhoLeavesEndsThePlay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clips := read(t, cameratest.DrawFilm(1, 50, 25, 2000))
		film := make(chan clip, 1)
		film <- clips[0]
		gone := errors.New("gone")
		p := &player{show: func(at time.Duration, _ [][]byte) error {
			if at == time.Second {
				return gone
			}
			return nil
		}}
		if err := p.play(t.Context(), film); !errors.Is(err, gone) {
			t.Error(err)
		}
		film <- clips[0]
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := (&player{show: func(time.Duration, [][]byte) error { return nil }}).play(ctx, film); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
