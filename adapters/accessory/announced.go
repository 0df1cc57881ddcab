package accessory

import (
	"net"
	"strconv"
	"strings"
)

// Announced is an accessory server as it announces itself on the LAN.
type Announced struct {
	ID            string // HomeKit id, lower case with colons
	Name          string
	Model         string
	Address       string // host:port
	Category      int    // HAP R2 table 13-1: 2 is a bridge
	Paired        bool   // with anybody: another controller, or us
	Features      byte   // "ff": bit 0 wants pair-setup with authentication
	Configuration int    // "c#": raised when its database changes
	Bluetooth     bool   // it is on Bluetooth LE, and Address is that of its radio
}

// announced reads the TXT record of an accessory. Without an id in it, as in the probes that devices send after a
// restart, it says nothing (homekit.md 9). Netatmo writes keys in upper case and a NUL behind the model (public log of a
// Relay), so both are put right.
func announced(instance string, host net.IP, port int, txt []string) (Announced, bool) {
	fields := map[string]string{}
	for _, entry := range txt {
		key, value, ok := strings.Cut(unescape(entry), "=") // in the form of zone files, as names are
		key = strings.ToLower(clean(key))
		if _, twice := fields[key]; ok && !twice {
			fields[key] = clean(value)
		}
	}
	id := normalID(fields["id"])
	if !hardwareID.MatchString(id) || !mayBeAnothers(host) || port < 1 || port > 65535 {
		return Announced{}, false
	}
	number := func(key string) int {
		n, err := strconv.ParseUint(fields[key], 10, 32)
		if err != nil {
			return 0
		}
		return int(n)
	}
	return Announced{
		ID: id, Name: clean(unescape(instance)), Model: fields["md"], Address: net.JoinHostPort(host.String(), strconv.Itoa(port)),
		Category: number("ci"), Paired: fields["sf"] != "" && number("sf")&statusNotPaired == 0,
		Features: byte(number("ff")), Configuration: number("c#"),
	}, true
}

// mayBeAnothers reports whether an address that was announced may be dialled. Anybody in the LAN can announce any: one of this
// machine's own would make us knock at services here that are open to nobody else.
func mayBeAnothers(host net.IP) bool {
	return host != nil && !host.IsLoopback() && !host.IsUnspecified() && !host.IsMulticast() && !host.Equal(net.IPv4bcast)
}

// statusNotPaired is the bit of "sf" that says that an accessory can be paired (HAP R2 table 6-8).
const statusNotPaired = 1

// clean takes away what pads the values of some devices: NULs, blanks.
func clean(s string) string {
	return strings.Trim(strings.ToValidUTF8(s, "\uFFFD"), " \t\r\n\x00")
}

// unescape undoes the escapes of DNS names: `Therm\ One`, `Caf\195\169`.
func unescape(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '\\' || i+1 == len(name) {
			b.WriteByte(name[i])
			continue
		}
		if i+3 < len(name) {
			if n, err := strconv.ParseUint(name[i+1:i+4], 10, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		i++
		b.WriteByte(name[i])
	}
	return b.String()
}

// String names the accessory for people.
func (a Announced) String() string {
	if a.Name != "" {
		return a.Name
	}
	return a.restKey()
}
