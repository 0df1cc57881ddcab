package netatmo

import (
	"context"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// session is one run of the adapter. One goroutine owns it.
type session struct {
	Options
	adapter *Adapter
	port    gateway.Port
	web     *web
	purse   *Purse
	account account
	round   round
	known   known
	done    map[gateway.Point]uint64 // id of the last command carried out there
	state   gateway.State            // as last shown
	entered time.Time                // when the phase was entered
	seen    time.Time                // the last reading of the clock
	look    time.Time                // when to look for tokens again
	renewal error                    // why the sign-in could not be renewed last, for people
	awaited bool                     // somebody looks on, and waits for what the homes of the account are

	wake   <-chan time.Time
	wakeAt time.Time
}

// lookEvery is how often the vault is searched for tokens while there are none that work.
const lookEvery = 30 * time.Second

// Run serves the vendor's cloud until ctx ends. It returns an error only if the address of the API
// is unusable.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	s, err := a.session(port)
	if err != nil {
		return err
	}
	defer s.web.close()
	select {
	case s.state = <-port.Shown():
	default:
	}
	s.begin()
	for ctx.Err() == nil {
		s.arm()
		select {
		case <-ctx.Done():
		case state := <-port.Shown():
			s.notice(state)
		case c := <-port.Commands():
			s.obey(ctx, c)
		case <-a.hastened:
			s.hasten()
		case <-s.wake:
			s.wakeAt = time.Time{}
			s.act(ctx)
		}
	}
	return nil
}

func (a *Adapter) session(port gateway.Port) (*session, error) {
	w, err := newWeb(a.options)
	if err != nil {
		return nil, err
	}
	return &session{
		Options: a.options, adapter: a, port: port, web: w, purse: a.options.purse(),
		account: account{vault: a.options.Vault}, known: newKnown(), done: make(map[gateway.Point]uint64),
		entered: port.Now(), seen: port.Now(),
	}, nil
}

// begin looks for tokens and plans the first round.
func (s *session) begin() {
	s.Options = s.adapter.options.withApplication()
	s.signIn()
	s.plan()
	if s.state.Authority.Phase == gateway.Local { // a restart in an outage: is it over?
		s.round.hasten(status, s.now().Add(time.Duration(s.luck()*float64(time.Minute))))
	}
}

// now reads the clock of the house. If it was set back, all that is planned moves along, lest
// nothing happens for as long.
func (s *session) now() time.Time {
	now := s.port.Now()
	if back := now.Sub(s.seen); back < 0 {
		s.round.move(back)
		s.account.move(back)
		s.look = s.look.Add(back)
		s.wakeAt = time.Time{}
	}
	s.seen = now
	return now
}

// arm sets the alarm clock to the next thing to do, unless it is set to that already.
func (s *session) arm() {
	now := s.now()
	at := s.nextAct(now)
	if !s.wakeAt.IsZero() && !at.Before(s.wakeAt) {
		return
	}
	s.wakeAt = at
	s.wake = s.port.After(max(0, at.Sub(now)))
}

func (s *session) nextAct(now time.Time) time.Time {
	if !s.account.usable() {
		return s.look
	}
	_, at := s.round.first(now)
	if at.IsZero() {
		return now.Add(lookEvery)
	}
	if free := now.Add(s.purse.wait(now, s.buyer())); free.After(at) {
		return free
	}
	return at
}

// act does the one thing that is due.
func (s *session) act(ctx context.Context) {
	now := s.now()
	if s.nextAct(now).After(now) {
		return
	}
	if !s.account.usable() {
		s.lookForTokens(ctx)
		return
	}
	if e, at := s.round.first(now); !at.IsZero() && !at.After(now) {
		s.run(ctx, e)
	}
}

// notice takes a newer State and plans anew if another phase has begun.
func (s *session) notice(state gateway.State) {
	before := s.state.Authority.Phase
	s.state = state
	if phase := state.Authority.Phase; phase != before {
		s.plan()
	}
}

// plan plans the errands anew for the present phase.
func (s *session) plan() {
	now := s.now()
	s.entered = now
	s.purse.outage(s.state.Authority.Phase == gateway.Local)
	s.round.enter(s.state.Authority.Phase, now, s.purse.left(now), s.luck)
	if s.awaited {
		s.round.hasten(topology, now)
	}
}

// run does one errand and plans its next run.
func (s *session) run(ctx context.Context, e errand) {
	var err error
	var again time.Duration // 0: as usual
	switch e {
	case topology:
		err = s.readTopology(ctx)
	case status:
		err = s.readStatus(ctx)
	case stations, coaches:
		again, err = s.readStations(ctx, e)
	case events:
		again, err = s.readEvents(ctx)
	case cameras:
		again = s.askCamera(ctx)
	}
	if ctx.Err() != nil {
		return
	}
	now := s.now()
	d, runs := pause(e, s.state.Authority.Phase, s.purse.left(now), s.luck())
	d = time.Duration(float64(d) * stretch(s.purse))
	switch {
	case again > 0:
		d = again
	case (isDenied(err) || isMissing(err)) && e > status:
		d = max(d, emptyEvery)
	case e == topology && err != nil && s.known.home.ID == "":
		d = min(d, topologyRetry<<min(s.known.misses, 10))
		s.known.misses++
	}
	s.round.done(e, now, d, runs)
}
