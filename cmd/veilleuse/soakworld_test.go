package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/accessory/accessorytest"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
)

// soakSmoke is the smoke alarm that the vendor knows and the demonstration leaves out.
const soakSmoke = "Fumée palier"

// soakSensors is how many sensors there are beside the demonstration's devices: 60 devices in all.
const soakSensors = 53

// soakWorld is the demonstration's house and more, around a daemon in a process of its own.
type soakWorld struct {
	*demoWorld
	t        *testing.T
	process  *houseProcess
	sensors  *sensors
	config   string // file
	state    string // folder
	mqtt     string // addresses
	homeKit  string
	page     string
	hidden   atomic.Bool // nothing is announced
	people   *soakPeople
	password string
	cookies  []*http.Cookie
}

// newSoakWorld builds a world and signs the daemon in there, pairs it and starts it. prepare, which may be nil, changes
// how it is started.
func newSoakWorld(t *testing.T, start time.Time, rate float64, home netatmotest.Home, prepare func(*exec.Cmd)) *soakWorld {
	t.Helper()
	folder := t.TempDir()
	return newSoakWorldIn(t, folder, filepath.Join(folder, "state"), start, rate, home, prepare)
}

func newSoakWorldIn(t *testing.T, folder, state string, start time.Time, rate float64, home netatmotest.Home, prepare func(*exec.Cmd)) *soakWorld {
	t.Helper()
	clock := newDemoClock(start, rate)
	t.Cleanup(func() { clock.timer.Stop() })
	smoke := accessorytest.Single(accessorytest.Device{Kind: accessorytest.SmokeAlarm, Name: soakSmoke, Serial: netatmotest.SmokeAlarm})
	demo, err := newDemoWorld(clock, home, smoke)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(demo.close)
	w := &soakWorld{demoWorld: demo, t: t, state: state, sensors: startSensors(t, soakSensors),
		mqtt: freeAddress(t), homeKit: freeAddress(t), page: freeAddress(t), password: "a long night of faults"}
	w.writeConfig(folder)
	if prepare == nil || state == filepath.Join(folder, "state") {
		w.pairAll()
	}
	w.process = startProcess(t, w.order(), w.state, prepare)
	ctx, cancel := context.WithCancel(context.Background())
	lived := make(chan struct{})
	go func() { w.live(ctx); close(lived) }()
	t.Cleanup(func() { cancel(); <-lived })
	return w
}

func (w *soakWorld) writeConfig(folder string) {
	w.t.Helper()
	secret := writeTo(w.t, filepath.Join(folder, "client-secret"), "client-secret\n")
	w.config = writeTo(w.t, filepath.Join(folder, "veilleuse.yaml"), fmt.Sprintf(`state: %s
netatmo: {url: %q, client_id: client, client_secret_file: %s}
homekit: {listen: %q}
mqtt: {listen: %q}
web: {listen: %q}
`, w.state, w.url(), secret, w.homeKit, w.mqtt, w.page))
}

// order is what the daemon is told of this world.
func (w *soakWorld) order() houseOrder {
	announced := httptest.NewServer(http.HandlerFunc(w.announce))
	w.t.Cleanup(announced.Close)
	return houseOrder{Config: w.config, House: w.clock.Now(), Real: time.Now(), Rate: w.clock.rate, URL: w.internet.URL(), Resolvers: w.internet.Resolvers(),
		SecondOpinion: w.internet.SecondOpinion(), Witnesses: w.internet.Witnesses(), Announced: announced.URL}
}

// announce answers what a look at mDNS finds.
func (w *soakWorld) announce(out http.ResponseWriter, _ *http.Request) {
	all := []accessorytest.Announced{}
	if !w.hidden.Load() {
		all = append(w.house.Announced(), accessorytest.Announced{ID: w.sensors.bridge.ID(), Name: "Sensors", Address: w.sensors.bridge.Address(), Category: 2, Paired: true})
	}
	json.NewEncoder(out).Encode(all)
}

// pairAll signs in and pairs before the daemon runs.
func (w *soakWorld) pairAll() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), figurePatience)
	defer cancel()
	config, _, err := loadConfig(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	h, err := build(config, slog.New(slog.DiscardHandler), w.outside())
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := netatmo.ImportToken(bytesReader(w.cloud.Token()))
	err = errors.Join(err, netatmo.SaveToken(h.cloud.Vault, token))
	pair := func(address, code string) {
		_, failed := h.accessory.Pair(ctx, address, code, "")
		err = errors.Join(err, failed)
	}
	for _, a := range w.house.Announced() {
		fake, failed := w.house.Accessory(a.Name)
		err = errors.Join(err, failed)
		pair(a.Address, fake.Code())
	}
	pair(w.sensors.bridge.Address(), w.sensors.bridge.Code())
	if err := errors.Join(err, h.store.Close()); err != nil {
		w.t.Fatal(err)
	}
}

// ask asks the daemon over its control socket.
func (w *soakWorld) ask(ctx context.Context, method, path string, body, into any) error {
	return askDaemon(ctx, w.state, method, path, body, into)
}

// status is how the house stands.
func (w *soakWorld) status(ctx context.Context) (statusReport, error) {
	var r statusReport
	return r, w.ask(ctx, "GET", "/status", nil, &r)
}

// await waits until the house stands so.
func (w *soakWorld) await(what string, holds func(statusReport) bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), figurePatience)
	defer cancel()
	err := until(ctx, func() bool {
		time.Sleep(50 * time.Millisecond)
		r, err := w.status(ctx)
		return err == nil && holds(r)
	})
	if err != nil {
		r, asked := w.status(context.Background())
		w.t.Fatalf("never: %s; %s, %s, %v", what, r.Authority.Phase, r.Cloud.Why, asked)
	}
}

// allHere reports whether the house knows its plan and all devices answer.
func allHere(r statusReport) bool {
	if r.Home.Schedules == 0 || len(r.Devices) < 60 {
		return false
	}
	sensors := 0
	for _, d := range r.Devices {
		if d.Reachable && strings.HasPrefix(d.Name, "Sensor ") {
			sensors++
		}
	}
	return sensors == soakSensors
}

// soakPeople are those who look at the house all the time: one at MQTT, one with the Home app.
type soakPeople struct {
	client  paho.Client
	session *hap.Session
	pairing hap.Pairing

	mu     sync.Mutex
	points map[string]hap.CharacteristicID // "Chambre target", "Fumée palier smoke"
	events []string                        // the last decisions, over MQTT
	phase  string
	heard  map[string]chan time.Time // by face and kind: "mqtt smoke", "homekit co"
	alarms []time.Duration           // how long the slowest waited for each
}

// look connects the people once all devices are there.
func (w *soakWorld) look() {
	w.t.Helper()
	w.await("all devices are here", allHere)
	p := &soakPeople{points: map[string]hap.CharacteristicID{}, heard: map[string]chan time.Time{}}
	for _, kind := range []string{"mqtt smoke", "mqtt co", "homekit smoke", "homekit co"} {
		p.heard[kind] = make(chan time.Time, 1)
	}
	w.people = p
	p.client = paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + w.mqtt).SetClientID("watcher").SetOrderMatters(true).SetKeepAlive(5 * time.Minute))
	if token := p.client.Connect(); !token.WaitTimeout(figurePatience) || token.Error() != nil {
		w.t.Fatal("MQTT: ", token.Error())
	}
	w.t.Cleanup(func() { p.client.Disconnect(50) })
	if token := p.client.Subscribe("veilleuse/#", 0, p.hear); !token.WaitTimeout(figurePatience) || token.Error() != nil {
		w.t.Fatal("MQTT: ", token.Error())
	}
	w.openHomeApp(p)
}

// openHomeApp pairs with the bridge and subscribes to everything.
func (w *soakWorld) openHomeApp(p *soakPeople) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), figurePatience)
	defer cancel()
	var code codeReport
	if err := w.ask(ctx, "GET", "/code", nil, &code); err != nil {
		w.t.Fatal(err)
	}
	identity, err := hap.NewIdentity()
	if err != nil {
		w.t.Fatal(err)
	}
	if p.pairing, err = hap.PairSetup(ctx, w.homeKit, code.Code, identity, 0); err != nil {
		w.t.Fatal(err)
	}
	if p.session, err = hap.Connect(ctx, w.homeKit, p.pairing, p.shown); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { p.session.Close() })
	all, err := p.session.Accessories(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	ids := p.learn(all)
	if _, err := p.session.Subscribe(ctx, ids...); err != nil {
		w.t.Fatal(err)
	}
	for _, name := range []string{"Chambre target", soakSmoke + " smoke", demoCO + " co"} {
		if p.points[name].AID == 0 {
			w.t.Fatalf("the Home app has no %s in %d accessories", name, len(all))
		}
	}
}

// learn finds the points of interest and all that can be subscribed to.
func (p *soakPeople) learn(all []hap.Accessory) []hap.CharacteristicID {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ids []hap.CharacteristicID
	for _, a := range all {
		information, _ := a.Find(hap.ServiceAccessoryInformation)
		named, _ := information.Find(hap.CharacteristicName)
		name, _ := hap.TextOf(named.Value)
		for _, s := range a.Services {
			for _, c := range s.Characteristics {
				id := hap.CharacteristicID{AID: a.AID, IID: c.IID}
				if c.Has(hap.PermEvents) {
					ids = append(ids, id)
				}
				if what, ok := soakPoints[c.Type]; ok {
					p.points[name+" "+what] = id
				}
			}
		}
	}
	return ids
}

var soakPoints = map[hap.UUID]string{
	hap.CharacteristicTargetTemperature:      "target",
	hap.CharacteristicCarbonMonoxideDetected: "co",
	hap.CharacteristicSmokeDetected:          "smoke",
}

// shown is told of every event of the Home app.
func (p *soakPeople) shown(readings []hap.Reading) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range readings {
		on, _ := hap.NumberOf(r.Value)
		for name, kind := range map[string]string{soakSmoke + " smoke": "homekit smoke", demoCO + " co": "homekit co"} {
			if r.ID == p.points[name] && on == 1 {
				tell(p.heard[kind])
			}
		}
	}
}

// hear is told of every MQTT message.
func (p *soakPeople) hear(_ paho.Client, m paho.Message) {
	switch strings.TrimPrefix(m.Topic(), "veilleuse/") {
	case "authority":
		var a gateway.Authority
		if json.Unmarshal(m.Payload(), &a) == nil {
			p.mu.Lock()
			p.phase = string(a.Phase)
			p.mu.Unlock()
		}
	case "alarm":
		var a gateway.Alarm
		if json.Unmarshal(m.Payload(), &a) == nil && a.Phase == gateway.Sounding {
			tell(p.heard["mqtt "+string(a.Kind)])
		}
	case "event":
		p.mu.Lock()
		p.events = append(p.events[max(0, len(p.events)-99):], string(m.Payload()))
		p.mu.Unlock()
	}
}

// raise sets an alarm off, waits until all have heard, and returns how long the slowest took.
func (w *soakWorld) raise(kind string) (time.Duration, error) {
	ears := map[string]<-chan time.Time{"the siren": w.siren, "MQTT": w.people.heard["mqtt "+kind], "the Home app": w.people.heard["homekit "+kind]}
	for _, old := range ears {
		for len(old) > 0 {
			<-old
		}
	}
	began := time.Now()
	if err := w.smell(kind, true); err != nil {
		return 0, err
	}
	late := time.After(10 * time.Second)
	slowest := time.Duration(0)
	for name, ear := range ears {
		select {
		case at := <-ear:
			slowest = max(slowest, at.Sub(began))
		case <-late:
			return 0, errors.Join(fmt.Errorf("%s at %s in the house was not heard by %s", kind, w.clock.Now().Format(time.TimeOnly), name), w.smell(kind, false))
		}
	}
	return slowest, nil
}

func (w *soakWorld) smell(kind string, on bool) error {
	if kind == "smoke" {
		return w.house.SetSmoke(soakSmoke, on)
	}
	ppm := 0.0
	if on {
		ppm = 180
	}
	return w.house.SetCO(demoCO, ppm, on)
}

// browser returns a client that is signed in at the page. Close its idle connections.
func (w *soakWorld) browser(ctx context.Context) (*http.Client, error) {
	client := &http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if w.cookies != nil {
		return client, nil
	}
	form := url.Values{"password": {w.password}, "again": {w.password}}
	request, err := http.NewRequestWithContext(ctx, "POST", "http://"+w.page+"/welcome", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	if w.cookies = response.Cookies(); len(w.cookies) == 0 {
		return nil, fmt.Errorf("the page lets nobody in: %s", response.Status)
	}
	return client, nil
}

// get asks the page for something, signed in.
func (w *soakWorld) get(ctx context.Context, client *http.Client, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, "GET", "http://"+w.page+path, nil)
	if err != nil {
		return nil, err
	}
	for _, c := range w.cookies {
		request.AddCookie(c)
	}
	response, err := client.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		response.Body.Close()
		err = fmt.Errorf("%s: %s", path, response.Status)
	}
	return response, err
}

// dial connects to a port of the daemon; control.sock has a path for an address.
func dial(address string) (net.Conn, error) {
	network := "tcp"
	if strings.HasPrefix(address, string(os.PathSeparator)) {
		network = "unix"
	}
	return net.DialTimeout(network, address, time.Second)
}
