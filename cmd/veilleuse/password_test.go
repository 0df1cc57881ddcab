package main

import (
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPasswordOfThePage sets a password with the daemon stopped and while it runs, and forgets it again.
func TestPasswordOfThePage(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "veilleuse.yaml")
	text := "state: " + filepath.Join(folder, "state") + "\nnetatmo:\n  url: http://127.0.0.1:9\nuplink:\n  witnesses: []\nweb:\n  listen: 127.0.0.1:0\nhomekit:\n  listen: 127.0.0.1:0\nmqtt:\n  listen: 127.0.0.1:0\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{"short\n": "at least 8 characters", "": "no password was given"} {
		if code, _, err := saidTo(t, in, "password", "-c", file); code != exitNo || !strings.Contains(err, want) {
			t.Errorf("%q: exit %d, %q", in, code, err)
		}
	}
	if code, out, err := saidTo(t, "the first one\n", "password", "-c", file); code != exitWell || !strings.Contains(out, "another password") {
		t.Fatalf("stopped: exit %d, %q, %q", code, out, err)
	}
	address := runPage(t, file)
	if lets(t, address, "the second one") || !lets(t, address, "the first one") {
		t.Error("the password that was set while it was stopped does not hold")
	}
	if code, _, err := saidTo(t, "the second one", "password", "-c", file); code != exitWell {
		t.Fatalf("running: exit %d, %q", code, err)
	}
	if lets(t, address, "the first one") || !lets(t, address, "the second one") {
		t.Error("the password that was set while it runs does not hold")
	}
	if code, _, err := said(t, "password", "--forget", "-c", file); code != exitWell {
		t.Fatalf("forget: exit %d, %q", code, err)
	}
	if lets(t, address, "the second one") {
		t.Error("a password that is forgotten still opens")
	}
}

// runPage runs the house of a configuration until the test ends, and returns where its page is.
func runPage(t *testing.T, file string) string {
	t.Helper()
	config, _, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	h, err := build(config, slog.New(slog.DiscardHandler), outside{quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	runsToTheEnd(t, h.run)
	for deadline := time.Now().Add(patience); h.page.Address() == ""; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the page does not listen")
		}
	}
	return h.page.Address()
}

// lets reports whether the page lets somebody in who says that password.
func lets(t *testing.T, address, password string) bool {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.PostForm("http://"+address+"/sign-in", url.Values{"password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return len(answer.Cookies()) > 0
}
