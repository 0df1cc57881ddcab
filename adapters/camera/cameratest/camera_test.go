package cameratest

import (
	"bytes"
	"encoding/json"
	"image/jpeg"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

type got struct {
	status int
	kind   string
	body   string
}

// get asks one URL, without following redirects.
func get(t *testing.T, address string) got {
	t.Helper()
	c := &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer c.CloseIdleConnections()
	r, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got{r.StatusCode, r.Header.Get("Content-Type"), string(body)}
}

func start(t *testing.T, s Setup) *Camera {
	t.Helper()
	c, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestRoutes(t *testing.T) {
	c := start(t, Setup{Device: "70:ee:50:12:34:56", Model: "NOC"})
	set := "/command/floodlight_set_config?config=" + url.QueryEscape(`{"mode":"on","intensity":60}`)
	for _, step := range []struct {
		route  string
		status int
		kind   string
		holds  string
	}{
		{"/command/ping", 200, "application/json", `"product_name":"Presence Netatmo"`},
		{"/command/ping", 200, "application/json", `"local_url":"` + c.URL() + `"`},
		{"/command/changestatus?status=on", 409, "application/json", `{"error":{"code":7,"message":"Already on"}}`},
		{"/command/changestatus?status=off", 200, "application/json", `{"status":"ok"}`},
		{"/command/changestatus?status=off", 409, "application/json", `Already off`},
		{"/live/snapshot_720.jpg", 404, "text/html", "Not Found"}, // monitoring is off
		{"/command/changestatus?status=on", 200, "application/json", `{"status":"ok"}`},
		{"/command/changestatus", 404, "text/html", "Not Found"},
		{"/command/changestatus?status=perhaps", 404, "text/html", "Not Found"},
		{"/command/floodlight_get_config", 200, "application/json", `"mode":"auto"`},
		{"/command/floodlight_set_config?config=x", 200, "application/json", `"error"`},
		{set, 200, "application/json", `{"status":"ok"}`},
		{"/command/floodlight_get_config", 200, "application/json", `{"intensity":60,"mode":"on"}`}, // replaced whole
		{"/command/get_config", 404, "text/html", "<html"},
		{"/command/dl/timelapse", 200, "video/mp4", "ftyp"},
		{"/live/index.m3u8", 200, playlistType, "files/high/index.m3u8"},
		{"/live/index_local.m3u8", 200, playlistType, "#EXTM3U"},
		{"/live/files/poor/index.m3u8", 200, playlistType, "segment0.ts"},
		{"/live/files/poor/segment0.ts", 200, "video/mp2t", "\x47"},
		{"/live/files/huge/index.m3u8", 404, "text/html", ""},
		{"/live/files/poor/x.mp3", 404, "text/html", ""},
		{"/vod/abc/index.m3u8", 200, playlistType, "BANDWIDTH"},
		{"/vod/abc/files/low/index.m3u8", 200, playlistType, "segment2.ts"},
		{"/vod/abc", 404, "text/html", ""},
	} {
		a := get(t, c.URL()+step.route)
		if a.status != step.status || a.kind != step.kind || !strings.Contains(a.body, step.holds) {
			t.Errorf("%s: %d %s %.200s", step.route, a.status, a.kind, a.body)
		}
	}
	if a := get(t, "http://"+c.Address().String()+"/wrongkey/command/ping"); a.status != 403 || a.kind != "text/html" {
		t.Errorf("wrong key: %+v", a)
	}
}

func TestModels(t *testing.T) {
	indoor := start(t, Setup{})
	if a := get(t, indoor.URL()+"/command/floodlight_get_config"); a.status != 404 {
		t.Errorf("an indoor camera has a floodlight: %+v", a)
	}
	newer := start(t, Setup{Model: "NOC", Product: "noc"})
	if a := get(t, newer.URL()+"/live/index_local.m3u8"); a.status != 404 {
		t.Errorf("newer firmware has the local index: %+v", a)
	}
	older := start(t, Setup{Model: "NOC", Merges: true})
	get(t, older.URL()+"/command/floodlight_set_config?config="+url.QueryEscape(`{"mode":"on"}`))
	var config map[string]any
	if err := json.Unmarshal([]byte(older.Floodlight()), &config); err != nil || config["mode"] != "on" || config["night"] == nil {
		t.Errorf("%s, %v", older.Floodlight(), err)
	}
}

func TestPicture(t *testing.T) {
	c := start(t, Setup{})
	a := get(t, c.URL()+"/live/snapshot_720.jpg")
	if _, err := jpeg.Decode(bytes.NewReader([]byte(a.body))); err != nil || a.kind != "image/jpeg" {
		t.Errorf("%s, %v", a.kind, err)
	}
	own := start(t, Setup{Picture: []byte("mine")})
	if a := get(t, own.URL()+"/live/snapshot_720.jpg"); a.body != "mine" {
		t.Errorf("%.20s", a.body)
	}
}

func TestFaultsAreSeenFromOutside(t *testing.T) {
	c := start(t, Setup{})
	for fault, want := range map[Fault]got{
		None:         {200, "application/json", "Welcome"},
		Unauthorized: {401, "text/html", ""},
		Forbidden:    {403, "text/html", ""},
		Page:         {200, "text/html", "<html"},
		OtherCamera:  {403, "text/html", ""},
		Router:       {302, "text/html; charset=utf-8", "login"},
		Impostor:     {200, "application/json", "ffffffff"},
		WrongProduct: {200, "application/json", "noc"},
		LinkLocal:    {200, "application/json", "169.254"},
		Broken:       {500, "text/html", ""},
	} {
		c.Set(fault)
		a := get(t, c.URL()+"/command/ping")
		if a.status != want.status || a.kind != want.kind || !strings.Contains(a.body, want.body) {
			t.Errorf("fault %d: %+v", fault, a)
		}
	}
	c.Set(Truncated)
	r, err := http.Get(c.URL() + "/command/ping")
	if err == nil {
		_, err = io.ReadAll(r.Body)
		r.Body.Close()
	}
	if err == nil {
		t.Error("a truncated answer came whole")
	}
}

func TestMoveAndClose(t *testing.T) {
	c := start(t, Setup{})
	old := c.URL()
	if err := c.Move(); err != nil {
		t.Fatal(err)
	}
	if a := get(t, c.URL()+"/command/ping"); a.status != 200 || !strings.Contains(a.body, c.Address().String()) {
		t.Errorf("%+v", a)
	}
	if r, err := http.Get(old + "/command/ping"); err == nil && c.URL() != old {
		r.Body.Close()
		t.Error("the old address answers")
	}
	routes := c.Requests()
	if len(routes) != 1 || routes[0] != "command/ping" || len(c.Requests()) != 0 {
		t.Errorf("%q", routes)
	}
	c.Close()
	c.Close()
}
