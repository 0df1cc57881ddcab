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
	state, _ := message.Byte(TagState)
	switch state {
	case 1:
		return c.verifyStart(message)
	case 3:
		return c.verifyFinish(message)
	}
	return answer{status: http.StatusBadRequest}
}

// verifyStart answers M1 with our ephemeral key and the proof that we are who we are.
func (c *connection) verifyStart(message TLV) answer {
	c.verify = nil
	own, err := newCurveKey()
	if err != nil {
		return refusePairing(2, ErrorUnknown)
	}
	exchange := &verifyExchange{own: own.PublicKey().Bytes(), peer: message.Get(TagPublicKey)}
	if exchange.secret, err = curveSecret(own, exchange.peer); err != nil {
		return refusePairing(2, ErrorAuthentication)
	}
	c.verify = exchange
	identity := c.server.options.Identity
	sealed := sealVerifyIdentity(nonceVerifyM2, exchange.secret, exchange.own, exchange.peer,
		identity.DeviceID, identity.Key)
	return tlvAnswer(tlvOf(2, Item{TagPublicKey, exchange.own}, Item{TagEncryptedData, sealed}))
}

// verifyFinish answers M3. After M4, which leaves in plain text, everything is encrypted.
func (c *connection) verifyFinish(message TLV) answer {
	exchange := c.verify
	c.verify = nil
	if exchange == nil {
		return refusePairing(4, ErrorAuthentication)
	}
	id, check, err := openVerifyIdentity(nonceVerifyM3, exchange.secret, message.Get(TagEncryptedData),
		exchange.peer, exchange.own)
	if err != nil {
		return refusePairing(4, ErrorAuthentication)
	}
	pairing, known := c.server.pairer.find(id)
	// Who has M4 in hands has a session: so we enter it before M4 leaves.
	if !known || check(pairing.Key) != nil || !c.server.pairer.enter(id, func() { c.setController(id) }) {
		// A controller that was removed may come back every few seconds for years: nothing to tell each time.
		c.server.log.Debug("HomeKit controller is not paired", "controller", id, "address", c.channel.conn.RemoteAddr())
		return refusePairing(4, ErrorAuthentication)
	}
	m4 := tlvAnswer(tlvOf(4))
	m4.then = func(ctx context.Context) error { return c.secure(ctx, sessionKeys(exchange.secret)) }
	return m4
}
