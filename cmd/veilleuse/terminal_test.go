package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
		if got := personAt(typed{t.Context(), f}); got != want {
			t.Errorf("a person at %s: %v, want %v", path, got, want)
		}
		f.Close()
	}
}

// Whoever is asked something and presses Ctrl-C is let go, with nothing changed.
func TestAQuestionEndsWithCtrlC(t *testing.T) {
	config := writeTo(t, filepath.Join(t.TempDir(), "veilleuse.yaml"), "state: "+t.TempDir()+"\n")
	sealed := writeTo(t, filepath.Join(t.TempDir(), "house.backup.age"), "age-encryption.org/v1\n")
	for _, args := range [][]string{
		{"password", "-c", config}, {"login", "-c", config, "--token", "-"}, {"pair-home", "-c", config, "--reset"},
		{"restore", "-c", config, "--verify", "--key", "-", sealed},
	} {
		t.Run(args[0], func(t *testing.T) {
			keys, typist, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer keys.Close()
			defer typist.Close()
			ctx, interrupt := context.WithCancel(t.Context())
			ended := make(chan int, 1)
			go func() {
				var out, complaint bytes.Buffer
				ended <- command(ctx, args, console{typed{ctx, keys}, &out, &complaint})
			}()
			select {
			case code := <-ended:
				t.Fatalf("it ended by itself with %d", code)
			case <-time.After(50 * time.Millisecond): // it may not have asked yet; that changes nothing
			}
			interrupt()
			select {
			case code := <-ended:
				if code != exitNo {
					t.Errorf("exit %d, want %d", code, exitNo)
				}
			case <-time.After(time.Minute):
				t.Error("it goes on waiting for an answer")
			}
		})
	}
}
