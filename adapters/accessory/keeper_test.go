package accessory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// kept is a keeper that does not run.
func kept(known ...Known) *keeper {
	h := newHouse(context.Background(), gateway.Port{}, Options{Known: known}, slog.New(slog.DiscardHandler))
	return newKeeper(h, record{Pairing: hap.Pairing{AccessoryID: "AA:BB:CC:DD:EE:FF", Address: "stored:1"}}, func() {})
}

func TestPauses(t *testing.T) {
	for _, test := range []struct {
		failures, addresses int
		least, most         time.Duration
	}{
		{0, 1, 10 * time.Second, 12500 * time.Millisecond}, // a good session was lost, which began long ago
		{1, 1, 10 * time.Second, 12500 * time.Millisecond},
		{6, 1, 10 * time.Second, 12500 * time.Millisecond},
		{8, 1, 17 * time.Second, 22 * time.Second}, {9, 1, 25 * time.Second, 33 * time.Second},
		{10, 1, 32 * time.Second, 40 * time.Second}, {50, 1, 32 * time.Second, 40 * time.Second}, {1 << 30, 0, 32 * time.Second, 40 * time.Second},
		{50, 2, 16 * time.Second, 20 * time.Second},
		{50, 4, 10 * time.Second, 12500 * time.Millisecond}, // never more than one attempt in 10 s
	} {
		for range 100 {
			if wait := pauseAfter(test.failures, test.addresses); wait < test.least || wait > test.most {
				t.Errorf("after %d failures at %d addresses the pause is %v, want %v to %v", test.failures, test.addresses,
					wait, test.least, test.most)
			}
		}
	}
}

func TestWhereAnAccessoryIsTried(t *testing.T) {
	k := kept(Known{ID: "aabbccddeeff", Address: "fixed:1"}, Known{ID: "other", Address: "other:1"})
	next := func(want string) {
		t.Helper()
		if got := k.address(); got != want {
			t.Errorf("it is tried at %s, want %s", got, want)
		}
	}
	next("fixed:1")
	next("stored:1")
	next("fixed:1")
	k.announced(Announced{ID: k.id, Address: "found:1"})
	if !k.elsewhere() {
		t.Error("it was seen somewhere else, but is not tried there")
	}
	next("found:1")
	if k.elsewhere() {
		t.Error("it was tried there already")
	}
	k.reached, k.attempts = "found:1", 0 // as after a session there
	clear(k.tried)
	next("found:1")
	next("fixed:1")
	next("stored:1")
}

func TestARaisedNumberHasTheDatabaseRead(t *testing.T) {
	k := kept()
	for _, test := range []struct {
		number     int
		woken, now bool
	}{{5, true, false}, {5, false, false}, {6, true, true}, {0, false, false}, {7, false, false}} {
		k.announced(Announced{ID: k.id, Address: "found:1", Configuration: test.number})
		woken := false
		select {
		case <-k.wake:
			woken = true
		default:
		}
		if woken != test.woken || k.reread != test.now {
			t.Errorf("number %d: woken %v, database to be read %v; want %v, %v", test.number, woken, k.reread, test.woken, test.now)
		}
		k.reread = false
	}
}

func TestAnEventOfAStrangerHasTheDatabaseRead(t *testing.T) {
	k := kept()
	k.hear([]hap.Reading{{ID: hap.CharacteristicID{AID: 12, IID: 3}, Value: hap.NumberValue(1)}})
	if !k.reread || len(k.wake) != 1 {
		t.Error("an accessory that is not in the database speaks, and nobody looks")
	}
	k.reread = false
	k.hear([]hap.Reading{{ID: hap.CharacteristicID{AID: 12, IID: 3}, Value: hap.NumberValue(0)}})
	if k.reread {
		t.Error("one that goes on speaking has the database read each time")
	}
}

func TestOrdersWaitInTheirPlace(t *testing.T) {
	k := kept()
	put := func(id uint64, of string, q gateway.Quantity) order {
		return order{command: gateway.Command{ID: id, Point: gateway.Point{Of: of, Quantity: q}}}
	}
	for _, o := range []order{put(1, "a", gateway.Target), put(3, "b", gateway.Target), put(4, "s", gateway.Siren)} {
		k.ask(o)
	}
	taken := k.takeOrders()
	var ids []uint64
	for _, o := range taken {
		ids = append(ids, o.command.ID)
	}
	if !slices.Equal(ids, []uint64{4, 1, 3}) || len(k.orders) != 0 {
		t.Errorf("the order is %v, want sirens first, then the oldest", ids)
	}
	k.ask(put(5, "a", gateway.Target))
	k.putBack(taken)
	if len(k.orders) != 3 || k.orders[gateway.Point{Of: "a", Quantity: gateway.Target}].command.ID != 5 {
		t.Errorf("waiting are %v, want the newer one of a", k.orders)
	}
}

func TestReasonsAreForPeople(t *testing.T) {
	dial := func(n syscall.Errno) error {
		return fmt.Errorf("connect: %w", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", n)})
	}
	for _, test := range []struct {
		err  error
		want string
	}{
		{dial(syscall.ECONNREFUSED), "it refuses the connection"},
		{dial(syscall.EHOSTUNREACH), "there is no way to its address"},
		{dial(syscall.ETIMEDOUT), "nothing answers at its address"},
		{fmt.Errorf("dial: %w", context.DeadlineExceeded), "nothing answers at its address"},
		{fmt.Errorf("connect: %w", hap.ErrPairingRemoved), "the pairing was removed on the device: take it out of whichever home holds it, and pair it again"},
		{errors.New("something else"), "something else"},
		{nil, "the session ended"},
	} {
		if got := reason(test.err); got != test.want {
			t.Errorf("%v is told as %q, want %q", test.err, got, test.want)
		}
	}
}

func TestOnlyTheLayoutOfADatabaseIsCompared(t *testing.T) {
	list := func(name, value string, aid uint64) []byte {
		t.Helper()
		raw, err := layoutOf([]hap.Accessory{named(aid, "X", "", name, "", hap.Service{IID: 9, Type: hap.ServiceSmokeSensor,
			Characteristics: []hap.Characteristic{one(10, hap.CharacteristicSmokeDetected, value, all...)}})})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	before := list("Smoke", "0", 2)
	if string(list("Smoke", "1", 2)) != string(before) {
		t.Error("another value is no other layout")
	}
	if string(list("Fumée", "0", 2)) == string(before) || string(list("Smoke", "0", 3)) == string(before) {
		t.Error("another name, or another aid, is another layout")
	}
}
