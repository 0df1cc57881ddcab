package web

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/veilleuse/veilleuse/gateway"
)

// The keys of the vault.
const (
	passwordKey = "password" // a sealed
	sessionsKey = "sessions" // a list of session
)

// Bounds of a password, in characters and bytes.
const (
	shortestPassword = 8
	longestPassword  = 256
)

// The cost of one look at a password: the least memory that OWASP's password storage sheet allows with argon2id (7 MiB, five
// passes, one thread), because the smallest board has 512 MB for everything.
const (
	argonPasses = 5
	argonMemory = 7 << 10 // KiB
	saltSize    = 16
	keySize     = 32
)

// sealed is a password as it is kept: it can be compared with, and not be read.
type sealed struct {
	Passes uint32 `json:"passes"`
	Memory uint32 `json:"memory_kib"`
	Salt   []byte `json:"salt"`
	Key    []byte `json:"key"`
}

func seal(password string) sealed {
	s := sealed{Passes: argonPasses, Memory: argonMemory, Salt: make([]byte, saltSize)}
	rand.Read(s.Salt) // never fails
	s.Key = s.derive(password)
	return s
}

func (s sealed) derive(password string) []byte {
	return argon2.IDKey([]byte(password), s.Salt, s.Passes, s.Memory, 1, keySize)
}

func (s sealed) opens(password string) bool {
	return subtle.ConstantTimeCompare(s.Key, s.derive(password)) == 1
}

// Why a password is not taken. The texts are for the verb; the page has its own, in both languages.
var (
	errTooShort   = fmt.Errorf("a password has at least %d characters", shortestPassword)
	errTooLong    = fmt.Errorf("a password has at most %d bytes", longestPassword)
	errNoText     = errors.New("a password is text in UTF-8 on one line")
	errAlreadySet = errors.New("a password is set already; veilleuse password sets another")
)

func checkPassword(p string) error {
	switch {
	case utf8.RuneCountInString(p) < shortestPassword:
		return errTooShort
	case len(p) > longestPassword:
		return errTooLong
	case !utf8.ValidString(p) || strings.ContainsAny(p, "\r\n\x00"):
		return errNoText
	}
	return nil
}

// lock is the one password of the page. Only one look at it is taken at a time, for each takes memory.
type lock struct {
	vault gateway.Vault
	mu    sync.Mutex
}

// isSet reports whether there is a password. A vault that cannot be read counts as one that has: nobody may set another then.
func (l *lock) isSet() bool {
	_, err := l.vault.Get(passwordKey)
	return !errors.Is(err, fs.ErrNotExist)
}

// first sets the password of a house that has none.
func (l *lock) first(password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isSet() {
		return errAlreadySet
	}
	return l.keep(password)
}

// set sets another password.
func (l *lock) set(password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.keep(password)
}

func (l *lock) keep(password string) error {
	record, err := json.Marshal(seal(password))
	if err != nil {
		return err
	}
	if err := l.vault.Set(passwordKey, record); err != nil {
		return fmt.Errorf("keep the password: %w", err)
	}
	return nil
}

// opens reports whether that is the password. Of what is too long or none at all it is not even looked.
func (l *lock) opens(password string) (bool, error) {
	if checkPassword(password) != nil {
		return false, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	record, err := l.vault.Get(passwordKey)
	if err != nil {
		return false, fmt.Errorf("read the password: %w", err)
	}
	var s sealed
	if err := json.Unmarshal(record, &s); err != nil || s.Passes == 0 || len(s.Key) != keySize {
		return false, errors.New("the password that was kept is not readable; veilleuse password sets another")
	}
	return s.opens(password), nil
}

// urlText is random bytes as they fit into a cookie.
func urlText(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
