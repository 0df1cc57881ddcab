package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/crypto/bcrypt"

	"github.com/veilleuse/veilleuse/adapters/camera/cameratest"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
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
	c.browser = &http.Client{Jar: jar, Timeout: 5 * time.Second}
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// addressOfTheHome lets the vendor tell where the house is and whose, as the real one does.
func (c *canaryHouse) addressOfTheHome() {
	var token struct {
		Access string `json:"access_token"`
	}
	must(c.t, json.Unmarshal(c.world.cloud.Token(), &token))
	question := httptest.NewRequest("GET", "/api/homesdata", nil)
	question.Header.Set("Authorization", "Bearer "+token.Access)
	answer := httptest.NewRecorder()
	c.world.cloud.ServeHTTP(answer, question)
	var all map[string]any
	must(c.t, json.Unmarshal(answer.Body.Bytes(), &all))
	body := all["body"].(map[string]any)
	home := body["homes"].([]any)[0].(map[string]any)
	home["coordinates"] = []json.Number{canaryLongitude, canaryLatitude}
	body["user"] = map[string]any{"email": canaryMail, "id": "5f1c0ffee5f1c0ffee5f1c0f"}
	text, err := json.Marshal(all)
	must(c.t, err)
	c.world.cloud.Serve("/api/homesdata", netatmotest.Raw{Body: text})
}

// verb runs a verb and listens to what it says, whether it goes well or not.
func (c *canaryHouse) verb(in string, args ...string) (code int) {
	args = append([]string{args[0], "-c", c.config}, args[1:]...)
	code, out, complaint := saidTo(c.t, in, args...)
	if args[0] != "code" { // which is there to say it
		c.heard("verb "+args[0], "%s%s", out, complaint)
	}
	return code
}

// live is what the house goes through: wrong passwords, failed sign-ins, broken connections, refused pairings, a restore.
func (c *canaryHouse) live() {
	c.ready(c.t)
	c.trouble("login", c.verb(`{"access_token":"`+canaryWrong+`"}`, "login", "--token", "-"), exitNo)
	c.trouble("login", c.verb(`"`+canaryWrong, "login", "--token", "-"), exitNo)
	c.page()
	c.broker()
	c.pairings()
	c.backups()
	c.camera.Set(cameratest.Unauthorized)
	c.verb("", "listen", "--seconds", "1")
	c.alarm()
	c.outage()
}

func (c *canaryHouse) trouble(what string, code, want int) {
	c.t.Helper()
	if code != want {
		c.t.Fatalf("%s gives %d, want %d:\n%s", what, code, want, c.mouths["verb "+what])
	}
}

func (c *canaryHouse) page() {
	post := func(path, password string) int {
		r, err := c.browser.PostForm("http://"+c.house.page.Address()+path, url.Values{"password": {password}, "again": {password}})
		must(c.t, err)
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		must(c.t, err)
		c.heard("POST "+path, "%s", text)
		return r.StatusCode
	}
	for _, step := range []struct {
		path, password string
		want           int
	}{{"/welcome", "short", 422}, {"/welcome", canaryPage, 200}, {"/sign-in", canaryWrong, 403}, {"/sign-in", canaryWrong, 403}, {"/sign-in", canaryPage, 200}} {
		if got := post(step.path, step.password); got != step.want {
			c.t.Fatalf("%s answers %d, want %d", step.path, got, step.want)
		}
	}
	at, err := url.Parse("http://" + c.house.page.Address())
	must(c.t, err)
	for _, cookie := range c.browser.Jar.Cookies(at) {
		c.keep("cookie of the page", cookie.Value, "", false)
	}
}

func (c *canaryHouse) broker() {
	join := func(password string) paho.Client {
		o := paho.NewClientOptions().AddBroker("tcp://" + c.house.broker.Address()).SetClientID("phone").SetUsername("phone").SetPassword(password).SetAutoReconnect(false)
		client := paho.NewClient(o)
		client.Connect().WaitTimeout(patience)
		return client
	}
	if join(canaryWrong).IsConnected() {
		c.t.Fatal("the broker takes a wrong password")
	}
	time.Sleep(1100 * time.Millisecond) // the broker has somebody wait who was wrong
	phone := join(canaryMQTT)
	if !phone.IsConnected() {
		c.t.Fatal("the broker refuses the right password")
	}
	phone.Publish("veilleuse/room/"+netatmotest.Bathroom+"/set", 1, false, `{"target":99}`).WaitTimeout(patience)
	phone.Publish("veilleuse/room/"+netatmotest.Bathroom+"/set", 1, false, `{"target":21}`).WaitTimeout(patience)
	phone.Disconnect(100)
}

func (c *canaryHouse) pairings() {
	all, err := c.house.bridge.Bridges()
	must(c.t, err)
	ours, err := hap.NewIdentity()
	must(c.t, err)
	wrong := c.keep("a wrong setup code", "918-27-364", "", false)
	if _, err := hap.PairSetup(c.t.Context(), all[0].Listen, wrong, ours, 0); err == nil {
		c.t.Fatal("the bridge takes a wrong code")
	}
	if _, err := hap.PairSetup(c.t.Context(), all[0].Listen, all[0].Code, ours, 0); err != nil {
		c.t.Fatal(err)
	}
	for _, code := range []string{all[0].Code, strings.ReplaceAll(all[0].Code, "-", ""), all[0].URI} {
		c.keep("setup code", code, "GET /code, GET /api/first", code == all[0].Code)
	}
	for _, a := range c.world.house.Announced() {
		fake, err := c.world.house.Accessory(a.Name)
		must(c.t, err)
		c.keep("setup code of an accessory", fake.Code(), "", false)
		if a.Name == demoSiren {
			c.trouble("unpair", c.verb("", "unpair", a.ID), exitWell)
			c.trouble("pair", c.verb("", "pair", "--address", a.Address, a.ID, wrong), exitNo)
			c.trouble("pair", c.verb("", "pair", "--address", a.Address, a.ID, fake.Code()), exitWell)
		}
	}
}

func (c *canaryHouse) backups() {
	c.trouble("backup", c.verb("", "backup"), exitWell)
	if files, _ := filepath.Glob(filepath.Join(c.folder, "second", "*")); len(files) == 0 {
		c.t.Fatal("there is no backup in the second place")
	}
	file := filepath.Join(c.folder, "house.backup")
	c.trouble("backup", c.verb("", "backup", file), exitWell)
	wrong := writeTo(c.t, filepath.Join(c.t.TempDir(), "key"), canaryWrong)
	c.trouble("restore", c.verb("", "restore", "--verify", "--key", wrong, file), exitNo)
	c.trouble("restore", c.verb("", "restore", "--verify", file), exitWell)
}

// alarm lets a detector smell, so that the program of the plan runs and fails.
func (c *canaryHouse) alarm() {
	must(c.t, c.world.house.SetCO(demoCO, 180, true))
	c.status(c.t, "a program that failed", func(r statusReport) bool {
		return slices.ContainsFunc(r.Alarms, func(a gateway.Alarm) bool {
			return slices.ContainsFunc(a.Told, func(d gateway.Delivery) bool { return strings.Contains(d.Err, "calling with") })
		})
	})
	must(c.t, c.world.house.SetCO(demoCO, 0, false))
}

// outage lets the vendor fail, and then refuse the sign-in.
func (c *canaryHouse) outage() {
	c.world.clock.SetRate(600)
	c.world.cloud.Break(netatmotest.Fault{Kind: netatmotest.HTML})
	c.status(c.t, "an outage", func(r statusReport) bool { return r.Authority.Phase == gateway.Local })
	c.world.cloud.Mend()
	c.world.cloud.Revoke()
	c.status(c.t, "a sign-in that is refused", func(r statusReport) bool { return r.Cloud.Verdict == gateway.VerdictAuthRevoked })
	c.world.clock.SetRate(20)
	for _, kept := range []struct{ vault, key, of string }{
		{"homekit", "identity", "key of the bridge"}, {gateway.AccessoryAdapter, "controller", "key of the controller"},
		{"web", "password", "hash of the page's password"}, {"web", "sessions", "hash of a session"}, {gateway.CloudAdapter, "token", "tokens"},
	} {
		c.keptIn(kept.vault, kept.key, kept.of)
	}
	pairings, err := c.house.store.Vault(gateway.AccessoryAdapter).List("pairing/")
	must(c.t, err)
	for _, key := range pairings {
		c.keptIn(gateway.AccessoryAdapter, key, "key of a pairing")
	}
}

// keptIn makes canaries of what an adapter has drawn itself.
func (c *canaryHouse) keptIn(vault, key, of string) {
	c.t.Helper()
	data, err := c.house.store.Vault(vault).Get(key)
	must(c.t, err)
	found := 0
	for _, m := range regexp.MustCompile(`"(key|hash|salt|access_token|refresh_token)":"([^"]+)"`).FindAllStringSubmatch(string(data), -1) {
		c.keep(of, m[2], "", true)
		found++
	}
	if found == 0 {
		c.t.Fatalf("%s: there is nothing secret in %s", of, key)
	}
}

// ask goes to every mouth that has to be asked.
func (c *canaryHouse) ask() {
	for _, path := range pageRoutes(c.t) {
		c.heard("GET "+path, "%s", c.get(c.browser, "http://"+c.house.page.Address()+path))
	}
	socket := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", c.house.control.path)
	}}}
	for _, path := range controlRoutes(c.t) {
		c.heard("GET "+path, "%s", c.get(socket, "http://control"+path))
	}
	for _, verb := range []string{"status", "doctor", "report", "check", "discover"} {
		c.verb("", verb)
	}
	_, file, err := c.house.bundle(time.Now())
	if err != nil {
		c.heard("bundle", "NONE: %v", err)
		return
	}
	for name, text := range unpacked(c.t, file) {
		c.heard("bundle", "%s: %s", name, text)
	}
}

// get reads an answer; of one that does not end, its beginning.
func (c *canaryHouse) get(client *http.Client, address string) []byte {
	ctx, cancel := context.WithTimeout(c.t.Context(), 15*time.Second)
	defer cancel()
	if strings.HasSuffix(address, "live") {
		ctx, cancel = context.WithTimeout(c.t.Context(), 700*time.Millisecond)
		defer cancel()
	}
	q, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	must(c.t, err)
	r, err := client.Do(q)
	must(c.t, err)
	defer r.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if r.StatusCode >= 500 || r.StatusCode == 401 {
		c.t.Errorf("%s answers %d: %s", address, r.StatusCode, text)
	}
	return text
}

// pageRoutes is every page and call that is read, out of the table itself.
func pageRoutes(t *testing.T) []string {
	return routesIn(t, filepath.Join("..", "..", "adapters", "web", "*.go"), `\{"GET", "(/[^"{]*)`, 10)
}

// controlRoutes is what a verb can ask of the daemon, without what is there to hand out secrets.
func controlRoutes(t *testing.T) []string {
	all := routesIn(t, "*.go", `HandleFunc\("GET (/[^"{]*)`, 8)
	return slices.DeleteFunc(all, func(path string) bool { return path == "/backup" || path == "/bundle" })
}

func routesIn(t *testing.T, files, shape string, least int) (all []string) {
	names, err := filepath.Glob(files)
	must(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(shape).FindAllStringSubmatch(string(mustRead(t, name)), -1) {
			all = append(all, m[1])
		}
	}
	if len(all) < least {
		t.Fatalf("only %d routes are found in %s: %q", len(all), files, all)
	}
	return all
}

// disk is what lies in files that are not made to keep the secret.
func (c *canaryHouse) disk() {
	state := filepath.Dir(c.house.control.path)
	roots := []string{state, filepath.Join(c.folder, "second")}
	if file := filepath.Join(c.folder, "house.backup"); c.mouths["verb backup"] != nil {
		roots = append(roots, file)
	}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			mouth := "disk " + filepath.Base(filepath.Dir(path)) + "/" + d.Name()
			if strings.HasPrefix(d.Name(), "veilleuse.db") || strings.HasPrefix(d.Name(), "veilleuse.snapshot") {
				mouth = "database " + d.Name()
			}
			if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
				c.t.Errorf("%s has mode %v", path, info.Mode())
			}
			c.heard(mouth, "%s", mustRead(c.t, path))
			return nil
		})
		must(c.t, err)
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
	case <-time.After(patience):
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
