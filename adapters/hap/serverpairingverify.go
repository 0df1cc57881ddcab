package hap

import (
	"context"
	"net/http"
)

// verifyExchange is a pair-verify between M2 and M3.
type verifyExchange struct {
	own, peer []byte // ephemeral public keys
	secret    []byte
}

// pairVerify is POST /pair-verify (HAP R2 5.7).
func (c *connection) pairVerify(_ context.Context, r request) answer {
	message, err := DecodeTLV(r.body)
	if err != nil || c.controller != "" {
		return answer{status: http.StatusBadRequest}
	}
	reply, keys := c.dialogue.Verify(message)
	if reply == nil {
		return answer{status: http.StatusBadRequest}
	}
	a := tlvAnswer(reply)
	if keys != nil {
		a.then = func(ctx context.Context) error { return c.secure(ctx, *keys) }
	}
	return a
}

// Verify answers one message of pair-verify, nil for what is none. With keys it is the last: the answer leaves in plain
// text, and everything after it is sealed.
func (d *Dialogue) Verify(message TLV) (reply TLV, keys *SessionKeys) {
	state, _ := message.Byte(TagState)
	switch state {
	case 1:
		return d.verifyStart(message), nil
	case 3:
		return d.verifyFinish(message)
	}
	return nil, nil
}

// verifyStart answers M1 with our ephemeral key and the proof that we are who we are.
func (d *Dialogue) verifyStart(message TLV) TLV {
	d.verify = nil
	own, err := newCurveKey()
	if err != nil {
		return refusePairing(2, ErrorUnknown)
	}
	exchange := &verifyExchange{own: own.PublicKey().Bytes(), peer: message.Get(TagPublicKey)}
	if exchange.secret, err = curveSecret(own, exchange.peer); err != nil {
		return refusePairing(2, ErrorAuthentication)
	}
	d.verify = exchange
	identity := d.door.pairer.identity
	sealed := sealVerifyIdentity(nonceVerifyM2, exchange.secret, exchange.own, exchange.peer,
		identity.DeviceID, identity.Key)
	return tlvOf(2, Item{TagPublicKey, exchange.own}, Item{TagEncryptedData, sealed})
}

// verifyFinish answers M3. After M4, which leaves in plain text, everything is encrypted.
func (d *Dialogue) verifyFinish(message TLV) (TLV, *SessionKeys) {
	exchange, pairer := d.verify, d.door.pairer
	d.verify = nil
	if exchange == nil {
		return refusePairing(4, ErrorAuthentication), nil
	}
	id, check, err := openVerifyIdentity(nonceVerifyM3, exchange.secret, message.Get(TagEncryptedData),
		exchange.peer, exchange.own)
	if err != nil {
		return refusePairing(4, ErrorAuthentication), nil
	}
	pairing, known := pairer.find(id)
	// Who has M4 in hands has a session: so we enter it before M4 leaves.
	if !known || check(pairing.Key) != nil || !pairer.enter(id, func() { d.entered(id) }) {
		// A controller that was removed may come back every few seconds for years: nothing to tell each time.
		d.door.log.Debug("HomeKit controller is not paired", "controller", id, "address", d.from)
		return refusePairing(4, ErrorAuthentication), nil
	}
	d.controller = id
	keys := sessionKeys(exchange.secret)
	return tlvOf(4), &keys
}
