package camera

import (
	"context"
	"errors"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// pictureFresh is how long a picture is handed out again: the Home app asks for each tile of each
// phone, the camera takes about a second for one.
const pictureFresh = 5 * time.Second

// Whoever looks at a tile of the Home app does not want to wait: after pictureSoon the last picture does,
// unless it is older than pictureKept. Then a picture would say that the camera works, which it does not.
const (
	pictureSoon = 900 * time.Millisecond
	pictureKept = 10 * time.Minute
)

// picture is a still picture and when it was taken, in the house's time.
type picture struct {
	jpeg []byte
	at   time.Time
	took time.Time // the same by this machine's clock, which tells the age
}

// pictureWish is somebody's wait for a picture.
type pictureWish struct {
	ctx    context.Context
	result chan pictureResult // with room for one
}

type pictureResult struct {
	picture picture
	err     error
}

// snapshot waits for a picture.
func (u *unit) snapshot(ctx context.Context) (picture, error) {
	wish := pictureWish{ctx, make(chan pictureResult, 1)}
	select {
	case u.pictures <- wish:
	case <-ctx.Done():
		return picture{}, ctx.Err()
	case <-u.house.ctx.Done():
		return picture{}, errors.New("the house is being stopped")
	}
	select {
	case r := <-wish.result:
		return r.picture, r.err
	case <-ctx.Done():
		return picture{}, ctx.Err()
	}
}

// servePictures fetches one picture at a time. Who asks while one is on its way gets that one. A fetch
// is not given up with the one who asked first: others wait for it.
func (u *unit) servePictures() {
	ctx := u.house.ctx
	for {
		select {
		case wish := <-u.pictures:
			if wish.ctx.Err() != nil {
				continue // nobody waits any more
			}
			p := u.lastPicture()
			if p.took.IsZero() || time.Since(p.took) >= u.house.adapter.fresh {
				var err error
				if p, err = u.fetch(ctx); err != nil {
					wish.result <- pictureResult{err: err}
					continue
				}
				u.keepPicture(p)
			}
			wish.result <- pictureResult{picture: p}
		case <-ctx.Done():
			return
		}
	}
}

func (u *unit) fetch(ctx context.Context) (picture, error) {
	w := u.wayNow()
	if !w.complete() {
		return picture{}, errors.New("the camera does not answer on the LAN")
	}
	at := u.house.port.Now()
	jpeg, err := u.client.picture(ctx, w)
	if err != nil {
		return picture{}, err
	}
	u.house.port.Post(gateway.Reading{
		Device: u.id, Quantity: gateway.Snapshot, Value: gateway.Word(at.UTC().Format(time.RFC3339)), Measured: at,
	})
	return picture{jpeg, at, time.Now()}, nil
}

func (u *unit) keepPicture(p picture) {
	u.mu.Lock()
	u.last = p
	u.mu.Unlock()
}

// lastPicture is the newest picture that was taken, however old; the zero one: none was.
func (u *unit) lastPicture() picture {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last
}
