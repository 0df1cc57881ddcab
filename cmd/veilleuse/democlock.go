package main

import (
	"sync"
	"time"
)

// demoClock is a clock that runs faster than the wall's, at a rate that can be changed while it
// runs. The house takes its Now and After; nothing in gateway or rules knows of it.
type demoClock struct {
	mutex sync.Mutex
	real  time.Time // when the rate was last set,
	house time.Time // and what the house's clock showed then
	rate  float64   // seconds of the house a second of the wall
	waits []demoWait
	timer *time.Timer
}

type demoWait struct {
	at   time.Time
	wake chan time.Time
}

func newDemoClock(start time.Time, rate float64) *demoClock {
	c := &demoClock{real: time.Now(), house: start, rate: rate}
	c.timer = time.AfterFunc(time.Hour, c.ring)
	return c
}

// Now is the time in the house.
func (c *demoClock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now()
}

func (c *demoClock) now() time.Time {
	return c.house.Add(time.Duration(float64(time.Since(c.real)) * c.rate))
}

// After yields once when d has passed in the house.
func (c *demoClock) After(d time.Duration) <-chan time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	w := demoWait{c.now().Add(d), make(chan time.Time, 1)}
	c.waits = append(c.waits, w)
	c.arm()
	return w.wake
}

// SetRate changes how fast the house's clock runs from now on.
func (c *demoClock) SetRate(rate float64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.house, c.real, c.rate = c.now(), time.Now(), rate
	c.arm()
}

// arm sets the timer to the next wait that ends.
func (c *demoClock) arm() {
	next := time.Hour
	for _, w := range c.waits {
		next = min(next, time.Duration(float64(w.at.Sub(c.now()))/c.rate))
	}
	c.timer.Reset(max(next, 0))
}

// ring ends the waits whose time has come.
func (c *demoClock) ring() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	now := c.now()
	kept := c.waits[:0]
	for _, w := range c.waits {
		if w.at.After(now) {
			kept = append(kept, w)
			continue
		}
		w.wake <- now
	}
	clear(c.waits[len(kept):])
	c.waits = kept
	c.arm()
}
