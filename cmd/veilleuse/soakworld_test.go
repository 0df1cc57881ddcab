package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory/accessorytest"
	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
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
	hidden   atomic.Bool   // nothing is announced
	deadline time.Duration // for the vendor to answer, in real time
	people   *soakPeople
	password string
	cookies  []*http.Cookie
}

// newSoakWorld builds a world and signs the daemon in there, pairs it and starts it. prepare, which may be nil, changes
// how it is started.
func newSoakWorld(t *testing.T, start time.Time, rate float64, home netatmotest.Home, prepare func(*exec.Cmd)) *soakWorld {
	t.Helper()
	folder := t.TempDir()
	return newSoakWorldIn(t, folder, filepath.Join(folder, "state"), 500*time.Millisecond, start, rate, home, prepare)
}

func newSoakWorldIn(t *testing.T, folder, state string, deadline time.Duration, start time.Time, rate float64, home netatmotest.Home, prepare func(*exec.Cmd)) *soakWorld {
	t.Helper()
	smoke := accessorytest.Single(accessorytest.Device{Kind: accessorytest.SmokeAlarm, Name: soakSmoke, Serial: netatmotest.SmokeAlarm})
	demo := startDemoWorld(t, start, rate, home, smoke)
	w := &soakWorld{demoWorld: demo, t: t, state: state, deadline: deadline, sensors: startSensors(t, soakSensors),
		mqtt: freeAddress(t), homeKit: freeAddress(t), page: freeAddress(t), password: "a long night of faults"}
	w.writeConfig(folder)
	w.pairAll()
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
		SecondOpinion: w.internet.SecondOpinion(), Witnesses: w.internet.Witnesses(), Announced: announced.URL, Deadline: w.deadline}
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
	ctx, cancel := context.WithTimeout(context.Background(), patience)
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
	if err := w.awaitFor(patience, holds); err != nil {
		w.t.Fatalf("never: %s; %v", what, err)
	}
}

// awaitFor waits until the house stands so, for at most so long in real time. The error says how it stands instead.
func (w *soakWorld) awaitFor(patience time.Duration, holds func(statusReport) bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var last statusReport
	err := until(ctx, func() bool {
		time.Sleep(50 * time.Millisecond)
		r, err := w.status(ctx)
		if err == nil {
			last = r
		}
		return err == nil && holds(r)
	})
	if err == nil {
		return nil
	}
	var silent []string
	for _, d := range last.Devices {
		if !d.Reachable {
			silent = append(silent, d.Name)
		}
	}
	return fmt.Errorf("%s (%s), Netatmo: %s, clock: %s, silent: %q, adapters: %+v", last.Authority.Phase, last.Authority.Why, last.Cloud.Why, last.Clock.Trust, silent, last.Adapters)
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

// pageState is the house as the page's JSON shows it.
func (w *soakWorld) pageState(ctx context.Context) (string, error) {
	client, err := w.browser(ctx)
	if err != nil {
		return "", err
	}
	defer client.CloseIdleConnections()
	answer, err := w.get(ctx, client, "/api/state")
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

// dial connects to a port of the daemon; control.sock has a path for an address.
func dial(address string) (net.Conn, error) {
	network := "tcp"
	if strings.HasPrefix(address, string(os.PathSeparator)) {
		network = "unix"
	}
	return net.DialTimeout(network, address, time.Second)
}
