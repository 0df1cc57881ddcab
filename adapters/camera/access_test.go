package camera

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/grandcat/zeroconf"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// Whoever can put words into the cloud's mouth must not choose what we dial.
func TestAddressTricks(t *testing.T) {
	const key = "678460a0d47e5618699fb31169e2b47d"
	for _, text := range []string{
		"", "/", "http://", "http:///" + key, key, "//192.168.0.5/" + key, "192.168.0.5/" + key,
		"https://192.168.0.5/" + key, "ftp://192.168.0.5/" + key, "file:///etc/passwd", "http:192.168.0.5/" + key,
		"http://camera.local/" + key, "http://localhost/" + key, "http://127.0.0.1.nip.io/" + key, "http://example.com/" + key,
		"http://127.0.0.1/" + key, "http://127.1/" + key, "http://127.255.255.254/" + key, "http://[::1]/" + key,
		"http://0.0.0.0/" + key, "http://0/" + key, "http://[::]/" + key, "http://255.255.255.255/" + key, "http://224.0.0.251/" + key,
		"http://169.254.79.219/" + key, "http://169.254.169.254/" + key, "http://[fe80::1]/" + key, "http://[fe80::1%25eth0]/" + key,
		"http://198.65.1.2/" + key, "http://8.8.8.8/" + key, "http://[2001:db8::1]/" + key, "http://100.64.0.1/" + key,
		"http://[::ffff:8.8.8.8]/" + key, "http://[::ffff:127.0.0.1]/" + key, "http://[::ffff:169.254.1.1]/" + key, "http://[64:ff9b::7f00:1]/" + key,
		"http://3232235525/" + key, "http://0xc0a80005/" + key, "http://0300.0250.0.05/" + key, "http://192.168.5/" + key, "http://192.168.000.005/" + key,
		"http://192.168.0.5:22/" + key, "http://192.168.0.5:8080/" + key, "http://192.168.0.5:0/" + key, "http://192.168.0.5:99999/" + key, "http://192.168.0.5:80x/" + key,
		"http://user@192.168.0.5/" + key, "http://user:pass@192.168.0.5/" + key, "http://192.168.0.5@8.8.8.8/" + key, "http://8.8.8.8#@192.168.0.5/" + key,
		"http://192.168.0.5/" + key + "?x=1", "http://192.168.0.5/" + key + "#x", "http://192.168.0.5/" + key + "/command/reboot",
		"http://192.168.0.5/", "http://192.168.0.5", "http://192.168.0.5/abc", "http://192.168.0.5/../" + key, "http://192.168.0.5/%2e%2e%2f" + key,
		"http://192.168.0.5/" + strings.Repeat("a", 129), "http://192.168.0.5/abc%20defg", "http://192.168.0.5/abc\r\nHost: x", "http://192.168.0.5 /" + key,
		"http://192.168.0.5\\@8.8.8.8/" + key, "http://192。168。0。5/" + key, "http://①②⑦.0.0.1/" + key,
	} {
		w, err := parseLocalURL(text)
		if err == nil {
			err = mayDial(w.Address, false)
		}
		if err == nil {
			t.Errorf("%q would be dialled at %v", text, w.Address)
		} else if strings.Contains(err.Error(), key) {
			t.Errorf("%q: the key is in the error: %v", text, err)
		}
	}
}

func TestGoodAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"http://192.168.0.123/678460a0d47e5618699fb31169e2b47d":  "192.168.0.123:80",
		"http://192.168.0.123/678460a0d47e5618699fb31169e2b47d/": "192.168.0.123:80",
		"http://10.255.1.2:80/abcdef123456":                      "10.255.1.2:80",
		"http://172.31.255.1/A-b_9":                              "172.31.255.1:80",
		"http://[fd00::5]/abcdef":                                "[fd00::5]:80",
		"http://[::ffff:192.168.0.5]/abcdef":                     "192.168.0.5:80",
	} {
		w, err := parseLocalURL(text)
		if err != nil || mayDial(w.Address, false) != nil || w.Address.String() != want {
			t.Errorf("%s: %v, %v", text, w.Address, err)
		}
	}
	if mayDial(netip.MustParseAddrPort("127.0.0.1:4711"), true) != nil {
		t.Error("loopback is refused though it is allowed")
	}
}

func TestProducts(t *testing.T) {
	for _, c := range []struct {
		model, product string
		other          bool
	}{
		{"NACamera", "Welcome Netatmo", false}, {"NACamera", "NACamera", false}, {"NACamera", "noc", true}, {"NACamera", "Presence Netatmo", true},
		{"NOC", "noc", false}, {"NOC", "Presence", false}, {"NOC", "Welcome Netatmo", true},
		{"NPC", "npc", false}, {"NPC", "Welcome Netatmo", true},
		{"NACamera", "", false}, {"NOC", "some name of the future", false},
	} {
		if got := isOther(c.model, c.product); got != c.other {
			t.Errorf("%s that calls itself %q: other is %v", c.model, c.product, got)
		}
	}
}

func TestWays(t *testing.T) {
	a, b := netip.MustParseAddrPort("192.168.0.5:80"), netip.MustParseAddrPort("192.168.0.6:80")
	for name, c := range map[string]struct {
		known known
		want  []way
	}{
		"nothing":              {known{}, nil},
		"a key alone":          {known{Told: way{Key: "k1"}}, nil},
		"told":                 {known{Told: way{a, "k1"}}, []way{{a, "k1"}}},
		"told what is so":      {known{Good: way{a, "k1"}, Told: way{a, "k1"}}, []way{{a, "k1"}}},
		"told a key":           {known{Good: way{a, "k1"}, Told: way{Key: "k2"}}, []way{{a, "k1"}, {a, "k2"}}},
		"told another address": {known{Good: way{a, "k1"}, Told: way{b, "k1"}}, []way{{a, "k1"}, {b, "k1"}}},
		"told another of both": {known{Good: way{a, "k1"}, Told: way{b, "k2"}}, []way{{a, "k1"}, {b, "k2"}, {a, "k2"}, {b, "k1"}}},
	} {
		if got := c.known.ways(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %d ways, wanted %d", name, len(got), len(c.want))
		}
	}
}

func TestKnownSurvivesTheVault(t *testing.T) {
	vault := gatewaytest.NewVault()
	k := known{Device: outdoor, Name: "Jardin", Model: "NOC", Good: way{netip.MustParseAddrPort("192.168.0.5:80"), "abcdef"}, Told: way{Key: "ghijkl"}}
	if err := k.save(vault); err != nil {
		t.Fatal(err)
	}
	all, unreadable, err := loadKnown(vault)
	k.Version = knownVersion
	if err != nil || len(unreadable) > 0 || len(all) != 1 || all[outdoor] != k {
		t.Errorf("%v, %v, %v", all, unreadable, err)
	}
}

func TestNothingPrintsAKey(t *testing.T) {
	w := way{netip.MustParseAddrPort("192.168.0.5:80"), "topsecret"}
	a := Access{Device: indoor, Key: "topsecret", LocalURL: "http://192.168.0.5/topsecret"}
	for _, text := range []string{fmt.Sprint(w), fmt.Sprintf("%v %+v", w, w), fmt.Sprintf("%v %+v %s", a, a, a), a.LogValue().String()} {
		if strings.Contains(text, "topsecret") {
			t.Errorf("%q", text)
		}
	}
}

func TestAnnouncedIn(t *testing.T) {
	entry := zeroconf.NewServiceEntry(`Netatmo\ Camera`, service, "local.")
	entry.Port = 5000
	entry.AddrIPv4 = append(entry.AddrIPv4, []byte{192, 168, 0, 5})
	for text, want := range map[string]int{
		"mac_address=70:ee:50:12:34:56": 1, "MAC_ADDRESS=70EE50123456": 1, "mac_address=": 0, "mac_address": 0, "mac_address=70:ee": 0, "": 0, "id=70:ee:50:12:34:56": 0,
	} {
		entry.Text = []string{"other=1", text}
		got := announcedIn(entry)
		if len(got) != want {
			t.Errorf("%q: %v", text, got)
		}
		if want == 1 && (!sameHardware(got[0].Hardware, string(indoor)) || got[0].Address.String() != "192.168.0.5:5000") {
			t.Errorf("%q: %v", text, got)
		}
	}
	if sameHardware("", "") || sameHardware("70:ee:50:12:34:56", "70:ee:50:12:34:57") {
		t.Error("different hardware is the same")
	}
}

func FuzzParseLocalURL(f *testing.F) {
	f.Add("http://192.168.0.123/678460a0d47e5618699fb31169e2b47d")
	f.Add("http://[::ffff:10.0.0.1]:80/abcdef/")
	f.Add("http://user@169.254.1.1:8080/abc?x#y")
	f.Fuzz(func(t *testing.T, text string) {
		w, err := parseLocalURL(text)
		if err != nil {
			if len(text) > 20 && strings.Contains(err.Error(), text) {
				t.Errorf("the error repeats the address: %v", err)
			}
			return
		}
		if !isKey(w.Key) || !w.Address.IsValid() {
			t.Errorf("%q gives %v", text, w.Address)
		}
		if mayDial(w.Address, false) == nil && (!w.Address.Addr().IsPrivate() || w.Address.Port() != cameraPort) {
			t.Errorf("%q would be dialled at %v", text, w.Address)
		}
		again, err := parseLocalURL("http://" + w.Address.String() + "/" + w.Key)
		if err != nil || again != w {
			t.Errorf("%q is read as %v and then as %v, %v", text, w.Address, again.Address, err)
		}
	})
}

func FuzzReadAnswers(f *testing.F) {
	f.Add(200, "application/json", []byte(`{"local_url":"http://192.168.0.123/678460a0d47e5618699fb31169e2b47d","product_name":"noc"}`))
	f.Add(409, "application/json", []byte(`{"error":{"code":7,"message":"Already on"}}`))
	f.Add(200, "", []byte(`{"mode":"auto","intensity":100,"night":{"person":true}}`))
	f.Add(200, "text/html", []byte(`<html>`))
	f.Add(200, "image/jpeg", []byte("\xff\xd8\xff\xe0\xff\xd9"))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		page := judge(status, contentType, body) != nil
		a := answer{status, body}
		if id, err := readIdentity(a); err == nil && (id.LocalURL == "" || len([]rune(id.Product)) > 80) {
			t.Errorf("%+v", id)
		}
		if l, err := readLight(a); err == nil {
			if !isLightMode(l.mode()) {
				t.Errorf("mode %q", l.mode())
			}
			text, err := l.with(lightOn)
			if err != nil || !json.Valid([]byte(text)) || !strings.Contains(text, `"mode":"on"`) {
				t.Errorf("%s, %v", text, err)
			}
		}
		if err := readAnswer(a, nil); err == nil && strings.HasPrefix(strings.TrimSpace(string(body)), "<") {
			t.Error("a page is read as an answer")
		} else if err != nil && strings.ContainsAny(err.Error(), "\n\x00/") {
			t.Errorf("not for people: %q", err)
		}
		if _, err := readPicture(a); err == nil && page && status == 200 && !strings.HasPrefix(strings.ToLower(contentType), "text/html") {
			t.Error("a page is read as a picture")
		}
	})
}

func FuzzReadKnown(f *testing.F) {
	data, err := json.Marshal(known{Version: 1, Device: outdoor, Model: "NOC", Good: way{netip.MustParseAddrPort("192.168.0.5:80"), "abcdef"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := readKnown(data)
		if err != nil {
			return
		}
		for _, w := range k.ways() {
			if !isKey(w.Key) || !w.Address.IsValid() {
				t.Errorf("a way that cannot be gone: %q at %v", w.Key, w.Address)
			}
		}
		vault := gatewaytest.NewVault()
		if err := k.save(vault); err != nil {
			t.Fatal(err)
		}
		all, _, err := loadKnown(vault)
		k.Version = knownVersion
		if err != nil || len(all) != 1 || all[gateway.DeviceID(k.Device)] != k {
			t.Errorf("what was read does not survive being kept: %v", err)
		}
	})
}
