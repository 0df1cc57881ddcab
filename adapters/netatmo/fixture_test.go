package netatmo

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// fixture reads a payload that lies beside the checkout; the test is skipped without them.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "fixtures", "netatmo-cloud", name))
	if err != nil {
		t.Skipf("the payloads in ../shared/fixtures are not beside this checkout: %v", err)
	}
	return data
}

// body reads the body of a fixture that is a whole answer.
func fixtureAnswer(t testing.TB, name string) answer {
	t.Helper()
	a, err := readAnswer(200, fixture(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return a
}

// wrapped reads a fixture that holds only what stands under body.
func wrapped(t testing.TB, name string) answer {
	t.Helper()
	a, err := readAnswer(200, []byte(`{"status":"ok","body":`+string(fixture(t, name))+`}`))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return a
}

// evening is where the clocks of the tests begin: 29 October 2025, 17:00 in Paris.
var evening = time.Date(2025, 10, 29, 16, 0, 0, 0, time.UTC)
