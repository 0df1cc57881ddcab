package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Bounds of open pages.
const (
	mostPages   = 20
	pingEvery   = 15 * time.Second
	writeWithin = 10 * time.Second
	// pushPause is the least time between two pushes to one page: a house where much happens at once is drawn ten times a
	// second at most.
	pushPause = 100 * time.Millisecond
)

// live is every page that is open. A page that is slow skips the past: only the newest State is pushed.
type live struct {
	mu    sync.Mutex
	next  uint64
	pages map[uint64]*stream
	waits map[chan struct{}]bool // who waits for the next State, beside the pages
	drawn map[lang]drawing       // the last one of each language, shared by all pages
	seed  maphash.Seed           // of the sums in drawn
}

// stream is one open page.
type stream struct {
	id    uint64
	woken chan struct{} // has room for one
	quick chan struct{} // the same, for an alarm
}

// open adds a page; false if there are too many.
func (l *live) open() (*stream, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pages) >= mostPages {
		return nil, false
	}
	if l.pages == nil {
		l.pages = map[uint64]*stream{}
	}
	l.next++
	s := &stream{id: l.next, woken: make(chan struct{}, 1), quick: make(chan struct{}, 1)}
	l.pages[s.id] = s
	return s, true
}

func (l *live) shut(s *stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pages, s.id)
}

// wake has every page look at the newest State.
func (l *live) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.pages {
		poke(s.woken)
	}
	for c := range l.waits {
		poke(c)
	}
}

// watch has somebody told of each new State who is no page; there is one at a time.
func (l *live) watch() chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waits == nil {
		l.waits = map[chan struct{}]bool{}
	}
	c := make(chan struct{}, 1)
	l.waits[c] = true
	return c
}

func (l *live) unwatch(c chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.waits, c)
}

// call has every page told of the alarms at once.
func (l *live) call() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.pages {
		poke(s.quick)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// count is how many pages are open; has reports whether one of them is that.
func (l *live) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pages)
}

func (l *live) has(id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.pages[id]
	return ok
}

// pusher writes events of one page.
type pusher struct {
	w   http.ResponseWriter
	out *http.ResponseController
}

// event writes one event; the data is on one line. An error means that nobody is there any more.
func (p pusher) event(kind, id string, data any) error {
	var text bytes.Buffer
	line := json.NewEncoder(&text) // which ends it
	line.SetEscapeHTML(false)      // a script reads it: escaped markup would be half as long again
	if err := line.Encode(data); err != nil {
		return err
	}
	if err := p.out.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	if _, err := fmt.Fprintf(p.w, "event: %s\n%sdata: %s\n", kind, id, text.Bytes()); err != nil {
		return err
	}
	return p.out.Flush()
}

// apiLive pushes the State as JSON.
func (a *Adapter) apiLive(w http.ResponseWriter, r *http.Request) {
	sent := uint64(0)
	a.stream(w, r, func(p pusher, s gateway.State) error {
		if s.Version == sent {
			return nil
		}
		sent = s.Version
		return p.event("state", strconv.FormatUint(s.Version, 10), a.view(s))
	})
}

// liveParts pushes the parts of the page that look different now.
func (a *Adapter) liveParts(w http.ResponseWriter, r *http.Request) {
	sent := map[string]uint64{}
	a.stream(w, r, func(p pusher, s gateway.State) error {
		d := a.draw(s, languageOf(r))
		changed := []part{}
		for i, one := range d.parts {
			if sent[one.ID] != d.sums[i] {
				sent[one.ID] = d.sums[i]
				changed = append(changed, one)
			}
		}
		if len(sent) != len(d.parts) { // something is gone: the page is to look at all of it
			maps.DeleteFunc(sent, func(id string, _ uint64) bool {
				return !slices.ContainsFunc(d.parts, func(one part) bool { return one.ID == id })
			})
			return p.event("reload", "", nil)
		}
		if len(changed) == 0 {
			return nil
		}
		return p.event("parts", strconv.FormatUint(s.Version, 10), changed)
	})
}

// hello is the first thing that an open page hears.
type hello struct {
	Page  uint64 `json:"page"`  // to be named in POST /api/seen
	Build string `json:"build"` // of the page's own files
}

// stream keeps a page up to date until it is closed, its session ends, or the house stops.
func (a *Adapter) stream(w http.ResponseWriter, r *http.Request, push func(pusher, gateway.State) error) {
	one, ok := a.live.open()
	if !ok {
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("%d pages are open already, which is the most that are kept up to date", mostPages))
		return
	}
	defer a.live.shut(one)
	worth(r, staying)
	p := pusher{w, http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/event-stream")
	if err := p.out.SetReadDeadline(time.Time{}); err != nil { // what the page asked was read; the stream has no end
		return
	}
	if p.event("hello", "", hello{one.id, served().build}) == nil {
		a.keepUp(r.Context(), one, p, push, tokenOf(r))
	}
}

func (a *Adapter) keepUp(ctx context.Context, one *stream, p pusher, push func(pusher, gateway.State) error, token string) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	poke(one.woken)
	poke(one.quick)
	var pause <-chan time.Time // until which a page gets nothing but alarms
	for {
		woken := one.woken
		if pause != nil {
			woken = nil
		}
		tell := func() error { return p.event("ping", "", nil) }
		select {
		case <-ctx.Done():
			return
		case <-pause:
			pause = nil
			continue
		case <-ping.C:
		case <-one.quick:
			tell = func() error { return a.pushCalls(p) }
		case <-woken:
			pause = time.After(pushPause)
			tell = func() error {
				if s := a.newest.Load(); s != nil {
					return push(p, *s)
				}
				return nil
			}
		}
		if !a.sessions.signedIn(token, a.now()) || tell() != nil {
			return
		}
	}
}

// drawing is the page at one version of the State, in one language.
type drawing struct {
	version uint64
	minute  int64  // ages are part of it
	steps   string // of the first run that are left, which no State knows of
	parts   []part
	sums    []uint64
}

// draw draws the page, once for all who look at it.
func (a *Adapter) draw(s gateway.State, in lang) drawing {
	l := &a.live
	l.mu.Lock()
	defer l.mu.Unlock()
	minute := a.now().Unix() / 60
	steps := strings.Join(a.reminder(), " ")
	if d, ok := l.drawn[in]; ok && d.version == s.Version && d.minute == minute && d.steps == steps && d.parts != nil {
		return d
	}
	if l.drawn == nil {
		l.drawn, l.seed = map[lang]drawing{}, maphash.MakeSeed()
	}
	v := sheetOf(a.view(s), in, a.now())
	d := drawing{version: s.Version, minute: minute, steps: steps, parts: v.parts()}
	for _, one := range d.parts {
		d.sums = append(d.sums, maphash.String(l.seed, one.HTML))
	}
	l.drawn[in] = d
	return d
}
