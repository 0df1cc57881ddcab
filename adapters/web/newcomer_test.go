package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// newHouse is a house of which nobody has set anything up, and what is said to it.
type newHouse struct {
	mu      sync.Mutex
	stand   FirstStand
	found   []FirstAccessory
	outcome FirstPaired
	err     error
	takes   time.Duration // of everything that takes its time
	heard   []string
}

func (n *newHouse) say(what string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heard = append(n.heard, what)
	return n.err
}

func (n *newHouse) set(change func(*newHouse)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(n)
}

func (n *newHouse) first() *First {
	wait := func(ctx context.Context) {
		select {
		case <-time.After(n.takes):
		case <-ctx.Done():
		}
	}
	return &First{
		Stand: func() (FirstStand, error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.stand, nil
		},
		Application: func(id, secret string) error {
			n.set(func(n *newHouse) { n.stand.Application = "page" })
			return n.say("application " + id + " " + secret)
		},
		Authorize: func(redirect, state string) (string, error) {
			return "https://vendor.test/authorize?" + url.Values{"redirect_uri": {redirect}, "state": {state}}.Encode(), nil
		},
		Exchange: func(ctx context.Context, code, redirect string) error {
			wait(ctx)
			return n.say("exchange " + code + " " + redirect)
		},
		Token:    func(pasted string) error { return n.say("token " + pasted) },
		Choose:   func(home string) error { return n.say("home " + home) },
		Discover: func(ctx context.Context) ([]FirstAccessory, error) { wait(ctx); return n.found, n.say("look") },
		CheckCode: func(code string) error {
			if len(strings.ReplaceAll(code, "-", "")) != 8 && !strings.HasPrefix(code, "X-HM://") {
				return errors.New("no code")
			}
			return nil
		},
		Pair: func(ctx context.Context, r FirstPairing) FirstPaired {
			wait(ctx)
			_ = n.say("pair " + r.ID + r.Address + " " + r.Code + " " + r.Room)
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.outcome
		},
		Learn: func(ctx context.Context, name, kind, room string) (string, error) {
			wait(ctx)
			return "learnt " + name, n.say("learn " + name + kind + room)
		},
		Diagnose: func(ctx context.Context, _ gateway.State) FirstReport {
			wait(ctx)
			return FirstReport{Score: 42, Says: "No: 1 of 2.", Missing: []Gap{{"Cave <b>", "nothing", "veilleuse pair"}}}
		},
	}
}

// newcomer is somebody who is signed in to the page of a new house.
type newcomer struct {
	*doorOf
	*newHouse
	vault *gatewaytest.Vault
	key   string
}

func arrive(t *testing.T) *newcomer {
	v := &newcomer{newHouse: &newHouse{}, vault: gatewaytest.NewVault()}
	v.again(t)
	v.key = keyOf(v.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	return v
}

// again restarts the house.
func (v *newcomer) again(t *testing.T) {
	v.doorOf = newDoor(t, Options{Vault: v.vault, First: v.newHouse.first(), Log: quiet})
}

// set changes the house, and lets the page see it at once.
func (v *newcomer) set(change func(*newHouse)) {
	v.newHouse.set(change)
	v.Adapter.first.again()
}

func (v *newcomer) get(path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	return v.request("GET", path, "", append(change, with(v.key))...)
}

// send sends a form, as name=value pairs.
func (v *newcomer) send(step string, pairs ...string) *httptest.ResponseRecorder {
	form := url.Values{}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		form.Set(name, value)
	}
	return v.request("POST", "/first/"+step, form.Encode(), with(v.key))
}

// settle waits for the work that goes on.
func (v *newcomer) settle() firstView {
	v.Adapter.first.working.Wait()
	v.Adapter.first.again()
	return v.firstView()
}

func (v *newcomer) said(t *testing.T, want string) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.heard) == 0 || v.heard[len(v.heard)-1] != want {
		t.Errorf("the house heard %q, want %q at the end", v.heard, want)
	}
}

// refusedBeside checks that a form is refused with a sentence, next to a field that says so itself.
func refusedBeside(t *testing.T, w *httptest.ResponseRecorder, field, sentence string) {
	t.Helper()
	body := w.Body.String()
	at := strings.Index(body, `name="`+field+`"`)
	if w.Code != 422 || at < 0 {
		t.Errorf("%s: %d, field there %v", field, w.Code, at >= 0)
		return
	}
	after := body[at:]
	mark, why := strings.Index(after, `aria-invalid="true" aria-describedby="fault"`), strings.Index(after, sentence)
	if mark < 0 || why < mark || why-mark > 300 {
		t.Errorf("%s: %q does not stand beside it (%d, %d)", field, sentence, mark, why)
	}
}

// stateOf is the state in the page's link to the vendor.
func (v *newcomer) stateOf(t *testing.T) string {
	t.Helper()
	_, link, found := strings.Cut(v.get("/first/netatmo").Body.String(), `href="https://vendor.test/authorize?`)
	link, _, _ = strings.Cut(link, `"`)
	q, err := url.ParseQuery(strings.ReplaceAll(link, "&amp;", "&"))
	if !found || err != nil || q.Get("redirect_uri") != "http://pi.local:7007/first/return" || len(q.Get("state")) < 40 {
		t.Fatalf("the link to the vendor is %q", link)
	}
	return q.Get("state")
}
