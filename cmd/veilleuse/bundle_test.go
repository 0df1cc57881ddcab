package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
)

// unpacked reads a bundle with the library that the program does without.
func unpacked(t *testing.T, file []byte) map[string]string {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for r := tar.NewReader(plain); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.Mode != 0o600 || h.Typeflag != tar.TypeReg {
			t.Errorf("%s has mode %o, type %c", h.Name, h.Mode, h.Typeflag)
		}
		name, _ := strings.CutPrefix(h.Name, "veilleuse-bundle/")
		all[name] = string(text)
	}
}

// inBundle runs the verb and reads what it has written.
func inBundle(t *testing.T, config string, options ...string) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bundle.tar.gz")
	wellSaid(t, append(append([]string{"bundle", "-c", config}, options...), file)...)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the bundle is %v, %v", info, err)
	}
	return unpacked(t, mustRead(t, file))
}

// What tells who lives in the simulated house and where.
var privateWords = []string{"Maison", "Salon", "Chambre", "chambre", "bain", "enfant", "chaufferie", "palier", "Semaine", "Confort",
	netatmotest.HouseID, netatmotest.Thermostat, netatmotest.BedValve, "5E:00:00:00:00:01", "5e-00-00-00-00-01", "127.0.0.1:", "client-secret", "/state"}

func TestABundleCanBeShownToEverybody(t *testing.T) {
	l := readyHouse(t, 20)
	l.status(t, "what the vendor knows of the thermostat", func(r statusReport) bool {
		d, _ := device(r, netatmotest.Thermostat)
		return len(d.Readings) >= 5
	})
	all := inBundle(t, l.config)
	for _, name := range []string{"README.txt", "system.txt", "metrics.txt", "config.json", "status.json", "outages.json", "doctor.json", "log.txt"} {
		if _, ok := all[name]; !ok {
			t.Errorf("there is no %s", name)
		}
		if name != "README.txt" && !strings.Contains(all["README.txt"], name) {
			t.Errorf("README.txt does not say what %s is", name)
		}
	}
	for name, text := range all {
		for _, word := range privateWords {
			if at := strings.Index(text, word); at >= 0 && word != "127.0.0.1:" {
				t.Errorf("%s says %q: …%s…", name, word, text[max(0, at-60):min(len(text), at+60)])
			}
		}
	}
	var status statusReport
	if err := json.Unmarshal([]byte(all["status.json"]), &status); err != nil || len(status.Rooms) != len(demoRooms) || status.Cloud.Verdict != "ok" {
		t.Errorf("the status says %+v, %v", status, err)
	}
	thermostat := slices.IndexFunc(status.Devices, func(d deviceReport) bool { return d.Model == "NATherm1" })
	if thermostat < 0 || len(status.Devices[thermostat].Readings) < 5 || !strings.HasPrefix(string(status.Devices[thermostat].ID), "device-") {
		t.Errorf("the thermostat is not understood: %+v", status.Devices)
	}
	for name, want := range map[string]string{"system.txt": " goroutines", "metrics.txt": "veilleuse_decisions_total", "doctor.json": `"survives"`, "config.json": `"FrostGuard": 7`} {
		if !strings.Contains(all[name], want) {
			t.Errorf("%s lacks %q:\n%.500s", name, want, all[name])
		}
	}
	again := inBundle(t, l.config)
	var second statusReport
	if err := json.Unmarshal([]byte(again["status.json"]), &second); err != nil || second.Home != status.Home || second.Rooms[0].Name != status.Rooms[0].Name {
		t.Errorf("another bundle has other pseudonyms: %+v, %+v", second.Home, status.Home)
	}
	if named := inBundle(t, l.config, "--names"); !strings.Contains(named["status.json"], "Salon") || !strings.Contains(named["status.json"], "Vanne chambre") || strings.Contains(named["status.json"], netatmotest.Thermostat) {
		t.Errorf("--names gives\n%.2000s", named["status.json"])
	}
}

func TestABundleOfAHouseThatDoesNotRun(t *testing.T) {
	config, _, _ := houseOnDisk(t, "ear: {room: \"Chez Léa\"}\n")
	var out, complaint bytes.Buffer
	if code := command(t.Context(), []string{"bundle", "-c", config, "-"}, console{strings.NewReader(""), &out, &complaint}); code != exitWell {
		t.Fatalf("bundle gives %d: %s", code, complaint.String())
	}
	all := unpacked(t, out.Bytes())
	if !strings.Contains(all["README.txt"], "The daemon did not run") || all["doctor.json"] != "" || !strings.Contains(all["status.json"], `"name": "room-`) {
		t.Errorf("it holds\n%s\n%s", all["README.txt"], all["status.json"])
	}
	for name, text := range all {
		if strings.Contains(text, "Salon") || strings.Contains(text, "Léa") {
			t.Errorf("%s has a name:\n%s", name, text)
		}
	}
}

func TestABundleThatCannotBeWrittenSaysWhatToDo(t *testing.T) {
	config, _, _ := houseOnDisk(t, "")
	if code, out, complaint := said(t, "bundle", "-c", config, "/no/such/folder/b.tar.gz"); code != exitNo || out != "" || !strings.Contains(complaint, "or - for standard output") {
		t.Errorf("it gives %d, %q, %q", code, out, complaint)
	}
}

func TestMask(t *testing.T) {
	s := gateway.State{}
	s.Rooms = s.Rooms.With("2746182631", gateway.Room{ID: "2746182631", Name: "Bad"})
	s.Rooms = s.Rooms.With("own-1", gateway.Room{ID: "own-1", Name: `Léas "Höhle"`})
	s.Rooms = s.Rooms.With("own-2", gateway.Room{ID: "own-2", Name: "temperature"})
	s.Devices = s.Devices.With("70:ee:50:12:34:56", gateway.Device{ID: "70:ee:50:12:34:56", Name: "Bad Valve", Also: []gateway.DeviceID{"g0000012"}})
	s.Also = s.Also.With("g0000012", "70:ee:50:12:34:56")
	m := newMask([]byte("key"), s, false)
	m.knows("", "", untyped(s.Lasting()))
	m.fields(bundlePart{text: "{\n  \"temperature\": 3\n}"})
	for _, test := range []struct{ name, text, want string }{
		{"a name", "heating: Bad: 19 °C", "heating: R: 19 °C"},
		{"the longest name", "heating: Bad: Bad Valve is set", "heating: R: D is set"},
		{"part of a word", "Badge, Abbad, Badé", "Badge, Abbad, Badé"},
		{"name in JSON", `{"name":"Bad","why":"after\nBad"}`, `{"name":"R","why":"after\nR"}`},
		{"name with marks, as it is", `Léas "Höhle": cold`, `H: cold`},
		{"name with marks, quoted", `msg="Léas \"Höhle\": cold"`, `msg="H: cold"`},
		{"field", `"temperature": 3`, `"temperature": 3`},
		{"id", "2746182631 12746182631", "R 12746182631"},
		{"hardware", "70:ee:50:12:34:56 70:EE:50:12:34:56 70-ee-50-12-34-56 70ee50123456 g0000012", "D D D D D"},
		{"other hardware", "from aa:bb:cc:dd:ee:ff", "from id-X"},
		{"private address", "dial tcp 192.168.1.7:80", "dial tcp lan-X:80"},
		{"public address", "from 203.0.113.9:1234", "from internet-X:1234"},
		{"own machine", "127.0.0.1:7007 [::1]:80 0.0.0.0:1 [::]:2", "127.0.0.1:7007 [::1]:80 0.0.0.0:1 [::]:2"},
		{"IPv6", "dial tcp [2001:db8::7]:80", "dial tcp [internet-X]:80"},
		{"IPv6 before a colon", "2001:db8::7: no route", "internet-X: no route"},
		{"link-local", "from fe80::1%eth0", "from lan-X%eth0"},
		{"a time", "at 16:41:00 and 2026-11-23T14:04:27.5Z", "at 16:41:00 and 2026-11-23T14:04:27.5Z"},
		{"a version", "go1.26.8 v1.2.14 v0.0.0-20200728191858-db3c7e526aae", "go1.26.8 v1.2.14 v0.0.0-20200728191858-db3c7e526aae"},
		{"mail", "user jean.dupont@example.org asked", "user mail-X asked"},
		{"host on the LAN", "jeans-iphone.local left", "host-X left"},
		{"controller", `msg=x controller="A1 B2" by=3F2504E0-4F89-11D3-9A0C-0305E82C3301`, `msg=x controller=name-X by=name-X`},
		{"vendor's id", "home 5f1c0ffee5f1c0ffee5f1c0f", "home id-X"},
		{"a program's words", `"err": "/x ended with exit status 1: token \"abc\"",`, `"err": "/x ended badly; what it said is left out",`},
	} {
		got := m.masked(test.text)
		for word, short := range map[string]string{"Bad": "R", "70:ee:50:12:34:56": "D", `Léas "Höhle"`: "H"} {
			got = strings.ReplaceAll(got, m.words[word], short)
		}
		if got = regexp.MustCompile(`\b(id|lan|internet|mail|host|name)-[0-9a-f]{6}\b`).ReplaceAllString(got, "$1-X"); got != test.want {
			t.Errorf("%s: %q becomes %q, want %q", test.name, test.text, got, test.want)
		}
	}
}

func TestWordsAboutWhatIsGoneAreLeftOut(t *testing.T) {
	s := gateway.State{}
	s.Rooms = s.Rooms.With("r1", gateway.Room{ID: "r1"})
	m := newMask([]byte("key"), s, false)
	all := []gateway.Decision{{Room: "r1", What: "stays"}, {Room: "r2", What: "goes", Why: "goes"}, {Device: "d1", What: "goes"}, {What: "stays"}}
	got := m.present(all)
	if got[0].What != "stays" || got[1].What != goneWords || got[1].Why != "" || got[2].What != goneWords || got[3].What != "stays" || all[1].What != "goes" {
		t.Errorf("left are %+v", got)
	}
	if lines := m.presentLines("msg=a room=r1\nmsg=b room=r2\nmsg=c device=\"d 1\"\nmsg=d\n"); lines != "msg=a room=r1\n"+goneWords+"\n"+goneWords+"\nmsg=d\n" {
		t.Errorf("left of the log is %q", lines)
	}
}

// Wherever a secret stands, and in whatever spelling, it is found.
func FuzzASecretIsFound(f *testing.F) {
	f.Add([]byte("correct horse"), []byte("before "), []byte(" after"))
	f.Add([]byte("\x00\xff\"/+=\\"), []byte("a"), []byte("bc"))
	f.Fuzz(func(t *testing.T, value, before, after []byte) {
		if len(bytes.TrimSpace(value)) < shortestSecret {
			return
		}
		whole := slices.Concat(before, value, after)
		for name, text := range map[string]string{
			"plain": string(whole), "hex": hex.EncodeToString(whole), "HEX": strings.ToUpper(hex.EncodeToString(whole)), "quoted": strconv.Quote(string(value)),
			"base64": base64.StdEncoding.EncodeToString(whole), "base64, URL": base64.RawURLEncoding.EncodeToString(whole),
			"query": url.QueryEscape(string(whole)), "path": url.PathEscape(string(whole)),
		} {
			err := leaks([]bundlePart{{"x.txt", "nothing"}, {"y.txt", text}}, secrets{{"a key", value}})
			if err == nil || !strings.Contains(err.Error(), "y.txt would hold something of a key") {
				t.Errorf("%s of %q in %q is not found: %v", name, value, text, err)
			}
		}
	})
}

// A token of Netatmo's begins with the id of its owner, which is replaced in every text: the rest must not pass for that.
func TestATokenIsFoundAlthoughTheIdInItIsReplaced(t *testing.T) {
	file, _, _ := houseOnDisk(t, "")
	config, _, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	const token = "5f1c0ffee5f1c0ffee5f1c0f|canary0of0the0token"
	err = withHouse(config, func(h *house) error {
		if err := h.login(json.RawMessage(`{"access_token":"` + token + `","refresh_token":"another"}`)); err != nil {
			return err
		}
		for _, said := range []string{token, "canary0of0the0token"} {
			h.said = &lastLines{out: io.Discard}
			fmt.Fprintf(h.said, "level=INFO msg=%q\n", "GET /?access_token="+said)
			if _, _, err := h.bundle(time.Now()); !errors.Is(err, errLeak) || !strings.Contains(err.Error(), "netatmo") || strings.Contains(err.Error(), "canary") {
				t.Errorf("%q is said, and the bundle is made: %v", said, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// What people have typed and chosen on the page is no secret: a room that was named there is the room of the status.
func TestABundleAfterTheFirstRun(t *testing.T) {
	l := readyHouse(t, 20)
	if err := netatmo.ChooseHome(l.house.store.Vault(gateway.CloudAdapter), netatmotest.HouseID); err != nil {
		t.Fatal(err)
	}
	typed := `{"marks":{"accessories":"done"},"typed":{"accessories.room 5E:00:00:00:00:01":"Chambre d'enfant","ear.name":"Vanne chambre"}}`
	if err := l.house.store.Vault(gateway.WebAdapter).Set("first", []byte(typed)); err != nil {
		t.Fatal(err)
	}
	for name, text := range inBundle(t, l.config) {
		for _, word := range []string{netatmotest.HouseID, "Chambre d'enfant", "Vanne chambre", "5E:00:00:00:00:01"} {
			if strings.Contains(text, word) {
				t.Errorf("%s says %q", name, word)
			}
		}
	}
}

func TestSecretsOfTheVaultsAreKnown(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 64)
	for _, test := range []struct {
		name, record string
		want         []string
	}{
		{"tokens", `{"access_token":"the-access","refresh_token":"the-refresh","scope":["read"],"before":{"access_token":"an-older"}}`, []string{"an-older", "the-access", "the-refresh"}},
		{"a camera", `{"name":"Door","good":{"address":"10.0.0.1:80","key":"the-camera"}}`, []string{"the-camera"}},
		{"a key pair", `{"key":"` + base64.StdEncoding.EncodeToString(key) + `"}`, []string{string(key), string(key[:32]), base64.StdEncoding.EncodeToString(key)}},
		{"what a later version keeps", `{"name":"Door","pin":["the-pin"]}`, []string{"the-pin"}},
	} {
		var value any
		if err := json.Unmarshal([]byte(test.record), &value); err != nil {
			t.Fatal(err)
		}
		var got []string
		var found secrets
		found.within("x", value)
		for _, s := range found {
			if !slices.Contains(test.want, string(s.value)) && slices.Contains([]string{"Door", "10.0.0.1:80", "read"}, string(s.value)) {
				t.Errorf("%s: %q is no secret", test.name, s.value)
			}
			got = append(got, string(s.value))
		}
		for _, want := range test.want {
			if !slices.Contains(got, want) {
				t.Errorf("%s: %q is not known", test.name, want)
			}
		}
	}
	var users, pem secrets
	users.lines("mqtt.users_file", "# people\nphone:$2y$05$hash")
	pem.lines("mqtt.tls_key_file", "-----BEGIN KEY-----\nMIIabc\n-----END KEY-----")
	if len(users) != 1 || string(users[0].value) != "$2y$05$hash" || len(pem) != 1 || string(pem[0].value) != "MIIabc" {
		t.Errorf("files hold %q, %q", users, pem)
	}
}

func TestTheLogIsKeptWithinBounds(t *testing.T) {
	var out bytes.Buffer
	l := &lastLines{out: &out}
	log := slog.New(newLogHandler(l))
	log.Info("first")
	for i := range 5000 {
		log.Info("line", "number", i)
	}
	text := l.text()
	if strings.Contains(text, "first") || !strings.HasSuffix(text, "number=4999\n") || len(text) > mostKept || len(text) < mostKept/3 || strings.Count(out.String(), "\n") != 5001 {
		t.Errorf("%d bytes are kept; passed on were %d lines", len(text), strings.Count(out.String(), "\n"))
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "time=") {
			t.Errorf("half a line is kept: %q", line)
		}
	}
	t.Setenv("JOURNAL_STREAM", "8:1")
	quiet := &lastLines{out: io.Discard}
	slog.New(newLogHandler(quiet)).Info("stamped by nobody")
	if _, err := time.Parse(time.RFC3339, strings.Fields(quiet.text())[0]); err != nil {
		t.Errorf("a line has no time: %q", quiet.text())
	}
	if (*lastLines)(nil).text() != "" {
		t.Error("nobody has kept something")
	}
}

func TestAPartThatIsTooLongIsCut(t *testing.T) {
	file, err := tarOf([]bundlePart{{"log.txt", strings.Repeat("x", mostPart+7)}, {"b.txt", "b"}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if all := unpacked(t, file); !strings.HasSuffix(all["log.txt"], "x\n[cut off here]\n") || all["b.txt"] != "b" {
		t.Errorf("it holds %d bytes, and %q", len(all["log.txt"]), all["b.txt"])
	}
}
