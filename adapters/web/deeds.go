package web

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// deedPatience is how long a deed may take: pairing with a small device needs many seconds, a slow phone as many for a file.
const deedPatience = 2 * time.Minute

// deed is one thing that keeps the house.
type deed struct {
	name  string
	place string // of the page, where it says what came of it
	// do takes what a form or a JSON object says, and returns what came of it.
	do func(a *Adapter, r *http.Request, in fields) (any, error)
}

// said is what came of a deed, in one sentence: a text of both languages, or the house's own words.
type said struct {
	Said string `json:"said"`
	key  string
	args []any
}

func saying(key string, args ...any) said {
	both, _ := textOf(key)
	return said{fmt.Sprintf(both[english], args...), key, args}
}

// download is a file that is handed out.
type download struct {
	name    string
	content []byte
}

func (d download) send(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.name}))
	w.Write(d.content)
}

// afterwards is an answer after which something begins that ends the answering.
type afterwards struct {
	said
	begin func()
}

// lasts gives a request that is slow the time that it needs.
func lasts(w http.ResponseWriter) {
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Now().Add(deedPatience)) // without it the usual time holds
	_ = out.SetWriteDeadline(time.Now().Add(deedPatience))
}

// deeds are all of them, each with its routes: /care/<name> is for browsers, /api/<name> for programs.
var deeds = []deed{
	{"backup", "backup", (*Adapter).careBackup},
	{"keep", "backup", (*Adapter).careKeep},
	{"look", "restore", (*Adapter).careLook},
	{"restore", "restore", (*Adapter).careRestore},
	{"pairings", "pairings", (*Adapter).carePairings},
	{"pairings/", "pairings", (*Adapter).careControllers},
	{"remove", "pairings", (*Adapter).careRemove},
	{"unpair", "pairings", (*Adapter).careUnpair},
	{"share", "share", (*Adapter).careShare},
	{"bundle", "bundle", (*Adapter).careBundle},
	{"sign-out", "sessions", (*Adapter).careSignOut},
	{"password", "password", (*Adapter).carePassword},
}

// deed serves a deed. To programs it answers JSON, and a refusal is one sentence. To browsers it answers the page, with what came
// of it next to the thing.
func (a *Adapter) deed(w http.ResponseWriter, r *http.Request) {
	lasts(w)
	path, byForm := strings.CutPrefix(r.URL.Path, "/care/")
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/api/"), r.PathValue("id"))
	asked := deeds[slices.IndexFunc(deeds, func(d deed) bool { return d.name == path })]
	in, err := a.readFields(r)
	var result any
	if err == nil && a.options.Care == nil {
		err = errNotHere
	}
	if err == nil {
		result, err = asked.do(a, r, in)
	}
	last, ends := result.(afterwards)
	file, isFile := result.(download)
	switch {
	case isFile && err == nil:
		file.send(w)
	case byForm:
		a.careAnswer(w, r, careShown{place: asked.place, id: orElse(in["id"], r.PathValue("id")), result: result, err: err})
	case err != nil:
		refuse(w, http.StatusUnprocessableEntity, err.Error())
	case ends:
		answer(w, http.StatusOK, last.said)
	default:
		answer(w, http.StatusOK, result)
	}
	if ends && err == nil {
		last.leave()
	}
}

// leavesAfter is how long an answer gets to be on its way before the answering ends.
const leavesAfter = 500 * time.Millisecond

// leave begins what ends the answering, once the answer is on its way.
func (l afterwards) leave() { time.AfterFunc(leavesAfter, l.begin) }

// careBackup hands out a backup as of now.
func (a *Adapter) careBackup(_ *http.Request, in fields) (any, error) {
	if again, told := in["again"]; told && again != in["passphrase"] { // a program types no mistakes
		return nil, errNotSame
	}
	file, sealed, err := a.options.Care.Pack(a.now(), in["passphrase"])
	if err != nil {
		return nil, err
	}
	ending := ""
	if sealed {
		ending = ".age"
	}
	a.options.Log.Info("a backup was handed out on the page", "encrypted", sealed)
	return download{"veilleuse-" + a.now().UTC().Format("20060102-150405") + ".backup" + ending, file}, nil
}

// careKeep makes a backup in the usual places.
func (a *Adapter) careKeep(*http.Request, fields) (any, error) {
	where, err := a.options.Care.Keep(a.now())
	if err != nil {
		return nil, err
	}
	return saying("care.kept", where), nil
}

// careLook takes a backup, or the passphrase for the one that was taken before, and tells what is in it.
func (a *Adapter) careLook(_ *http.Request, in fields) (any, error) {
	care := a.options.Care
	if in["file"] != "" {
		in["id"] = care.Upload([]byte(in["file"]))
		delete(in, "file")
	}
	if in["id"] == "" {
		return nil, errNoFile
	}
	return care.Look(in["id"], in["passphrase"])
}

// careRestore brings the house back from the backup that was looked at.
func (a *Adapter) careRestore(_ *http.Request, in fields) (any, error) {
	care := a.options.Care
	if in["sure"] != "true" {
		return nil, errNotSure
	}
	begin, err := care.Restore(in["id"])
	if err != nil {
		return nil, err
	}
	return afterwards{saying("care.restoring"), begin}, nil
}

// carePairings lists the pairings.
func (a *Adapter) carePairings(*http.Request, fields) (any, error) {
	return a.options.Care.Pairings()
}

// careControllers asks an accessory who may control it.
func (a *Adapter) careControllers(r *http.Request, in fields) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), deedPatience)
	defer cancel()
	return a.options.Care.Controllers(ctx, orElse(r.PathValue("id"), in["id"]))
}

// careRemove has an accessory forget another controller.
func (a *Adapter) careRemove(r *http.Request, in fields) (any, error) {
	if in["sure"] != "true" {
		return nil, errNotSure
	}
	if err := a.options.Care.Remove(r.Context(), in["id"], in["controller"]); err != nil {
		return nil, err
	}
	return saying("care.removed"), nil
}

// careUnpair ends a pairing.
func (a *Adapter) careUnpair(r *http.Request, in fields) (any, error) {
	if in["sure"] != "true" {
		return nil, errNotSure
	}
	words, err := a.options.Care.Unpair(r.Context(), in["id"])
	return said{Said: words}, err
}

// careShare makes an accessory know another controller.
func (a *Adapter) careShare(r *http.Request, in fields) (any, error) {
	return a.options.Care.Share(r.Context(), Share{in["id"], in["controller"], in["key"], in["admin"] == "true"})
}

// careBundle hands out what helps those who are to help.
func (a *Adapter) careBundle(*http.Request, fields) (any, error) {
	name, content, err := a.options.Care.Bundle(a.now())
	return download{name, content}, err
}

// careSignOut signs everybody out but who asks.
func (a *Adapter) careSignOut(r *http.Request, _ fields) (any, error) {
	if err := a.sessions.endOthers(tokenOf(r)); err != nil {
		return nil, err
	}
	a.live.wake()
	return saying("care.signedout"), nil
}

// carePassword changes the password for somebody who knows it, and signs everybody else out.
func (a *Adapter) carePassword(r *http.Request, in fields) (any, error) {
	if again, told := in["again"]; told && again != in["new"] {
		return nil, errNotSame
	}
	if checkPassword(in["new"]) != nil {
		return nil, errBounds
	}
	if a.patience.try(r.RemoteAddr, time.Now()) > 0 {
		return nil, errPatience
	}
	right, err := a.lock.opens(in["password"])
	switch {
	case err != nil:
		return nil, err
	case !right:
		a.options.Log.Warn("somebody tried a wrong password on the page", "from", r.RemoteAddr)
		return nil, errWrongSecret
	}
	a.patience.right(r.RemoteAddr)
	if err := a.lock.set(in["new"]); err != nil {
		return nil, err
	}
	a.options.Log.Info("the page has another password", "from", r.RemoteAddr)
	if err := a.sessions.endOthers(tokenOf(r)); err != nil {
		return nil, err
	}
	a.live.wake()
	return saying("care.newpassword"), nil
}
