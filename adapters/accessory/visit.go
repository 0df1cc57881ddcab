package accessory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

const (
	connectTime = 20 * time.Second // for dialling and pair-verify: a slow device needs seconds
	// Real devices lose events, so everything is read again now and then; in the house's time.
	pollEvery = time.Minute
	// Every so many polls the whole database is read instead: it may have grown or shrunk where mDNS does not tell. That
	// is also when values that stayed are posted anew with their age; the polls between post news only, so that an idle
	// house sleeps.
	databaseEvery = 5
	// missesMax is how often in a row an accessory may be missing behind its bridge before it counts as gone.
	missesMax = 3
	// settleTime is when a written value that did not show yet is looked at again.
	settleTime = 2 * time.Second
)

// session is how a visit talks with an accessory, over whatever transport; *hap.Session is one.
type session interface {
	Accessories(ctx context.Context) ([]hap.Accessory, error)
	Read(ctx context.Context, ids ...hap.CharacteristicID) ([]hap.Reading, error)
	Write(ctx context.Context, writes ...hap.Write) ([]hap.Reading, error)
	TimedWrite(ctx context.Context, ttl time.Duration, writes ...hap.Write) ([]hap.Reading, error)
	Subscribe(ctx context.Context, ids ...hap.CharacteristicID) ([]hap.Reading, error)
	Pairings(ctx context.Context) ([]hap.PairedController, error)
	AddPairing(ctx context.Context, controller hap.PairedController) error
	RemovePairing(ctx context.Context, id string) error
	Done() <-chan struct{}
	Err() error
	Close() error
}

// visit is one session with an accessory.
type visit struct {
	*keeper
	session  session
	address  string
	layout   []byte                        // the database without its values
	heeded   map[hap.CharacteristicID]bool // what is subscribed to
	doubtful bool                          // devices were not in the database, but not yet often enough
	polls    int
	pollSoon <-chan time.Time
}

// visit connects, learns what is there, and then reads, hears and sets until the session ends. It reports whether it
// came as far as learning.
func (k *keeper) visit(ctx context.Context, address string) (learnt bool, err error) {
	if address == "" {
		return false, errors.New("its address is not known yet")
	}
	k.mu.Lock()
	pairing := k.record.Pairing
	k.mu.Unlock()
	dialling, cancel := context.WithTimeout(ctx, connectTime)
	session, err := k.house.options.Dial.Connect(dialling, address, pairing, k.hear)
	cancel()
	if err != nil {
		return false, err
	}
	defer session.Close()
	v := newVisit(k, session, address)
	if err := v.learn(ctx); err != nil {
		return false, err
	}
	return true, v.serve(ctx)
}

func newVisit(k *keeper, s session, address string) *visit {
	return &visit{keeper: k, session: s, address: address, heeded: map[hap.CharacteristicID]bool{}}
}

// settled notes that the session works, before anybody is told that the devices answer.
func (v *visit) settled() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.live {
		return
	}
	v.live, v.why, v.reached = true, "", v.address
	clear(v.tried)
	v.log.Info("accessory: a session is up", "address", v.address, "devices", len(v.ledger.devices))
	if v.record.Pairing.Address != v.address {
		v.record.Pairing.Address = v.address
		v.saveRecord()
	}
}

// saveRecord writes what was learnt to the vault. It needs the lock.
func (k *keeper) saveRecord() {
	if err := k.record.save(k.house.options.Vault); err != nil {
		k.log.Warn("accessory: what was learnt is kept in memory only", "err", err)
	}
}

// serve works in the session until it ends.
func (v *visit) serve(ctx context.Context) error {
	poll := v.house.port.After(pollEvery)
	if err := v.work(ctx); err != nil { // what was asked while there was no session
		return err
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-v.session.Done():
			return v.session.Err()
		case <-v.wake:
			err = v.work(ctx)
		case <-v.pollSoon:
			v.pollSoon = nil
			err = v.poll(ctx, false)
		case <-poll:
			poll = v.house.port.After(pollEvery)
			err = v.pollOrLearn(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// work does what the keeper was woken for.
func (v *visit) work(ctx context.Context) error {
	orders := v.takeOrders()
	for i, o := range orders {
		if err := v.carryOut(ctx, o); err != nil {
			v.putBack(orders[i+1:])
			return err
		}
	}
	if err := v.runErrands(ctx); err != nil {
		return err
	}
	v.mu.Lock()
	reread := v.reread
	v.reread = false
	v.mu.Unlock()
	if reread {
		return v.learn(ctx)
	}
	return nil
}

func (v *visit) pollOrLearn(ctx context.Context) error {
	if v.polls++; v.polls%databaseEvery == 0 || v.doubtful {
		return v.learn(ctx)
	}
	return v.poll(ctx, true)
}

func (v *visit) heardSoFar() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ledger.events
}

// poll reads all that can be read, and posts all of it or only what is new.
func (v *visit) poll(ctx context.Context, newsOnly bool) error {
	v.mu.Lock()
	ids := v.ledger.list(func(s Source) bool { return s.Read })
	v.mu.Unlock()
	readings, err := v.read(ctx, ids, newsOnly)
	if err != nil {
		return err
	}
	v.judge(readings)
	return nil
}

// read reads characteristics and posts what they say, or only what they say otherwise than before.
func (v *visit) read(ctx context.Context, ids []hap.CharacteristicID, newsOnly bool) ([]hap.Reading, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	since := v.heardSoFar()
	readings, err := v.session.Read(ctx, ids...)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, r := range readings {
		if r.Status == hap.StatusNoSuch {
			v.again()
		}
		if r.Status != hap.StatusOK {
			continue
		}
		before := v.ledger.says(r.ID)
		if reading, ok := v.ledger.read(r.ID, r.Value, since); ok && !(newsOnly && reading.Value == before) {
			v.house.port.Post(reading)
		}
	}
	return readings, nil
}

// again has the database read anew. It needs the lock.
func (k *keeper) again() {
	k.reread = true
	k.nudge()
}

// judge says of each device whether it answers: one of which every value fails does not.
func (v *visit) judge(readings []hap.Reading) {
	failed, answered := map[uint64]hap.Status{}, map[uint64]bool{}
	for _, r := range readings {
		if r.Status == hap.StatusOK {
			answered[r.ID.AID] = true
		} else if r.Status != hap.StatusNoSuch { // then the database has changed, and tells
			failed[r.ID.AID] = r.Status
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, d := range v.ledger.devices {
		switch status, ok := failed[d.AID]; {
		case ok && !answered[d.AID]:
			v.tell(gateway.Reach{Device: d.ID, Why: fmt.Sprintf("%s says: %s", v.record.title(), status)})
		case answered[d.AID] || !d.readable():
			v.tell(gateway.Reach{Device: d.ID, OK: true})
		}
	}
}

// hear takes events. It is called by the session's reader.
func (k *keeper) hear(readings []hap.Reading) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range readings {
		if reading, ok := k.ledger.event(r.ID, r.Value); ok {
			k.house.port.Post(reading)
		} else if aid := r.ID.AID; !k.ledger.knows(aid) && !k.strange[aid] {
			k.strange[aid] = true
			k.again()
		}
	}
}
