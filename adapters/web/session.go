package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Bounds of sessions. They outlive a restart, so that a page that is open goes on being told of alarms.
const (
	mostSessions  = 50
	sessionUnused = 30 * 24 * time.Hour  // one that is not used for so long ends
	sessionLife   = 365 * 24 * time.Hour // and so does one that is so old
	usedEvery     = 24 * time.Hour       // its use is written down so often
	cookieName    = "veilleuse"
	tokenSize     = 32 // bytes
)

// session is one browser that is signed in. Its token is known to that browser alone.
type session struct {
	Hash  string    `json:"hash"` // SHA-256 of the token, in hexadecimal digits
	Began time.Time `json:"began"`
	Used  time.Time `json:"used"`
}

// over reports whether the session has ended. A clock that was set back ends none.
func (s session) over(now time.Time) bool {
	return now.Sub(s.Used) > sessionUnused || now.Sub(s.Began) > sessionLife
}

// sessions are all browsers that are signed in, the one that was used longest ago first to give way.
type sessions struct {
	vault gateway.Vault
	mu    sync.Mutex
	read  bool
	all   []session
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// load reads what an earlier run kept. What cannot be read signs everybody out, and no more.
func (s *sessions) load() {
	if s.read {
		return
	}
	s.read = true
	record, err := s.vault.Get(sessionsKey)
	if err == nil {
		err = json.Unmarshal(record, &s.all)
	}
	if err != nil {
		s.all = nil
	}
	s.all = s.all[:min(len(s.all), mostSessions)]
}

// begin signs a browser in and returns its token.
func (s *sessions) begin(now time.Time) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load()
	token := urlText(tokenSize)
	all := slices.DeleteFunc(slices.Clone(s.all), func(one session) bool { return one.over(now) })
	sort.Slice(all, func(i, j int) bool { return all[j].Used.Before(all[i].Used) })
	all = append(all[:min(len(all), mostSessions-1)], session{Hash: hashOf(token), Began: now, Used: now})
	return token, s.keep(all)
}

// signedIn reports whether a token is that of a session, and notes its use.
func (s *sessions) signedIn(token string, now time.Time) bool {
	if token == "" {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load()
	at := slices.IndexFunc(s.all, func(one session) bool { return one.Hash == hashOf(token) })
	if at < 0 || s.all[at].over(now) {
		return false
	}
	if now.Sub(s.all[at].Used) > usedEvery {
		all := slices.Clone(s.all)
		all[at].Used = now
		_ = s.keep(all) // a disk that is full signs nobody out
	}
	return true
}

// end signs a browser out.
func (s *sessions) end(token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load()
	return s.keep(slices.DeleteFunc(slices.Clone(s.all), func(one session) bool { return one.Hash == hashOf(token) }))
}

// endAll signs everybody out.
func (s *sessions) endAll() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read, s.all = true, nil
	if err := s.vault.Delete(sessionsKey); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sign everybody out: %w", err)
	}
	return nil
}

// endOthers signs everybody out but the one of that token.
func (s *sessions) endOthers(token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load()
	return s.keep(slices.DeleteFunc(slices.Clone(s.all), func(one session) bool { return one.Hash != hashOf(token) }))
}

func (s *sessions) keep(all []session) error {
	record, err := json.Marshal(all)
	if err == nil {
		err = s.vault.Set(sessionsKey, record)
	}
	if err != nil {
		return fmt.Errorf("keep who is signed in: %w", err)
	}
	s.all = all
	return nil
}

// tokenOf is the token that a browser has sent.
func tokenOf(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie hands the token to the browser; "" takes it away. The house has no certificate, so it is no Secure cookie.
func setCookie(w http.ResponseWriter, token string) {
	c := &http.Cookie{Name: cookieName, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(sessionLife / time.Second)}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}
