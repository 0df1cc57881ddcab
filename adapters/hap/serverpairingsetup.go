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

// pairSetup is POST /pair-setup (HAP R2 5.6).
func (c *connection) pairSetup(_ context.Context, r request) answer {
	message, err := DecodeTLV(r.body)
	if err != nil {
		return answer{status: http.StatusBadRequest}
	}
	reply, paired := c.dialogue.Setup(message)
	if reply == nil {
		return answer{status: http.StatusBadRequest}
	}
	if paired {
		c.server.notify()
	}
	return tlvAnswer(reply)
}

// Setup answers one message of pair-setup, nil for what is none, and tells whether a controller was paired by it.
func (d *Dialogue) Setup(message TLV) (reply TLV, paired bool) {
	state, _ := message.Byte(TagState)
	switch state {
	case 1:
		return d.setupStart(), false
	case 3:
		return d.setupProve(message), false
	case 5:
		return d.setupFinish(message)
	}
	return nil, false
}

// setupStart answers M1 with a salt and our SRP key. Setup with and without authentication are the same to us: there is
// no MFi chip whose proof we could add.
func (d *Dialogue) setupStart() TLV {
	d.setup = nil
	if refusal := d.door.pairer.begin(d); refusal != 0 {
		return refusePairing(2, refusal)
	}
	exchange, err := newSRPServer(string(d.door.pairer.identity.SetupCode))
	if err != nil {
		return d.abandonSetup(2, ErrorUnknown, err)
	}
	d.setup = &setupExchange{srp: exchange}
	return tlvOf(2, Item{TagPublicKey, exchange.public}, Item{TagSalt, exchange.salt})
}

// setupProve answers M3: did the controller know the code? Each exchange is good for one try.
func (d *Dialogue) setupProve(message TLV) TLV {
	exchange, pairer := d.setup, d.door.pairer
	if exchange == nil || exchange.key != nil || !pairer.goOn(d) {
		return d.abandonSetup(4, ErrorUnknown, nil) // M3 without M1
	}
	count, err := pairer.countTry()
	if err != nil {
		return d.abandonSetup(4, ErrorUnknown, err)
	}
	proof, key, err := exchange.srp.verify(message.Get(TagPublicKey), message.Get(TagProof))
	if err != nil {
		d.door.log.Warn("wrong HomeKit setup code", "address", d.from, "tries", count, "allowed", triesMax)
		return d.abandonSetup(4, ErrorAuthentication, nil)
	}
	if err := pairer.forgiveTries(); err != nil {
		return d.abandonSetup(4, ErrorUnknown, err)
	}
	exchange.key = key
	return tlvOf(4, Item{TagProof, proof})
}

// setupFinish answers M5: it stores the controller's long-term key and then gives ours.
func (d *Dialogue) setupFinish(message TLV) (reply TLV, paired bool) {
	exchange, pairer := d.setup, d.door.pairer
	if exchange == nil || exchange.key == nil || !pairer.goOn(d) {
		return d.abandonSetup(6, ErrorUnknown, nil), false // M5 without M3
	}
	id, public, err := openSetupIdentity(roleController, nonceSetupM5, exchange.key, message.Get(TagEncryptedData))
	if err != nil {
		return d.abandonSetup(6, ErrorAuthentication, err), false
	}
	if err := pairer.addFirst(controllerPairing{ID: id, Key: public, Admin: true}); err != nil {
		return d.abandonSetup(6, refusalFor(err), err), false
	}
	identity := pairer.identity
	sealed := sealSetupIdentity(roleAccessory, nonceSetupM6, exchange.key, identity.DeviceID, identity.Key)
	d.endSetup()
	d.door.log.Info("HomeKit controller paired", "controller", id)
	return tlvOf(6, Item{TagEncryptedData, sealed}), true
}

// abandonSetup refuses a step; a new attempt begins with M1. The reason, which may be nil, is for the log.
func (d *Dialogue) abandonSetup(state, code byte, reason error) TLV {
	if reason != nil {
		d.door.log.Warn("HomeKit pairing failed", "address", d.from, "err", reason)
	}
	d.endSetup()
	return refusePairing(state, code)
}

func (d *Dialogue) endSetup() {
	d.setup = nil
	d.door.pairer.release(d)
}

// refusalFor is the code of HAP R2 table 5-5 for a pairing that could not be stored.
func refusalFor(err error) byte {
	if errors.Is(err, errMaxPeers) {
		return ErrorMaxPeers
	}
	return ErrorUnknown
}
