package backup

import (
	"context"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// When backups are made, in the house's time.
const (
	daily   = 24 * time.Hour
	settled = 5 * time.Minute // after the start, before which a new house has nothing worth a backup
	hourly  = time.Hour       // how often it is looked whether one is due, and the second place is tried again
	astray  = time.Hour       // a backup from further in the future has a wrong date
)

// Run makes a backup a day until ctx ends. While the clock cannot be believed a day is 24 hours of running: neither a
// clock that jumps nor a Pi that restarts all the time makes more. An error says that one that was due could not be
// made; the next Run tries again.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	first, second, err := a.shelves()
	if err != nil {
		return err
	}
	a.look(first, second)
	var clock gateway.Trust
	day, look := port.After(daily), port.After(settled)
	for {
		due := false
		select {
		case s := <-port.Shown():
			clock = s.Clock.Trust
		case <-day:
			due = true
		case <-look:
			look = port.After(hourly)
			if due = a.isDue(port.Now(), trusted(clock)); !due {
				a.mirror()
			}
		case <-ctx.Done():
			return nil
		}
		if !due {
			continue
		}
		err := a.Make(port.Now(), trusted(clock))
		a.say(port, err)
		if err == nil {
			day = port.After(daily)
		}
	}
}

// say tells people that no backup can be made, and that it is over.
func (a *Adapter) say(port gateway.Port, err error) {
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	switch {
	case trouble == a.trouble:
	case trouble == "":
		port.Post(gateway.Notice{What: "backups are made again", Why: "nothing is in the way any more"})
	default:
		port.Post(gateway.Notice{What: "no backup can be made", Why: trouble + "; it is tried again each hour"})
	}
	a.trouble = trouble
}

func trusted(t gateway.Trust) bool { return t == gateway.TrustSynced || t == gateway.TrustHoldover }

// isDue goes by dates, and so only as far as they can be believed.
func (a *Adapter) isDue(now time.Time, trusted bool) bool {
	r := a.Report()
	switch {
	case r.Newest.IsZero(), r.Err != "":
		return true
	case !trusted:
		return false
	}
	age := now.Sub(r.Newest)
	return !r.Dated || age >= daily || age < -astray
}
