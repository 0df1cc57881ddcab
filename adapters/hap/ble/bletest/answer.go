package bletest

import (
	"encoding/binary"
	"errors"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Types and numbers of HAP R2 chapter 7, written apart from package ble's.
const (
	serviceIDKind  hap.UUID = "E604E95D-A759-4817-87D3-AA005083A0D1"
	instanceIDKind hap.UUID = "DC46F0FE-81D2-4616-B5D9-6ABDD796939A"

	done, unsupported, noInstance, notAuthenticated, invalid byte = 0, 1, 4, 5, 6
)

// asked is a request whose pieces come in.
type asked struct {
	op, tid byte
	iid     uint16
	body    []byte
	want    int
}

// assemble adds a piece and returns the request once it is whole. It needs the lock.
func (l *link) assemble(handle string, piece []byte) (*asked, error) {
	if len(piece) < 2 {
		return nil, errors.New("a piece of a request is too short")
	}
	r := l.asked[handle]
	if piece[0]&0x80 != 0 {
		if r == nil || r.tid != piece[1] {
			return nil, errors.New("a piece continues nothing")
		}
		r.body = append(r.body, piece[2:]...)
	} else {
		if len(piece) < 5 || len(piece) == 6 {
			return nil, errors.New("the head of a request is cut")
		}
		r = &asked{op: piece[1], tid: piece[2], iid: binary.LittleEndian.Uint16(piece[3:])}
		if len(piece) > 5 {
			r.want, r.body = int(binary.LittleEndian.Uint16(piece[5:])), append([]byte{}, piece[7:]...)
		}
		l.asked[handle] = r
	}
	if len(r.body) < r.want {
		return nil, nil
	}
	delete(l.asked, handle)
	if len(r.body) > r.want {
		return nil, errors.New("a request is longer than it says")
	}
	return r, nil
}

// pieces cuts an answer. It needs the lock.
func (l *link) pieces(tid, status byte, body []byte) [][]byte {
	size := l.accessory.settings.MTU - 3
	if l.out != nil {
		size -= 16
	}
	head := []byte{0x02, tid, status}
	if len(body) == 0 {
		return [][]byte{head}
	}
	head = binary.LittleEndian.AppendUint16(head, uint16(len(body)))
	n := min(len(body), size-len(head))
	all := [][]byte{append(head, body[:n]...)}
	for body = body[n:]; len(body) > 0; body = body[n:] {
		n = min(len(body), size-2)
		all = append(all, append([]byte{0x82, tid}, body[:n]...))
	}
	return all
}

// answer carries out a request.
func (l *link) answer(p *point, r asked) (status byte, body []byte) {
	items, err := hap.DecodeTLV(r.body)
	if err != nil {
		return invalid, nil
	}
	service := r.op == 6 || r.op == 8 // they name the service
	if !service && uint64(r.iid) != p.IID || service && uint64(r.iid) != p.service.IID {
		return noInstance, nil
	}
	switch r.op {
	case 1:
		return done, signature(p)
	case 6:
		return done, serviceSignature(p.service)
	}
	if p.service.Type == hap.ServicePairing && p.Type != hap.CharacteristicPairingPairings {
		return l.pair(p, r, items)
	}
	if !l.sealed() {
		return notAuthenticated, nil
	}
	if p.Type == hap.CharacteristicPairingPairings {
		return l.pair(p, r, items)
	}
	return l.act(p, r, items)
}

func (l *link) sealed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.in != nil
}

// pair answers the characteristics of the pairing service.
func (l *link) pair(p *point, r asked, items hap.TLV) (status byte, body []byte) {
	if p.Type == hap.CharacteristicPairingFeatures && r.op == 3 {
		return done, hap.TLV{{Tag: 1, Value: []byte{0}}}.Encode()
	}
	message, err := hap.DecodeTLV(items.Get(1))
	if err != nil || r.op != 2 {
		return invalid, nil
	}
	var reply hap.TLV
	var gone []string
	switch p.Type {
	case hap.CharacteristicPairSetup:
		reply, _ = l.dialogue.Setup(message)
	case hap.CharacteristicPairVerify:
		var keys *hap.SessionKeys
		reply, keys = l.dialogue.Verify(message)
		l.mu.Lock()
		l.next = keys
		l.mu.Unlock()
	case hap.CharacteristicPairingPairings:
		reply, gone = l.dialogue.Pairings(message)
	}
	if reply == nil {
		return invalid, nil
	}
	if len(gone) > 0 {
		l.forget()
	}
	return done, hap.TLV{{Tag: 1, Value: reply.Encode()}}.Encode()
}

// forget drops the key of notifications: it was a removed controller's.
func (l *link) forget() {
	l.accessory.mu.Lock()
	defer l.accessory.mu.Unlock()
	l.accessory.key = nil
}
