package powercut

import "math/rand/v2"

// power fails after so many changes of a disk. Whoever uses it serialises the calls.
type power struct {
	fails bool
	lasts int
	off   bool
	gone  chan struct{} // closed when it has failed
	over  chan struct{} // closed when whoever lived on it is dead: until then nobody gets an answer any more
}

// longestLife is how many changes of the disk there are at most before the power fails: those of a few dozen changes
// of the store.
const longestLife = 300

// somePower is power that fails at a random moment.
func somePower(random *rand.Rand) *power {
	return &power{fails: true, lasts: 1 + random.IntN(longestLife), gone: make(chan struct{}), over: make(chan struct{})}
}

// change counts one, after which it may have failed.
func (p *power) change() {
	if p.lasts--; p.fails && p.lasts == 0 {
		p.fail()
	}
}

func (p *power) fail() {
	if !p.off {
		p.off = true
		close(p.gone)
	}
}

// enoughPower never fails by itself.
func enoughPower() *power { return &power{gone: make(chan struct{}), over: make(chan struct{})} }
