package web

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// access is who may use a route.
type access int

const (
	anybody  access = iota // whoever reaches the port
	atHome                 // this computer and the home's own network
	signedIn               // there, who has signed in; others are refused
	pageFor                // the same, of a page: others are led to the door
)

// route is one thing that can be asked.
type route struct {
	method, path string
	access       access
	body         int64 // bytes that a request may bring
	serve        func(*Adapter, http.ResponseWriter, *http.Request)
}

// Sizes of what requests may bring.
const (
	noBody    = 0
	formBody  = 4 << 10
	wishBody  = 4 << 10
	smallBody = 256
)

// routes is all that can be asked, in one place.
var routes = []route{
	{"GET", "/healthz", anybody, noBody, (*Adapter).alive},
	{"GET", "/readyz", anybody, noBody, (*Adapter).ready},
	{"GET", "/metrics", atHome, noBody, (*Adapter).metrics},

	{"GET", "/page.css", atHome, noBody, (*Adapter).asset},
	{"GET", "/page.js", atHome, noBody, (*Adapter).asset},
	{"GET", "/icon.svg", atHome, noBody, (*Adapter).asset},
	{"GET", "/welcome", atHome, noBody, (*Adapter).welcome},
	{"POST", "/welcome", atHome, formBody, (*Adapter).setFirst},
	{"GET", "/sign-in", atHome, noBody, (*Adapter).signInForm},
	{"POST", "/sign-in", atHome, formBody, (*Adapter).signIn},

	{"GET", "/{$}", pageFor, noBody, (*Adapter).page},
	{"POST", "/do", pageFor, formBody, (*Adapter).do},
	{"POST", "/sign-out", pageFor, formBody, (*Adapter).signOut},
	{"GET", "/live", signedIn, noBody, (*Adapter).liveParts},
	{"GET", "/api/state", signedIn, noBody, (*Adapter).apiState},
	{"GET", "/api/live", signedIn, noBody, (*Adapter).apiLive},
	{"POST", "/api/wish/{to...}", signedIn, wishBody, (*Adapter).apiWish},
	{"POST", "/api/seen", signedIn, smallBody, (*Adapter).apiSeen},

	{"GET", "/chart.css", atHome, noBody, (*Adapter).asset},
	{"GET", "/pictures.css", atHome, noBody, (*Adapter).asset},
	{"GET", "/pictures.js", atHome, noBody, (*Adapter).asset},
	{"GET", "/pictures", pageFor, noBody, (*Adapter).pictures},
	{"GET", "/pictures/{to...}", pageFor, noBody, (*Adapter).pictureFile},
	{"GET", "/api/history", signedIn, noBody, (*Adapter).apiHistory},
	{"GET", "/api/availability", signedIn, noBody, (*Adapter).apiAvailability},
	{"GET", "/api/writes", signedIn, noBody, (*Adapter).apiWrites},

	{"GET", "/acting.js", atHome, noBody, (*Adapter).asset},
	{"GET", "/care.css", atHome, noBody, (*Adapter).asset},
	{"GET", "/care.js", atHome, noBody, (*Adapter).asset},
	{"GET", "/outages", pageFor, noBody, (*Adapter).outages},
	{"GET", "/outages/{number}", pageFor, noBody, (*Adapter).outage},
	{"GET", "/api/outages", signedIn, noBody, (*Adapter).apiOutages},
	{"GET", "/api/outages/{number}", signedIn, noBody, (*Adapter).apiOutage},

	{"GET", "/care", pageFor, noBody, (*Adapter).care},
	{"GET", "/care/pairings/{id}", pageFor, noBody, (*Adapter).deed},
	{"POST", "/care/backup", pageFor, formBody, (*Adapter).deed},
	{"POST", "/care/keep", pageFor, formBody, (*Adapter).deed},
	{"POST", "/care/look", pageFor, uploadBody, (*Adapter).deed},
	{"POST", "/care/restore", pageFor, formBody, (*Adapter).deed},
	{"POST", "/care/unpair", pageFor, formBody, (*Adapter).deed},
	{"POST", "/care/remove", pageFor, formBody, (*Adapter).deed},
	{"POST", "/care/share", pageFor, formBody, (*Adapter).deed},
	{"POST", "/care/bundle", pageFor, formBody, (*Adapter).deed},
	{"POST", "/care/sign-out", pageFor, formBody, (*Adapter).deed},
	{"POST", "/care/password", pageFor, formBody, (*Adapter).deed},
	{"POST", "/api/backup", signedIn, wishBody, (*Adapter).deed},
	{"POST", "/api/keep", signedIn, wishBody, (*Adapter).deed},
	{"POST", "/api/look", signedIn, uploadBody, (*Adapter).deed},
	{"POST", "/api/restore", signedIn, wishBody, (*Adapter).deed},
	{"GET", "/api/pairings", signedIn, noBody, (*Adapter).deed},
	{"GET", "/api/pairings/{id}", signedIn, noBody, (*Adapter).deed},
	{"POST", "/api/unpair", signedIn, wishBody, (*Adapter).deed},
	{"POST", "/api/remove", signedIn, wishBody, (*Adapter).deed},
	{"POST", "/api/share", signedIn, wishBody, (*Adapter).deed},
	{"POST", "/api/bundle", signedIn, wishBody, (*Adapter).deed},
	{"POST", "/api/sign-out", signedIn, wishBody, (*Adapter).deed},
	{"POST", "/api/password", signedIn, wishBody, (*Adapter).deed},

	{"GET", "/first.css", atHome, noBody, (*Adapter).asset},
	{"GET", "/first.js", atHome, noBody, (*Adapter).asset},
	{"GET", "/first", pageFor, noBody, (*Adapter).firstRoot},
	{"GET", "/first/{step}", pageFor, noBody, (*Adapter).firstPage},
	{"POST", "/first/{step}", pageFor, firstBody, (*Adapter).firstDo},
	{"GET", returnPath, atHome, noBody, (*Adapter).firstReturn}, // where a browser comes from the vendor, without its cookie
	{"GET", "/api/first", signedIn, noBody, (*Adapter).apiFirst},
	{"POST", "/api/first/{step}", signedIn, firstBody, (*Adapter).apiFirstDo},
}

// forOnward are the routes that people look at in a browser.
func forOnward() []route {
	return slices.DeleteFunc(slices.Clone(routes), func(r route) bool { return r.method != http.MethodGet || r.access != pageFor })
}

// handler serves the routes.
func (a *Adapter) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r.method+" "+r.path, func(w http.ResponseWriter, q *http.Request) {
			if q.Method != r.method { // HEAD goes where GET does
				nothingHere(w, q)
				return
			}
			q.Body = http.MaxBytesReader(w, q.Body, r.body)
			if a.admit(r.access, w, q) {
				r.serve(a, w, q)
			}
		})
	}
	mux.HandleFunc("/", nothingHere)
	return a.guard(mux)
}

// nothingHere answers what no route is for; a path that has one is asked in another way.
func nothingHere(w http.ResponseWriter, r *http.Request) {
	var ways []string
	for _, known := range routes {
		path, rest, open := strings.Cut(known.path, "{")
		if (r.URL.Path == path && (!open || rest == "$}") || open && rest != "$}" && strings.HasPrefix(r.URL.Path, path) && r.URL.Path != path) && !slices.Contains(ways, known.method) {
			ways = append(ways, known.method)
		}
	}
	if len(ways) == 0 {
		refuse(w, http.StatusNotFound, "there is nothing here; the page is at /")
		return
	}
	w.Header().Set("Allow", strings.Join(ways, ", "))
	refuse(w, http.StatusMethodNotAllowed, "here only "+strings.Join(ways, " and ")+" is answered")
}

// admit reports whether somebody may use a route, and else answers why not. A page that wants a sign-in leads there; a call is
// refused.
func (a *Adapter) admit(need access, w http.ResponseWriter, r *http.Request) bool {
	switch {
	case need == anybody:
		return true
	case !private(r.RemoteAddr) && !neighbours(r):
		refuse(w, http.StatusForbidden, "a house is private: it is shown to the home's own network only")
		return false
	case need == atHome || a.sessions.signedIn(tokenOf(r), a.now()):
		return true
	case need == pageFor && a.askAgain(w, r):
		return false
	case need == pageFor:
		http.Redirect(w, r, a.doorTo(r), http.StatusSeeOther)
		return false
	}
	refuse(w, http.StatusUnauthorized, "sign in first: open the page at "+a.door())
	return false
}

// door is where somebody comes in who is not signed in.
func (a *Adapter) door() string {
	if a.lock.isSet() {
		return "/sign-in"
	}
	return "/welcome"
}

// doorTo is the door, with the page that was asked for to be led on to.
func (a *Adapter) doorTo(r *http.Request) string {
	if next := a.onward(r.URL.Path); r.Method == http.MethodGet && next != "/" && a.lock.isSet() {
		return a.door() + "?next=" + url.QueryEscape(next)
	}
	return a.door()
}

// onward is where somebody is led who has signed in: the page of this house that was asked for, else the first. Somebody elsewhere may
// have made the link. So only letters with which no address of another house can be written, in whatever way a browser may read
// them, are let through, and only what is a page.
func (a *Adapter) onward(asked string) string {
	odd := strings.Trim(asked, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.:")
	if odd != "" || strings.Contains(asked, "//") || strings.Contains(asked, "..") {
		return "/"
	}
	for _, r := range a.pages {
		start, _, open := strings.Cut(r.path, "{")
		if asked == r.path || open && start != "/" && strings.HasPrefix(asked, start) {
			return asked
		}
	}
	return "/"
}

// alive says that the program runs.
func (a *Adapter) alive(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") }

// ready says that the house knows where it stands.
func (a *Adapter) ready(w http.ResponseWriter, _ *http.Request) {
	if a.newest.Load() == nil {
		refuse(w, http.StatusServiceUnavailable, justStarted)
		return
	}
	io.WriteString(w, "ok\n")
}

// policy lets the page load what this house serves, and nothing else; no script or style stands in the page itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// guard lets nothing in but what is asked under a name of this machine, and by none of the pages of others, and has
// nothing stored, framed or guessed.
func (a *Adapter) guard(next http.Handler) http.Handler {
	foreign := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		if forPeople(r.URL.Path) {
			h.Set("Content-Language", languageOf(r).code())
		}
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", policy)
		// Not no-referrer: a browser then says Origin: null of our own forms, and over plain HTTP it says nothing else.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !a.allowed(r.Host) {
			refuse(w, http.StatusMisdirectedRequest, fmt.Sprintf("%.80q is no name of this machine; use its address, localhost or a name in .local", r.Host))
			return
		}
		if err := foreign.Check(r); err != nil {
			refuse(w, http.StatusForbidden, "this was asked by the page of somebody else; it is refused")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse says in a line why something is not done: in the language that guard has chosen.
func refuse(w http.ResponseWriter, status int, why string) {
	if w.Header().Get("Content-Language") == french.code() {
		if said := plainFrench(why); said != "" {
			why = said
		} else {
			w.Header().Set("Content-Language", english.code())
		}
	}
	w.WriteHeader(status)
	io.WriteString(w, why+"\n")
}

// forPeople reports whether people look at a path in a browser; what programs ask is answered in English.
func forPeople(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return !slices.Contains([]string{"api", "live", "metrics", "healthz", "readyz"}, first)
}

// allowed reports whether a Host header names this machine. Nobody can make an address, localhost, a name in .local or one of a
// domain that the network itself names point somewhere else from the internet.
func (a *Adapter) allowed(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")); err == nil {
		return true
	}
	if host == "localhost" || strings.HasSuffix(host, ".local") && host != ".local" {
		return true
	}
	name, _, _ := strings.Cut(a.own, ".")
	if name == "" {
		return false // the machine has no name
	}
	return host == a.own || host == name || a.inDomain(name, host)
}

// inDomain reports whether a host is this machine's name in a domain of the network.
func (a *Adapter) inDomain(name, host string) bool {
	domain, mine := strings.CutPrefix(host, name+".")
	return mine && domain != "" && a.options.Domains != nil && slices.ContainsFunc(a.options.Domains(), func(d string) bool {
		return strings.EqualFold(strings.TrimSuffix(d, "."), domain)
	})
}

// private reports whether an address:port is this machine's or of a private network.
func private(remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	ip := at.Addr().Unmap()
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
}

// neighbours reports whether a request comes from the very network in which this machine was asked. Providers give a home a network
// of public addresses of IPv6, and a browser that finds the house by its name in .local prefers those.
func neighbours(r *http.Request) bool {
	here, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if here == nil || err != nil || !at.Addr().IsGlobalUnicast() || !at.Addr().Is6() || at.Addr().Is4In6() {
		return false
	}
	return neighbourhood(r.RemoteAddr) == neighbourhood(here.String())
}
