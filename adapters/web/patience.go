package web

import (
	"net/netip"
	"sync"
	"time"
)

// How wrong passwords slow an address down: some are free, then the pause doubles with each.
const (
	freeWrong     = 3
	firstPause    = 2 * time.Second
	longestPause  = 5 * time.Minute
	forgetWrong   = time.Hour // without another wrong one
	mostAddresses = 256
)

// patience is who has tried wrong passwords of late. It holds a bounded number of addresses; when there are more, the one
// that was quiet longest gives way.
type patience struct {
	mu    sync.Mutex
	wrong map[netip.Prefix]tries
}

type tries struct {
	count int
	last  time.Time
}

// pause is how long an address must wait after so many wrong passwords.
func (t tries) pause() time.Duration {
	if t.count < freeWrong {
		return 0
	}
	return min(firstPause<<min(t.count-freeWrong, 20), longestPause)
}

// try begins an attempt. It answers how long the address must wait instead; 0: it may try. The attempt counts as wrong until
// right says otherwise, so that many at once gain nothing.
func (p *patience) try(remote string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := neighbourhood(remote)
	t, known := p.wrong[at]
	if now.Sub(t.last) > forgetWrong {
		t.count = 0
	}
	if left := t.pause() - now.Sub(t.last); left > 0 {
		return left
	}
	if p.wrong == nil {
		p.wrong = map[netip.Prefix]tries{}
	}
	if !known && len(p.wrong) >= mostAddresses {
		p.forgetOne()
	}
	p.wrong[at] = tries{t.count + 1, now}
	return 0
}

// right forgets what an address has tried.
func (p *patience) right(remote string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.wrong, neighbourhood(remote))
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
