package hap

import (
	"context"
	"errors"
	"net/http"
)

// setupExchange is a pair-setup between its messages.
type setupExchange struct {
	srp *srpServer
	key []byte // set once the controller has proved that it knows the code
}

func tlvAnswer(message TLV) answer {
	return answer{status: http.StatusOK, contentType: contentPairing, body: message.Encode()}
}

func refusePairing(state, code byte) answer { return tlvAnswer(errorTLV(state, code, 0)) }

// pairSetup is POST /pair-setup (HAP R2 5.6).
func (c *connection) pairSetup(_ context.Context, r request) answer {
	message, err := DecodeTLV(r.body)
	if err != nil {
		return answer{status: http.StatusBadRequest}
	}
	state, _ := message.Byte(TagState)
	switch state {
	case 1:
		return c.setupStart()
	case 3:
		return c.setupProve(message)
	case 5:
		return c.setupFinish(message)
	}
	return answer{status: http.StatusBadRequest}
}

// setupStart answers M1 with a salt and our SRP key. Setup with and without authentication are the same to us: there is
// no MFi chip whose proof we could add.
func (c *connection) setupStart() answer {
	c.setup = nil
	if refusal := c.server.pairer.begin(c); refusal != 0 {
		return refusePairing(2, refusal)
	}
	exchange, err := newSRPServer(string(c.server.options.Identity.SetupCode))
	if err != nil {
		return c.abandonSetup(2, ErrorUnknown, err)
	}
	c.setup = &setupExchange{srp: exchange}
	return tlvAnswer(tlvOf(2, Item{TagPublicKey, exchange.public}, Item{TagSalt, exchange.salt}))
}

// setupProve answers M3: did the controller know the code? Each exchange is good for one try.
func (c *connection) setupProve(message TLV) answer {
	exchange := c.setup
	if exchange == nil || exchange.key != nil || !c.server.pairer.goOn(c) {
		return c.abandonSetup(4, ErrorUnknown, nil) // M3 without M1
	}
	count, err := c.server.pairer.countTry()
	if err != nil {
		return c.abandonSetup(4, ErrorUnknown, err)
	}
	proof, key, err := exchange.srp.verify(message.Get(TagPublicKey), message.Get(TagProof))
	if err != nil {
		c.server.log.Warn("wrong HomeKit setup code", "address", c.channel.conn.RemoteAddr(),
			"tries", count, "allowed", triesMax)
		return c.abandonSetup(4, ErrorAuthentication, nil)
	}
	if err := c.server.pairer.forgiveTries(); err != nil {
		return c.abandonSetup(4, ErrorUnknown, err)
	}
	exchange.key = key
	return tlvAnswer(tlvOf(4, Item{TagProof, proof}))
}

// setupFinish answers M5: it stores the controller's long-term key and then gives ours.
func (c *connection) setupFinish(message TLV) answer {
	exchange := c.setup
	if exchange == nil || exchange.key == nil || !c.server.pairer.goOn(c) {
		return c.abandonSetup(6, ErrorUnknown, nil) // M5 without M3
	}
	id, public, err := openSetupIdentity(roleController, nonceSetupM5, exchange.key, message.Get(TagEncryptedData))
	if err != nil {
		return c.abandonSetup(6, ErrorAuthentication, err)
	}
	if err := c.server.pairer.addFirst(controllerPairing{ID: id, Key: public, Admin: true}); err != nil {
		return c.abandonSetup(6, refusalFor(err), err)
	}
	identity := c.server.options.Identity
	sealed := sealSetupIdentity(roleAccessory, nonceSetupM6, exchange.key, identity.DeviceID, identity.Key)
	c.endSetup()
	c.server.log.Info("HomeKit controller paired", "controller", id)
	c.server.notify()
	return tlvAnswer(tlvOf(6, Item{TagEncryptedData, sealed}))
}

// abandonSetup refuses a step; a new attempt begins with M1. The reason, which may be nil, is for the log.
func (c *connection) abandonSetup(state, code byte, reason error) answer {
	if reason != nil {
		c.server.log.Warn("HomeKit pairing failed", "address", c.channel.conn.RemoteAddr(), "error", reason)
	}
	c.endSetup()
	return refusePairing(state, code)
}

func (c *connection) endSetup() {
	c.setup = nil
	c.server.pairer.release(c)
}

// refusalFor is the code of HAP R2 table 5-5 for a pairing that could not be stored.
func refusalFor(err error) byte {
	if errors.Is(err, errMaxPeers) {
		return ErrorMaxPeers
	}
	return ErrorUnknown
}
