package web

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// routes is all that can be asked, in one place.
func (a *Adapter) routes(now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", a.alive)
	mux.HandleFunc("/readyz", a.ready)
	mux.Handle("/metrics", atHome(a.metrics(now)))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "there is nothing here; /healthz, /readyz and /metrics are served")
	})
	return a.guard(mux)
}

// alive says that the program runs.
func (a *Adapter) alive(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") }

// ready says that the house knows where it stands.
func (a *Adapter) ready(w http.ResponseWriter, _ *http.Request) {
	if a.newest.Load() == nil {
		refuse(w, http.StatusServiceUnavailable, "the house has only just started; ask again")
		return
	}
	io.WriteString(w, "ok\n")
}

// guard lets nothing in but a GET under a name of this machine, and has nothing stored, framed or guessed.
func (a *Adapter) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		switch {
		case !a.allowed(r.Host):
			refuse(w, http.StatusMisdirectedRequest, fmt.Sprintf("%.80q is no name of this machine; use its address, localhost or a name in .local", r.Host))
		case r.Method != http.MethodGet:
			h.Set("Allow", http.MethodGet)
			refuse(w, http.StatusMethodNotAllowed, "only GET is answered here")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func refuse(w http.ResponseWriter, status int, why string) {
	w.WriteHeader(status)
	io.WriteString(w, why+"\n")
}

// hostNames are the names under which the machine may be asked.
func hostNames(own string, others []string) map[string]bool {
	names := map[string]bool{"localhost": true}
	short, _, _ := strings.Cut(own, ".")
	for _, n := range append([]string{own, short}, others...) {
		if n = strings.ToLower(strings.TrimSuffix(n, ".")); n != "" {
			names[n] = true
		}
	}
	return names
}

// allowed reports whether a Host header names this machine. Nobody can make an address, localhost or a
// name in .local point somewhere else from the internet.
func (a *Adapter) allowed(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")); err == nil {
		return true
	}
	return a.hosts[host] || strings.HasSuffix(host, ".local") && host != ".local"
}

// atHome serves this computer and the home's own network only.
func atHome(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !private(r.RemoteAddr) {
			refuse(w, http.StatusForbidden, "the figures of a house are private: they are given to the home's own network only")
			return
		}
		next.ServeHTTP(w, r)
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
