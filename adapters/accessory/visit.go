package accessory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

const (
	connectTime = 20 * time.Second // for dialling and pair-verify: a slow device needs seconds
	// Real devices lose events, so everything is read again now and then; in the house's time.
	pollEvery = time.Minute
	// Every so many polls the whole database is read instead: it may have grown or shrunk where mDNS does not tell.
	databaseEvery = 5
	// missesMax is how often in a row an accessory may be missing behind its bridge before it counts as gone.
	missesMax = 3
	// settleTime is when a written value that did not show yet is looked at again.
	settleTime = 2 * time.Second
)

// visit is one session with an accessory.
type visit struct {
	*keeper
	session  *hap.Session
	layout   []byte                        // the database without its values
	misses   map[gateway.DeviceID]int      // how often in a row a device was not in the database
	heeded   map[hap.CharacteristicID]bool // what is subscribed to
	doubtful bool                          // some were not, but not yet often enough
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
	session, err := hap.Connect(dialling, address, pairing, k.hear)
	cancel()
	if err != nil {
		return false, err
	}
	defer session.Close()
	v := &visit{keeper: k, session: session, misses: map[gateway.DeviceID]int{}, heeded: map[hap.CharacteristicID]bool{}}
	if err := v.learn(ctx); err != nil {
		return false, err
	}
	k.settled(address)
	return true, v.live(ctx)
}

// settled notes that the session works.
func (k *keeper) settled(address string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.live, k.why, k.reached = true, "", address
	clear(k.tried)
	k.log.Info("accessory: a session is up", "address", address, "devices", len(k.ledger.devices))
	if k.record.Pairing.Address != address {
		k.record.Pairing.Address = address
		k.saveRecord()
	}
}

// saveRecord writes what was learnt to the vault. It needs the lock.
func (k *keeper) saveRecord() {
	if err := k.record.save(k.house.options.Vault); err != nil {
		k.log.Warn("accessory: what was learnt is kept in memory only", "error", err)
	}
}

// live serves the session until it ends.
func (v *visit) live(ctx context.Context) error {
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
			err = v.poll(ctx)
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
	return v.poll(ctx)
}

// learn reads the database, tells the house of what is new in it, and subscribes to that.
func (v *visit) learn(ctx context.Context) error {
	since := v.heardSoFar()
	accessories, err := v.session.Accessories(ctx)
	if err != nil {
		return err
	}
	layout, err := layoutOf(accessories)
	if err != nil {
		return err
	}
	if bytes.Equal(layout, v.layout) {
		v.missing()
		v.takeDatabase(accessories, since)
		return nil
	}
	v.show(accessories)
	v.missing()
	if err := v.subscribe(ctx); err != nil {
		return err
	}
	v.layout = layout
	return v.poll(ctx) // after subscribing, so that nothing falls in between
}

// layoutOf is the database without its values, in a form that can be compared.
func layoutOf(accessories []hap.Accessory) ([]byte, error) {
	bare := slices.Clone(accessories)
	for i := range bare {
		bare[i].Services = slices.Clone(bare[i].Services)
		for j := range bare[i].Services {
			s := &bare[i].Services[j]
			s.Characteristics = slices.Clone(s.Characteristics)
			for n := range s.Characteristics {
				if c := &s.Characteristics[n]; !furniture[c.Type] {
					c.Value = nil
				}
			}
		}
	}
	return json.Marshal(bare)
}

// show makes devices of the database and tells the house of them.
func (v *visit) show(accessories []hap.Accessory) {
	taken := v.house.taken(v.id)
	v.mu.Lock()
	defer v.mu.Unlock()
	devices, left := Understand(accessories, About{HomeKitID: v.id, Room: v.record.Room, Known: v.house.options.Known,
		IDs: v.record.Devices, Taken: taken})
	if len(left) > 0 && !slices.EqualFunc(left, v.left, func(a, b Remainder) bool { return a.String() == b.String() }) {
		v.log.Info("accessory: not all of it is understood", "parts", left)
	}
	v.left = left
	v.remember(devices)
	v.ledger.show(devices)
	for _, d := range devices {
		v.house.port.Post(d.Found())
		if d.Firmware != "" {
			v.house.port.Post(gateway.Reading{Device: d.ID, Quantity: gateway.Firmware, Value: gateway.Word(d.Firmware)})
		}
	}
}

// remember keeps the ids of new devices, and what the accessory server calls itself. It needs the lock.
func (v *visit) remember(devices []Device) {
	changed := false
	for _, d := range devices {
		if v.record.Devices[d.AID] != d.ID {
			ids := maps.Clone(v.record.Devices)
			if ids == nil {
				ids = map[uint64]gateway.DeviceID{}
			}
			ids[d.AID] = d.ID
			v.record.Devices, changed = ids, true
		}
		if d.AID == hap.BridgeAID && (v.record.Name != d.Name || v.record.Model != d.Model) {
			v.record.Name, v.record.Model, changed = d.Name, d.Model, true
		}
	}
	if changed {
		v.saveRecord()
	}
}

// rungBefore is how many presses the house has counted, so that a restart does not begin anew.
func (k *keeper) rungBefore(id gateway.DeviceID) float64 {
	device, _ := k.house.shown().Device(id)
	m, _ := device.ReadingFrom(gateway.Ring, gateway.AccessoryAdapter)
	n, _ := m.Value.Number()
	return n
}

// subscribe asks for events of all that is not subscribed to yet.
func (v *visit) subscribe(ctx context.Context) error {
	v.mu.Lock()
	ids := v.ledger.list(func(s Source) bool { return s.Events && !v.heeded[s.ID] })
	v.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	outcomes, err := v.session.Subscribe(ctx, ids...)
	if err != nil && v.session.Err() != nil {
		return err
	}
	if err != nil {
		v.log.Info("accessory: gives no events, it is polled", "error", err)
	}
	for _, o := range outcomes {
		if o.Status == hap.StatusOK {
			v.heeded[o.ID] = true
		} else {
			v.log.Debug("accessory: gives no events", "characteristic", o.ID, "error", o.Status)
		}
	}
	return nil
}

// missing counts how often devices were not in the database, and says so of those that are gone.
func (v *visit) missing() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.doubtful = false
	for aid, id := range v.record.Devices {
		if v.ledger.knows(aid) {
			delete(v.misses, id)
			continue
		}
		if v.misses[id]++; v.misses[id] < missesMax {
			v.doubtful = true
			continue
		}
		v.tell(gateway.Reach{Device: id, Why: fmt.Sprintf("it is no longer behind %s", v.record.title())})
	}
}

// takeDatabase takes the values that came with the database.
func (v *visit) takeDatabase(accessories []hap.Accessory, since uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, a := range accessories {
		for _, s := range a.Services {
			for _, c := range s.Characteristics {
				if reading, ok := v.ledger.read(hap.CharacteristicID{AID: a.AID, IID: c.IID}, c.Value, since); ok {
					v.house.port.Post(reading)
				}
			}
		}
	}
}

func (v *visit) heardSoFar() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ledger.events
}

// poll reads all that can be read.
func (v *visit) poll(ctx context.Context) error {
	v.mu.Lock()
	ids := v.ledger.list(func(s Source) bool { return s.Read })
	v.mu.Unlock()
	readings, err := v.read(ctx, ids)
	if err != nil {
		return err
	}
	v.judge(readings)
	return nil
}

// read reads characteristics and posts what they say.
func (v *visit) read(ctx context.Context, ids []hap.CharacteristicID) ([]hap.Reading, error) {
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
		if reading, ok := v.ledger.read(r.ID, r.Value, since); ok {
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
		} else if !k.ledger.knows(r.ID.AID) {
			k.again()
		}
	}
}
