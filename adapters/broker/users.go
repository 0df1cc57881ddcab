package broker

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const (
	// hashCost makes one guess take about 50 ms on a PC and half a second on a small Pi. bcrypt needs no
	// memory to speak of; argon2id would take as much as the whole process does.
	hashCost       = 10
	maxPassword    = 72 // bytes; bcrypt ignores the rest
	freeTries      = 5  // wrong passwords from one place before it has to wait
	longestPenalty = 10 * time.Minute
	maxOffenders   = 256 // places remembered
)

// HashPassword makes of a password what WithUsers takes. A password has 1 to 72 bytes.
func HashPassword(password string) (string, error) {
	if password == "" || len(password) > maxPassword {
		return "", fmt.Errorf("a password for MQTT must have 1 to %d bytes, not %d", maxPassword, len(password))
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), hashCost)
	return string(hash), err
}

// users knows who may come in, and slows down those who guess. A password once proved is recognised
// at once from then on, so that a client with a poor connection costs nothing and is never locked out.
type users struct {
	hashes map[string][]byte
	decoy  []byte   // checked for unknown names, so that they take as long as known ones
	key    [32]byte // of the fingerprints

	turn chan struct{} // one password is checked at a time: guessing cannot take more than one core

	mu        sync.Mutex
	proved    map[string][32]byte // user to fingerprint of the password
	offenders map[netip.Prefix]offender
}

type offender struct {
	tries int
	until time.Time // no password is looked at before
}

func newUsers(hashes map[string]string) (*users, error) {
	if len(hashes) == 0 {
		return nil, errors.New("no users were given to the MQTT broker; name at least one with a password")
	}
	u := &users{hashes: map[string][]byte{}, turn: make(chan struct{}, 1),
		proved: map[string][32]byte{}, offenders: map[netip.Prefix]offender{}}
	for name, hash := range hashes {
		if _, err := bcrypt.Cost([]byte(hash)); err != nil || name == "" {
			return nil, fmt.Errorf("user %q of the MQTT broker: a name and a bcrypt hash are needed; make one with: htpasswd -nB NAME", name)
		}
		u.hashes[name] = []byte(hash)
		u.decoy = u.hashes[name]
	}
	_, err := rand.Read(u.key[:])
	return u, err
}

// login is an attempt to come in.
type login struct {
	name     string
	password []byte
	from     netip.Addr
}

// admit checks a password, unless quit is closed before its turn has come. The error says why not.
func (u *users) admit(l login, now time.Time, quit <-chan struct{}) error {
	print := u.fingerprint(l)
	if u.isProved(l.name, print) {
		return nil
	}
	select {
	case u.turn <- struct{}{}:
		defer func() { <-u.turn }()
	case <-quit:
		return errors.New("the broker is about to stop")
	}
	place := neighbourhood(l.from)
	if wait := u.penalty(place).Sub(now); wait > 0 {
		return fmt.Errorf("too many wrong passwords from %s: the next is looked at in %s", place, wait.Round(time.Second))
	}
	hash, known := u.hashes[l.name]
	if !known {
		hash = u.decoy
	}
	if bcrypt.CompareHashAndPassword(hash, l.password) != nil || !known {
		u.offended(place, now)
		return errors.New("wrong user name or password")
	}
	u.accepted(l.name, print, place)
	return nil
}

func (u *users) fingerprint(l login) (print [32]byte) {
	mac := hmac.New(sha256.New, u.key[:])
	fmt.Fprintf(mac, "%d:%s:", len(l.name), l.name)
	mac.Write(l.password)
	mac.Sum(print[:0])
	return print
}

func (u *users) isProved(name string, print [32]byte) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	known, ok := u.proved[name]
	return ok && hmac.Equal(known[:], print[:])
}

func (u *users) accepted(name string, print [32]byte, place netip.Prefix) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.proved[name] = print
	delete(u.offenders, place)
}

func (u *users) penalty(place netip.Prefix) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.offenders[place].until
}

// offended doubles the wait with each wrong password after the free ones.
func (u *users) offended(place netip.Prefix, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, known := u.offenders[place]; !known && len(u.offenders) >= maxOffenders {
		u.pardonOne()
	}
	o := u.offenders[place]
	o.tries++
	if over := o.tries - freeTries; over >= 0 {
		o.until = now.Add(min(time.Second<<min(over, 20), longestPenalty))
	}
	u.offenders[place] = o
}

// pardonOne forgets the place that waits least.
func (u *users) pardonOne() {
	var least netip.Prefix
	for place, o := range u.offenders {
		if !least.IsValid() || o.until.Before(u.offenders[least].until) {
			least = place
		}
	}
	delete(u.offenders, least)
}

// neighbourhood is what one guesser can easily speak from: an IPv4 address, or an IPv6 network.
func neighbourhood(from netip.Addr) netip.Prefix {
	from = from.Unmap().WithZone("")
	bits := 32
	if from.Is6() {
		bits = 64
	}
	prefix, _ := from.Prefix(bits)
	return prefix
}
