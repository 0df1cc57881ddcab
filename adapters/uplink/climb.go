package uplink

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// climber makes one climb.
type climber struct {
	settings
	now   time.Time // the house's time, by which certificates are judged
	trust gateway.Trust
	// instead is called when the way to the API is open, and returns the answer to go on with instead
	// of asking. Ask where it returns nil, or where there is no such function.
	instead func() *memory
}

// stage is the longest that finding a name or connecting may take; TLS gets half of the climb, the
// API what is left.
func (s settings) stage() time.Duration { return s.timeout * 5 / 14 }

// hesitation is how long a climb goes on alone before the witnesses are asked: a healthy one is over
// by then.
func (s settings) hesitation() time.Duration { return s.timeout / 7 }

// authority is the Host header of a request to the vendor.
func (s settings) authority() string {
	if s.secure && s.port == 443 || !s.secure && s.port == 80 {
		if s.address.Is6() {
			return "[" + s.host + "]"
		}
		return s.host
	}
	return net.JoinHostPort(s.host, strconv.Itoa(int(s.port)))
}

// surroundings is what stands beside the ladder.
type surroundings struct {
	votes  []vote
	link   Link
	router gateway.Answer
}

// observe makes the climb and, if it does not succeed at once, looks around meanwhile.
func (c climber) observe(parent context.Context) observation {
	began := time.Now()
	ctx, cancel := context.WithTimeout(parent, c.timeout)
	defer cancel()
	heart := pulse(c.timeout / 11)
	if c.resolvers == nil {
		c.resolvers = systemResolvers()
	}
	o := observation{host: c.host, secure: c.secure, local: c.loopback, now: c.now, trust: c.trust}
	climbed := make(chan struct{})
	go func() { c.climb(ctx, &o); close(climbed) }()

	var around surroundings
	var others sync.WaitGroup
	aside, enough := context.WithCancel(ctx)
	defer enough()
	if !endsWithin(climbed, c.hesitation()) || !o.wellAtTop() {
		others.Go(func() { around = c.lookAround(aside) })
	}
	<-climbed
	if o.wellAtTop() {
		enough()
		others.Wait()
	} else {
		others.Wait()
		o.votes, o.link, o.router, o.weak = around.votes, around.link, around.router, c.weakness()
		if o.shake.tried && o.shake.failure == none && !o.shake.trusted {
			o.sameTLS = c.compareTrust(ctx)
		}
	}
	o.took = time.Since(began)
	o.own.late = max(heart(), o.took-c.timeout)
	o.own.starved = o.starved()
	return o
}

func endsWithin(done <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// climb goes up the ladder until a rung breaks.
func (c climber) climb(ctx context.Context, o *observation) {
	addresses := c.find(ctx, o)
	if len(addresses) == 0 {
		return
	}
	conn, stop := c.dial.connect(ctx, targets(addresses, c.port), c.stage())
	defer func() { o.dials = stop(slow + slow/4) }() // long enough to tell that one IP family is dead
	if conn == nil {
		return
	}
	defer conn.Close()
	if c.secure {
		inTime, cancel := context.WithTimeout(ctx, c.timeout/2)
		secured, h := shakeHands(inTime, conn, c.host, c.roots, c.now)
		cancel()
		o.shake = h
		if secured == nil {
			return
		}
		conn = secured
	}
	if c.instead != nil && (!c.secure || o.shake.trusted && o.shake.named) { // a forger's answer costs nothing
		if m := c.instead(); m != nil {
			o.reply = m.reply
			o.reply.asked, o.reply.remembered = false, max(1, c.now.Sub(m.at))
			return
		}
	}
	o.reply = askAPI(ctx, conn, c.settings, c.now)
}

// find returns the addresses to dial: the URL's own, or those that the home's name server gives.
func (c climber) find(ctx context.Context, o *observation) []netip.Addr {
	if c.address.IsValid() {
		return []netip.Addr{c.address} // somebody wrote it down, so it is meant
	}
	o.names = askAll(ctx, c.resolvers, c.host, c.stage())
	answer := decisive(o.names)
	if answer.outcome == missing || answer.outcome == empty {
		o.second = askAll(ctx, c.second, c.host, c.stage())
	}
	return usable(answer.addresses, c.loopback)
}

// lookAround asks all that stands beside the ladder, at once.
func (c climber) lookAround(ctx context.Context) surroundings {
	s := surroundings{link: c.link()}
	var both sync.WaitGroup
	both.Go(func() { s.votes = c.hearAll(ctx) })
	both.Go(func() {
		s.router = c.dial.askRouter(ctx, s.link, c.stage(), func() []byte {
			table, _ := os.ReadFile("/" + neighbours)
			return table
		})
	})
	both.Wait()
	return s
}

// pulse feels whether this process is kept from running while it looks. The function it returns ends
// it and says how late its latest beat was.
func pulse(every time.Duration) (stop func() time.Duration) {
	end, latest := make(chan struct{}), make(chan time.Duration)
	go func() {
		beat := time.NewTicker(every)
		defer beat.Stop()
		var worst time.Duration
		last := time.Now()
		for {
			select {
			case <-beat.C:
				worst = max(worst, time.Since(last)-every)
				last = time.Now()
			case <-end:
				latest <- max(worst, time.Since(last)-every)
				return
			}
		}
	}()
	return func() time.Duration { close(end); return <-latest }
}

// stepBetween returns how far the wall clock was moved between two readings of time.Now.
func stepBetween(a, b time.Time) time.Duration { return b.Round(0).Sub(a.Round(0)) - b.Sub(a) }
