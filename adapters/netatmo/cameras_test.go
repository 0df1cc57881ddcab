package netatmo

import (
	"bytes"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// fast makes the house and its vendor live 500 times as fast, so that real sockets can be used without
// waiting.
func fast() (func() time.Time, func(*gateway.Loop)) {
	began := time.Now()
	now := func() time.Time { return evening.Add(500 * time.Since(began)) }
	return now, func(l *gateway.Loop) {
		l.Now = now
		l.After = func(d time.Duration) <-chan time.Time { return time.After(d / 500) }
	}
}

func TestCamerasAreHandedOn(t *testing.T) {
	now, speed := fast()
	cloud := netatmotest.New(netatmotest.Options{Now: now})
	base, err := cloud.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer cloud.Close()
	told := make(chan CameraAccess, 100)
	var words bytes.Buffer
	house := gatewaytest.Start(t, gateway.CloudAdapter, New(Options{
		URL: base, ClientID: "client", ClientSecret: "client-secret", Vault: signedIn(t, cloud),
		Cameras: func(c CameraAccess) { told <- c }, Log: slog.New(slog.NewTextHandler(&words, nil)),
	}), speed)
	final := make(map[gateway.DeviceID]CameraAccess)
	patience := time.After(gatewaytest.Patience)
	for len(final) < 2 {
		select {
		case c := <-told:
			if c.LocalURL != "" {
				final[c.Device] = c
			}
		case <-patience:
			t.Fatalf("told only %v", final)
		}
	}
	house.Stop()
	const key = "5d278460699e56180d47ab47169efb31"
	want := CameraAccess{Device: netatmotest.Welcome, Name: "Entrée", Model: "NACamera", Key: key, LocalURL: "http://192.168.1.31/" + key, IsLocal: true}
	if got := final[netatmotest.Welcome]; got != want {
		t.Errorf("got %#v with key %q at %q", got, got.Key, got.LocalURL)
	}
	if got := final[netatmotest.Presence]; got.Model != "NOC" || got.IsLocal {
		t.Errorf("outdoor camera: model %s, local %v", got.Model, got.IsLocal)
	}
	for _, r := range cloud.Requests() {
		if strings.HasPrefix(r.Path, "/restricted/") && r.Access != "" {
			t.Error("a camera's relay was given the access token")
		}
	}
	if strings.Contains(words.String(), key) {
		t.Errorf("the key is in the log: %s", words.String())
	}
	for {
		select {
		case e := <-house.Facts():
			if r, ok := e.Fact.(gateway.Reading); ok && strings.Contains(r.Value.String(), key) {
				t.Fatalf("the key is in a fact: %+v", r)
			}
			if c, ok := e.Fact.(gateway.Call); ok && strings.Contains(c.Why, "ping") {
				t.Errorf("a camera's answer is taken for the cloud's: %+v", c)
			}
			continue
		default:
		}
		break
	}
}

func TestKeyOfACamera(t *testing.T) {
	for _, c := range []struct{ name, vpn, key string }{
		{"restricted", "https://prodvpn-eu-2.netatmo.net/restricted/10.255.123.45/609e27de5699fb18147ab47d06846631/MTRPn_BeWC,,", "609e27de5699fb18147ab47d06846631"},
		{"newer", "https://prodvpn-eu-6.netatmo.net/10.20.30.41/333333333333/444444444444,,", "333333333333"},
		{"masked", "https://prodvpn-eu-14.netatmo.net/restricted/xx.xxx.xxx.xxx/xxxxxxxxxxxxxxxxxxxxxxxxxxxxx/yyyy,,", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
		{"too short", "https://prodvpn-eu-2.netatmo.net/restricted/10.255.123.45", ""},
		{"a key that would leave its place", "https://prodvpn-eu-2.netatmo.net/restricted/10.255.123.45/..%2f..%2fx/t", ""},
		{"no address", "not a URL", ""},
		{"none", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := readCamera(attributes{"vpn_url": []byte(`"` + c.vpn + `"`)})
			if got.key != c.key || (got.vpn == nil) != (c.key == "") {
				t.Errorf("key %q, want %q", got.key, c.key)
			}
		})
	}
}

func TestPublishedCameraKeys(t *testing.T) {
	s := readStatus(fixtureAnswer(t, "pyatmo/homestatus_91763b24c43d3e344f424e8b.json"), time.Now())
	if c := statusOf(t, s, "12:34:56:00:f1:62").camera; c.key != "609e27de5699fb18147ab47d06846631" || !c.local {
		t.Errorf("indoor camera: %q, local %v", c.key, c.local)
	}
	if c := statusOf(t, s, "12:34:56:10:b9:0e").camera; c.key != "333333333333" || c.local {
		t.Errorf("outdoor camera: %q, local %v", c.key, c.local)
	}
}

func TestLocalAddressOfACamera(t *testing.T) {
	vendor, err := newWeb(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, in string
		want     string
	}{
		{"as published", readObject(fixture(t, "pyatmo/ping.json")).text("local_url"), "http://192.168.0.123/678460a0d47e5618699fb31169e2b47d"},
		{"older, the same", readObject(fixture(t, "pyatmo-archive/camera_ping.json")).text("local_url"), "http://192.168.0.123/678460a0d47e5618699fb31169e2b47d"},
		{"with a port", "http://10.0.0.7:8080/abcd1234", "http://10.0.0.7:8080/abcd1234"},
		{"link-local", "http://169.254.1.2/abcd1234", ""},
		{"public", "http://198.65.3.4/abcd1234", ""},
		{"loopback", "http://127.0.0.1/abcd1234", ""},
		{"a name", "http://router.lan/abcd1234", ""},
		{"TLS", "https://192.168.0.123/abcd1234", ""},
		{"a path that leads elsewhere", "http://192.168.0.1/reboot/now", ""},
		{"a query", "http://192.168.0.1/abcd1234?x=1", ""},
		{"no key", "http://192.168.0.1/", ""},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &session{Options: Options{Cameras: func(CameraAccess) {}}, web: vendor}
			cam := &camera{}
			s.learnAddress(cam, c.in)
			if cam.access.LocalURL != c.want {
				t.Errorf("took %q, want %q", cam.access.LocalURL, c.want)
			}
		})
	}
}

func TestRelaysThatMayBeAsked(t *testing.T) {
	vendor, err := newWeb(Options{})
	if err != nil {
		t.Fatal(err)
	}
	fake, err := newWeb(Options{URL: "http://127.0.0.1:9"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url          string
		vendor, fake bool
	}{
		{"https://prodvpn-eu-2.netatmo.net/restricted/10.0.0.1/k/t", true, false},
		{"http://prodvpn-eu-2.netatmo.net/restricted/10.0.0.1/k/t", false, false},
		{"https://prodvpn.netatmo.net.evil.test/x", false, false},
		{"https://evilnetatmo.net/x", false, false},
		{"https://a:b@x.netatmo.net/x", false, false},
		{"http://127.0.0.1:9/restricted/10.0.0.1/k/t", false, true},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&session{web: vendor}).mayAskRelay(u); got != c.vendor {
			t.Errorf("%s for the vendor: %v", c.url, got)
		}
		if got := (&session{web: fake}).mayAskRelay(u); got != c.fake {
			t.Errorf("%s for a vendor on loopback: %v", c.url, got)
		}
	}
}

func TestCameraWithANewKey(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var told []CameraAccess
		s, done := lonely(t, netatmotest.New(netatmotest.Options{}), newMemory())
		defer done()
		s.Cameras = func(c CameraAccess) { told = append(told, c) }
		see := func(key string) {
			s.learnCamera(readDevice(readObject([]byte(`{"id":"cam","type":"NACamera","is_local":true,
				"vpn_url":"http://127.0.0.1/restricted/10.255.0.1/`+key+`/token,,"}`)), evening))
		}
		see("first-key")
		s.learnAddress(s.known.cameras["cam"], "http://192.168.1.9/first-key")
		see("first-key")
		see("second-key")
		want := []CameraAccess{
			{Device: "cam", Model: "NACamera", Key: "first-key", IsLocal: true},
			{Device: "cam", Model: "NACamera", Key: "first-key", LocalURL: "http://192.168.1.9/first-key", IsLocal: true},
			{Device: "cam", Model: "NACamera", Key: "second-key", IsLocal: true},
		}
		if !slices.Equal(told, want) {
			for _, c := range told {
				t.Errorf("told key %s at %q", c.Key, c.LocalURL)
			}
		}
		for _, kind := range []string{"NDB", "NIS"} {
			s.learnCamera(readDevice(readObject([]byte(`{"id":"x","type":"`+kind+`","vpn_url":"http://127.0.0.1/10.255.0.1/some-key/token,,"}`)), evening))
		}
		if len(told) != 3 {
			t.Error("a doorbell has no HTTP interface on the LAN")
		}
	})
}
