package web

import (
	"net/netip"
	"sync"
	"time"
)

// How wrong passwords slow an address down: some are free, then the pause doubles with each. All addresses together that have
// never known the password are slowed down, too, or a whole network could guess in turn.
const (
	freeWrong       = 3
	freeTogether    = 6
	firstPause      = 2 * time.Second
	longestPause    = 5 * time.Minute
	longestTogether = time.Minute
	forgetWrong     = time.Hour // without another wrong one
	mostAddresses   = 256
)

// patience is who has tried wrong passwords of late. It holds a bounded number of addresses; when there are more, the one
// that was quiet longest gives way.
type patience struct {
	mu       sync.Mutex
	wrong    map[netip.Prefix]tries
	together tries
	known    map[netip.Prefix]bool // that have known the password: the people of the house are not shut out by a stranger
}

type tries struct {
	count int
	last  time.Time
}

// left is how long is still to wait after so many wrong passwords.
func (t tries) left(free int, longest time.Duration, now time.Time) time.Duration {
	if t.count < free {
		return 0
	}
	return min(firstPause<<min(t.count-free, 20), longest) - now.Sub(t.last)
}

// with counts one more. What is long ago is forgotten.
func (t tries) with(now time.Time) tries {
	if now.Sub(t.last) > forgetWrong {
		t.count = 0
	}
	return tries{t.count + 1, now}
}

// try begins an attempt. It answers how long the address must wait instead; 0: it may try. The attempt counts as wrong until
// right says otherwise, so that many at once gain nothing.
func (p *patience) try(remote string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := neighbourhood(remote)
	t, seen := p.wrong[at]
	left := t.left(freeWrong, longestPause, now)
	if !p.known[at] {
		left = max(left, p.together.left(freeTogether, longestTogether, now))
	}
	if left > 0 {
		return left
	}
	if p.wrong == nil {
		p.wrong = map[netip.Prefix]tries{}
	}
	if !seen && len(p.wrong) >= mostAddresses {
		p.forgetOne()
	}
	p.wrong[at] = t.with(now)
	if !p.known[at] {
		p.together = p.together.with(now)
	}
	return 0
}

// right forgets what an address has tried.
func (p *patience) right(remote string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := neighbourhood(remote)
	delete(p.wrong, at)
	if p.known[at] {
		return
	}
	p.together.count = max(0, p.together.count-1) // this one was none
	if p.known == nil {
		p.known = map[netip.Prefix]bool{}
	}
	if len(p.known) < mostAddresses {
		p.known[at] = true
	}
}

func (p *patience) forgetOne() {
	var oldest netip.Prefix
	first := true
	for at, t := range p.wrong {
		if first || t.last.Before(p.wrong[oldest].last) {
			oldest, first = at, false
		}
	}
	delete(p.wrong, oldest)
}

// neighbourhood is an address, of IPv6 the network of one home: a machine there has as many addresses as it likes.
func neighbourhood(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := at.Addr().Unmap().WithZone(""), 32
	if ip.Is6() {
		bits = 64
	}
	prefix, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
