package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// sessionSize is the length of a session's id in bytes.
const sessionSize = 16

// longestText bounds addresses and keys of a negotiation, in bytes.
const longestText = 64

// Endpoints is where a viewer wants to have its stream, as it writes it to SetupEndpoints.
type Endpoints struct {
	Session string         // 16 bytes
	Viewer  netip.AddrPort // takes the pictures
	key     []byte         // of the pictures, and salt
	salt    []byte
	sound   []byte // cryptographic parameters of the sound, returned as they came
}

// ReadEndpoints reads what a viewer writes to SetupEndpoints. Errors repeat none of its keys.
func ReadEndpoints(value []byte) (Endpoints, error) {
	outer, err := hap.DecodeTLV(value)
	if err != nil {
		return Endpoints{}, fmt.Errorf("read the viewer's endpoints: %w", err)
	}
	e := Endpoints{Session: string(outer.Get(1)), sound: outer.Get(5)}
	if len(e.Session) != sessionSize || len(e.sound) > longestText {
		return Endpoints{}, errors.New("the viewer's endpoints have no session")
	}
	if e.Viewer, err = readAddress(outer.Get(3)); err != nil {
		return Endpoints{}, err
	}
	crypto, err := hap.DecodeTLV(outer.Get(4))
	if err != nil {
		return Endpoints{}, errors.New("the keys of the viewer's endpoints cannot be read")
	}
	chosen, ok := crypto.Byte(1)
	e.key, e.salt = crypto.Get(2), crypto.Get(3)
	if !ok || chosen != suite || len(e.key) != keySize || len(e.salt) != saltSize {
		return Endpoints{}, errors.New("the keys of the viewer's endpoints are not those of AES_CM_128_HMAC_SHA1_80")
	}
	return e, nil
}

func readAddress(value []byte) (netip.AddrPort, error) {
	wrong := errors.New("the viewer's endpoints have no address")
	items, err := hap.DecodeTLV(value)
	if err != nil || len(items.Get(2)) > longestText {
		return netip.AddrPort{}, wrong
	}
	address, err := netip.ParseAddr(string(items.Get(2)))
	port, ok := items.Number(3)
	if err != nil || !ok || port == 0 || port > 65535 {
		return netip.AddrPort{}, wrong
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(port)), nil
}

// Reach says where the viewer is, for a connection that came from that address, with the zone of a
// link-local one. A controller may send for its viewer, but not have us send to anybody in the world: the
// viewer is where the controller is, or in a home network.
func (e Endpoints) Reach(from netip.Addr) (netip.AddrPort, error) {
	a := e.Viewer.Addr()
	if a.Is6() && a.IsLinkLocalUnicast() {
		a = a.WithZone(from.Zone())
	}
	home := a.IsPrivate() || a.IsLinkLocalUnicast() && (a.Is4() || a.Zone() != "")
	if a != from && !home && !(a.IsLoopback() && from.IsLoopback()) && !neighbours(a, from) {
		return netip.AddrPort{}, errors.New("the viewer's address is in no home network")
	}
	return netip.AddrPortFrom(a, e.Viewer.Port()), nil
}

// neighbours reports whether two public addresses of IPv6 are in one home network.
func neighbours(a, b netip.Addr) bool {
	const network = 64 // bits
	if !a.Is6() || !b.Is6() || a.IsLoopback() || a.IsMulticast() || a.IsUnspecified() {
		return false
	}
	prefix, err := b.WithZone("").Prefix(network)
	return err == nil && prefix.Contains(a.WithZone(""))
}

// Busy is the answer to a viewer for whom there is no place.
func (e Endpoints) Busy() []byte { return e.refusal(statusBusy) }

// Failed is the answer to a viewer whom nothing can be sent.
func (e Endpoints) Failed() []byte { return e.refusal(statusError) }

func (e Endpoints) refusal(status byte) []byte {
	return hap.TLV{{Tag: 1, Value: []byte(e.Session)}, {Tag: 2, Value: []byte{status}}}.Encode()
}

// accepted is the answer to a viewer who will be sent the pictures from that address. One port serves
// pictures and sound, and the viewer's own keys are used both ways.
func (e Endpoints) accepted(local netip.AddrPort, video, sound uint32) []byte {
	version := byte(0)
	if local.Addr().Is6() {
		version = 1
	}
	address := hap.TLV{{Tag: 1, Value: []byte{version}}, {Tag: 2, Value: []byte(local.Addr().WithZone("").String())},
		{Tag: 3, Value: number(local.Port())}, {Tag: 4, Value: number(local.Port())}}
	crypto := hap.TLV{{Tag: 1, Value: []byte{suite}}, {Tag: 2, Value: e.key}, {Tag: 3, Value: e.salt}}
	return hap.TLV{
		{Tag: 1, Value: []byte(e.Session)}, {Tag: 2, Value: []byte{statusDone}}, {Tag: 3, Value: address.Encode()},
		{Tag: 4, Value: crypto.Encode()}, {Tag: 5, Value: e.sound},
		{Tag: 6, Value: binary.LittleEndian.AppendUint32(nil, video)}, {Tag: 7, Value: binary.LittleEndian.AppendUint32(nil, sound)},
	}.Encode()
}
