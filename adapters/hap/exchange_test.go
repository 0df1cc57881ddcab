package hap

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestPairingErrorTravels(t *testing.T) {
	for _, test := range []struct {
		code  byte
		retry time.Duration
		words string
	}{
		{ErrorAuthentication, 0, "authentication failed (error 2)"},
		{ErrorBackoff, 90 * time.Second, "too many attempts: wait 1m30s (error 3)"},
		{ErrorBackoff, 0, "too many attempts: wait a few minutes (error 3)"},
		{ErrorMaxPeers, 0, "it has no room for another controller (error 4)"},
		{ErrorMaxTries, 0, "it refuses after too many wrong codes: restart it (error 5)"},
		{ErrorUnavailable, 0, "it is paired already (error 6)"},
		{ErrorBusy, 0, "it is busy with another pairing (error 7)"},
		{99, 0, "unknown error 99"},
	} {
		message, err := DecodeTLV(errorTLV(4, test.code, test.retry).Encode())
		if err != nil {
			t.Fatal(err)
		}
		var got *PairingError
		if err := checkState(message, 4); !errors.As(err, &got) || got.Code != test.code || got.Retry != test.retry || got.Error() != test.words {
			t.Errorf("error %d became %+v", test.code, err)
		}
	}
	if got, _ := errorTLV(2, ErrorBackoff, 1500*time.Millisecond).Number(TagRetryDelay); got != 2 {
		t.Errorf("1.5 s are announced as %d s", got)
	}
}

func TestCheckState(t *testing.T) {
	if err := checkState(tlvOf(2), 2); err != nil {
		t.Error(err)
	}
	for _, message := range []TLV{tlvOf(2), {}, {{TagState, []byte{4, 0}}}} {
		if err := checkState(message, 4); err == nil {
			t.Errorf("%v passes for state 4", message)
		}
	}
	var refused *PairingError
	if err := checkState(TLV{{TagError, nil}}, 4); !errors.As(err, &refused) {
		t.Errorf("an error without a code gives %v", err)
	}
	endless := TLV{{TagError, []byte{ErrorBackoff}}, {TagRetryDelay, bytes.Repeat([]byte{0xff}, 8)}}
	if err := checkState(endless, 2); !errors.As(err, &refused) || refused.Retry != 24*time.Hour {
		t.Errorf("an endless delay gives %v", err)
	}
}

// TestDerivedKeys holds the derivations to values computed with Python's hmac module by RFC 5869 from the
// session key of HAP R2 5.5.2.
func TestDerivedKeys(t *testing.T) {
	secret := unhex(t, vectorKey)
	accessory := setupSigned(roleAccessory, secret, "", nil)
	controller := setupSigned(roleController, secret, "", nil)
	verify, setup, session := verifyKey(secret), setupKey(secret), sessionKeys(secret)
	for name, pair := range map[string][2]string{
		"Pair-Setup-Encrypt":         {hex.EncodeToString(setup[:]), "2a05883492dffdd216ca4a3c2aa472b67ddd49e2a061b86929539afcb6abfef4"},
		"Pair-Setup-Accessory-Sign":  {hex.EncodeToString(accessory), "5a55453e44c7721cf44179f3f694eb722d887e264cd3586d0328419d43092e1c"},
		"Pair-Setup-Controller-Sign": {hex.EncodeToString(controller), "e45baa0218c40756559b95d21736fccc641a2977b063b2c82be2de896aa779b3"},
		"Pair-Verify-Encrypt":        {hex.EncodeToString(verify[:]), "02cac753e06cdcfa2973200fa7138d2af1db12b22e417e4223f037bee0b79cb0"},
		"Control-Write":              {hex.EncodeToString(session.ToAccessory[:]), "e4ae7f784030893fcd0345eaf0b433651afe78fe541591a1ecfa1a5d4caf196c"},
		"Control-Read":               {hex.EncodeToString(session.ToController[:]), "658e314382c90c4c2ea97303aaff9e41e570647f42ca80461e1e6bd1e3af3ea6"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %s, want %s", name, pair[0], pair[1])
		}
	}
}

func TestSetupIdentity(t *testing.T) {
	key, err := newSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte("a session key")
	sealed := sealSetupIdentity(roleController, nonceSetupM5, secret, "me", key)
	id, public, err := openSetupIdentity(roleController, nonceSetupM5, secret, sealed)
	if err != nil || id != "me" || !public.Equal(key.Public()) {
		t.Fatalf("%q, %x, %v", id, public, err)
	}
	bad := bytes.Clone(sealed)
	bad[3] ^= 1
	unsigned := sealItems(setupKey(secret), nonceSetupM5, TLV{{TagIdentifier, []byte("me")}, {TagPublicKey, public}})
	short := sealItems(setupKey(secret), nonceSetupM5, TLV{{TagIdentifier, []byte("me")}, {TagPublicKey, public[:31]}})
	for name, try := range map[string]func() error{
		"another secret": func() error { return opened(roleController, nonceSetupM5, []byte("x"), sealed) },
		"another nonce":  func() error { return opened(roleController, nonceSetupM6, secret, sealed) },
		"another role":   func() error { return opened(roleAccessory, nonceSetupM5, secret, sealed) },
		"a changed byte": func() error { return opened(roleController, nonceSetupM5, secret, bad) },
		"nothing":        func() error { return opened(roleController, nonceSetupM5, secret, nil) },
		"no signature":   func() error { return opened(roleController, nonceSetupM5, secret, unsigned) },
		"half a key":     func() error { return opened(roleController, nonceSetupM5, secret, short) },
		"no id": func() error {
			return opened(roleController, nonceSetupM5, secret, sealSetupIdentity(roleController, nonceSetupM5, secret, "", key))
		},
	} {
		if err := try(); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func opened(who role, nonce string, secret, sealed []byte) error {
	_, _, err := openSetupIdentity(who, nonce, secret, sealed)
	return err
}

func TestVerifyIdentity(t *testing.T) {
	key, err := newSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	other, err := newSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	public := Identity{Key: key}.Public()
	sealed := sealVerifyIdentity(nonceVerifyM2, []byte("secret"), []byte("own"), []byte("peer"), "me", key)
	id, check, err := openVerifyIdentity(nonceVerifyM2, []byte("secret"), sealed, []byte("own"), []byte("peer"))
	if err != nil || id != "me" || check(public) != nil {
		t.Fatalf("%q, %v", id, err)
	}
	if check(Identity{Key: other}.Public()) == nil || check(nil) == nil {
		t.Error("the signature fits another key")
	}
	_, check, err = openVerifyIdentity(nonceVerifyM2, []byte("secret"), sealed, []byte("peer"), []byte("own"))
	if err != nil || check(public) == nil {
		t.Error("the signature fits with the ends exchanged, so it could be reflected")
	}
	if _, _, err := openVerifyIdentity(nonceVerifyM3, []byte("secret"), sealed, []byte("own"), []byte("peer")); err == nil {
		t.Error("M2 passes for M3")
	}
}

func TestCurveSecret(t *testing.T) {
	a, err := newCurveKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := newCurveKey()
	if err != nil {
		t.Fatal(err)
	}
	one, errA := curveSecret(a, b.PublicKey().Bytes())
	two, errB := curveSecret(b, a.PublicKey().Bytes())
	if errA != nil || errB != nil || !bytes.Equal(one, two) {
		t.Errorf("%x and %x: %v, %v", one, two, errA, errB)
	}
	for name, public := range map[string][]byte{"nothing": nil, "a short key": make([]byte, 31), "zero": make([]byte, 32)} {
		if secret, err := curveSecret(a, public); err == nil {
			t.Errorf("%s gives the secret %x", name, secret)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	identity, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	pairing := Pairing{AccessoryID: "AA", Controller: identity}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "identity", identity, "pairing", pairing)
	if !bytes.Contains(logged.Bytes(), []byte("pairing with AA")) {
		t.Errorf("the log says %s", &logged)
	}
	secret := fmt.Sprintf("%d", identity.Key[0:4])
	for _, text := range []string{fmt.Sprint(identity), fmt.Sprintf("%+v", pairing), fmt.Sprintf("%#v", identity), fmt.Sprint(Key(identity.Key[:32])), fmt.Sprintf("%v", sessionKeys(identity.Key)), logged.String()} {
		if strings.Contains(text, secret[1:len(secret)-1]) || strings.Contains(text, base64.StdEncoding.EncodeToString(identity.Key[:6])) {
			t.Errorf("%s shows the key", text)
		}
	}
}
