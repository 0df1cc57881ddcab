package broker

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const (
	// hashCost makes one guess take about 50 ms on a PC and half a second on a small Pi. bcrypt needs no
	// memory to speak of; argon2id would take as much as the whole process does.
	hashCost       = 10
	maxPassword    = 72 // bytes; bcrypt ignores the rest
	dearestHash    = 12 // cost; four times as long for each two more
	freeTries      = 5  // wrong passwords from one place before it has to wait
	longestPenalty = 10 * time.Minute
	maxOffenders   = 256 // places remembered
	restAfterWrong = 3   // times as long as a wrong password took, nothing is checked: a quarter of a core at most
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
	file *followed[map[string][]byte] // nil: they do not change
	key  [32]byte                     // of the fingerprints

	turn chan struct{} // one password is checked at a time: guessing cannot take more than one core
	rest time.Time     // no password is checked before; of whoever has the turn

	mu        sync.Mutex
	hashes    map[string][]byte
	decoy     []byte              // checked for unknown names, so that they take as long as known ones
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
	all := map[string][]byte{}
	for name, hash := range hashes {
		if err := checkHash(name, hash); err != nil {
			return nil, fmt.Errorf("user %q of the MQTT broker: %w", name, err)
		}
		all[name] = []byte(hash)
	}
	return knowing(all)
}

// usersOf follows a file of users.
func usersOf(file string) (*users, error) {
	followed, err := follow(func() (map[string][]byte, error) { return readUsers(file) }, file)
	if err != nil {
		return nil, err
	}
	u, err := knowing(followed.now())
	if err == nil {
		u.file = followed
	}
	return u, err
}

func knowing(hashes map[string][]byte) (*users, error) {
	u := &users{turn: make(chan struct{}, 1), proved: map[string][32]byte{}, offenders: map[netip.Prefix]offender{}}
	u.replace(hashes)
	_, err := rand.Read(u.key[:])
	return u, err
}

// checkHash finds fault with a user. A hash that takes too long to check would be a way to keep the
// machine busy.
func checkHash(name, hash string) error {
	cost, err := bcrypt.Cost([]byte(hash))
	switch {
	case err != nil || name == "":
		return errors.New("a name and a bcrypt hash are needed; make one with: htpasswd -nB NAME")
	case cost > dearestHash:
		return fmt.Errorf("a bcrypt hash of cost %d takes too long on a small computer; make one of at most %d, as with: htpasswd -nB -C %d NAME",
			cost, dearestHash, hashCost)
	}
	return nil
}

// readUsers reads what htpasswd -nB writes: one name:hash a line.
func readUsers(file string) (map[string][]byte, error) {
	content, err := readFile(file)
	if err != nil {
		return nil, err
	}
	return parseUsers(file, string(content))
}

func parseUsers(file, content string) (map[string][]byte, error) {
	all, number := map[string][]byte{}, 0
	for line := range strings.Lines(content) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, hash, _ := strings.Cut(line, ":")
		if !strings.HasPrefix(hash, "$2") {
			return nil, fmt.Errorf("%s:%d: this line is not name:bcrypt, as htpasswd -nB writes it", file, number)
		}
		if err := checkHash(name, hash); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, number, err)
		}
		if all[name] != nil {
			return nil, fmt.Errorf("%s:%d: %s is there twice", file, number, name)
		}
		all[name] = []byte(hash)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s names no users; add one with: htpasswd -B %s NAME", file, file)
	}
	return all, nil
}

// replace lets these users in from now on. What was proved of others, or with another password, is not
// proved any more.
func (u *users) replace(hashes map[string][]byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for name := range u.proved {
		if string(hashes[name]) != string(u.hashes[name]) {
			delete(u.proved, name)
		}
	}
	u.hashes = hashes
	for _, hash := range hashes {
		u.decoy = hash
	}
}

// refresh reads the file again if it has changed, and reports whether the users have.
func (u *users) refresh(log *slog.Logger) bool {
	if u.file == nil {
		return false
	}
	hashes, changed := u.file.look(log)
	if changed {
		u.replace(hashes)
	}
	return changed
}

// hashOf is the hash of a user's password; "": there is no such user.
func (u *users) hashOf(name string) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return string(u.hashes[name])
}

// login is an attempt to come in.
type login struct {
	name     string
	password []byte
	from     netip.Addr
}

// admit checks a password, unless quit is closed before its turn has come. The error says why not.
func (u *users) admit(l login, now time.Time, quit <-chan struct{}) error {
	print, place := u.fingerprint(l), neighbourhood(l.from)
	if u.isProved(l.name, print) {
		return nil
	}
	if err := u.punished(place, now); err != nil {
		return err
	}
	stopping := errors.New("the broker is about to stop")
	select {
	case u.turn <- struct{}{}:
		defer func() { <-u.turn }()
	case <-quit:
		return stopping
	}
	if err := u.punished(place, now); err != nil { // meanwhile
		return err
	}
	select {
	case <-time.After(time.Until(u.rest)):
	case <-quit:
		return stopping
	}
	began := time.Now()
	hash := u.hashOf(l.name)
	if !u.fits(hash, l.password) {
		u.rest = time.Now().Add(restAfterWrong * time.Since(began))
		u.offended(place, now)
		return errors.New("wrong user name or password")
	}
	u.accepted(l.name, hash, print, place)
	return nil
}

// fits checks a password, for as long if there is no hash.
func (u *users) fits(hash string, password []byte) bool {
	if hash != "" {
		return bcrypt.CompareHashAndPassword([]byte(hash), password) == nil
	}
	u.mu.Lock()
	decoy := u.decoy
	u.mu.Unlock()
	_ = bcrypt.CompareHashAndPassword(decoy, password)
	return false
}

// punished says for how long nobody from there is listened to, or nil.
func (u *users) punished(place netip.Prefix, now time.Time) error {
	if wait := u.penalty(place).Sub(now); wait > 0 {
		return fmt.Errorf("too many wrong passwords from %s: the next is looked at in %s", place, wait.Round(time.Second))
	}
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

func (u *users) accepted(name, hash string, print [32]byte, place netip.Prefix) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if string(u.hashes[name]) == hash { // else it was changed meanwhile
		u.proved[name] = print
	}
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
