package web

import (
	"context"
	"net/http"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web/history"
	"github.com/veilleuse/veilleuse/gateway"
)

// savePast is how often the history goes to disk while the house runs; a stop saves it, too. What a crash takes with it is shown as
// a gap.
const savePast = 6 * time.Hour

// Pictures is what the pictures need of the house beside its State.
type Pictures struct {
	// Load reads the history that was saved last; no bytes: there is none. nil: none is ever kept.
	Load func() ([]byte, error)
	// Save puts a history in its place, durable and whole or not at all. nil: none is ever kept.
	Save func([]byte) error
}

// past is the history of the house.
func (a *Adapter) past() *history.History { return a.remembered.Load() }

// recall reads the history, once. One that cannot be read is begun anew.
func (a *Adapter) recall() {
	if a.recalled || a.options.Pictures.Load == nil {
		return
	}
	a.recalled = true
	file, err := a.options.Pictures.Load()
	if err == nil && len(file) > 0 {
		var h *history.History
		if h, err = history.Decode(file); err == nil {
			a.remembered.Store(h)
		}
	}
	if err != nil {
		a.options.Log.Warn("what the rooms were like in the last 48 h is not known; their pictures begin anew", "err", err)
	}
}

// keep writes histories to disk, beside whoever takes what the house shows: alarms do not wait for the disk.
func (a *Adapter) keep(files <-chan []byte) {
	failed := false
	for file := range files {
		err := a.options.Pictures.Save(file)
		if err != nil && !failed {
			a.options.Log.Warn("the history of the rooms cannot be saved", "err", err)
		}
		failed = err != nil
	}
}

// remember looks at the house and counts what was written. It has the history saved when that is due, unless the disk is still
// busy with the one before.
func (a *Adapter) remember(now time.Time, files chan<- []byte) {
	h, s := a.past(), a.newest.Load()
	if s == nil {
		return
	}
	h.Observe(*s, now)
	if a.options.Stored != nil {
		w := a.options.Stored()
		h.Count(w.Bytes, w.Flushes, now)
	}
	if a.saved.IsZero() || now.Before(a.saved) {
		a.saved = now
	}
	if a.options.Pictures.Save == nil || now.Sub(a.saved) < savePast {
		return
	}
	select {
	case files <- h.Encode():
		a.saved = now
	default:
	}
}

// takeLeave saves the history if the house stops, and not if it is the server that has failed: that may do so often. Nothing is saved
// after it.
func (a *Adapter) takeLeave(ctx context.Context, port gateway.Port, files chan<- []byte) {
	a.remember(port.Now(), files)
	if ctx.Err() != nil && a.options.Pictures.Save != nil && !a.past().Until().IsZero() {
		files <- a.past().Encode()
	}
	close(files)
}

// pastView is what GET /api/history answers.
type pastView struct {
	From  time.Time    `json:"from"`
	To    time.Time    `json:"to"`
	Until time.Time    `json:"until,omitzero"` // the last look; a value holds until the next point, the last one until then
	Zone  string       `json:"zone"`
	Rooms []roomPoints `json:"rooms"`
}

type roomPoints struct {
	ID     string          `json:"id"`
	Name   string          `json:"name"`
	Points []history.Point `json:"points"`
}

// apiHistory answers the last 48 h, of all rooms or of the one that is asked for.
func (a *Adapter) apiHistory(w http.ResponseWriter, r *http.Request) {
	g := a.gallery(r)
	v := pastView{From: g.from.UTC(), To: g.to.UTC(), Until: g.past.Until(), Zone: g.house.Home.Zone, Rooms: []roomPoints{}}
	asked := r.URL.Query().Get("room")
	for _, one := range g.house.Rooms {
		if asked == "" || asked == anchor(one.Wish) {
			v.Rooms = append(v.Rooms, roomPoints{one.ID, one.Name, g.past.Points(gateway.RoomID(one.ID), g.from)})
		}
	}
	answer(w, http.StatusOK, v)
}
