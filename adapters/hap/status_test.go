package hap

import (
	"errors"
	"testing"
)

func TestStatus(t *testing.T) {
	if err := StatusOK.Err(); err != nil {
		t.Errorf("success is the error %v", err)
	}
	if err := StatusUnreachable.Err(); !errors.Is(err, StatusUnreachable) || err.Error() != "the device cannot be reached (-70402)" {
		t.Errorf("got %v", err)
	}
	if got := Status(-2).Error(); got != "HomeKit status -2" {
		t.Errorf("an unknown status says %q", got)
	}
	for status := StatusNotAllowedNow; status <= StatusPrivileges; status++ {
		if statusWords[status] == "" {
			t.Errorf("status %d has no words", status)
		}
	}
}

func TestParseCharacteristicID(t *testing.T) {
	id := CharacteristicID{18446744073709551615, 10}
	if got, err := ParseCharacteristicID(id.String()); err != nil || got != id {
		t.Errorf("%s is %v, %v", id, got, err)
	}
	for _, text := range []string{"", "1", "1.", ".1", "1.2.3", "-1.2", "1.18446744073709551616", "a.b"} {
		if got, err := ParseCharacteristicID(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}
