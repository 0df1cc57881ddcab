package camera

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/veilleuse/veilleuse/gateway"
)

// Access is what the cloud says of reaching one camera on the LAN. Key and LocalURL are secrets: who has
// them has the pictures.
type Access struct {
	Device   gateway.DeviceID
	Name     string
	Model    string // the vendor's type code; models without an HTTP interface are ignored
	Key      string // the part of the path that opens it, as in vpn_url
	LocalURL string // http://<address>/<key>; "" if the cloud did not say
	IsLocal  bool   // the cloud's guess whether we are in the same LAN; wrong too often to be used (openHAB#14617, #18306)
}

// String names the camera and hides the secrets.
func (a Access) String() string { return "access to camera " + string(a.Device) }

// LogValue is what a log may hold of it.
func (a Access) LogValue() slog.Value { return slog.StringValue(a.String()) }

// The models with an HTTP interface on the LAN. The doorbell NDB has none (the vendor's documentation).
var models = map[string]traits{
	"NACamera": {words: []string{"welcome", "nacamera"}},
	"NPC":      {words: []string{"npc"}},
	"NOC":      {words: []string{"presence", "noc"}, floodlight: true},
}

// traits is what a model has beyond pictures and monitoring.
type traits struct {
	words      []string // by which its ping names itself
	floodlight bool
}

// isOther reports whether a ping's product name is that of another model. Names that nobody has seen
// yet pass: newer firmware says "noc" where older said "Presence".
func isOther(model, product string) bool {
	names := func(t traits) bool {
		return slices.ContainsFunc(t.words, func(word string) bool { return strings.Contains(strings.ToLower(product), word) })
	}
	if names(models[model]) {
		return false
	}
	for _, t := range models {
		if names(t) {
			return true
		}
	}
	return false
}

// way is one way to reach a camera: the address to dial and the key.
type way struct {
	Address netip.AddrPort `json:"address,omitzero"`
	Key     string         `json:"key,omitempty"`
}

func (w way) complete() bool { return w.Address.IsValid() && w.Key != "" }

// String hides the key from whoever prints a way by mistake.
func (w way) String() string { return "a way to a camera" }

const cameraPort = 80 // the only one that was ever seen

// parseLocalURL takes an address of the form http://<address>/<key> apart. Nothing else is accepted: a
// name could lead elsewhere tomorrow, and a decimal number is a trick. Errors do not repeat the text.
func parseLocalURL(text string) (way, error) {
	u, err := url.Parse(text)
	if err != nil {
		return way{}, errors.New("it is not an address")
	}
	if u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return way{}, errors.New("it is not of the form http://<address>/<key>")
	}
	host := u.Host
	if u.Port() == "" {
		host += fmt.Sprint(":", cameraPort)
	}
	address, err := netip.ParseAddrPort(host)
	if err != nil {
		return way{}, errors.New("it has no plain IP address")
	}
	key := strings.Trim(u.Path, "/")
	if !isKey(key) {
		return way{}, errors.New("it has no key")
	}
	return way{netip.AddrPortFrom(address.Addr().Unmap(), address.Port()), key}, nil
}

// isKey reports whether text can be a camera's key: letters and digits that change nothing in an
// address.
func isKey(text string) bool {
	return len(text) >= 4 && len(text) <= 128 && strings.IndexFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	}) < 0
}

// mayDial says why an address must not be dialled, or nil. Cameras live in private ranges at port 80.
// The vendor has named link-local and public addresses (pyatmo#347, openHAB#15883), and whoever could
// make us dial anything else would use us as a way into the house.
func mayDial(address netip.AddrPort, loopback bool) error {
	a := address.Addr().Unmap()
	switch {
	case !a.IsValid() || a.IsUnspecified():
		return errors.New("no address")
	case a.IsLoopback():
		if !loopback {
			return errors.New("an address of this very machine")
		}
		return nil
	case a.IsLinkLocalUnicast():
		return errors.New("a link-local address, which a camera has when it got none from the router")
	case !a.IsPrivate():
		return errors.New("no address of a home network")
	case address.Port() != cameraPort:
		return fmt.Errorf("port %d, where no camera listens", address.Port())
	}
	return nil
}

// sameHardware reports whether two spellings of a hardware address are one: 70:ee:50:12:34:56,
// 70EE50123456, 70-ee-50-12-34-56.
func sameHardware(a, b string) bool {
	a, b = hexOnly(a), hexOnly(b)
	return a == b && len(a) == 12
}

func hexOnly(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdef", r) {
			return r
		}
		return -1
	}, strings.ToLower(text))
}
