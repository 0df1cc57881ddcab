package main

import (
	"os"
	"strings"
	"testing"
)

func TestWhoTypes(t *testing.T) {
	if personAt(strings.NewReader("")) {
		t.Error("a text is taken for a person")
	}
	for path, want := range map[string]bool{os.DevNull: false, "/dev/ptmx": true} {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Logf("%s is not here: %v", path, err)
			continue
		}
		if got := personAt(f); got != want {
			t.Errorf("a person at %s: %v, want %v", path, got, want)
		}
		f.Close()
	}
}
