package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/veilleuse/veilleuse/adapters/camera/cameratest"
	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
)

// canary is a secret that is looked for, and where it may be found.
type canary struct {
	secret
	purpose string // the mouths that are there to say it, as in "GET /code, GET /api/first"; "": none
	kept    bool   // it has to lie in the database
}

// canaryHouse is a house with a canary in every place that holds a secret, and with ears at every mouth.
type canaryHouse struct {
	*lived
	t        *testing.T
	house    *house
	folder   string
	browser  *http.Client
	camera   *cameratest.Camera
	canaries []canary

	mu     sync.Mutex
	mouths map[string]*bytes.Buffer // what was said, by whom
}

// hears is an ear at a mouth.
func (c *canaryHouse) hears(mouth string) io.Writer {
	return writerFunc(func(text []byte) (int, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.mouths[mouth] == nil {
			c.mouths[mouth] = &bytes.Buffer{}
		}
		c.mouths[mouth].WriteByte('\n')
		return c.mouths[mouth].Write(text)
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func (c *canaryHouse) heard(mouth, format string, args ...any) {
	fmt.Fprintf(c.hears(mouth), format, args...)
}

// keep adds a canary; of a key that is kept in base64 its bytes and its seed, too.
func (c *canaryHouse) keep(of, value, purpose string, kept bool) string {
	c.t.Helper()
	if len(value) < shortestSecret {
		c.t.Fatalf("%s is no canary: %q", of, value)
	}
	c.canaries = append(c.canaries, canary{secret{of, []byte(value)}, purpose, kept})
	if raw, err := base64.StdEncoding.DecodeString(value); err == nil && len(raw) >= 32 {
		c.canaries = append(c.canaries, canary{secret{of, raw}, purpose, kept}, canary{secret{of, raw[:32]}, purpose, kept})
	}
	return value
}

// Canaries that are put in.
const (
	canaryPassphrase = "canary of the backups, sings"
	canaryMQTT       = "canary+of/the broker?"
	canaryPage       = "canary of the page & más"
	canaryWrong      = "canary-that-was-mistyped"
	canaryCamera     = "c4a4a2e9f00dcafe5ec2e7ab1e5ca9e5"
	canaryAlarm      = "canary-of-the-pager"
	canaryMail       = "canary.owner@example.org"
	canaryLatitude   = "48.8712345"
	canaryLongitude  = "2.3354321"
)

func newCanaryHouse(t *testing.T) *canaryHouse {
	t.Helper()
	t.Setenv("ALARM_TOKEN", canaryAlarm)
	c := &canaryHouse{t: t, lived: live(t, true), folder: t.TempDir(), mouths: map[string]*bytes.Buffer{}}
	c.end(t) // the accessories are paired; now the secrets are laid out
	hash, err := bcrypt.GenerateFromPassword([]byte(canaryMQTT), bcrypt.MinCost)
	must(t, err)
	users := writeTo(t, filepath.Join(c.folder, "users"), "phone:"+c.keep("hash of an MQTT user", string(hash), "", false)+"\n")
	key := writeTo(t, filepath.Join(c.folder, "key"), c.keep("backup.key_file", canaryPassphrase, "", false)+"\n")
	program := filepath.Join(c.folder, "call")
	must(t, os.WriteFile(program, []byte("#!/bin/sh\necho \"calling with $ALARM_TOKEN\" >&2\nexit 1\n"), 0o700))
	must(t, os.Mkdir(filepath.Join(c.folder, "second"), 0o700))
	text := strings.Replace(string(mustRead(t, c.config)), "mqtt: {", "mqtt: {users_file: "+users+", ", 1)
	writeTo(t, c.config, text+fmt.Sprintf("backup: {key_file: %s, second: %s}\nalarms:\n  plan:\n    - {tell: mqtt}\n    - {run: %s}\n", key, filepath.Join(c.folder, "second"), program))
	c.camera, err = cameratest.Start(cameratest.Setup{Device: netatmotest.Welcome, Key: c.keep("key of a camera", canaryCamera, "", true)})
	must(t, err)
	t.Cleanup(c.camera.Close)
	c.addressOfTheHome()
	said := &lastLines{out: c.hears("log")}
	c.log = slog.NewMultiHandler(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelDebug}),
		slog.NewJSONHandler(c.hears("log"), &slog.HandlerOptions{Level: slog.LevelDebug}))
	c.start(t, func(h *house) {
		c.house = h
		must(t, h.broker.Subscribe("#", func(topic string, payload []byte, _ bool) { c.heard("MQTT", "%s %s", topic, payload) }))
		h.said = said
		h.cloud.Cameras(netatmo.CameraAccess{Device: netatmotest.Welcome, Name: "Entrée", Model: "NACamera", Key: canaryCamera, LocalURL: c.camera.URL()})
	})
	for _, given := range []struct{ of, value string }{{"MQTT password", canaryMQTT}, {"password of the page", canaryPage}, {"a mistyped password", canaryWrong},
		{"client secret", "client-secret"}, {"environment of an alarm's program", canaryAlarm}, {"mail address", canaryMail}, {"latitude", canaryLatitude}, {"longitude", canaryLongitude}} {
		c.keep(given.of, given.value, "", false)
	}
	jar, err := cookiejar.New(nil)
	must(t, err)
	c.browser = &http.Client{Jar: jar, Timeout: patience}
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// found is every canary outside, with the mouth that said it.
func (c *canaryHouse) found() (all []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for mouth, said := range c.mouths {
		text := said.String()
		for _, one := range c.canaries {
			if slices.Contains(strings.Split(one.purpose, ", "), mouth) || one.kept && strings.HasPrefix(mouth, "database ") {
				continue
			}
			for _, form := range one.forms() {
				if strings.Contains(text, form) {
					all = append(all, mouth+": "+one.of)
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A house with a canary in every place that holds a secret goes through what goes wrong, and none is heard outside.
func TestCanariesStayInside(t *testing.T) {
	c := newCanaryHouse(t)
	c.live()
	c.ask()
	c.end(t)
	c.disk()
	said := 0
	for mouth, text := range c.mouths {
		said += text.Len()
		if text.Len() < 2 {
			t.Errorf("nothing is heard of %s", mouth)
		}
	}
	for _, mouth := range []string{"log", "MQTT", "bundle", "GET /metrics", "GET /api/state", "GET /", "GET /status", "verb restore", "database veilleuse.db"} {
		if c.mouths[mouth] == nil || c.mouths[mouth].Len() < 100 {
			t.Errorf("nobody has listened to %s", mouth)
		}
	}
	if bundle := c.mouths["bundle"].String(); strings.Contains(bundle, "NONE: ") || !strings.Contains(bundle, "level=WARN") {
		t.Errorf("there is no bundle with its log: %.3000s", bundle[max(0, strings.Index(bundle, "\nlog.txt: ")):])
	}
	if len(c.canaries) < 40 {
		t.Errorf("only %d canaries were kept", len(c.canaries))
	}
	for _, leak := range c.found() {
		t.Error(leak)
	}
	t.Logf("%d canaries, %d mouths, %d bytes listened to", len(c.canaries), len(c.mouths), said)
}

// What is planted is found, whoever says it and in whatever spelling; and a bundle with it is refused.
func TestAPlantedLeakIsFound(t *testing.T) {
	c := newCanaryHouse(t)
	c.ready(t)
	c.page()
	c.keptIn("homekit", "identity", "key of the bridge")
	if leaks := c.found(); len(leaks) > 0 {
		t.Fatalf("there are leaks before any is planted: %q", leaks)
	}
	identity, err := c.house.store.Vault("homekit").Get("identity")
	must(t, err)
	var key struct{ Key []byte }
	must(t, json.Unmarshal(identity, &key))
	must(t, c.house.broker.Publish("veilleuse/planted", []byte("at /live/"+canaryCamera+"/index.m3u8"), false))
	slog.New(c.log).Debug("planted", "body", base64.StdEncoding.EncodeToString([]byte(`{"password":"`+canaryPage+`"}`)))
	fmt.Fprintf(c.house.said, "level=INFO msg=planted key=%x\n", key.Key[:32])
	must(t, os.WriteFile(filepath.Join(c.folder, "second", "planted"), []byte("users="+url.QueryEscape(canaryPassphrase)), 0o600))
	c.ask()
	c.disk()
	want := []string{"MQTT: key of a camera", "disk second/planted: backup.key_file", "log: key of the bridge", "log: password of the page"}
	if got := c.found(); !slices.Equal(got, want) {
		t.Errorf("found are %q, want %q", got, want)
	}
	refused := c.mouths["bundle"].String()
	if !strings.Contains(refused, "NONE: the bundle's log.txt would hold something of what homekit keeps") || strings.Count(strings.TrimSpace(refused), "\n") != 0 {
		t.Errorf("the bundle is %q", refused)
	}
	if code, out, complaint := said(t, "bundle", "-c", c.config, filepath.Join(c.folder, "shown.tar.gz")); code != exitNo || out != "" || !strings.Contains(complaint, "was not made") {
		t.Errorf("the verb gives %d, %q, %q", code, out, complaint)
	}
	if _, err := os.Stat(filepath.Join(c.folder, "shown.tar.gz")); err == nil {
		t.Error("a bundle with a leak was written")
	}
}

// A crash writes what every goroutine was at. Addresses and numbers stand there, no texts; this holds that.
func TestACrashTellsNoSecret(t *testing.T) {
	if os.Getenv("VEILLEUSE_CRASH") != "" {
		c := newCanaryHouse(t)
		c.ready(t)
		c.page()
		c.broker()
		for _, one := range c.canaries {
			fmt.Printf("canary %s\n", base64.StdEncoding.EncodeToString(one.value))
		}
		fmt.Println("crash now")
		select {}
	}
	child := exec.Command(os.Args[0], "-test.run=^TestACrashTellsNoSecret$")
	child.Env = append(os.Environ(), "VEILLEUSE_CRASH=1", "GOTRACEBACK=all")
	var said, cry bytes.Buffer
	crashNow := make(chan struct{})
	child.Stdout = writerFunc(func(p []byte) (int, error) {
		said.Write(p)
		if strings.HasSuffix(said.String(), "crash now\n") {
			close(crashNow)
		}
		return len(p), nil
	})
	child.Stderr = &cry
	must(t, child.Start())
	select {
	case <-crashNow:
		must(t, child.Process.Signal(syscall.SIGQUIT))
	case <-time.After(3 * time.Minute): // in which a house is paired, ended and begun anew
		child.Process.Kill()
	}
	child.Wait()
	if strings.Count(cry.String(), "goroutine ") < 20 {
		t.Fatalf("that is no crash: %.2000s%.2000s", said.String(), cry.String())
	}
	found := 0
	for line := range strings.Lines(said.String()) {
		if coded, ok := strings.CutPrefix(strings.TrimSpace(line), "canary "); ok {
			found++
			value, err := base64.StdEncoding.DecodeString(coded)
			must(t, err)
			if leak := leaks([]bundlePart{{"the crash", cry.String()}}, secrets{{"a canary", value}}); leak != nil {
				t.Error(leak)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d canaries were in the house", found)
	}
}
