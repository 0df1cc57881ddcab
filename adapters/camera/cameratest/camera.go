// Package cameratest is a faithful fake of a Netatmo camera's HTTP interface on the LAN: its routes, its
// error pages, its oddities, and the faults that were reported of real ones.
//
// Shapes are those of pyatmo's ping.json and of what thecampagnards/netatmo-presence-local and
// scurth's notes saw on a Presence; where they differ, Setup says which.
package cameratest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Setup says what camera to play.
type Setup struct {
	Device  string // hardware address, as in 70:ee:50:12:34:56
	Key     string // of the path; "" = a fixed one
	Model   string // NACamera or NOC; "" = NACamera
	Product string // in the ping; "" = as older firmware of the model says
	Picture []byte // JPEG; nil: a picture is drawn
	Film    Film   // the live stream; the zero one: segments without pictures in them
	// Merges lets floodlight_set_config keep what a write leaves out, as older notes tell. Newer
	// firmware replaces everything.
	Merges bool
}

// Fault is a way in which a camera, or what is at its address, misbehaves.
type Fault int

// The faults.
const (
	None         Fault = iota
	Unauthorized       // 401: the key is not accepted
	Forbidden          // 403, the same with newer firmware
	Page               // the HTML error page for every route, with status 200
	OtherCamera        // another camera answers: it knows another key only
	Router             // a router's page answers, which redirects to its login
	Impostor           // answers the ping, but names another key
	WrongProduct       // answers the ping as a camera of the other model
	LinkLocal          // names a link-local address as its own
	Broken             // status 500
	Truncated          // breaks off in the middle of every answer
	Endless            // sends without end
	Slow               // answers after Camera.Delay
)

// Camera is a running fake. Its methods may be called from any goroutine.
type Camera struct {
	setup Setup
	began time.Time // of the live stream

	mu         sync.Mutex
	fault      Fault
	delay      time.Duration
	monitoring bool
	light      map[string]json.RawMessage
	requests   []string
	pictures   int // being taken now
	most       int // were taken at once
	address    netip.AddrPort
	server     *http.Server
	stopped    chan struct{}
}

const fixedKey = "678460a0d47e5618699fb31169e2b47d"

// Start plays a camera on a free port of the loopback address, with monitoring on and the floodlight
// on auto, until Close.
func Start(s Setup) (*Camera, error) {
	if s.Key == "" {
		s.Key = fixedKey
	}
	if s.Model == "" {
		s.Model = "NACamera"
	}
	if s.Product == "" {
		s.Product = map[string]string{"NACamera": "Welcome Netatmo", "NOC": "Presence Netatmo"}[s.Model]
	}
	if s.Picture == nil {
		s.Picture = Draw(640, 360)
	}
	c := &Camera{setup: s, began: time.Now(), monitoring: true, light: map[string]json.RawMessage{
		"mode":      json.RawMessage(`"auto"`),
		"intensity": json.RawMessage(`100`),
		"night":     json.RawMessage(`{"always":false,"person":true,"vehicle":true,"animal":false,"movement":false}`),
	}}
	return c, c.listen()
}

func (c *Camera) listen() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start a camera: %w", err)
	}
	server := &http.Server{Handler: http.HandlerFunc(c.serve), ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan struct{})
	c.mu.Lock()
	c.address = netip.MustParseAddrPort(listener.Addr().String())
	c.server, c.stopped = server, stopped
	c.mu.Unlock()
	go func() {
		defer close(stopped)
		server.Serve(listener) // ends with Close
	}()
	return nil
}

// Close takes the camera off the network.
func (c *Camera) Close() {
	c.mu.Lock()
	server, stopped := c.server, c.stopped
	c.mu.Unlock()
	server.Close()
	<-stopped
}

// Move gives the camera another address, as a router does, and returns when nothing answers at the old
// one. After Close it brings the camera back.
func (c *Camera) Move() error {
	c.Close()
	return c.listen()
}

// Address is where the camera is now.
func (c *Camera) Address() netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.address
}

// URL is what the cloud would name as local_url: address and key.
func (c *Camera) URL() string { return "http://" + c.Address().String() + "/" + c.key() }

// Device is the camera's hardware address, by which it announces itself at Address.
func (c *Camera) Device() string { return c.setup.Device }

// Key is the secret part of the path.
func (c *Camera) Key() string { return c.key() }

// Set makes the camera misbehave from now on; None mends it.
func (c *Camera) Set(f Fault) { c.with(func() { c.fault = f }) }

// Delay is how long a Slow camera waits before it answers, and any camera before it sends a picture.
func (c *Camera) Delay(d time.Duration) { c.with(func() { c.delay = d }) }

// SetKey gives the camera another key, as a reset may.
func (c *Camera) SetKey(key string) { c.with(func() { c.setup.Key = key }) }

// SetMonitoring switches monitoring, as the vendor's app does.
func (c *Camera) SetMonitoring(on bool) { c.with(func() { c.monitoring = on }) }

// Monitoring reports whether the camera records.
func (c *Camera) Monitoring() (on bool) { c.with(func() { on = c.monitoring }); return on }

// SetFloodlight puts the floodlight in a mode, as the vendor's app does.
func (c *Camera) SetFloodlight(mode string) {
	c.with(func() { c.light["mode"] = json.RawMessage(`"` + mode + `"`) })
}

// Floodlight returns all settings of the floodlight, as JSON.
func (c *Camera) Floodlight() (config string) {
	c.with(func() {
		text, _ := json.Marshal(c.light) // made of JSON
		config = string(text)
	})
	return config
}

// Requests returns the routes asked for since the last call, without key and query.
func (c *Camera) Requests() (routes []string) {
	c.with(func() { routes, c.requests = c.requests, nil })
	return routes
}

// MostPictures returns how many pictures were ever taken at the same time.
func (c *Camera) MostPictures() (most int) { c.with(func() { most = c.most }); return most }

func (c *Camera) with(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// Draw returns a JPEG picture of that size: an evening sky over a dark garden.
func Draw(width, height int) []byte {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			shade := color.RGBA{uint8(200 - 150*y/height), uint8(110 - 80*y/height), uint8(90 + 60*y/height), 255}
			if y > height*2/3+(x%40)/8 {
				shade = color.RGBA{18, 26, 20, 255}
			}
			picture.Set(x, y, shade)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: 80}); err != nil {
		return nil // an image in memory can be encoded
	}
	return b.Bytes()
}

// serve answers one request.
func (c *Camera) serve(w http.ResponseWriter, r *http.Request) {
	route, ours := strings.CutPrefix(r.URL.Path, "/"+c.key()+"/")
	c.with(func() { c.requests = append(c.requests, route) })
	if c.misbehave(w, r) {
		return
	}
	if !ours {
		errorPage(w, http.StatusForbidden)
		return
	}
	serve, ok := c.routes()[route]
	switch {
	case ok:
		serve(w, r)
	case strings.HasPrefix(route, "live/files/"), strings.HasPrefix(route, "vod/"):
		c.serveStream(w, route)
	default:
		errorPage(w, http.StatusNotFound)
	}
}

func (c *Camera) key() (key string) { c.with(func() { key = c.setup.Key }); return key }

// routes are those that netatmo-facts 4.2 lists, for this model.
func (c *Camera) routes() map[string]http.HandlerFunc {
	routes := map[string]http.HandlerFunc{
		"command/ping":          c.ping,
		"command/changestatus":  c.changeStatus,
		"live/snapshot_720.jpg": c.snapshot,
		"live/index.m3u8":       c.master,
	}
	if c.setup.Model == "NOC" {
		routes["command/floodlight_get_config"] = c.readLight
		routes["command/floodlight_set_config"] = c.writeLight
		routes["command/dl/timelapse"] = timelapse
	}
	if c.setup.Product != "noc" { // newer firmware lacks it
		routes["live/index_local.m3u8"] = c.master
	}
	return routes
}

func (c *Camera) ping(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	local, product, fault := "http://"+c.address.String()+"/"+c.setup.Key, c.setup.Product, c.fault
	c.mu.Unlock()
	switch fault {
	case Impostor:
		local = "http://" + c.Address().String() + "/ffffffffffffffffffffffffffffffff"
	case LinkLocal:
		local = "http://169.254.79.219/" + c.key()
	case WrongProduct:
		product = map[string]string{"NACamera": "noc", "NOC": "Welcome Netatmo"}[c.setup.Model]
	}
	answer(w, http.StatusOK, map[string]string{"local_url": local, "product_name": product})
}

// changeStatus is there only with its parameter, and refuses to become what it is.
func (c *Camera) changeStatus(w http.ResponseWriter, r *http.Request) {
	status := r.URL.Query().Get("status")
	if status != "on" && status != "off" {
		errorPage(w, http.StatusNotFound)
		return
	}
	already := false
	c.with(func() {
		already = c.monitoring == (status == "on")
		c.monitoring = status == "on"
	})
	if already {
		refuse(w, http.StatusConflict, 7, "Already "+status)
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (c *Camera) readLight(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, c.Floodlight())
}

func (c *Camera) writeLight(w http.ResponseWriter, r *http.Request) {
	var config map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.URL.Query().Get("config")), &config); err != nil || config == nil {
		refuse(w, http.StatusOK, 2, "Invalid config") // an error within status 200, as observed
		return
	}
	c.with(func() {
		if !c.setup.Merges {
			c.light = config
			return
		}
		for name, value := range config {
			c.light[name] = value
		}
	})
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (c *Camera) snapshot(w http.ResponseWriter, r *http.Request) {
	var delay time.Duration
	on := false
	c.with(func() {
		c.pictures++
		c.most = max(c.most, c.pictures)
		delay, on = c.delay, c.monitoring
	})
	defer c.with(func() { c.pictures-- })
	wait(r, delay)
	if !on {
		errorPage(w, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Write(c.setup.Picture)
}

// timelapse sends the first box of a film; there is none in it.
func timelapse(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "video/mp4")
	fmt.Fprint(w, "\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom")
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status, code int, message string) {
	answer(w, status, map[string]any{"error": map[string]any{"code": code, "message": message}})
}

// errorPage is what the camera's web server gives for a route or key that it does not know.
func errorPage(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\">"+
		"<head><title>%d %s</title></head><body><h1>%[2]s</h1></body></html>\n", status, http.StatusText(status))
}

// wait waits unless the asker goes away first.
func wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}
