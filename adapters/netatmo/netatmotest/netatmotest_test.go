package netatmotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// clock is a vendor's clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// user is somebody who has signed in.
type user struct {
	t      *testing.T
	cloud  *Cloud
	clock  *clock
	base   string
	access string
	client *http.Client
}

// start runs a vendor on loopback whose clock stands at Wednesday, 29 October 2025, 17:30 in Paris.
func start(t *testing.T, change func(*Options)) *user {
	t.Helper()
	c := &clock{now: time.Date(2025, 10, 29, 16, 30, 0, 0, time.UTC)}
	o := Options{Now: c.read}
	if change != nil {
		change(&o)
	}
	cloud := New(o)
	base, err := cloud.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	u := &user{t: t, cloud: cloud, clock: c, base: base, client: &http.Client{
		Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	u.signIn()
	return u
}

func (u *user) signIn() {
	u.access = u.decode(u.cloud.Token())["access_token"].(string)
}

func (u *user) decode(data []byte) map[string]any {
	u.t.Helper()
	var o map[string]any
	if err := json.Unmarshal(data, &o); err != nil {
		u.t.Fatalf("%v in %s", err, data)
	}
	return o
}

// do sends a request; form "" is a GET, form "{" JSON.
func (u *user) do(path, form string) (int, []byte, error) {
	u.t.Helper()
	method, kind := http.MethodPost, "application/x-www-form-urlencoded"
	switch {
	case form == "":
		method = http.MethodGet
	case form[0] == '{':
		kind = "application/json"
	}
	request, err := http.NewRequest(method, u.base+path, strings.NewReader(form))
	if err != nil {
		u.t.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	if u.access != "" && path != "/oauth2/token" {
		request.Header.Set("Authorization", "Bearer "+u.access)
	}
	response, err := u.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, data, err
}

// must sends a request and fails unless it is answered with that status.
func (u *user) must(path, form string, status int) map[string]any {
	u.t.Helper()
	got, data, err := u.do(path, form)
	if err != nil || got != status {
		u.t.Fatalf("%s %s: %d %s, error %v, want %d", path, form, got, data, err, status)
	}
	return u.decode(data)
}

// code returns the error's code of an answer.
func code(o map[string]any) float64 {
	e, _ := o["error"].(map[string]any)
	n, _ := e["code"].(float64)
	return n
}

func (u *user) home() string { return "home_id=" + HouseID }

func TestScheduleDecides(t *testing.T) {
	u := start(t, nil)
	for _, c := range []struct {
		pass time.Duration
		want float64
	}{{0, 20.5}, {5 * time.Hour, 17}, {8*time.Hour + 30*time.Minute, 20.5}, {3 * time.Hour, 17}, {48 * time.Hour, 20.5}} {
		u.clock.pass(c.pass)
		if got := u.cloud.Room(LivingRoom); got.Mode != "schedule" || got.Target != c.want {
			t.Errorf("at %v: %+v, want %v", u.clock.read(), got, c.want)
		}
	}
	u.cloud.SwitchSchedule(HolidayPlan)
	if got := u.cloud.Room(LivingRoom).Target; got != 20 {
		t.Errorf("on holiday %v", got)
	}
}

func TestManualSetPointEnds(t *testing.T) {
	u := start(t, nil)
	u.must("/api/setroomthermpoint", u.home()+"&room_id="+Bedroom+"&mode=manual&temp=22.3&endtime="+
		strconv.FormatInt(u.clock.read().Add(time.Hour).Unix(), 10), 200)
	if got := u.cloud.Room(Bedroom); got.Mode != "manual" || got.Target != 22.5 {
		t.Errorf("set: %+v", got)
	}
	u.clock.pass(time.Hour)
	if got := u.cloud.Room(Bedroom); got.Mode != "schedule" {
		t.Errorf("after its end: %+v", got)
	}
	u.cloud.LANWrite(Bedroom, 24)
	if got := u.cloud.Room(Bedroom); got.Mode != "manual" || got.Until.Sub(u.clock.read()) != 3*time.Hour {
		t.Errorf("a write over the LAN: %+v", got)
	}
	u.cloud.FollowHome(Bedroom)
	if got := u.cloud.Room(Bedroom); got.Mode != "schedule" {
		t.Errorf("home: %+v", got)
	}
}

func TestHomeModeWipesManualSetPoints(t *testing.T) {
	u := start(t, nil)
	u.cloud.SetTarget(Bedroom, 24, time.Time{})
	end := u.clock.read().Add(time.Hour)
	u.must("/api/setthermmode", u.home()+"&mode=away&endtime="+strconv.FormatInt(end.Unix(), 10), 200)
	if got := u.cloud.Room(Bedroom); got.Mode != "away" || got.Target != 15 || !got.Until.Equal(end) {
		t.Errorf("away: %+v", got)
	}
	u.clock.pass(time.Hour)
	if mode, _, _ := u.cloud.Mode(); mode != "schedule" || u.cloud.Room(Bedroom).Mode != "schedule" {
		t.Errorf("after its end the mode is %s, the room %+v", mode, u.cloud.Room(Bedroom))
	}
	u.cloud.SetTarget(Bedroom, 24, time.Time{})
	u.must("/api/setthermmode", u.home()+"&mode=schedule", 200)
	if got := u.cloud.Room(Bedroom); got.Mode != "schedule" {
		t.Errorf("schedule wiped nothing: %+v", got)
	}
}

func TestRefusals(t *testing.T) {
	u := start(t, func(o *Options) {
		o.Home = House()
		o.Home.Rooms = append(o.Home.Rooms, Room{ID: "1005", Temperature: 15})
		o.Home.Modules = append(o.Home.Modules, Module{ID: "nlc", Type: "NLC", Room: "1005", Status: map[string]any{"reachable": true}})
	})
	for _, c := range []struct {
		path, form string
		status     int
		code       float64
	}{
		{"/api/homestatus", "", 400, 10},
		{"/api/homestatus?home_id=x", "", 400, 21},
		{"/api/homesdata?home_id=x", "", 400, 21},
		{"/api/setroomthermpoint", "room_id=1001&mode=manual&temp=20", 400, 10},
		{"/api/setroomthermpoint", u.home() + "&room_id=1001", 400, 10},
		{"/api/setroomthermpoint", u.home() + "&room_id=9&mode=home", 400, 21},
		{"/api/setroomthermpoint", u.home() + "&room_id=1001&mode=manual&temp=31", 400, 21},
		{"/api/setroomthermpoint", u.home() + "&room_id=1001&mode=party", 400, 21},
		{"/api/setroomthermpoint", u.home() + "&room_id=1002&mode=off", 400, 21},
		{"/api/setroomthermpoint", u.home() + "&room_id=1005&mode=manual&temp=20", 403, 13},
		{"/api/setthermmode", u.home(), 400, 10},
		{"/api/setthermmode", u.home() + "&mode=party", 400, 21},
		{"/api/switchhomeschedule", u.home() + "&schedule_id=x", 400, 21},
		{"/api/setstate", `{"home":`, 400, 40},
		{"/api/setstate", `{"home":{"id":"x"}}`, 400, 21},
		{"/api/setstate", `{"home":{"id":"` + HouseID + `","modules":[{"id":"x","on":true}]}}`, 400, 21},
		{"/api/setstate", `{"home":{"id":"` + HouseID + `","modules":[{"id":"` + Welcome + `","floodlight":"on"}]}}`, 400, 21},
		{"/api/setstate", `{"home":{"id":"` + HouseID + `","modules":[{"id":"` + Presence + `","siren_status":"sound"}]}}`, 400, 21},
		{"/api/nothing", "x=1", 404, 31},
		{"/api/setthermmode", "", 404, 31},
	} {
		if o := u.must(c.path, c.form, c.status); code(o) != c.code {
			t.Errorf("%s %s: %v, want code %v", c.path, c.form, o, c.code)
		}
	}
	u.must("/api/setstate", `{"home":{"id":"`+HouseID+`","rooms":[{"id":"1005","therm_setpoint_mode":"manual","therm_setpoint_fp":"comfort"}]}}`, 200)
}

func TestAlreadySo(t *testing.T) {
	u := start(t, nil)
	o := u.must("/api/setstate", `{"home":{"id":"`+HouseID+`","modules":[{"id":"`+Welcome+`","monitoring":"on"}]}}`, 200)
	errs := o["body"].(map[string]any)["errors"].([]any)
	if e := errs[0].(map[string]any); e["code"] != 23.0 || e["message"] != "Already on" {
		t.Errorf("errors %v", errs)
	}
}

func TestTokensRotateAndDie(t *testing.T) {
	u := start(t, nil)
	first := u.decode(u.cloud.Token())
	u.access = first["access_token"].(string)
	refresh := func(token string, status int) map[string]any {
		return u.must("/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token},
			"client_id": {"client"}, "client_secret": {"client-secret"}}.Encode(), status)
	}
	u.must("/api/homesdata", "", 200)
	u.clock.pass(3 * time.Hour)
	if o := u.must("/api/homesdata", "", 403); code(o) != 3 {
		t.Errorf("after 3 h: %v", o)
	}
	second := refresh(first["refresh_token"].(string), 200)
	if o := u.must("/api/homesdata", "", 403); code(o) != 2 {
		t.Errorf("the pair before: %v", o)
	}
	if o := refresh(first["refresh_token"].(string), 400); o["error"] != "invalid_grant" {
		t.Errorf("the same refresh token again: %v", o)
	}
	u.access = second["access_token"].(string)
	u.must("/api/homesdata", "", 200)
	if !u.cloud.Valid(second["refresh_token"].(string)) || u.cloud.Issued() != 3 {
		t.Errorf("issued %d", u.cloud.Issued())
	}
	u.cloud.Revoke()
	if o := u.must("/api/homesdata", "", 403); code(o) != 2 {
		t.Errorf("revoked: %v", o)
	}
	refresh(second["refresh_token"].(string), 400)
	u.access = ""
	if o := u.must("/api/homesdata", "", 401); code(o) != 1 {
		t.Errorf("no token: %v", o)
	}
}

func TestQuota(t *testing.T) {
	u := start(t, func(o *Options) { o.PerTenSeconds, o.PerHour = 2, 5 })
	u.must("/api/homesdata", "", 200)
	u.must("/api/homesdata", "", 200)
	if o := u.must("/api/homesdata", "", 429); code(o) != 26 {
		t.Errorf("the third in 10 s: %v", o)
	}
	u.clock.pass(10 * time.Second)
	u.must("/api/homesdata", "", 200)
	u.clock.pass(10 * time.Second)
	u.must("/api/homesdata", "", 200)
	u.clock.pass(10 * time.Second)
	u.must("/api/homesdata", "", 429)
	u.clock.pass(time.Hour)
	u.must("/api/homesdata", "", 200)
}

func TestFaultsOverTheWire(t *testing.T) {
	u := start(t, nil)
	for _, c := range []struct {
		kind   Kind
		status int    // 0: an error of the connection
		body   string // the beginning
	}{
		{Unavailable, 503, "<html>"}, {Empty, 200, ""}, {HTML, 200, "<html>"}, {NoBody, 200, `{"status":"ok"}`},
		{TooMany, 429, `{"error":{"code":26`}, {Concurrency, 429, `{"error":{"code":11`}, {UsageReached, 403, `{"error":{"code":26`},
		{InvalidToken, 403, `{"error":{"code":2,`}, {Mongo, 500, `{"error":{"code":0`}, {Overloaded, 500, `{"error":"too_many`},
		{ZeroHomes, 200, `{"body":{"homes":[]}`}, {Redirect, 302, ""}, {Reset, 0, ""}, {Refused, 0, ""}, {LostAnswer, 0, ""},
	} {
		u.cloud.Break(Fault{Kind: c.kind})
		status, data, err := u.do("/api/homesdata", "")
		if c.status == 0 {
			if err == nil {
				t.Errorf("%s: answered %d", c.kind, status)
			}
		} else if err != nil || status != c.status || !strings.HasPrefix(string(data), c.body) || c.body == "" && len(data) > 0 {
			t.Errorf("%s: %d %.60s, error %v", c.kind, status, data, err)
		}
		if !u.cloud.Broken(c.kind) {
			t.Errorf("%s is not on", c.kind)
		}
		u.cloud.Mend(c.kind)
		u.must("/api/homesdata", "", 200)
	}
}

func TestRefusedIsRefused(t *testing.T) {
	u := start(t, nil)
	u.cloud.Break(Fault{Kind: Refused})
	if _, _, err := u.do("/api/homesdata", ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v", err)
	}
	u.cloud.Mend()
	u.must("/api/homesdata", "", 200)
	if u.cloud.URL() != u.base {
		t.Errorf("it came back as %s", u.cloud.URL())
	}
}

func TestTruncatedAndDribbled(t *testing.T) {
	u := start(t, nil)
	whole, _, _ := u.do("/api/homesdata", "")
	u.cloud.Break(Fault{Kind: Truncated})
	if _, data, err := u.do("/api/homesdata", ""); err == nil || len(data) == 0 || json.Valid(data) {
		t.Errorf("truncated: %d bytes of %d, error %v", len(data), whole, err)
	}
	u.cloud.Mend()
	u.cloud.Break(Fault{Kind: Dribble})
	request, _ := http.NewRequest(http.MethodGet, u.base+"/api/homesdata", nil)
	request.Header.Set("Authorization", "Bearer "+u.access)
	response, err := u.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	first := make([]byte, 3)
	if _, err := io.ReadFull(response.Body, first); err != nil || !bytes.HasPrefix([]byte(`{"body"`), first) {
		t.Errorf("dribbled %q, error %v", first, err)
	}
}

func TestTimeOutHoldsUntilMended(t *testing.T) {
	u := start(t, nil)
	u.cloud.Break(Fault{Kind: TimeOut, Paths: []string{"/api/homesdata"}})
	u.must("/api/gethomecoachsdata", "", 200)
	ended := make(chan error, 1)
	go func() {
		_, _, err := u.do("/api/homesdata", "")
		ended <- err
	}()
	deadline := time.After(20 * time.Second)
	for u.cloud.Count("/api/homesdata") == 0 {
		select {
		case <-deadline:
			t.Fatal("the request did not arrive")
		case <-time.After(5 * time.Millisecond):
		}
	}
	select {
	case err := <-ended:
		t.Fatalf("answered, error %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	u.cloud.Mend()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a request that was never answered has an answer")
		}
	case <-deadline:
		t.Fatal("it holds on though it was mended")
	}
}

func TestRetryAfterAndTimes(t *testing.T) {
	u := start(t, nil)
	u.cloud.Break(Fault{Kind: TooMany, RetryAfter: 90 * time.Second, Times: 1})
	request, _ := http.NewRequest(http.MethodGet, u.base+"/api/homesdata", nil)
	response, err := u.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.Header.Get("Retry-After") != "90" {
		t.Errorf("header %v", response.Header)
	}
	u.must("/api/homesdata", "", 200)
}

func TestLostAnswerDoesWhatWasAsked(t *testing.T) {
	u := start(t, nil)
	u.cloud.Break(Fault{Kind: LostAnswer, Paths: []string{"/api/setroomthermpoint"}})
	if _, _, err := u.do("/api/setroomthermpoint", u.home()+"&room_id="+Bedroom+"&mode=manual&temp=23"); err == nil {
		t.Error("answered")
	}
	if got := u.cloud.Room(Bedroom); got.Target != 23 {
		t.Errorf("room %+v", got)
	}
}

func TestStaleKeepsOldDataWithThePresentTime(t *testing.T) {
	u := start(t, nil)
	read := func() (float64, float64) {
		o := u.must("/api/homestatus?"+u.home(), "", 200)
		rooms := o["body"].(map[string]any)["home"].(map[string]any)["rooms"].([]any)
		return o["time_server"].(float64), rooms[0].(map[string]any)["therm_measured_temperature"].(float64)
	}
	before, _ := read()
	u.cloud.Break(Fault{Kind: Stale})
	u.cloud.Measure(LivingRoom, 12)
	u.clock.pass(time.Hour)
	if at, degrees := read(); at-before != 3600 || degrees != 19.6 {
		t.Errorf("stale: at %v, %v °C", at-before, degrees)
	}
	u.cloud.Mend()
	if _, degrees := read(); degrees != 12 {
		t.Errorf("mended: %v °C", degrees)
	}
}

func TestRawAnswers(t *testing.T) {
	u := start(t, nil)
	u.cloud.Serve("/api/homesdata", Raw{Body: []byte(`{"x":1}`)})
	if o := u.must("/api/homesdata", "", 200); o["x"] != 1.0 {
		t.Errorf("%v", o)
	}
	u.cloud.Serve("/api/homesdata", Raw{Status: 418, Type: "text/plain", Body: []byte("tea")})
	if status, data, _ := u.do("/api/homesdata", ""); status != 418 || string(data) != "tea" {
		t.Errorf("%d %s", status, data)
	}
	u.cloud.Unserve("/api/homesdata")
	u.must("/api/homesdata", "", 200)
}

func TestRecords(t *testing.T) {
	u := start(t, nil)
	u.must("/api/homestatus?"+u.home(), "", 200)
	u.clock.pass(time.Minute)
	u.must("/api/setthermmode", u.home()+"&mode=away", 200)
	all := u.cloud.Requests()
	if len(all) != 2 || u.cloud.Count("") != 2 || u.cloud.Count("/api/homestatus") != 1 {
		t.Fatalf("%d requests", len(all))
	}
	if r := all[1]; r.Method != "POST" || r.Form["mode"][0] != "away" || r.Status != 200 || r.Access != u.access || r.At.Sub(all[0].At) != time.Minute {
		t.Errorf("recorded %+v", r)
	}
}

func TestDevicesOfTheHouse(t *testing.T) {
	u := start(t, nil)
	status := func(id string) map[string]any {
		o := u.must("/api/homestatus?"+u.home(), "", 200)
		for _, m := range o["body"].(map[string]any)["home"].(map[string]any)["modules"].([]any) {
			if m.(map[string]any)["id"] == id {
				return m.(map[string]any)
			}
		}
		return nil
	}
	u.cloud.SetStatus(Tag, "status", "open")
	u.cloud.SetDashboard(Station, "CO2", 1200)
	if status(Tag)["status"] != "open" || u.cloud.Status(Tag, "status") != "open" || status(Station)["co2"] != 1200.0 {
		t.Errorf("tag %v, station %v", status(Tag), status(Station))
	}
	if status(Thermostat)["boiler_status"] != true {
		t.Error("the boiler rests though it is too cold")
	}
	for _, r := range []string{LivingRoom, Bedroom, Child, Bathroom} {
		u.cloud.Measure(r, 25)
	}
	if status(Thermostat)["boiler_status"] != false {
		t.Error("the boiler heats though it is warm")
	}
	heard := u.clock.read().Unix()
	u.cloud.SetSilent(Outdoor, true)
	u.clock.pass(time.Hour)
	if m := status(Outdoor); m["reachable"] != false || m["last_seen"] != float64(heard) {
		t.Errorf("a silent module: %v", m)
	}
	u.cloud.SetSilent(Outdoor, false)
	if m := status(Outdoor); m["reachable"] != true {
		t.Errorf("it talks again: %v", m)
	}
	u.cloud.SetOffline(Relay, true)
	o := u.must("/api/homestatus?"+u.home(), "", 200)["body"].(map[string]any)
	if e := o["errors"].([]any)[0].(map[string]any); e["code"] != 6.0 || e["id"] != Relay || status(Thermostat) != nil {
		t.Errorf("errors %v", o["errors"])
	}
	u.cloud.SetOffline(Relay, false)
	u.cloud.Remove(BathValve)
	if status(BathValve) != nil {
		t.Error("a removed valve is there")
	}
}

func TestEventsAreToldNewestFirst(t *testing.T) {
	u := start(t, nil)
	for i := range 40 {
		u.cloud.AddEvent(Event{Type: "human", Device: Presence, Message: strconv.Itoa(i)})
		u.clock.pass(time.Second)
	}
	u.cloud.AddEvent(Event{Type: "smoke", Device: SmokeAlarm, Sub: 1})
	o := u.must("/api/getevents?size=30&"+u.home(), "", 200)
	list := o["body"].(map[string]any)["home"].(map[string]any)["events"].([]any)
	if first := list[0].(map[string]any); len(list) != 30 || first["type"] != "smoke" || first["sub_type"] != 1.0 {
		t.Errorf("%d events, the first %v", len(list), list[0])
	}
}

func TestPingOfACamera(t *testing.T) {
	u := start(t, nil)
	o := u.must("/api/homestatus?"+u.home(), "", 200)
	for _, m := range o["body"].(map[string]any)["home"].(map[string]any)["modules"].([]any) {
		if vpn, ok := m.(map[string]any)["vpn_url"].(string); ok && m.(map[string]any)["id"] == Welcome {
			p := u.must(strings.TrimPrefix(vpn, u.base)+"/command/ping", "", 200)
			if p["local_url"] != "http://192.168.1.31/5d278460699e56180d47ab47169efb31" {
				t.Errorf("ping %v", p)
			}
			return
		}
	}
	t.Error("the camera has no vpn_url")
}

func TestCloseWhileRequestsWait(t *testing.T) {
	u := start(t, nil)
	u.cloud.Break(Fault{Kind: TimeOut})
	ended := make(chan struct{})
	go func() { _, _, _ = u.do("/api/homesdata", ""); close(ended) }()
	deadline := time.After(20 * time.Second)
	for u.cloud.Count("") == 0 {
		select {
		case <-deadline:
			t.Fatal("the request did not arrive")
		case <-time.After(5 * time.Millisecond):
		}
	}
	u.cloud.Close()
	select {
	case <-ended:
	case <-deadline:
		t.Fatal("a request outlives the vendor")
	}
}
