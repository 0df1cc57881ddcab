package hap

import (
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// SetupCode is the code that a person types into the Home app, as "123-45-678".
type SetupCode string

// setupCodes is the number of codes with eight digits.
const setupCodes = 100_000_000

// NewSetupCode draws a random code that HomeKit allows.
func NewSetupCode() SetupCode {
	for {
		code := formatSetupCode(randomBelow(setupCodes))
		if !code.banned() {
			return code
		}
	}
}

// ParseSetupCode reads eight digits, with or without the dashes, and refuses
// the codes that HomeKit bans as too easy to guess (HAP R2 4.2.1.2).
func ParseSetupCode(text string) (SetupCode, error) {
	digits := strings.ReplaceAll(strings.TrimSpace(text), "-", "")
	number, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || len(digits) != 8 {
		return "", fmt.Errorf("setup code %q is not eight digits like 123-45-679", text)
	}
	code := formatSetupCode(number)
	if code.banned() {
		return "", fmt.Errorf("setup code %s is too easy to guess, HomeKit does not allow it", code)
	}
	return code, nil
}

func formatSetupCode(number uint64) SetupCode {
	return SetupCode(fmt.Sprintf("%03d-%02d-%03d", number/100_000, number/1000%100, number%1000))
}

// banned reports the twelve codes of HAP R2 4.2.1.2: one digit repeated, and
// the two runs.
func (c SetupCode) banned() bool {
	digits := strings.ReplaceAll(string(c), "-", "")
	return digits == "12345678" || digits == "87654321" || digits == strings.Repeat(digits[:1], len(digits))
}

// number is the code without dashes as the setup payload holds it.
func (c SetupCode) number() uint64 {
	number := uint64(0)
	for _, digit := range []byte(strings.ReplaceAll(string(c), "-", "")) {
		number = 10*number + uint64(digit-'0')
	}
	return number
}

const base36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// NewSetupID draws the four characters that tell accessories apart when a QR
// code is scanned.
func NewSetupID() string {
	id := make([]byte, 4)
	for i := range id {
		id[i] = base36[randomBelow(uint64(len(base36)))]
	}
	return string(id)
}

// SetupURI is the content of the QR code that the Home app scans: the
// category (2 is a bridge), the code and the setup id in the form that
// hap-nodejs and the ADK print.
func SetupURI(category int, code SetupCode, setupID string) string {
	const pairsOverIP = 2
	payload := uint64(category)<<31 | pairsOverIP<<27 | code.number()
	digits := strings.ToUpper(strconv.FormatUint(payload, 36))
	return setupScheme + strings.Repeat("0", max(0, 9-len(digits))) + digits + setupID
}

// setupScheme begins the content of a QR code on an accessory.
const setupScheme = "X-HM://"

// ReadSetupURI reads the setup code out of the content of an accessory's QR code (HAP R2 4.2.1.1 has the payload: the code is its
// lowest 27 bits). The setup id behind it may be missing.
func ReadSetupURI(text string) (SetupCode, error) {
	payload, ok := strings.CutPrefix(strings.ToUpper(strings.TrimSpace(text)), setupScheme)
	if !ok || len(payload) < 9 || len(payload) > 20 { // what follows the setup id belongs to other radios
		return "", fmt.Errorf("%.60q is not what stands in an accessory's QR code, %s and 13 letters and digits", text, setupScheme)
	}
	number, err := strconv.ParseUint(payload[:9], 36, 64)
	if err != nil || number&(1<<27-1) >= setupCodes {
		return "", fmt.Errorf("%.60q holds no setup code: scan it again, or type the eight digits beside it", text)
	}
	return formatSetupCode(number & (1<<27 - 1)), nil
}

// SetupHash is the `sh` of the TXT record, by which the Home app finds the
// accessory that belongs to a scanned QR code.
func SetupHash(setupID, deviceID string) string {
	sum := sha512.Sum512([]byte(setupID + deviceID))
	return base64.StdEncoding.EncodeToString(sum[:4])
}

// NewDeviceID draws an id in the form of a MAC address, "AA:BB:CC:DD:EE:FF".
func NewDeviceID() string {
	id := make([]byte, 6)
	rand.Read(id)
	return fmt.Sprintf("%02X:%02X:%02X:%02X:%02X:%02X", id[0], id[1], id[2], id[3], id[4], id[5])
}

// randomBelow draws from 0 to limit-1; the remainder favours no number by more
// than limit/2^64.
func randomBelow(limit uint64) uint64 {
	var draw [8]byte
	rand.Read(draw[:])
	return binary.BigEndian.Uint64(draw[:]) % limit
}
