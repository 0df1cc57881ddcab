package bletest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// RecordedAlarm is the accessory database that was recorded of Netatmo's CO alarm. A test of a checkout
// that has no recordings beside it is skipped.
func RecordedAlarm(t testing.TB) hap.Accessory {
	t.Helper()
	recorded := filepath.Join(checkout(t), "..", "shared", "fixtures", "homekit-accessories", "netamo_smart_co_alarm.json")
	raw, err := os.ReadFile(recorded)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the recorded accessory databases are not beside the checkout")
	}
	if err != nil {
		t.Fatal(err)
	}
	all, err := hap.DecodeAccessories(raw)
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

// NewAlarm serves that database.
func NewAlarm(t testing.TB) *Accessory {
	t.Helper()
	a, err := New(Settings{Database: RecordedAlarm(t)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// checkout is the folder of go.mod: a test runs in the folder of its package, which lies below.
func checkout(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
	}
	t.Fatal("no go.mod above this test")
	return ""
}
