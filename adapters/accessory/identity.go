package accessory

import (
	"regexp"
	"strings"

	"github.com/veilleuse/veilleuse/gateway"
)

// Known is what the configuration says about a device.
type Known struct {
	// ID is the HomeKit id, or for a device behind a bridge any of its ids: the serial number that looks like a hardware
	// address, or "<HomeKit id>#<aid>".
	ID      string
	Address string // host:port that always holds, of an accessory server; "" = found by mDNS
	Room    string // the name of the room it stands in
	Siren   bool   // its switch is a siren
}

var (
	hardwareID = regexp.MustCompile(`^([0-9a-f]{2}:){5}([0-9a-f]{2}:[0-9a-f]{2}:)?[0-9a-f]{2}$`)
	bareID     = regexp.MustCompile(`^[0-9a-f]{12}$`)
)

// normalID writes an id of HomeKit, or of a device, in the one form that is compared and kept: lower case, with colons.
// homesdata has hk_device_id in both forms.
func normalID(id string) string {
	id = strings.ToLower(strings.TrimSpace(id))
	if !bareID.MatchString(id) {
		return id
	}
	var pairs []string
	for i := 0; i < len(id); i += 2 {
		pairs = append(pairs, id[i:i+2])
	}
	return strings.Join(pairs, ":")
}

// hardwareSerial returns a serial number that is a hardware address of six or eight bytes (Netatmo's bridges and
// modules, Zigbee devices), in lower case. One byte throughout is a placeholder.
func hardwareSerial(serial string) (gateway.DeviceID, bool) {
	serial = strings.ToLower(serial)
	if !hardwareID.MatchString(serial) || strings.Count(serial, serial[:2]) == (len(serial)+1)/3 {
		return "", false
	}
	return gateway.DeviceID(serial), true
}

// serialAlias is the name of a device by its maker and serial number. "" where the serial number looks like one that
// many devices have: 1, 1234, Default-SerialNumber.
func serialAlias(maker, serial string) gateway.DeviceID {
	maker, serial = strings.ToLower(strings.TrimSpace(maker)), strings.ToLower(strings.TrimSpace(serial))
	if maker == "" || strings.HasPrefix(maker, "default") || !looksUnique(serial) {
		return ""
	}
	return gateway.DeviceID(maker + ":" + serial)
}

const (
	shortSerial  = 6 // characters
	dullestAlpha = 3 // different characters
)

func looksUnique(serial string) bool {
	if len(serial) < shortSerial || strings.HasPrefix(serial, "default") ||
		strings.HasPrefix("0123456789", serial) || strings.HasPrefix("123456789012345678901234567890", serial) {
		return false
	}
	different, digit := map[rune]bool{}, false
	for _, r := range serial {
		different[r] = true
		digit = digit || r >= '0' && r <= '9'
	}
	return digit && len(different) >= dullestAlpha
}

// netatmoBlocks are the hardware addresses that Netatmo's short serial numbers stand for: a letter for the first three
// bytes, the others as they are. h and i are in openHAB's notes on its Netatmo binding; g is that of the bridges and of
// all that has Wi-Fi, which a wrong guess could only name something that is not there.
var netatmoBlocks = map[byte]string{'g': "70:ee:50", 'h': "02:00:00", 'i': "03:00:00"}

var netatmoShort = regexp.MustCompile(`^[ghi][0-9a-f]{6}$`)

// netatmoID returns the hardware address that a short serial number of Netatmo stands for, or "".
func netatmoID(maker, serial string) gateway.DeviceID {
	serial = strings.ToLower(strings.TrimSpace(serial))
	if !strings.EqualFold(strings.TrimSpace(maker), "Netatmo") || !netatmoShort.MatchString(serial) {
		return ""
	}
	return gateway.DeviceID(strings.Join([]string{netatmoBlocks[serial[0]], serial[1:3], serial[3:5], serial[5:7]}, ":"))
}

// modelCodes are the vendor's type codes for the model texts of which it is certain what they are (dumps; the HomeKit
// list of Home Assistant; TXT records in public issues).
var modelCodes = map[string]string{
	"smart co alarm":     "NCO",
	"netatmo doorbell":   "NDB",
	"healthy home coach": "NHC",
	"healty home coach":  "NHC", // sic
	"netatmo relay":      "NAPlug",
	"legrand gateway":    "NLG",
	"welcome":            "NACamera",
	"presence":           "NOC",
}

// ModelCode returns the vendor's type code for the model that an accessory announces, or its maker's own text.
func ModelCode(announced string) string { return modelCode(announced) }

// modelCode returns the vendor's type code, or the maker's own text.
func modelCode(text string) string {
	text = strings.Trim(text, " \x00")
	if code, ok := modelCodes[strings.ToLower(text)]; ok {
		return code
	}
	return text
}
