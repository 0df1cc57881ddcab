package netatmo

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
)

// TestRandomCrashes lets many houses live through one to three lives each. A life ends by a power cut
// before or after any operation on the vault, the vendor's token URL fails in any way that keeps its
// word, its answer may get lost, and an outage may be on. Whatever happens: the vault holds a pair, two
// refreshes are never closer than 5 min, none goes into an outage, none is sent without need, and in the
// end the sign-in works, or both pairs are void and a person is told to log in again.
func TestRandomCrashes(t *testing.T) {
	runs := 500
	if testing.Short() || raceDetector {
		runs = 50
	}
	ends := map[string]int{}
	for seed := range runs {
		inBubble(t, func(t *testing.T) {
			c := &chaos{t: t, seed: seed, dice: rand.New(rand.NewPCG(uint64(seed), 29)), cloud: netatmotest.New(netatmotest.Options{})}
			ends[c.run()]++
		})
	}
	t.Logf("%d runs ended %v", runs, ends)
	if ends["works"] < runs/2 || ends["log in again"] == 0 {
		t.Errorf("the runs ended %v: they do not meet what they are to meet", ends)
	}
}

// chaos is one house that is struck again and again.
type chaos struct {
	t     *testing.T
	seed  int
	dice  *rand.Rand
	cloud *netatmotest.Cloud
	vault *memory
}

func (c *chaos) run() string {
	c.vault = signedIn(c.t, c.cloud)
	k := stored(c.t, c.vault)
	k.Expires, k.Renew = time.Now().Add(time.Minute), time.Now()
	if err := saveToken(c.vault, k); err != nil {
		c.t.Fatal(err)
	}
	for range 1 + c.dice.IntN(3) {
		c.live()
		if _, err := loadToken(c.vault); err != nil {
			c.t.Fatalf("seed %d: the vault holds no pair: %v", c.seed, err)
		}
	}
	kept := stored(c.t, c.vault)
	hopeless := !c.cloud.Valid(kept.Refresh) && (kept.Before == nil || !c.cloud.Valid(kept.Before.Refresh))
	c.outlive(kept)
	end := restart(c.t, c.cloud, c.vault)
	if hopeless && end != "log in again" || !hopeless && end != "works" {
		c.t.Errorf("seed %d: hopeless %v, and yet: %s", c.seed, hopeless, end)
	}
	c.spaced()
	return end
}

// outlive waits until the access token in hand has ended, so that the refresh token has to prove itself.
func (c *chaos) outlive(k keptToken) {
	if left := time.Until(k.Expires); left > 0 {
		time.Sleep(left + time.Second)
	}
	time.Sleep(3*time.Hour + time.Second) // by the vendor's own clock, too
}

// live is one life of the house, up to two hours long.
func (c *chaos) live() {
	cut := c.dice.IntN(14)
	strike := func(string, string) {
		if cut--; cut == 0 {
			panic(killed{})
		}
	}
	if c.dice.IntN(2) == 0 {
		c.vault.hook(func(operation, key string) error { strike(operation, key); return nil }, nil)
	} else {
		c.vault.hook(nil, strike)
	}
	faults := []netatmotest.Kind{"", "", netatmotest.LostAnswer, netatmotest.Unavailable, netatmotest.TimeOut, netatmotest.Reset, netatmotest.HTML, netatmotest.TooMany}
	if kind := faults[c.dice.IntN(len(faults))]; kind != "" {
		c.cloud.Break(netatmotest.Fault{Kind: kind, Paths: []string{tokenPath}, Times: 1 + c.dice.IntN(3)})
	}
	s, done := lonely(c.t, c.cloud, c.vault)
	defer func() {
		if broken := recover(); broken != nil && broken != (killed{}) {
			panic(broken)
		}
		c.vault.hook(nil, nil)
		c.cloud.Mend()
		done()
	}()
	s.signIn()
	outage := c.dice.IntN(3) == 0
	for i := range c.dice.IntN(24) {
		s.state.Authority.Phase, s.state.Cloud.Verdict = gateway.Watching, gateway.VerdictOK
		if outage && i < 8 {
			s.state.Authority.Phase, s.state.Cloud.Verdict = gateway.Local, gateway.VerdictCloudDown
		}
		c.ask(s)
		time.Sleep(5 * time.Minute)
	}
}

// ask makes one call, and sees that no refresh is sent into an outage or without need.
func (c *chaos) ask(s *session) {
	before := c.cloud.Count(tokenPath)
	fresh := !s.isOld(s.account.kept.Token) && c.cloud.Valid(s.account.kept.Refresh) && time.Now().Before(s.account.kept.Expires)
	away := s.state.Authority.Phase == gateway.Local
	_, err := s.ask(c.t.Context(), call{name: "homesdata", path: "/api/homesdata", plane: gateway.PlaneRead}, forPoll)
	sent := c.cloud.Count(tokenPath) - before
	switch {
	case sent > 1:
		c.t.Errorf("seed %d: %d refreshes for one call", c.seed, sent)
	case sent > 0 && away:
		c.t.Errorf("seed %d: a refresh was sent into an outage", c.seed)
	case sent > 0 && fresh:
		c.t.Errorf("seed %d: a refresh was sent for a pair that holds (%v)", c.seed, err)
	case err == nil, errors.Is(err, errRevoked), !s.account.dead:
	default:
		c.t.Errorf("seed %d: the sign-in is dead and nobody says so: %v", c.seed, err)
	}
}

// spaced holds that two refreshes are never close to each other, restarts or not.
func (c *chaos) spaced() {
	var last time.Time
	for _, r := range c.cloud.Requests() {
		if r.Path != tokenPath {
			continue
		}
		if gap := r.At.Sub(last); !last.IsZero() && gap < refreshPause-time.Second {
			c.t.Errorf("seed %d: two refreshes within %v", c.seed, gap)
		}
		last = r.At
	}
}
