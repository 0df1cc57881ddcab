package hap

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func newController(t testing.TB) Identity {
	t.Helper()
	identity, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// setup runs the whole pair-setup with this code.
func (s *testServer) setup(code SetupCode) (Pairing, error) {
	s.t.Helper()
	return PairSetup(context.Background(), s.address, string(code), newController(s.t), 0)
}

// refusedWith tells whether the error is this refusal.
func refusedWith(err error, code byte) bool {
	var refused *PairingError
	return errors.As(err, &refused) && refused.Code == code
}

func TestPairSetupAndUse(t *testing.T) {
	s := startServer(t, house(1), nil)
	if s.Paired() || s.TXT()["sf"] != "1" {
		t.Fatalf("paired %t, sf=%s before pairing", s.Paired(), s.TXT()["sf"])
	}
	pairing, err := s.setup(s.options.Identity.SetupCode)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Paired() || s.TXT()["sf"] != "0" {
		t.Errorf("paired %t, sf=%s after pairing", s.Paired(), s.TXT()["sf"])
	}
	c := s.connect(pairing)
	if answer := c.get("/accessories"); answer.status != http.StatusOK {
		t.Errorf("status %d", answer.status)
	}
	if _, err := s.setup(s.options.Identity.SetupCode); !refusedWith(err, ErrorUnavailable) {
		t.Errorf("a second pair-setup: error %v, want that it is paired already", err)
	}
}

// hap-controller asks for setup with authentication unless told otherwise.
func TestPairSetupWithAuthenticationMethod(t *testing.T) {
	s := startServer(t, house(1), nil)
	code := string(s.options.Identity.SetupCode)
	if _, err := PairSetup(context.Background(), s.address, code, newController(t), FeatureHardwareAuth); err != nil {
		t.Error(err)
	}
}

func TestPairingOutlivesARestart(t *testing.T) {
	store := newMemoryStore()
	first := startServerOn(t, store, house(1), nil)
	pairing, err := first.setup(first.options.Identity.SetupCode)
	if err != nil {
		t.Fatal(err)
	}
	first.stop()
	second := startServerOn(t, store, house(1), nil)
	pairing.Address = second.address
	if answer := second.connect(pairing).get("/accessories"); answer.status != http.StatusOK {
		t.Errorf("status %d", answer.status)
	}
}

// The pairing must be stored before M6 leaves: a controller that believes in it must find it after a power cut.
func TestPairingIsStoredBeforeTheLastAnswer(t *testing.T) {
	s := startServer(t, house(1), nil)
	s.store.failOn("set", pairingPrefix)
	if _, err := s.setup(s.options.Identity.SetupCode); !refusedWith(err, ErrorUnknown) {
		t.Fatalf("error %v, want a refusal", err)
	}
	if s.Paired() {
		t.Error("paired, although the store has nothing of it")
	}
	s.store.work()
	if _, err := s.setup(s.options.Identity.SetupCode); err != nil {
		t.Errorf("once the store works again: %v", err)
	}
}

func TestWrongSetupCode(t *testing.T) {
	s := startServer(t, house(1), nil)
	wrong := SetupCode("111-22-333")
	if _, err := s.setup(wrong); !refusedWith(err, ErrorAuthentication) {
		t.Fatalf("error %v, want a wrong code", err)
	}
	if strings.Contains(s.log.String(), string(s.options.Identity.SetupCode)) {
		t.Error("the log holds the setup code")
	}
	if _, err := s.setup(s.options.Identity.SetupCode); err != nil {
		t.Errorf("the right code after a wrong one: %v", err)
	}
	if s.door.pairer.tries.Count != 0 {
		t.Errorf("%d tries are left over", s.door.pairer.tries.Count)
	}
}

// exhaust leaves so many wrong tries behind, without computing them all.
func (s *testServer) exhaust(tries int) {
	s.t.Helper()
	for range tries {
		if _, err := s.door.pairer.countTry(); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestTooManyWrongSetupCodes(t *testing.T) {
	store := newMemoryStore()
	s := startServerOn(t, store, house(1), nil)
	s.exhaust(triesMax - 1)
	if _, err := s.setup("111-22-333"); !refusedWith(err, ErrorAuthentication) {
		t.Fatalf("try 100: error %v, want a wrong code", err)
	}
	right := s.options.Identity.SetupCode
	if _, err := s.setup(right); !refusedWith(err, ErrorMaxTries) {
		t.Errorf("try 101: error %v, want too many tries", err)
	}
	s.stop()
	again := startServerOn(t, store, house(1), nil)
	if _, err := again.setup(right); !refusedWith(err, ErrorMaxTries) {
		t.Errorf("after a restart: error %v, want too many tries", err)
	}
	again.stop()
	renewed := again.options.Identity
	renewed.SetupCode = NewSetupCode()
	if err := SaveServerIdentity(store, renewed); err != nil {
		t.Fatal(err)
	}
	if _, err := startServerOn(t, store, house(1), nil).setup(renewed.SetupCode); err != nil {
		t.Errorf("with a new code: %v", err)
	}
}

// Whoever cannot count tries must not grant any, not even to the right code.
func TestTryThatCannotBeCounted(t *testing.T) {
	s := startServer(t, house(1), nil)
	s.store.failOn("set", triesKey)
	if _, err := s.setup(s.options.Identity.SetupCode); !refusedWith(err, ErrorUnknown) {
		t.Errorf("error %v, want a refusal", err)
	}
}

// Defect 16 again: a server that cannot read what it should remember must not start as a new one.
func TestServerRefusesToStartWithoutItsStore(t *testing.T) {
	tests := []struct{ operation, prefix string }{
		{"list", pairingPrefix}, {"get", pairingPrefix}, {"get", triesKey}, {"get", configurationKey},
	}
	for _, test := range tests {
		t.Run(test.operation+" "+test.prefix, func(t *testing.T) {
			s := startServer(t, house(1), nil)
			s.pair("admin", true)
			s.exhaust(3)
			s.store.failOn(test.operation, test.prefix)
			if _, err := NewServer(s.options); !errors.Is(err, errDisk) {
				t.Errorf("error %v, want %v", err, errDisk)
			}
			s.store.work()
			for _, key := range []string{triesKey, configurationKey} {
				whole := s.store.values[key]
				s.store.values[key] = whole[:len(whole)/2]
				if _, err := NewServer(s.options); err == nil {
					t.Errorf("started with half of %s", key)
				}
				s.store.values[key] = whole
			}
		})
	}
}

// start sends M1 of pair-setup and returns the error code of the answer, 0 for none.
func (c *strictClient) start() byte {
	c.t.Helper()
	answer := c.pairing("/pair-setup", tlvOf(1, Item{TagMethod, []byte{methodSetup}}))
	code, _ := answer.Byte(TagError)
	return code
}

func TestOnePairSetupAtATime(t *testing.T) {
	s := startServer(t, house(1), nil)
	first, second := s.dial(), s.dial()
	if code := first.start(); code != 0 {
		t.Fatalf("first: error %d", code)
	}
	if code := second.start(); code != ErrorBusy {
		t.Errorf("second: error %d, want busy", code)
	}
	if code := first.start(); code != 0 {
		t.Errorf("first again: error %d", code)
	}
	first.close()
	eventually(t, "the place is free when its owner is gone", func() bool { return second.start() == 0 })
	third := s.dial()
	if code := third.start(); code != ErrorBusy {
		t.Errorf("third: error %d, want busy", code)
	}
	s.door.pairer.mu.Lock()
	s.door.pairer.since = time.Now().Add(-setupTimeout)
	s.door.pairer.mu.Unlock()
	if code := third.start(); code != 0 {
		t.Errorf("third, after a minute of silence: error %d", code)
	}
	answer := second.pairing("/pair-setup", tlvOf(3, Item{TagPublicKey, []byte{5}}, Item{TagProof, []byte{1}}))
	if code, _ := answer.Byte(TagError); code != ErrorUnknown {
		t.Errorf("second, who lost the place: error %d, want %d", code, ErrorUnknown)
	}
}

// Defect 9: connections that are in pair-verify, or never got anywhere, keep nobody from pairing.
func TestStaleConnectionsDoNotBlockPairing(t *testing.T) {
	s := startServer(t, house(1), nil)
	own, err := newCurveKey()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.dial().pairing("/pair-verify", tlvOf(1, Item{TagPublicKey, own.PublicKey().Bytes()}))
		s.dial()
	}
	if _, err := s.setup(s.options.Identity.SetupCode); err != nil {
		t.Error(err)
	}
}

func TestPairSetupOutOfOrder(t *testing.T) {
	tests := []struct {
		name    string
		message TLV
		before  func(c *strictClient)
		want    byte
	}{
		{"M3 first", tlvOf(3, Item{TagPublicKey, []byte{1}}), func(*strictClient) {}, ErrorUnknown},
		{"M5 first", tlvOf(5, Item{TagEncryptedData, make([]byte, 64)}), func(*strictClient) {}, ErrorUnknown},
		{"M5 after M1", tlvOf(5, Item{TagEncryptedData, make([]byte, 64)}), func(c *strictClient) { c.start() }, ErrorUnknown},
		{"public key of zero", tlvOf(3, Item{TagPublicKey, make([]byte, 384)}, Item{TagProof, make([]byte, 64)}), func(c *strictClient) { c.start() }, ErrorAuthentication},
		{"public key too long", tlvOf(3, Item{TagPublicKey, bytes.Repeat([]byte{1}, 385)}), func(c *strictClient) { c.start() }, ErrorAuthentication},
		{"no proof", tlvOf(3, Item{TagPublicKey, []byte{5}}), func(c *strictClient) { c.start() }, ErrorAuthentication},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := startServer(t, house(1), nil)
			c := s.dial()
			test.before(c)
			answer := c.pairing("/pair-setup", test.message)
			if code, _ := answer.Byte(TagError); code != test.want {
				t.Errorf("error %d, want %d", code, test.want)
			}
			if _, err := s.setup(s.options.Identity.SetupCode); err != nil {
				t.Errorf("afterwards pairing fails: %v", err)
			}
		})
	}
}

func TestPairingNonsense(t *testing.T) {
	s := startServer(t, house(1), nil)
	for _, path := range []string{"/pair-setup", "/pair-verify"} {
		for name, body := range map[string]string{"nothing": "", "no TLV": "\x06", "no state": "\x00\x01\x00", "unknown state": "\x06\x01\x09"} {
			answer, err := s.dial().try(http.MethodPost, path, contentPairing, body)
			if err != nil || answer.status != http.StatusBadRequest {
				t.Errorf("%s, %s: status %d, error %v", path, name, answer.status, err)
			}
		}
	}
}

// A controller that proved to know the code must also prove that it owns its long-term key.
func TestPairSetupWithForgedKey(t *testing.T) {
	s := startServer(t, house(1), nil)
	c := s.dial()
	key, err := setupSecret(context.Background(), c.link.exchange("/pair-setup"), string(s.options.Identity.SetupCode), 0)
	if err != nil {
		t.Fatal(err)
	}
	sealed := sealItems(setupKey(key), nonceSetupM5, TLV{{TagIdentifier, []byte("forger")},
		{TagPublicKey, newController(t).Public()}, {TagSignature, make([]byte, 64)}})
	answer := c.pairing("/pair-setup", tlvOf(5, Item{TagEncryptedData, sealed}))
	if code, _ := answer.Byte(TagError); code != ErrorAuthentication || s.Paired() {
		t.Errorf("error %d, paired %t", code, s.Paired())
	}
}
