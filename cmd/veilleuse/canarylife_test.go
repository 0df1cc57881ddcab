package main

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/camera/cameratest"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
)

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
	c.world.clock.SetRate(100) // faster, and a slow machine has no time for what the house does within minutes
	c.world.cloud.Break(netatmotest.Fault{Kind: netatmotest.HTML})
	c.status(c.t, "an outage", func(r statusReport) bool { return r.Authority.Phase == gateway.Local })
	c.world.cloud.Mend()
	c.world.cloud.Revoke()
	c.world.clock.SetRate(200)
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
