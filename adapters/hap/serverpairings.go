package hap

import (
	"context"
	"net/http"
)

// pairings is POST /pairings (HAP R2 5.10 to 5.12), for admins only. Sessions of those who are gone are closed once the
// answer has left, which may be the asking one's own.
func (c *connection) pairings(_ context.Context, r request) answer {
	message, err := DecodeTLV(r.body)
	if err != nil {
		return answer{status: http.StatusBadRequest}
	}
	reply, gone := c.dialogue.Pairings(message)
	a := tlvAnswer(reply)
	if len(gone) > 0 {
		a.then = func(context.Context) error {
			c.server.closeSessions(gone) // our next read fails if we are among them
			return nil
		}
	}
	return a
}

// Pairings answers one message about pairings in a verified session, and names the controllers that are not paired any
// more by it.
func (d *Dialogue) Pairings(message TLV) (reply TLV, gone []string) {
	if own, known := d.door.pairer.find(d.controller); !known || !own.Admin {
		return refusePairing(2, ErrorAuthentication), nil
	}
	method, _ := message.Byte(TagMethod)
	switch method {
	case methodAddPairing:
		return d.addPairing(message), nil
	case methodRemovePairing:
		return d.removePairing(message)
	case methodListPairings:
		return d.listPairings(), nil
	}
	return refusePairing(2, ErrorUnknown), nil
}

func (d *Dialogue) addPairing(message TLV) TLV {
	permissions, _ := message.Byte(TagPermissions)
	pairing := controllerPairing{
		ID:    string(message.Get(TagIdentifier)),
		Key:   message.Get(TagPublicKey),
		Admin: permissions&permissionAdmin != 0,
	}
	if err := d.door.pairer.add(pairing); err != nil {
		d.door.log.Warn("HomeKit pairing refused", "controller", pairing.ID, "err", err)
		return refusePairing(2, refusalFor(err))
	}
	d.door.log.Info("HomeKit controller paired", "controller", pairing.ID, "admin", pairing.Admin, "by", d.controller)
	return tlvOf(2)
}

func (d *Dialogue) removePairing(message TLV) (reply TLV, gone []string) {
	gone, err := d.door.pairer.remove(string(message.Get(TagIdentifier)))
	reply = tlvOf(2)
	if err != nil {
		d.door.log.Error("HomeKit pairing not removed", "err", err)
		reply = refusePairing(2, ErrorUnknown)
	}
	for _, id := range gone {
		d.door.log.Info("HomeKit controller unpaired", "controller", id, "by", d.controller)
	}
	return reply, gone
}

func (d *Dialogue) listPairings() TLV {
	message := tlvOf(2)
	for i, pairing := range d.door.pairer.list() {
		if i > 0 {
			message = append(message, Item{TagSeparator, nil})
		}
		permissions := byte(permissionUser)
		if pairing.Admin {
			permissions = permissionAdmin
		}
		message = append(message, Item{TagIdentifier, []byte(pairing.ID)},
			Item{TagPublicKey, pairing.Key}, Item{TagPermissions, []byte{permissions}})
	}
	return message
}
