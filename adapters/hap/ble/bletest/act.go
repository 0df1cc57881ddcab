package bletest

import (
	"encoding/binary"
	"slices"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// act answers what only a verified session may ask.
func (l *link) act(p *point, r asked, items hap.TLV) (status byte, body []byte) {
	a := l.accessory
	a.mu.Lock()
	status, body, after := l.do(p, r, items)
	a.mu.Unlock()
	if after != nil {
		after()
	}
	return status, body
}

// do needs the accessory's lock; what it returns last is done without.
func (l *link) do(p *point, r asked, items hap.TLV) (status byte, body []byte, after func()) {
	switch r.op {
	case 2:
		return l.write(p, items.Get(1))
	case 3:
		if !p.Has(hap.PermRead) {
			return invalid, nil, nil
		}
		raw, err := encode(p.Format, p.Value)
		if err != nil {
			return invalid, nil, nil
		}
		return done, hap.TLV{{Tag: 1, Value: raw}}.Encode(), nil
	case 4:
		p.pending = slices.Clone(items.Get(1))
		return done, nil, nil
	case 5:
		if p.pending == nil {
			return invalid, nil, nil
		}
		value := p.pending
		p.pending = nil
		return l.write(p, value)
	case 7:
		bits, _ := items.Number(1)
		p.broadcasts = bits&1 != 0
		return done, nil, nil
	case 8:
		return l.protocol(items)
	}
	return unsupported, nil, nil
}

func (l *link) write(p *point, raw []byte) (status byte, body []byte, after func()) {
	if !p.Has(hap.PermWrite) {
		return invalid, nil, nil
	}
	value, err := decode(p.Format, raw)
	if err != nil {
		return invalid, nil, nil
	}
	p.Value = value
	return done, nil, nil // the writer is not told of its own change
}

// protocol answers a protocol configuration request.
func (l *link) protocol(items hap.TLV) (status byte, body []byte, after func()) {
	a := l.accessory
	if items.Has(1) {
		controller := l.dialogue.Controller()
		for _, c := range a.door.Controllers() {
			if c.ID == controller {
				key := hap.BroadcastKey(l.secret, c.Key)
				a.key = &key
			}
		}
	}
	if !items.Has(2) {
		return done, nil, nil
	}
	id, err := deviceBytes(a.ID())
	if err != nil {
		return invalid, nil, nil
	}
	return done, hap.TLV{
		{Tag: 1, Value: binary.LittleEndian.AppendUint16(nil, a.state)},
		{Tag: 2, Value: []byte{a.configuration}},
		{Tag: 3, Value: id},
	}.Encode(), nil
}
