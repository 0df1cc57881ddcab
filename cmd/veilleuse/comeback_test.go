package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/adapters/store/backup"
	"github.com/veilleuse/veilleuse/adapters/web"
)

// keeper is somebody who keeps a house by its page.
type keeper struct {
	t      *testing.T
	at     string // http://host:port
	state  string
	config string
	client *http.Client
	log    *journal
}

// journal is a log that is read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// settleIn starts a house of its own and signs in to its page.
func settleIn(t *testing.T, more string) *keeper {
	t.Helper()
	folder, page := t.TempDir(), freeAddress(t) // where the page is found again once the house restarts
	k := &keeper{t: t, at: "http://" + page, state: filepath.Join(folder, "state"), log: &journal{}}
	k.config = writeTo(t, filepath.Join(folder, "v.yaml"), fmt.Sprintf("state: %s\nnetatmo: {url: \"http://127.0.0.1:1\"}\nuplink: {witnesses: []}\nhomekit: {listen: \"127.0.0.1:0\"}\nweb: {listen: %q}\nmqtt: {listen: \"127.0.0.1:0\"}\n%s",
		k.state, page, more))
	runsToTheEnd(t, func(ctx context.Context) error {
		return runHouses(ctx, k.config, slog.New(slog.NewTextHandler(k.log, nil)), outside{quiet: true})
	})
	jar, _ := cookiejar.New(nil) // fails never
	k.client = &http.Client{Jar: jar}
	k.await("GET", "/readyz", "ok")
	if answer, err := k.client.PostForm(k.at+"/welcome", url.Values{"password": {passphrase}, "again": {passphrase}}); err != nil || answer.StatusCode != 200 {
		t.Fatalf("%v %v", answer, err)
	}
	return k
}

// await asks until the answer has something in it.
func (k *keeper) await(method, path, want string) {
	k.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, body, err := k.ask(method, path, "", nil)
		if err == nil && strings.Contains(string(body), want) {
			return
		}
		if time.Now().After(deadline) {
			k.t.Fatalf("%s never says %q: %.300s %v", path, want, body, err)
		}
	}
}

func (k *keeper) ask(method, path, kind string, body []byte) (int, []byte, error) {
	r, err := http.NewRequest(method, k.at+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", kind)
	answer, err := k.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	return answer.StatusCode, content, err
}

// call makes a call of the page and returns what it answers.
func (k *keeper) call(path, body string) (int, string) {
	k.t.Helper()
	status, content, err := k.ask("POST", path, "application/json", []byte(body))
	if err != nil {
		k.t.Fatal(err)
	}
	return status, string(content)
}

// look uploads a file.
func (k *keeper) look(file []byte, passphrase string) (int, string) {
	k.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, _ := w.CreateFormFile("file", "house.backup")
	part.Write(file)
	w.WriteField("passphrase", passphrase)
	w.Close()
	status, content, err := k.ask("POST", "/api/look", w.FormDataContentType(), form.Bytes())
	if err != nil {
		k.t.Fatal(err)
	}
	return status, string(content)
}

// homekitIdentity is the id of the house's bridge.
func (k *keeper) homekitIdentity() string {
	_, body, err := k.ask("GET", "/api/pairings", "", nil)
	var p web.Pairings
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	if err != nil || len(p.Bridges) != 1 {
		k.t.Fatalf("%s %v", body, err)
	}
	return p.Bridges[0].ID
}

// A house is handed out by its page, encrypted, and comes back on another machine by an upload: looked at, confirmed, restarted,
// with the other machine's password, and the same bridge for the Home app.
func TestAHouseComesBackByUpload(t *testing.T) {
	old := settleIn(t, "")
	bridge := old.homekitIdentity()
	status, file := old.call("/api/backup", `{"passphrase":"`+passphrase+`"}`)
	if status != 200 || !backup.IsSealed([]byte(file)) {
		t.Fatalf("%d %.80q", status, file)
	}
	if status, answer := old.call("/api/backup", `{"passphrase":"short"}`); status != 422 || !strings.Contains(answer, "fewer than 12") {
		t.Errorf("a short passphrase: %d %s", status, answer)
	}
	if status, clear := old.call("/api/backup", `{}`); status != 200 || backup.IsSealed([]byte(clear)) {
		t.Errorf("without a passphrase: %d %.80q", status, clear)
	}

	fresh := settleIn(t, "")
	was := fresh.homekitIdentity()
	for name, bad := range map[string]struct {
		file             []byte
		passphrase, want string
	}{
		"a photograph":       {[]byte("\xff\xd8\xff\xe0 JFIF"), "", web.ErrNotBackup.Error()},
		"nothing":            {nil, "", "No file was chosen"},
		"without passphrase": {[]byte(file), "", web.ErrNeedsKey.Error()},
		"wrong passphrase":   {[]byte(file), "not the right words", web.ErrWrongKey.Error()},
		"no passphrase":      {[]byte(file), "short", web.ErrWrongKey.Error()}, // so that the page asks again, and keeps the file
		"cut off":            {[]byte(file)[:len(file)/2], passphrase, web.ErrDamaged.Error()},
		"too large":          {make([]byte, 9<<20), "", "larger than 8 MB"},
	} {
		if status, answer := fresh.look(bad.file, bad.passphrase); status != 422 || !strings.Contains(answer, bad.want) || strings.Count(answer, "\n") != 1 {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	status, answer := fresh.look([]byte(file), passphrase)
	var found web.Restorable
	if err := json.Unmarshal([]byte(answer), &found); err != nil || status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if found.There.Bridge != bridge || found.Here.Bridge != was || !found.Sealed || found.Records == 0 || len(found.Files) != 1 || found.Files[0].Fate != "beside" {
		t.Errorf("%+v", found)
	}
	if status, answer := fresh.call("/api/restore", `{"id":"`+found.ID+`"}`); status != 422 || !strings.Contains(answer, "not confirmed") {
		t.Errorf("unconfirmed: %d %s", status, answer)
	}
	if status, answer := fresh.call("/api/restore", `{"id":"0123","sure":true}`); status != 422 || !strings.Contains(answer, "upload it again") {
		t.Errorf("another file: %d %s", status, answer)
	}
	if got := fresh.homekitIdentity(); got != was {
		t.Errorf("looking at a backup has changed the house to %s", got)
	}
	if status, answer := fresh.call("/api/restore", `{"id":"`+found.ID+`","sure":true}`); status != 200 || !strings.Contains(answer, "restarts") {
		t.Fatalf("%d %s", status, answer)
	}
	fresh.await("GET", "/api/pairings", bridge) // the same browser is still signed in
	if _, answer := fresh.call("/api/restore", `{"id":"`+found.ID+`","sure":true}`); !strings.Contains(answer, "upload it again") {
		t.Errorf("confirmed twice: %s", answer)
	}
	aside, err := filepath.Glob(filepath.Join(fresh.state, "before-restore-*"))
	if err != nil || len(aside) != 1 {
		t.Fatalf("%v %v", aside, err)
	}
	if present, err := store.Read(aside[0]); err != nil || len(present.Values()) == 0 {
		t.Errorf("what was there is not kept: %v", err)
	}
}

// A house whose own key is lost takes what needs none, and asks for the key of what does.
func TestAnUploadWhereTheKeyFileIsLost(t *testing.T) {
	old := settleIn(t, "")
	_, clear := old.call("/api/backup", `{}`)
	_, sealed := old.call("/api/backup", `{"passphrase":"`+passphrase+`"}`)
	fresh := settleIn(t, "backup: {key_file: "+filepath.Join(t.TempDir(), "lost")+"}\n")
	if status, answer := fresh.look([]byte(clear), ""); status != 200 {
		t.Errorf("in clear: %d %s", status, answer)
	}
	if status, answer := fresh.look([]byte(sealed), ""); status != 422 || !strings.Contains(answer, web.ErrNeedsKey.Error()) {
		t.Errorf("encrypted: %d %s", status, answer)
	}
	if status, answer := fresh.look([]byte(sealed), passphrase); status != 200 {
		t.Errorf("with its passphrase: %d %s", status, answer)
	}
}

// A restore that cannot be done leaves the house as it was, and running.
func TestAFailedRestoreLeavesTheHouse(t *testing.T) {
	k := settleIn(t, "")
	bridge := k.homekitIdentity()
	_, file := k.call("/api/backup", `{}`)
	status, answer := k.look([]byte(file), "")
	var found web.Restorable
	if err := json.Unmarshal([]byte(answer), &found); err != nil {
		t.Fatalf("%d %s", status, answer)
	}
	inTheWay := filepath.Join(k.state, "veilleuse.db.new", "x") // where the new database would be written
	if err := os.MkdirAll(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	if status, answer = k.call("/api/restore", `{"id":"`+found.ID+`","sure":true}`); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	for deadline := time.Now().Add(patience); !strings.Contains(k.log.String(), "nothing was restored"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log says\n%s", k.log)
		}
	}
	k.await("GET", "/api/pairings", bridge)
	if aside, _ := filepath.Glob(filepath.Join(k.state, "before-restore-*")); len(aside) > 0 {
		t.Errorf("something was set aside: %v", aside)
	}
}

// A file that is not confirmed is forgotten, and a newer one takes its place.
func TestUploadsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var u uploads
		first := u.take([]byte("one"))
		second := u.take([]byte("two"))
		if _, err := u.file(first); err != web.ErrUploadGone {
			t.Errorf("the first: %v", err)
		}
		if err := u.choose(second); err != web.ErrUploadGone {
			t.Errorf("one that nobody has looked at: %v", err)
		}
		u.looked(second, opened{name: "two"})
		time.Sleep(uploadKept + time.Second)
		if _, err := u.file(second); err != web.ErrUploadGone {
			t.Errorf("after ten minutes: %v", err)
		}
		if err := u.choose(second); err != web.ErrUploadGone || u.confirmed() != nil {
			t.Errorf("after ten minutes: %v", err)
		}
	})
}
