package rules_test

import (
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/rules"
)

func TestLengthsAsPeopleWriteThem(t *testing.T) {
	for length, want := range map[time.Duration]string{
		0: "0s", 400 * time.Millisecond: "0s", 20 * time.Second: "20s", time.Minute: "1m", 89 * time.Second: "1m",
		10 * time.Minute: "10m", time.Hour: "1h", 5 * time.Hour: "5h", 8*time.Hour + 14*time.Minute: "8h14m", 100 * time.Hour: "100h",
	} {
		if got := rules.Words(length); got != want {
			t.Errorf("%v is written %q, want %q", length, got, want)
		}
	}
}
