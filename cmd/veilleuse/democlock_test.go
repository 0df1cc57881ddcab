package main

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestDemoClockRunsAtItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Date(2025, 10, 29, 15, 30, 0, 0, time.UTC)
		c := newDemoClock(start, 60)
		defer c.timer.Stop()
		began := time.Now()
		<-c.After(time.Hour)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("an hour at rate 60 took %v", took)
		}
		slow := c.After(10 * time.Minute)
		fast := c.After(5 * time.Minute)
		c.SetRate(600)
		began = time.Now()
		<-fast
		if took := time.Since(began); took != 500*time.Millisecond {
			t.Errorf("5 min at rate 600 took %v", took)
		}
		<-slow
		if got := c.Now().Sub(start); got < 70*time.Minute || got > 70*time.Minute+time.Second {
			t.Errorf("the house's clock went on by %v, want 70 min", got)
		}
	})
}

func TestDemoClockNeverRingsEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newDemoClock(time.Unix(0, 0), 1000)
		defer c.timer.Stop()
		for i := range 50 {
			want := c.Now().Add(time.Duration(i*i) * time.Second)
			if at := <-c.After(time.Duration(i*i) * time.Second); at.Before(want) {
				t.Fatalf("rang at %v, want %v", at, want)
			}
		}
	})
}
