package camera

import (
	"context"
	"errors"
	"fmt"

	"github.com/veilleuse/veilleuse/gateway"
)

// obey carries out a command and posts how it ended.
func (u *unit) obey(ctx context.Context, c gateway.Command) {
	act, err := u.order(c)
	if err != nil {
		u.house.answer(c, err, true)
		return
	}
	if !u.reaches && !u.ping(ctx) || u.known.Good == (way{}) {
		u.house.answer(c, fmt.Errorf("camera %s cannot be reached: %s", u.id, u.why), false)
		return
	}
	err = act(ctx, u.known.Good)
	switch {
	case err == nil:
		u.report(c.Point.Quantity, reported(c))
		u.house.answer(c, nil, false)
		return
	case ctx.Err() == nil && !errors.As(err, &refusal{}):
		u.ping(ctx) // perhaps it is no longer there
	}
	final := errors.Is(err, errMissing) && u.failures == 0
	u.house.answer(c, fmt.Errorf("camera %s: %w", u.id, err), final)
}

// order returns what is to be done for a command, or why it can never be done.
func (u *unit) order(c gateway.Command) (func(context.Context, way) error, error) {
	switch {
	case c.Point.Quantity == gateway.Monitoring:
		on, err := yesOrNo(c.Value)
		return func(ctx context.Context, w way) error { return u.client.setMonitoring(ctx, w, on) }, err
	case c.Point.Quantity == gateway.Floodlight && models[u.known.Model].floodlight:
		mode := c.Value.Word()
		if !isLightMode(mode) {
			return nil, fmt.Errorf("a floodlight can be on, off or auto, not %q", c.Value.String())
		}
		return func(ctx context.Context, w way) error { return u.client.setLight(ctx, w, mode) }, nil
	}
	return nil, fmt.Errorf("a camera of model %s has no %s that could be set", u.known.Model, c.Point.Quantity)
}

// yesOrNo reads a flag, also from the words on and off.
func yesOrNo(v gateway.Value) (bool, error) {
	switch {
	case v == gateway.Flag(true), v == gateway.Word("on"):
		return true, nil
	case v == gateway.Flag(false), v == gateway.Word("off"):
		return false, nil
	}
	return false, fmt.Errorf("monitoring can be on or off, not %q", v.String())
}

// reported is the reading that a command leads to.
func reported(c gateway.Command) gateway.Value {
	if on, err := yesOrNo(c.Value); err == nil && c.Point.Quantity == gateway.Monitoring {
		return gateway.Flag(on)
	}
	return c.Value
}
