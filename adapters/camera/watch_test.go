package camera

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/camera/cameratest"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// liveScene plays a camera with a film.
func liveScene(t *testing.T) *scene {
	s := &scene{t: t, vault: gatewaytest.NewVault(), said: &log{}}
	s.camera = play(t, cameratest.Setup{Device: string(indoor), Film: film})
	s.adapter = s.newAdapter()
	s.adapter.options.Log = slog.New(slog.NewTextHandler(s.said, nil))
	s.adapter.Learn(s.access())
	s.start()
	s.waitReach(true)
	return s
}

// film has segments of a second. The camera keeps three: whoever is not run for longer misses some.
var film = cameratest.DrawFilm(30, 50, 50, 5000)

// watchFor watches until so many pictures were shown, and returns their numbers.
func (s *scene) watchFor(pictures int) ([]int, error) {
	var numbers []int
	enough := errors.New("enough")
	ctx, cancel := context.WithTimeout(context.Background(), gatewaytest.Patience)
	defer cancel()
	err := s.adapter.Watch(ctx, indoor, 1280, func(_ time.Duration, units [][]byte) error {
		n, _ := cameratest.Number(units[len(units)-1])
		if numbers = append(numbers, n); len(numbers) == pictures {
			return enough
		}
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return numbers, err
}

func TestWatch(t *testing.T) {
	s := liveScene(t)
	s.camera.Requests()
	numbers, err := s.watchFor(120)
	if err != nil {
		t.Fatal(err)
	}
	if numbers[0]%50 != 0 {
		t.Errorf("it begins with picture %d, which is no key picture", numbers[0])
	}
	gaps := 0
	for i := 1; i < len(numbers); i++ {
		if numbers[i] != numbers[i-1]+1 {
			gaps++
		}
	}
	if gaps > 1 {
		t.Errorf("%d gaps in %d", gaps, numbers)
	}
	asked := s.camera.Requests()
	if !slices.Contains(asked, "live/files/high/index.m3u8") || slices.ContainsFunc(asked, func(r string) bool { return strings.Contains(r, "files/low") }) {
		t.Errorf("asked for %q", asked)
	}
}

func TestTwoMayWatchAndNoMore(t *testing.T) {
	s := liveScene(t)
	ctx, cancel := context.WithCancel(context.Background())
	watching := make(chan struct{}, 2)
	var viewers sync.WaitGroup
	for range maxWatchers {
		viewers.Go(func() {
			told := false
			err := s.adapter.Watch(ctx, indoor, 640, func(time.Duration, [][]byte) error {
				if !told {
					told = true
					watching <- struct{}{}
				}
				return nil
			})
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	<-watching
	<-watching
	if _, err := s.watchFor(1); err == nil || !strings.Contains(err.Error(), "2 watch it already") {
		t.Errorf("a third: %v", err)
	}
	cancel()
	viewers.Wait()
	if _, err := s.watchFor(1); err != nil {
		t.Errorf("after they left: %v", err)
	}
}

func TestWatchThatCannotBe(t *testing.T) {
	s := liveScene(t)
	fails := func(want string) {
		t.Helper()
		_, err := s.watchFor(1)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, wanted %q", err, want)
		}
		if err != nil && strings.Contains(err.Error(), s.camera.Key()) {
			t.Errorf("the key is told: %v", err)
		}
	}
	if err := s.adapter.Watch(context.Background(), outdoor, 1280, nil); err == nil {
		t.Error("a camera that nobody knows was watched")
	}
	s.camera.Set(cameratest.Page)
	fails("monitoring may be off")
	s.camera.Set(cameratest.Forbidden)
	fails("does not accept the key")
	s.camera.Set(cameratest.Truncated)
	fails("breaks off")
	s.camera.Set(cameratest.None)
	s.camera.Close()
	s.waitReach(false)
	fails("does not answer")
	s.house.Stop()
	fails("no camera of that name")
	if strings.Contains(s.said.String(), s.camera.Key()) {
		t.Error("the key is in the log")
	}
}

func TestASourceWithoutPictures(t *testing.T) {
	s := knownScene(t, "NACamera") // its segments are empty
	if _, err := s.watchFor(1); err == nil || !strings.Contains(err.Error(), "no H.264 video") {
		t.Error(err)
	}
}

// The end of the house ends who watches.
func TestWatchEndsWithTheHouse(t *testing.T) {
	s := liveScene(t)
	began := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		var once sync.Once
		ended <- s.adapter.Watch(context.Background(), indoor, 1280, func(time.Duration, [][]byte) error {
			once.Do(func() { close(began) })
			return nil
		})
	}()
	<-began
	s.house.Stop()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "being stopped") {
		t.Error(err)
	}
}

func TestWanted(t *testing.T) {
	list := func(numbers ...int64) playlist {
		var p playlist
		for _, n := range numbers {
			p.segments = append(p.segments, segment{sequence: n})
		}
		return p
	}
	for _, c := range []struct {
		name string
		next int64
		list playlist
		want []int64
	}{
		{"at first the newest", newest, list(3, 4, 5), []int64{5}},
		{"what follows", 4, list(3, 4, 5), []int64{4, 5}},
		{"nothing new", 6, list(3, 4, 5), nil},
		{"an older copy of the list", 6, list(2, 3, 4), nil},
		{"far behind", 2, list(3, 4, 5), []int64{5}},
		{"the camera has begun anew", 100, list(0, 1), []int64{1}},
		{"no segment yet", newest, list(), nil},
	} {
		var got []int64
		for _, s := range (&liveReader{next: c.next}).wanted(c.list) {
			got = append(got, s.sequence)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %d", c.name, got)
		}
	}
}

// Whoever looks at a tile does not wait for a slow camera if there is a picture to show.
func TestPictureOfASlowCamera(t *testing.T) {
	s := knownScene(t, "NACamera")
	s.adapter.fresh = 0
	first, taken, err := s.adapter.Picture(context.Background(), indoor)
	if err != nil {
		t.Fatal(err)
	}
	s.camera.Delay(time.Minute) // it is given up after picturePatience
	began := time.Now()
	again, at, err := s.adapter.Picture(context.Background(), indoor)
	if took := time.Since(began); err != nil || took > picturePatience*3/4 || !at.Equal(taken) || len(again) != len(first) {
		t.Errorf("after %v a picture of %v, first one of %v: %v", took, at, taken, err)
	}
	s.camera.Delay(0)
	s.camera.Close()
	if _, at, err := s.adapter.Picture(context.Background(), indoor); err != nil || at.Before(taken) {
		t.Errorf("gone for a moment: %v", err)
	}
	s.adapter.mu.Lock()
	u := s.adapter.running[indoor]
	s.adapter.mu.Unlock()
	old := u.lastPicture()
	old.took = time.Now().Add(-pictureKept - time.Second)
	u.keepPicture(old)
	if _, _, err := s.adapter.Picture(context.Background(), indoor); err == nil {
		t.Error("a picture that is too old was handed out")
	}
	if _, _, err := s.adapter.Picture(context.Background(), outdoor); err == nil {
		t.Error("a picture of an unknown camera")
	}
}

// Somebody has stopped the monitoring, perhaps in order not to be seen.
func TestNoPictureOfACameraThatWasStopped(t *testing.T) {
	s := knownScene(t, "NACamera")
	s.adapter.fresh = 0
	if _, _, err := s.adapter.Picture(context.Background(), indoor); err != nil {
		t.Fatal(err)
	}
	s.camera.SetMonitoring(false)
	if _, _, err := s.adapter.Picture(context.Background(), indoor); !errors.Is(err, errNoPicture) {
		t.Errorf("it shows a picture: %v", err)
	}
}
