package hap

import "log/slog"

// Door is the accessory's end of pairing, over whatever transport: it knows who is paired, and lets one controller at a
// time try. Server has one for IP; an accessory on Bluetooth LE has its own.
type Door struct {
	pairer *pairer
	log    *slog.Logger
}

// NewDoor reads who is paired from the store. It fails where the store fails, and never begins anew instead.
func NewDoor(identity ServerIdentity, store Store, log *slog.Logger) (*Door, error) {
	pairer, err := newPairer(identity, store)
	if err != nil {
		return nil, err
	}
	return &Door{pairer: pairer, log: log}, nil
}

// Paired tells whether any controller may open sessions.
func (d *Door) Paired() bool { return d.pairer.paired() }

// Controllers are those that are paired, sorted by id.
func (d *Door) Controllers() []PairedController {
	var all []PairedController
	for _, p := range d.pairer.list() {
		all = append(all, PairedController(p))
	}
	return all
}

// Forget removes all pairings, as a reset of the accessory does.
func (d *Door) Forget() error {
	_, err := d.pairer.removeAll()
	return err
}

// Dialogue begins the pairing messages of one connection. from is what the log calls the other end.
func (d *Door) Dialogue(from string) *Dialogue {
	return &Dialogue{door: d, from: from, entered: func(string) {}}
}

// Dialogue is the pairing messages of one connection. One goroutine uses it.
type Dialogue struct {
	door    *Door
	from    string
	entered func(controller string) // called once the controller is verified, before it is told so

	setup      *setupExchange
	verify     *verifyExchange
	controller string // pairing id of the verified controller, empty before
}

// End lets others try.
func (d *Dialogue) End() { d.door.pairer.release(d) }

// Controller is the pairing id of the verified controller, empty before.
func (d *Dialogue) Controller() string { return d.controller }

func refusePairing(state, code byte) TLV { return errorTLV(state, code, 0) }
