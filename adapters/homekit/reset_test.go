package homekit

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestResetForgetsEverybody(t *testing.T) {
	v, old, before := oneBridge(t)
	a := New(Options{Vault: v, Listen: "127.0.0.1:0", Name: "Test", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	gatewaytest.Start(t, "homekit", a, gatewaytest.From(crowd(150)), thatEvening)
	_, listen := awaitBridge(t, a, 1)
	awaitBridge(t, a, 2)
	was, err := a.Bridges()
	if err != nil {
		t.Fatal(err)
	}
	session, err := hap.Connect(t.Context(), listen, old, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if err := a.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-session.Done():
	case <-time.After(gatewaytest.Patience):
		t.Error("the session of a controller that was forgotten goes on")
	}
	code, listen := awaitBridge(t, a, 1)
	now, err := a.Bridges()
	if err != nil {
		t.Fatal(err)
	}
	for i := range now {
		if now[i].Code == was[i].Code || now[i].ID == was[i].ID || now[i].Controllers != 0 {
			t.Errorf("%s was %+v and is %+v", now[i].Name, was[i], now[i])
		}
	}
	if _, err := hap.Connect(t.Context(), listen, old, nil); err == nil {
		t.Error("the old controller is let in")
	}
	identity, _ := hap.NewIdentity()
	pairing, err := hap.PairSetup(t.Context(), listen, code, identity, 0)
	if err != nil {
		t.Fatal(err)
	}
	again, err := hap.Connect(t.Context(), listen, pairing, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	all, err := again.Accessories(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, id := range ids(all) {
		if was, known := before[what]; known && was != id {
			t.Errorf("%s was %s and is %s after the reset", what, was, id)
		}
	}
}

func TestResetWithoutADaemon(t *testing.T) {
	v, _, _ := oneBridge(t)
	a := New(Options{Vault: v, Name: "Test", Log: slog.New(slog.DiscardHandler)})
	before, err := a.Bridges()
	if err != nil || before[0].Controllers != 1 {
		t.Fatalf("%+v, %v", before, err)
	}
	v.Break(errors.New("the disk fails"))
	if err := a.Reset(t.Context()); err == nil {
		t.Error("a reset that the disk refuses goes well")
	}
	v.Break(nil)
	if err := a.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after, err := a.Bridges(); err != nil || after[0].Controllers != 0 || after[0].Code == before[0].Code {
		t.Errorf("after the reset: %+v, %v", after, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a.running = true // and nobody takes the wish
	if err := a.Reset(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a reset that nobody takes gives %v", err)
	}
}
