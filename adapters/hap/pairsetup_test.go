package hap

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPairSetup(t *testing.T) {
	for _, test := range []struct {
		name     string
		code     string
		features byte
		method   byte
	}{
		{"plainly", "518-08-582", 0, methodSetup},
		{"without dashes", " 51808582 ", 0, methodSetup},
		{"with an MFi chip", testCode, 0x01, methodSetupWithAuth},
		{"with software authentication", testCode, 0x02, methodSetup},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newTestAccessory(t)
			identity, err := NewIdentity()
			if err != nil {
				t.Fatal(err)
			}
			pairing, err := PairSetup(within(t, 30*time.Second), a.address(), test.code, identity, test.features)
			if err != nil {
				t.Fatal(err)
			}
			if pairing.AccessoryID != a.id || !pairing.AccessoryKey.Equal(a.key.Public()) || pairing.Address != a.address() {
				t.Errorf("the pairing is %+v", pairing)
			}
			if !identity.Public().Equal(a.paired[identity.ID]) {
				t.Error("the accessory does not know us")
			}
			first, err := DecodeTLV(a.requests[0].body)
			if method, _ := first.Byte(TagMethod); err != nil || method != test.method {
				t.Errorf("it began with %v", first)
			}
			if host := a.requests[0].header.Get("Host"); host != "127.0.0.1" {
				t.Errorf("the Host header is %q", host)
			}
			survivesJSON(t, pairing)
		})
	}
}

// survivesJSON stores the pairing, reads it again and opens a session with it.
func survivesJSON(t *testing.T, pairing Pairing) {
	t.Helper()
	raw, err := json.Marshal(pairing)
	if err != nil {
		t.Fatal(err)
	}
	var again Pairing
	if err := json.Unmarshal(raw, &again); err != nil || !reflect.DeepEqual(again, pairing) {
		t.Fatalf("%v: %+v is stored as %s", err, pairing, raw)
	}
	s, err := Connect(within(t, 20*time.Second), "", again, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestPairSetupRestartsOnZeroBytes(t *testing.T) {
	a := newTestAccessory(t)
	a.badB = 3
	identity, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := PairSetup(within(t, 30*time.Second), a.address(), testCode, identity, 0); err != nil {
		t.Fatal(err)
	}
	proofs := 0
	for _, r := range a.requests {
		message, _ := DecodeTLV(r.body)
		if message.Has(TagProof) {
			proofs++
		}
	}
	// A zero byte in S, one time in 256, may have asked for one more.
	if proofs != 1 || a.dials < 4 {
		t.Errorf("%d proofs in %d connections: a challenge with a zero byte must be dropped before the proof", proofs, a.dials)
	}
}

func TestPairSetupWaitsForItsOwnRest(t *testing.T) {
	a := newTestAccessory(t)
	a.badB = 1
	busy := 0
	a.onSetup = func(state byte, _ TLV) TLV {
		if state == 1 && a.badB == 0 && busy < 2 {
			busy++
			return errorTLV(2, ErrorBusy, 0)
		}
		return nil
	}
	identity, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := PairSetup(within(t, 30*time.Second), a.address(), testCode, identity, 0); err != nil {
		t.Fatal(err)
	}
}

func TestPairSetupGivesUpOnEndlessZeroBytes(t *testing.T) {
	a := newTestAccessory(t)
	a.badB = 1000
	identity, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := PairSetup(within(t, 30*time.Second), a.address(), testCode, identity, 0); !errors.Is(err, ErrRestart) {
		t.Fatalf("got %v", err)
	}
	if a.dials != setupAttempts {
		t.Errorf("%d connections", a.dials)
	}
}

func TestPairSetupErrors(t *testing.T) {
	fail := func(at byte, code byte, retry time.Duration) func(byte, TLV) TLV {
		return func(state byte, _ TLV) TLV {
			if state != at {
				return nil
			}
			return errorTLV(state+1, code, retry)
		}
	}
	answer := func(at byte, message TLV) func(byte, TLV) TLV {
		return func(state byte, _ TLV) TLV {
			if state != at {
				return nil
			}
			return message
		}
	}
	for _, test := range []struct {
		name, code string
		hook       func(byte, TLV) TLV
		want       string
		tlv        byte
	}{
		{"seven digits", "518-08-58", nil, "a setup code has eight digits", 0},
		{"letters", "518-08-58x", nil, "a setup code has eight digits", 0},
		{"a wrong code", "518-08-583", nil, "the setup code is wrong", ErrorAuthentication},
		{"back off", testCode, fail(1, ErrorBackoff, time.Minute), "wait 1m0s", ErrorBackoff},
		{"no room", testCode, fail(5, ErrorMaxPeers, 0), "no room for another controller", ErrorMaxPeers},
		{"too many tries", testCode, fail(1, ErrorMaxTries, 0), "restart it", ErrorMaxTries},
		{"paired already", testCode, fail(1, ErrorUnavailable, 0), "remove it from Apple Home first", ErrorUnavailable},
		{"busy", testCode, fail(1, ErrorBusy, 0), "try again in a minute", ErrorBusy},
		{"a wrong state", testCode, answer(1, tlvOf(4)), "state 04 instead of 2", 0},
		{"an empty challenge", testCode, answer(1, tlvOf(2)), "public value of the accessory is out of range", 0},
		{"an impostor", testCode, answer(3, tlvOf(4, Item{TagProof, make([]byte, 64)})), "cannot prove that it knows", 0},
		{"no key in the end", testCode, answer(5, tlvOf(6)), "read the accessory's key", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newTestAccessory(t)
			a.onSetup = test.hook
			identity, err := NewIdentity()
			if err != nil {
				t.Fatal(err)
			}
			_, err = PairSetup(within(t, 30*time.Second), a.address(), test.code, identity, 0)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), a.address()) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			var refused *PairingError
			if errors.As(err, &refused) != (test.tlv != 0) || refused != nil && refused.Code != test.tlv {
				t.Errorf("the error is %#v, want code %d", refused, test.tlv)
			}
		})
	}
}

func TestPairSetupSurvivesOddAnswers(t *testing.T) {
	for _, test := range []struct {
		name string
		raw  []byte
		want string
	}{
		{"an HTTP error", responseBytes(http.StatusBadRequest, "", nil), "HTTP status 400"},
		{"a TLV error with an HTTP error", responseBytes(http.StatusBadRequest, contentPairing, errorTLV(2, ErrorMaxTries, 0).Encode()), "restart it"},
		{"a web page", responseBytes(http.StatusOK, "text/html", []byte("<html>")), "TLV byte"},
		{"an event", eventBytes([]byte("{}")), "an event came in plain text"},
		{"another protocol", []byte("SSH-2.0-x\r\n"), "is not a status line"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newTestAccessory(t)
			a.onPlain = func(c *channel, _ request) bool { return c.send(test.raw) == nil }
			identity, err := NewIdentity()
			if err != nil {
				t.Fatal(err)
			}
			_, err = PairSetup(within(t, 30*time.Second), a.address(), testCode, identity, 0)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestPairSetupEndsWithItsContext(t *testing.T) {
	a := newTestAccessory(t)
	asked := make(chan struct{})
	a.onPlain = func(*channel, request) bool { close(asked); return true }
	identity, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(within(t, 30*time.Second))
	go func() {
		<-asked
		cancel()
	}()
	if _, err := PairSetup(ctx, a.address(), testCode, identity, 0); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestPairSetupNeedsAnIdentity(t *testing.T) {
	never := func(context.Context, TLV) (TLV, error) { t.Error("it asked the accessory"); return nil, nil }
	if _, err := PairSetupOver(t.Context(), never, testCode, Identity{ID: "x"}, 0); err == nil {
		t.Error("it pairs without a key")
	}
}

func TestPairSetupSaysWhatIsNotThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	identity, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if _, err := PairSetup(within(t, 30*time.Second), address, testCode, identity, 0); err == nil || !strings.Contains(err.Error(), address) {
		t.Fatalf("got %v", err)
	}
}

func TestNewIdentity(t *testing.T) {
	var ids []string
	for range 20 {
		identity, err := NewIdentity()
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$`).MatchString(identity.ID) {
			t.Errorf("%s is not a random UUID", identity.ID)
		}
		if slices.Contains(ids, identity.ID) || identity.check() != nil {
			t.Errorf("%s is drawn twice or not complete", identity.ID)
		}
		ids = append(ids, identity.ID)
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := sleep(t.Context(), time.Hour); err != nil || time.Since(start) != time.Hour {
			t.Errorf("slept %s, %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
