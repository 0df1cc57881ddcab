package hap

import (
	"regexp"
	"strings"
	"testing"
)

func TestNewSetupCode(t *testing.T) {
	form := regexp.MustCompile(`^\d{3}-\d{2}-\d{3}$`)
	seen := map[SetupCode]bool{}
	for range 200 {
		code := NewSetupCode()
		if !form.MatchString(string(code)) {
			t.Fatalf("code %q has not the form 123-45-678", code)
		}
		if _, err := ParseSetupCode(string(code)); err != nil {
			t.Fatalf("own code refused: %v", err)
		}
		seen[code] = true
	}
	if len(seen) < 190 {
		t.Errorf("200 codes hold only %d different ones", len(seen))
	}
}

func TestParseSetupCode(t *testing.T) {
	tests := []struct {
		name, text string
		want       SetupCode
		reason     string
	}{
		{"with dashes", "031-45-154", "031-45-154", ""},
		{"digits only", "03145154", "031-45-154", ""},
		{"blanks round it", " 031-45-154\n", "031-45-154", ""},
		{"too short", "0314515", "", "eight digits"},
		{"too long", "031451545", "", "eight digits"},
		{"letters", "0314515A", "", "eight digits"},
		{"sign", "+3145154", "", "eight digits"},
		{"empty", "", "", "eight digits"},
		{"all zero", "000-00-000", "", "too easy"},
		{"all nine", "99999999", "", "too easy"},
		{"run up", "123-45-678", "", "too easy"},
		{"run down", "876-54-321", "", "too easy"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseSetupCode(test.text)
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if test.reason == "" && err != nil || test.reason != "" && (err == nil || !strings.Contains(err.Error(), test.reason)) {
				t.Errorf("error %v, want one with %q", err, test.reason)
			}
		})
	}
}

func TestTwelveCodesAreBanned(t *testing.T) {
	banned := 0
	for number := range uint64(10) {
		if formatSetupCode(number * 11_111_111).banned() {
			banned++
		}
	}
	for _, number := range []uint64{12_345_678, 87_654_321} {
		if formatSetupCode(number).banned() {
			banned++
		}
	}
	if banned != 12 {
		t.Errorf("%d of the 12 easy codes are banned", banned)
	}
}

// The expected texts were printed by hap-nodejs 1.2.0.
func TestSetupURI(t *testing.T) {
	tests := []struct {
		name     string
		category int
		code     SetupCode
		id, want string
	}{
		{"bridge", 2, "031-45-154", "VEIL", "X-HM://0023ISYWYVEIL"},
		{"thermostat", 9, "518-08-582", "7OSX", "X-HM://0090XO6RQ7OSX"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := SetupURI(test.category, test.code, test.id); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// The expected text was printed by hap-nodejs 1.2.0.
func TestSetupHash(t *testing.T) {
	if got, want := SetupHash("7OSX", "CC:22:3D:E3:CE:F6"), "3sDeIg=="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNewSetupIDAndDeviceID(t *testing.T) {
	id := regexp.MustCompile(`^[0-9A-Z]{4}$`)
	device := regexp.MustCompile(`^([0-9A-F]{2}:){5}[0-9A-F]{2}$`)
	for range 50 {
		if got := NewSetupID(); !id.MatchString(got) {
			t.Fatalf("setup id %q", got)
		}
		if got := NewDeviceID(); !device.MatchString(got) {
			t.Fatalf("device id %q", got)
		}
	}
}

// What is drawn is read again; the payload of another radio, with more behind the setup id, too.
func TestReadSetupURI(t *testing.T) {
	for text, want := range map[string]SetupCode{
		"X-HM://0023ISYWYVEIL": "031-45-154", " x-hm://0090xo6rq7osx\n": "518-08-582", "X-HM://0023ISYWY": "031-45-154",
		SetupURI(10, "000-00-001", "ABCD"): "000-00-001", SetupURI(10, "999-99-998", "ABCD") + "XYZ": "999-99-998",
	} {
		if got, err := ReadSetupURI(text); got != want || err != nil {
			t.Errorf("%q gives %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "X-HM://", "X-HM://0023ISY", "https://example.org/0023ISYWYVEIL", "X-HM://0023ISY-YVEIL", "X-HM://00027WR27VEIL", "X-HM://" + strings.Repeat("0", 21), "031-45-154"} {
		if got, err := ReadSetupURI(text); err == nil {
			t.Errorf("%q gives %s", text, got)
		}
	}
}

func FuzzReadSetupURI(f *testing.F) {
	f.Add("X-HM://0023ISYWYVEIL")
	f.Add("x-hm://zzzzzzzzz")
	f.Fuzz(func(t *testing.T, text string) {
		code, err := ReadSetupURI(text)
		if err == nil && code.number() >= setupCodes {
			t.Errorf("%q gives %s", text, code)
		}
	})
}
