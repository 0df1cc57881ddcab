package web

import (
	"context"
	"maps"
	"net/http"
	"time"
)

// Bounds of signing in at the vendor.
const (
	loginLife  = 10 * time.Minute // from the page on which it begins to the browser's return
	mostLogins = 20
	returnPath = "/first/return"
	longReturn = 2 << 10 // bytes of a code or a state
)

// login is a sign-in at the vendor that one browser has begun.
type login struct {
	session  string // hash of the browser's token
	redirect string
	page     string // at the vendor
	until    time.Time
}

// loginFor begins a sign-in of a browser, or returns the one that it began a moment ago. It changes nothing in the house. The
// page is the vendor's.
func (f *firstRun) loginFor(session, redirect string, now time.Time) (page string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.logins, func(_ string, l login) bool { return !now.Before(l.until) })
	for _, l := range f.logins {
		if l.session == session && l.redirect == redirect && l.until.Sub(now) > loginLife/2 {
			return l.page, nil
		}
	}
	if len(f.logins) >= mostLogins {
		f.logins = map[string]login{} // nobody has so many browsers
	}
	state := urlText(tokenSize)
	page, err = f.ask.Authorize(redirect, state)
	if err == nil {
		f.logins[state] = login{session, redirect, page, now.Add(loginLife)}
	}
	return page, err
}

// returned ends a sign-in: each state is good once, in the browser that began it.
func (f *firstRun) returned(state, session string, now time.Time) (redirect string, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, known := f.logins[state]
	if !known || l.session != session {
		return "", false
	}
	delete(f.logins, state)
	return l.redirect, now.Before(l.until)
}

// dropLogins forgets the sign-ins that were begun, for the application is another.
func (f *firstRun) dropLogins() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.logins)
}

// redirectOf is where the vendor sends the browser back: to the house, under the name by which the browser knows it.
func redirectOf(r *http.Request) string { return "http://" + r.Host + returnPath }

// firstReturn is where the vendor sends the browser. It comes from elsewhere and so without its cookie (SameSite=Strict), and a
// GET changes nothing: the page asks for a touch, or the script gives it, that sends code and state on from here.
func (a *Adapter) firstReturn(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p := &sheet{in: languageOf(r), now: a.now()}
	p.head(p.say("first.netatmo") + " · " + p.say("app"))
	f, status := firstSheet{Step: "return"}, http.StatusUnprocessableEntity
	if code, state := q.Get("code"), q.Get("state"); code != "" && state != "" && len(code) <= longReturn && len(state) <= longReturn {
		f.Code, f.State, status = code, state, http.StatusOK
	}
	f.draw(p, nil)
	p.send(w, status)
}

// returnedFrom takes the browser's return from the vendor, and trades its code for a sign-in.
func (a *Adapter) returnedFrom(r *http.Request, code, state string) *fault {
	redirect, ok := a.first.returned(state, hashOf(tokenOf(r)), a.now())
	if !ok || code == "" {
		return &fault{field: "sign-in", key: "first.expired"}
	}
	begun := a.first.begin("sign-in", "", a.now(), func(ctx context.Context) func(*firstResults) {
		err := a.first.ask.Exchange(ctx, code, redirect)
		return func(done *firstResults) { done.SignInErr = wordsOf(err) }
	})
	if !begun {
		return &fault{field: "sign-in", key: "first.busy"}
	}
	return nil
}

func wordsOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
