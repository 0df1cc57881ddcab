package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// keeper is a house that can be kept, and notes what was asked of it.
type keeper struct {
	asked    []string
	file     []byte
	restored atomic.Int32 // times, each a moment after its answer
}

func (k *keeper) note(format string, args ...any) {
	k.asked = append(k.asked, fmt.Sprintf(format, args...))
}

func (k *keeper) care() *Care {
	return &Care{
		Sealed: func() bool { return false },
		Pack: func(_ time.Time, words string) ([]byte, bool, error) {
			k.note("pack %s", words)
			if words == "short" {
				return nil, false, errors.New("the passphrase: too <short>")
			}
			return []byte("the house"), words != "", nil
		},
		Keep:   func(time.Time) (string, error) { k.note("keep"); return "/var/lib/<x>", nil },
		Upload: func(file []byte) string { k.file = file; return "f1" },
		Look: func(id, words string) (Restorable, error) {
			k.note("look %s %s %d", id, words, len(k.file))
			switch {
			case id != "f1":
				return Restorable{}, ErrUploadGone
			case string(k.file) != "backup":
				return Restorable{}, fmt.Errorf("it: %w", ErrNotBackup)
			case words == "":
				return Restorable{}, ErrNeedsKey
			}
			return Restorable{ID: id, Made: evening, Program: "1.2", Sealed: true, Records: 41, Here: Contents{Home: "Here", Rooms: 3}, There: Contents{Home: "There <b>", Rooms: 3},
				Files: []RestoredFile{{Path: "/etc/v.yaml", Fate: "beside"}}}, nil
		},
		Restore: func(id string) (func(), error) {
			if id != "f1" {
				return nil, ErrUploadGone
			}
			return func() { k.restored.Add(1) }, nil
		},
		Pairings: func() (Pairings, error) {
			return Pairings{Accessories: []PairedAccessory{{ID: "AA:BB", Name: "Relay <1>", Model: "NAPlug", Address: "10.0.0.2:5001"}, {ID: "CC:DD", Bluetooth: true}},
				Bridges: []OwnBridge{{ID: "EE:FF", Name: "Veilleuse", Controllers: []Controller{{ID: "phone", Admin: true}}}}}, nil
		},
		Controllers: func(_ context.Context, id string) ([]Controller, error) {
			if id != "AA:BB" {
				return nil, errors.New("it does not answer")
			}
			return []Controller{{ID: "us", Admin: true, Own: true}, {ID: "hub\x01", Admin: true}}, nil
		},
		Remove: func(_ context.Context, id, controller string) error {
			k.note("remove %s %s", id, controller)
			return nil
		},
		Unpair: func(_ context.Context, id string) (string, error) {
			k.note("unpair %s", id)
			return id + " is gone", nil
		},
		Share: func(_ context.Context, s Share) (Shared, error) {
			k.note("share %+v", s)
			if s.Key == "" {
				return Shared{}, errors.New("no key")
			}
			return Shared{AccessoryPairingID: s.ID, AccessoryLTPK: "f00d", AccessoryIP: "10.0.0.2", AccessoryPort: 5001, Name: "Relay"}, nil
		},
		Bundle: func(time.Time) (string, []byte, error) { return "b.zip", []byte("zip"), nil },
	}
}

// keeps is a door to a house that can be kept, with a browser that is signed in.
func keeps(t *testing.T) (*doorOf, *keeper, string) {
	k := &keeper{}
	d := newDoor(t, Options{Care: k.care()})
	return d, k, keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
}

// upload is a form with a file.
func upload(d *doorOf, key, path, file string, more map[string]string) *httptest.ResponseRecorder {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, value := range more {
		w.WriteField(name, value)
	}
	part, _ := w.CreateFormFile("file", "x.backup")
	part.Write([]byte(file))
	w.Close()
	return d.request("POST", path, form.String(), with(key), func(r *http.Request) { r.Header.Set("Content-Type", w.FormDataContentType()) })
}

func TestKeepingTheHouseByForms(t *testing.T) {
	d, k, key := keeps(t)
	for _, c := range []struct {
		path, form string
		code       int
		says       []string
		asks       string
	}{
		{"/care/keep", "", 200, []string{`role="status">A backup is in /var/lib/&lt;x&gt;.`}, "keep"},
		{"/care/backup", "passphrase=a+long+passphrase&again=another", 422, []string{"The two are not the same"}, ""},
		{"/care/backup", "passphrase=a+long+passphrase&again=", 422, []string{"The two are not the same"}, ""},
		{"/care/backup", "passphrase=short&again=short", 422, []string{`role="alert">the passphrase: too &lt;short&gt;`}, "pack short"},
		{"/care/look", "", 422, []string{"No file was chosen"}, ""},
		{"/care/look", "id=f9", 422, []string{"upload it again"}, "look f9  0"},
		{"/care/restore", "id=f1", 422, []string{"not confirmed"}, ""},
		{"/care/restore", "id=f9&sure=true", 422, []string{"upload it again"}, ""},
		{"/care/unpair", "id=AA:BB", 422, []string{"not confirmed", "Relay &lt;1&gt;"}, ""},
		{"/care/unpair", "id=AA:BB&sure=true", 200, []string{"AA:BB is gone"}, "unpair AA:BB"},
		{"/care/remove", "id=AA:BB&controller=hub%01", 422, []string{"not confirmed"}, ""},
		{"/care/remove", "id=AA:BB&controller=hub%01&sure=true", 200, []string{"The accessory has forgotten it."}, "remove AA:BB hub\x01"},
		{"/care/share", "id=AA:BB&controller=x&key=&admin=true", 422, []string{"no key"}, "share {ID:AA:BB Controller:x Key: Admin:true}"},
		{"/care/share", "id=AA:BB&controller=x&key=abcd", 200, []string{"Relay knows it now", "f00d", "10.0.0.2"}, "share {ID:AA:BB Controller:x Key:abcd Admin:false}"},
		{"/care/password", "password=wrong+one&new=long+enough&again=long+enough", 422, []string{"That is not the password"}, ""},
		{"/care/password", "password=" + rightful + "&new=long+enough&again=other+words", 422, []string{"The two are not the same"}, ""},
		{"/care/password", "password=" + rightful + "&new=short&again=short", 422, []string{"8 to 256"}, ""},
	} {
		k.asked = nil
		w := d.request("POST", c.path, c.form, with(key))
		for _, want := range append(c.says, `action="/care/backup"`, `action="/care/look#restore"`) {
			if want == c.says[0] && w.Code != c.code || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s %s: %d does not say %q", c.path, c.form, w.Code, want)
			}
		}
		if got := strings.Join(k.asked, "; "); got != c.asks {
			t.Errorf("%s %s asks for %q, want %q", c.path, c.form, got, c.asks)
		}
		if body := w.Body.String(); strings.Contains(body, "%!") || strings.Contains(body, rightful) || strings.Contains(body, "<b>") {
			t.Errorf("%s: the page gives away what was typed, or is broken", c.path)
		}
	}
}

// A restore begins only when it is confirmed, after the answer, which ends with it.
func TestARestoreBeginsAfterItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, k, key := keeps(t)
		w := d.request("POST", "/care/restore", "id=f1", with(key))
		time.Sleep(leavesAfter)
		synctest.Wait()
		if n := k.restored.Load(); w.Code != 422 || n != 0 {
			t.Errorf("not confirmed: %d, begun %d times", w.Code, n)
		}
		w = d.request("POST", "/care/restore", "id=f1&sure=true", with(key))
		if n := k.restored.Load(); w.Code != 200 || !strings.Contains(w.Body.String(), "restarts from the backup") || n != 0 {
			t.Errorf("confirmed: %d, begun %d times before the answer: %s", w.Code, n, w.Body)
		}
		time.Sleep(leavesAfter)
		synctest.Wait()
		if n := k.restored.Load(); n != 1 {
			t.Errorf("begun %d times", n)
		}
	})
}

// A backup that is uploaded is looked at, asks for its passphrase without a second upload, and is shown.
func TestABackupIsLookedAtBeforeItIsRestored(t *testing.T) {
	d, _, key := keeps(t)
	if w := upload(d, key, "/care/look", "holiday.jpg", nil); w.Code != 422 || !strings.Contains(w.Body.String(), "This file is no backup of Veilleuse; nothing was changed.") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w := upload(d, key, "/care/look", "backup", nil)
	if w.Code != 422 || !strings.Contains(w.Body.String(), "type its passphrase") || !strings.Contains(w.Body.String(), `name="id" value="f1"`) || strings.Contains(w.Body.String(), `type="file"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = d.request("POST", "/care/look", "id=f1&passphrase=words", with(key))
	for _, want := range []string{"The backup is whole: 41 records.", "Veilleuse 1.2, encrypted", `<tr class="changes"><th scope="row">Home</th><td>Here</td><td>There &lt;b&gt;</td></tr>`,
		`<tr class=""><th scope="row">Rooms</th><td>3</td>`, "/etc/v.yaml", "stays as it is here", `name="sure" value="true" required`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the backup is shown without %q", want)
		}
	}
	if w := upload(d, key, "/care/look", strings.Repeat("x", backupBody), nil); w.Code != 422 || !strings.Contains(w.Body.String(), "larger than 8 MB") {
		t.Errorf("too large: %d %.200s", w.Code, w.Body)
	}
	d.uploading.Lock()
	if w := upload(d, key, "/care/look", "backup", nil); w.Code != 422 || !strings.Contains(w.Body.String(), "Another file is just being uploaded") {
		t.Errorf("two at once: %d %.200s", w.Code, w.Body)
	}
	d.uploading.Unlock()
	if w := upload(d, key, "/care/unpair", strings.Repeat("x", formBody), nil); w.Code != 422 {
		t.Errorf("a file where none belongs: %d", w.Code)
	}
}

// Who uploads a film by mistake reads so next to the field: a browser that is cut off while it sends shows a page of its own.
func TestAFileThatIsFarTooLargeIsAnsweredInWords(t *testing.T) {
	v := visit(t, Options{Care: (&keeper{}).care()})
	film := &counting{}
	form := io.MultiReader(strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"film\"\r\n\r\n"), io.LimitReader(film, 4*backupBody), strings.NewReader("\r\n--x--\r\n"))
	r, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+v.address+"/care/look", form)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	r.AddCookie(&http.Cookie{Name: cookieName, Value: v.token})
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 422 || !strings.Contains(string(page), "larger than 8 MB") {
		t.Errorf("%s %v %.200s", answer.Status, err, page)
	}
	if film.read < 4*backupBody {
		t.Errorf("%d bytes of it were read: a browser that goes on sending sees its connection break", film.read)
	}
}

func TestKeepingTheHouseByJSON(t *testing.T) {
	d, k, key := keeps(t)
	for _, c := range []struct {
		method, path, body string
		code               int
		says, asks         string
	}{
		{"POST", "/api/backup", `{"passphrase":"long words here"}`, 200, "the house", "pack long words here"},
		{"POST", "/api/backup", `{`, 422, "expected a JSON object", ""},
		{"POST", "/api/keep", ``, 200, `{"said":"A backup is in /var/lib/`, "keep"},
		{"POST", "/api/look", `{}`, 422, "No file was chosen.\n", ""},
		{"POST", "/api/restore", `{"id":"f1","sure":true}`, 200, `{"said":"The house restarts`, ""},
		{"GET", "/api/pairings", "", 200, `{"accessories":[{"id":"AA:BB"`, ""},
		{"GET", "/api/pairings/AA:BB", "", 200, `[{"id":"us","admin":true,"own":true}`, ""},
		{"GET", "/api/pairings/CC:DD", "", 422, "it does not answer\n", ""},
		{"POST", "/api/unpair", `{"id":"AA:BB","sure":true}`, 200, `{"said":"AA:BB is gone"}`, "unpair AA:BB"},
		{"POST", "/api/unpair", `{"id":"AA:BB"}`, 422, "not confirmed", ""},
		{"POST", "/api/remove", `{"id":"AA:BB","controller":"hub","sure":true}`, 200, `has forgotten it`, "remove AA:BB hub"},
		{"POST", "/api/share", `{"id":"AA:BB","controller":"x","key":"k","admin":true}`, 200, `"AccessoryLTPK":"f00d"`, "share {ID:AA:BB Controller:x Key:k Admin:true}"},
		{"POST", "/api/bundle", "", 200, "zip", ""},
	} {
		k.asked = nil
		w := d.request(c.method, c.path, c.body, with(key))
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) || strings.Join(k.asked, "; ") != c.asks {
			t.Errorf("%s %s: %d %s, asks %q", c.path, c.body, w.Code, w.Body, k.asked)
		}
	}
	if w := d.request("POST", "/api/backup", `{"passphrase":"long words here"}`, with(key)); w.Header().Get("Content-Disposition") != `attachment; filename=veilleuse-`+d.now().UTC().Format("20060102-150405")+`.backup.age` && !strings.HasSuffix(w.Header().Get("Content-Disposition"), ".backup.age") {
		t.Errorf("%v", w.Header())
	}
	d.options.Care = nil
	for _, r := range routes {
		if !strings.HasPrefix(r.path, "/api/") || !slices.ContainsFunc([]string{"backup", "restore", "pairings", "unpair", "remove", "share", "bundle"}, func(of string) bool { return strings.Contains(r.path, of) }) {
			continue
		}
		body := ""
		if r.method == "POST" {
			body = `{"id":"f1","sure":true}`
		}
		if w := d.request(r.method, pathOf(r), body, with(key)); w.Code != 422 || w.Body.String() != errNotHere.Error()+"\n" {
			t.Errorf("%s where it cannot be done: %d %s", r.path, w.Code, w.Body)
		}
	}
}

// Who changes the password stays signed in, and nobody else does; wrong ones slow down as at the door.
func TestThePasswordIsChangedByWhoKnowsIt(t *testing.T) {
	d, _, key := keeps(t)
	other := keyOf(d.request("POST", "/sign-in", "password="+rightful))
	if w := d.request("POST", "/api/password", `{"password":"`+rightful+`","new":"long enough now"}`, with(key)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if mine, theirs := d.request("GET", "/api/state", "", with(key)).Code, d.request("GET", "/api/state", "", with(other)).Code; mine != 200 || theirs != 401 {
		t.Errorf("mine %d, theirs %d", mine, theirs)
	}
	other = keyOf(d.request("POST", "/sign-in", "password=long+enough+now"))
	if w := d.request("POST", "/care/sign-out", "", with(key)); w.Code != 200 || !strings.Contains(w.Body.String(), "Everybody else is signed out") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if mine, theirs := d.request("GET", "/api/state", "", with(key)).Code, d.request("GET", "/api/state", "", with(other)).Code; mine != 200 || theirs != 401 {
		t.Errorf("after signing the others out: mine %d, theirs %d", mine, theirs)
	}
	var last string
	for range freeWrong + 1 {
		last = d.request("POST", "/api/password", `{"password":"a guess of one","new":"long enough now"}`, with(key)).Body.String()
	}
	if !strings.Contains(last, "Too many wrong passwords") {
		t.Errorf("the guess after %d wrong ones: %s", freeWrong, last)
	}
}
