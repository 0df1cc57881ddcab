package accessory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// writeTime is how long an accessory may take between the announcement of a timed write and the write.
const writeTime = 5 * time.Second

// order is a command for one device of the accessory.
type order struct {
	command gateway.Command
	device  gateway.DeviceID // as we call it
}

// ask takes a command, in place of an older one for the same point. While the accessory is gone it is refused at once:
// the house asks again.
func (k *keeper) ask(o order) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if older, ok := k.orders[o.command.Point]; ok && older.command.ID != o.command.ID {
		k.house.port.Post(gateway.Outcome{ID: older.command.ID, Point: older.command.Point, Err: "a newer command took its place"})
	}
	k.orders[o.command.Point] = o
	if !k.live && (k.hopeless || k.failures > 0) {
		k.refuse(k.why)
		return
	}
	k.nudge()
}

// takeOrders takes all that is asked, sirens first.
func (k *keeper) takeOrders() []order {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []order
	for _, o := range k.orders {
		all = append(all, o)
	}
	clear(k.orders)
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i].command, all[j].command
		if siren := a.Point.Quantity == gateway.Siren; siren != (b.Point.Quantity == gateway.Siren) {
			return siren
		}
		return a.ID < b.ID
	})
	return all
}

// putBack keeps orders that did not have their turn, unless newer ones have come.
func (k *keeper) putBack(orders []order) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, o := range orders {
		if _, newer := k.orders[o.command.Point]; !newer {
			k.orders[o.command.Point] = o
		}
	}
}

// carryOut writes what a command asks for, shows what the accessory then says, and answers. Its error is one of the
// session; that the accessory refuses is an answer.
func (v *visit) carryOut(ctx context.Context, o order) error {
	outcome := gateway.Outcome{ID: o.command.ID, Point: o.command.Point}
	point, err := v.pointOf(o)
	var raw json.RawMessage
	if err == nil {
		raw, err = point.Setting.wire(o.command.Value)
	}
	if err != nil {
		outcome.Err, outcome.Final = err.Error(), !errors.Is(err, errAway)
		v.house.port.Post(outcome)
		return nil
	}
	status, err := v.write(ctx, *point.Setting, hap.Write{ID: point.Setting.ID, Value: raw})
	if err == nil && status == hap.StatusOK {
		err = v.look(ctx, point, o)
	}
	switch {
	case err != nil && v.session.Err() == nil: // an answer that makes no sense, but an answer
		outcome.Err = fmt.Sprintf("%s refuses: %s", v.title(), err)
		err = nil
	case err != nil:
		outcome.Err = fmt.Sprintf("%s does not answer: %s", v.title(), reason(err))
	case status != hap.StatusOK:
		outcome.Err, outcome.Final = fmt.Sprintf("%s refuses: %s", v.title(), status), useless[status]
	}
	if status == hap.StatusNoSuch {
		v.mu.Lock()
		v.again()
		v.mu.Unlock()
	}
	v.house.port.Post(outcome)
	return err
}

// useless are the refusals after which the same write would be refused again.
var useless = map[hap.Status]bool{
	hap.StatusPrivileges: true, hap.StatusReadOnly: true, hap.StatusInvalidValue: true, hap.StatusNotAuthorized: true,
}

func (k *keeper) title() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.record.title()
}

// errAway says that a device is known, but not behind its bridge at present.
var errAway = errors.New("is not there at present")

// pointOf finds what a command wants to set.
func (v *visit) pointOf(o order) (Point, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	of, q := o.command.Point.Of, o.command.Point.Quantity
	for _, d := range v.ledger.devices {
		if d.ID != o.device {
			continue
		}
		if p, ok := d.Point(q); ok && p.Setting != nil {
			return p, nil
		}
		return Point{}, fmt.Errorf("%s has no %s that can be set", of, q)
	}
	return Point{}, fmt.Errorf("%s %w", of, errAway)
}

func (v *visit) write(ctx context.Context, s Setting, w hap.Write) (hap.Status, error) {
	var answers []hap.Reading
	var err error
	if s.Timed {
		answers, err = v.session.TimedWrite(ctx, writeTime, w)
	} else {
		answers, err = v.session.Write(ctx, w)
	}
	if err != nil {
		return hap.StatusOK, err
	}
	return answers[0].Status, nil
}

// look reads what was written, since a writer gets no event of its own write, and once more soon if it does not show.
func (v *visit) look(ctx context.Context, p Point, o order) error {
	var ids []hap.CharacteristicID
	for _, s := range p.Sources {
		if s.Read {
			ids = append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if _, err := v.read(ctx, ids, false); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ledger.together(&p) != o.command.Value {
		v.pollSoon = v.house.port.After(settleTime)
	}
	return nil
}
