package hap

import (
	"context"
	"net/http"
)

// pairings is POST /pairings (HAP R2 5.10 to 5.12), for admins only.
func (c *connection) pairings(_ context.Context, r request) answer {
	message, err := DecodeTLV(r.body)
	if err != nil {
		return answer{status: http.StatusBadRequest}
	}
	if own, known := c.server.pairer.find(c.controller); !known || !own.Admin {
		return refusePairing(2, ErrorAuthentication)
	}
	method, _ := message.Byte(TagMethod)
	switch method {
	case methodAddPairing:
		return c.addPairing(message)
	case methodRemovePairing:
		return c.removePairing(message)
	case methodListPairings:
		return c.listPairings()
	}
	return refusePairing(2, ErrorUnknown)
}

func (c *connection) addPairing(message TLV) answer {
	permissions, _ := message.Byte(TagPermissions)
	pairing := controllerPairing{
		ID:    string(message.Get(TagIdentifier)),
		Key:   message.Get(TagPublicKey),
		Admin: permissions&permissionAdmin != 0,
	}
	if err := c.server.pairer.add(pairing); err != nil {
		c.server.log.Warn("HomeKit pairing refused", "controller", pairing.ID, "error", err)
		return refusePairing(2, refusalFor(err))
	}
	c.server.log.Info("HomeKit controller paired", "controller", pairing.ID, "admin", pairing.Admin, "by", c.controller)
	return tlvAnswer(tlvOf(2))
}

// removePairing answers before it closes the sessions of those who are gone, which may be the asking one's own.
func (c *connection) removePairing(message TLV) answer {
	gone, err := c.server.pairer.remove(string(message.Get(TagIdentifier)))
	a := tlvAnswer(tlvOf(2))
	if err != nil {
		c.server.log.Error("HomeKit pairing not removed", "error", err)
		a = refusePairing(2, ErrorUnknown)
	}
	for _, id := range gone {
		c.server.log.Info("HomeKit controller unpaired", "controller", id, "by", c.controller)
	}
	a.then = func(context.Context) error {
		c.server.closeSessions(gone) // our next read fails if we are among them
		return nil
	}
	return a
}

func (c *connection) listPairings() answer {
	message := tlvOf(2)
	for i, pairing := range c.server.pairer.list() {
		if i > 0 {
			message = append(message, Item{TagSeparator, nil})
		}
		permissions := byte(permissionUser)
		if pairing.Admin {
			permissions = permissionAdmin
		}
		message = append(message, Item{TagIdentifier, []byte(pairing.ID)}, Item{TagPublicKey, pairing.Key},
			Item{TagPermissions, []byte{permissions}})
	}
	return tlvAnswer(message)
}
