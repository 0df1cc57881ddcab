package camera

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Limits of a live view.
const (
	maxWatchers      = 2       // of one camera, which has few connections to give
	maxSegment       = 8 << 20 // bytes; two seconds of 1080p have some 500 000
	playlistPatience = 5 * time.Second
	segmentPatience  = 10 * time.Second
	standstill       = 10 * time.Second // without a new segment the stream counts as lost
	farBehind        = 3                // segments that were missed: go on with the newest
)

// The two routes of the live stream. The second is missing on newer firmware of the Presence.
var liveRoutes = []string{"live/index.m3u8", "live/index_local.m3u8"}

// Watch shows the live picture of a camera until ctx ends, show fails, or the camera sends nothing new for
// ten seconds; it always returns an error. show gets one picture of H.264 after the other as NAL units
// without start codes, just as the camera made them, in the order of decoding and when it is due: at is the
// time of the picture since the first one. It begins with a picture from which decoding can begin, and
// the parameters stand before each of these. width in pixels is what is wanted, 0 for the best; the
// camera's nearest quality comes. Two may watch a camera at once. The units must not be changed.
func (a *Adapter) Watch(ctx context.Context, device gateway.DeviceID, width int, show func(at time.Duration, units [][]byte) error) error {
	a.mu.Lock()
	u := a.running[device]
	a.mu.Unlock()
	if u == nil {
		return fmt.Errorf("live picture of %s: no camera of that name is known on the LAN", device)
	}
	if !u.enterWatch() {
		return fmt.Errorf("live picture of %s: %d watch it already", device, maxWatchers)
	}
	defer u.leaveWatch()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(u.house.ctx, cancel)()
	err := u.watch(ctx, width, show)
	if u.house.ctx.Err() != nil {
		err = errors.New("the house is being stopped")
	}
	return fmt.Errorf("live picture of %s: %w", device, err)
}

func (u *unit) enterWatch() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.watchers >= maxWatchers {
		return false
	}
	u.watchers++
	return true
}

func (u *unit) leaveWatch() {
	u.mu.Lock()
	u.watchers--
	u.mu.Unlock()
}

// watch reads one segment ahead of what it shows, and no more: that bounds what is kept.
func (u *unit) watch(ctx context.Context, width int, show func(time.Duration, [][]byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	film := make(chan clip)
	var lost error
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(film)
		lost = (&liveReader{unit: u, width: width, next: newest}).run(ctx, film)
	})
	err := (&player{show: show}).play(ctx, film)
	cancel()
	reading.Wait()
	return cmp.Or(err, lost)
}

// clip is a segment that was read.
type clip struct {
	pictures []accessUnit
	joins    bool          // it goes on where the last one ended
	poll     time.Duration // how late the next one may be noticed
}

// newest stands for the segment that is the newest when the playlist is read.
const newest = -1

// liveReader follows the playlist of one quality.
type liveReader struct {
	unit  *unit
	width int
	route string // of the playlist
	next  int64  // sequence number of the segment that is wanted
}

// run reads segment after segment until the stream stands still.
func (r *liveReader) run(ctx context.Context, film chan<- clip) error {
	if err := r.choose(ctx); err != nil {
		return err
	}
	progress := time.Now()
	for {
		list, err := r.look(ctx)
		poll := min(max(list.target/4, 250*time.Millisecond), time.Second)
		for _, s := range r.wanted(list) {
			var c clip
			if c, err = r.fetch(ctx, s); err != nil {
				break
			}
			c.poll = poll
			select {
			case film <- c:
			case <-ctx.Done():
				return ctx.Err()
			}
			r.next, progress = s.sequence+1, time.Now()
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errUnfit):
			return err
		case err == nil && list.ended:
			return errors.New("its stream has ended")
		case time.Since(progress) > standstill:
			return cmp.Or(err, errors.New("its stream stands still"))
		}
		select {
		case <-time.After(poll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// errUnfit marks a stream that waiting does not mend.
var errUnfit = errors.New("it cannot be shown")

// choose finds the playlist of the quality that is wanted.
func (r *liveReader) choose(ctx context.Context) error {
	var list playlist
	var err error
	for _, r.route = range liveRoutes {
		if list, err = r.playlist(ctx); !errors.Is(err, errMissing) {
			break
		}
	}
	if errors.Is(err, errMissing) {
		return errNoPicture
	}
	if err != nil || len(list.variants) == 0 { // without variants it is the playlist itself
		return err
	}
	r.route, _, err = lead(r.unit.wayNow(), r.route, choose(list.variants, r.width).uri)
	return err
}

// look reads the playlist again.
func (r *liveReader) look(ctx context.Context) (playlist, error) {
	list, err := r.playlist(ctx)
	if err != nil {
		return playlist{}, err
	}
	if len(list.variants) > 0 {
		return playlist{}, fmt.Errorf("%w: its playlists only name each other", errUnfit)
	}
	return list, nil
}

func (r *liveReader) playlist(ctx context.Context) (playlist, error) {
	ctx, cancel := context.WithTimeout(ctx, playlistPatience)
	defer cancel()
	body, err := r.get(ctx, r.route, nil, maxAnswer)
	if err != nil {
		return playlist{}, err
	}
	list, err := readPlaylist(body)
	if err != nil {
		return playlist{}, fmt.Errorf("%w: %w", errUnfit, err)
	}
	return list, nil
}

// wanted are the segments to be read now: those that follow the last one, or the newest alone.
func (r *liveReader) wanted(list playlist) []segment {
	all := list.segments
	if len(all) == 0 {
		return nil
	}
	last := all[len(all)-1].sequence
	if r.next == newest || last-r.next >= farBehind || last < r.next-farBehind {
		return all[len(all)-1:]
	}
	for i, s := range all {
		if s.sequence >= r.next {
			return all[i:]
		}
	}
	return nil
}

func (r *liveReader) fetch(ctx context.Context, s segment) (clip, error) {
	ctx, cancel := context.WithTimeout(ctx, segmentPatience)
	defer cancel()
	route, query, err := lead(r.unit.wayNow(), r.route, s.uri)
	if err != nil {
		return clip{}, fmt.Errorf("%w: %w", errUnfit, err)
	}
	body, err := r.get(ctx, route, query, maxSegment)
	if err != nil {
		return clip{}, err
	}
	pictures, err := readSegment(body)
	if err != nil {
		return clip{}, fmt.Errorf("%w: %w", errUnfit, err)
	}
	return clip{pictures: pictures, joins: s.sequence == r.next}, nil
}

// get asks the camera where it is now: it may have moved since.
func (r *liveReader) get(ctx context.Context, route string, query url.Values, limit int64) ([]byte, error) {
	w := r.unit.wayNow()
	if !w.complete() {
		return nil, errors.New("the camera does not answer on the LAN")
	}
	a, err := r.unit.client.get(ctx, w, route, query, limit)
	if err == nil && a.status != 200 {
		err = fmt.Errorf("it answers with status %d", a.status)
	}
	return a.body, err
}
