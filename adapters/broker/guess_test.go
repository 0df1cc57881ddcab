package broker

import (
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// annaOnly knows one user, whose password is "right".
func annaOnly(t *testing.T) *users {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	u, err := newUsers(map[string]string{"anna": string(hash)})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func try(u *users, name, password string, from netip.Addr, now time.Time) error {
	return u.admit(login{name, []byte(password), from}, now, nil)
}

var (
	noon     = time.Date(2025, 10, 29, 12, 0, 0, 0, time.UTC)
	attacker = netip.MustParseAddr("192.0.2.7")
	friend   = netip.MustParseAddr("192.0.2.8")
)

// Of 1000 guesses in ten minutes at most 20 are looked at.
func TestGuessingIsSlow(t *testing.T) {
	u := annaOnly(t)
	looked := 0
	for i := range 1000 {
		now := noon.Add(time.Duration(i) * 600 * time.Millisecond)
		if err := try(u, "anna", "guess", attacker, now); !strings.Contains(err.Error(), "too many") {
			looked++
		}
	}
	if looked > 20 || looked < freeTries {
		t.Errorf("%d guesses were looked at", looked)
	}
	later := noon.Add(10 * time.Minute)
	if try(u, "anna", "right", attacker, later) == nil {
		t.Error("the attacker was let in during the penalty")
	}
	if err := try(u, "anna", "right", friend, later); err != nil {
		t.Errorf("somebody else suffers: %v", err)
	}
	if err := try(u, "anna", "right", attacker, later); err != nil {
		t.Errorf("a password that is proved has to wait: %v", err)
	}
}

func TestPenaltyEnds(t *testing.T) {
	u := annaOnly(t)
	for range freeTries {
		if err := try(u, "anna", "tpyo", attacker, noon); strings.Contains(err.Error(), "too many") {
			t.Fatal("no free tries")
		}
	}
	if try(u, "anna", "right", attacker, noon) == nil {
		t.Error("there is no penalty")
	}
	if err := try(u, "anna", "right", attacker, noon.Add(2*time.Second)); err != nil {
		t.Errorf("the penalty does not end: %v", err)
	}
	if u.penalty(neighbourhood(attacker)) != (time.Time{}) {
		t.Error("a right password does not make good")
	}
}

func TestProvedPasswordOpensNothingElse(t *testing.T) {
	u := annaOnly(t)
	if err := try(u, "anna", "right", friend, noon); err != nil {
		t.Fatal(err)
	}
	for _, row := range [][2]string{{"anna", "wrong"}, {"bert", "right"}, {"ann", "aright"}, {"", ""}} {
		if try(u, row[0], row[1], friend, noon) == nil {
			t.Errorf("%q was let in with %q", row[0], row[1])
		}
	}
}

func TestOffendersAreLimited(t *testing.T) {
	u := annaOnly(t)
	for range freeTries + 3 {
		_ = try(u, "anna", "guess", attacker, noon.Add(time.Hour))
	}
	address := netip.MustParseAddr("10.0.0.1")
	for range 2 * maxOffenders {
		_ = try(u, "anna", "guess", address, noon)
		u.rest = time.Time{} // which is another test's, and would take this one most of its time
		address = address.Next()
	}
	if len(u.offenders) > maxOffenders {
		t.Errorf("%d offenders are remembered", len(u.offenders))
	}
	if u.offenders[neighbourhood(attacker)].tries == 0 {
		t.Error("the worst was pardoned")
	}
}

func TestNeighbourhood(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.7":          "192.0.2.7/32",
		"::ffff:192.0.2.7":   "192.0.2.7/32",
		"2001:db8:1:2:3::4":  "2001:db8:1:2::/64",
		"fe80::1:2:3:4%eth0": "fe80::/64",
	} {
		if got := neighbourhood(netip.MustParseAddr(from)).String(); got != want {
			t.Errorf("%s lives in %s, not %s", from, got, want)
		}
	}
}

// A broker that stops does not wait for everybody's turn.
func TestQueueForTheTurnCanBeLeft(t *testing.T) {
	u := annaOnly(t)
	u.turn <- struct{}{} // somebody else's
	quit := make(chan struct{})
	close(quit)
	if err := u.admit(login{"anna", []byte("right"), friend}, noon, quit); err == nil || !strings.Contains(err.Error(), "stop") {
		t.Errorf("got %v", err)
	}
}

// A flood of logins from ever new addresses keeps no more than a quarter of a core busy. It is the processor's time that is
// looked at: how long one look takes depends on who else is at work.
func TestAFloodOfLoginsLeavesTheHouseItsCore(t *testing.T) {
	const guesses = 12
	hash, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost+3)
	if err != nil {
		t.Fatal(err)
	}
	u, err := newUsers(map[string]string{"anna": string(hash)})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC() // what the tests before have left
	began, before := time.Now(), busy(t)
	from := attacker
	for range guesses {
		from = from.Next()
		_ = try(u, "anna", "guess", from, noon)
	}
	took, used := time.Since(began), busy(t)-before
	// The last guess is followed by no rest; and a tenth, or what the runtime does beside, counts for nothing.
	if most := took * guesses / ((guesses - 1) * (1 + restAfterWrong)) * 11 / 10; used > most+10*time.Millisecond {
		t.Errorf("%d guesses kept a core busy for %v of %v; at most %v are wanted", guesses, used, took, most)
	}
	t.Logf("%d guesses took %v, and %v of a core", guesses, took, used)
}

// busy is the processor's time that this process has used.
func busy(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Skip("this system does not tell the time of the processor: ", err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// Who has shown the password before waits for nobody's turn, however many guess.
func TestTheKnownDoNotQueue(t *testing.T) {
	u := annaOnly(t)
	if err := try(u, "anna", "right", friend, noon); err != nil {
		t.Fatal(err)
	}
	u.turn <- struct{}{} // an attacker's, for long
	quit := make(chan struct{})
	close(quit) // who had to wait would leave
	if err := u.admit(login{"anna", []byte("right"), friend}, noon, quit); err != nil {
		t.Errorf("got %v", err)
	}
}

// Who has to wait takes nobody's turn.
func TestThePunishedDoNotQueue(t *testing.T) {
	u := annaOnly(t)
	for range freeTries {
		_ = try(u, "anna", "guess", attacker, noon)
	}
	u.turn <- struct{}{} // somebody else's, for long
	if err := try(u, "anna", "guess", attacker, noon); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("got %v", err)
	}
}
