package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func mustParse(t *testing.T, form string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(form)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func accepting(encoding string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Accept-Encoding", encoding) }
}

// visitor is a browser that is signed in to a server on loopback.
type visitor struct {
	t       *testing.T
	house   *gatewaytest.House
	address string
	token   string
}

func visit(t *testing.T, o Options, more ...gatewaytest.Option) *visitor {
	t.Helper()
	return visitWith(t, o, func(*Adapter) {}, more...)
}

// visitWith lets change alter how patient the server is. When it returns, the server knows the house.
func visitWith(t *testing.T, o Options, change func(*Adapter), more ...gatewaytest.Option) *visitor {
	t.Helper()
	h, address := startWith(t, o, change, append(more, gatewaytest.From(cottage()))...)
	v := &visitor{t, h, address, ""}
	for late := time.Now().Add(gatewaytest.Patience); ; time.Sleep(time.Millisecond) {
		if status, _, _ := ask(t, "GET", "http://"+address+"/readyz", ""); status == http.StatusOK {
			break
		}
		if time.Now().After(late) {
			t.Fatal("the house is not seen")
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.PostForm("http://"+address+"/welcome", url.Values{"password": {rightful}, "again": {rightful}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	for _, c := range answer.Cookies() {
		v.token = c.Value
	}
	if v.token == "" {
		t.Fatalf("not let in: %s", answer.Status)
	}
	return v
}

func (v *visitor) do(ctx context.Context, method, path, body string) *http.Response {
	v.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+v.address+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: cookieName, Value: v.token})
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer
}

// event is one of a stream.
type event struct{ kind, id, data string }

// open opens a stream and returns its events.
func (v *visitor) open(path string) <-chan event {
	v.t.Helper()
	ctx, cancel := context.WithCancel(v.t.Context())
	v.t.Cleanup(cancel)
	answer := v.do(ctx, "GET", path, "")
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		v.t.Fatalf("%s: %s", path, answer.Status)
	}
	events := make(chan event, 1000)
	go func() {
		defer answer.Body.Close()
		defer close(events)
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 1<<20)
		var e event
		for lines.Scan() {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			switch key {
			case "event":
				e.kind = value
			case "id":
				e.id = value
			case "data":
				e.data = value
			case "":
				events <- e
				e = event{}
			}
		}
	}()
	return events
}

func (v *visitor) await(events <-chan event, kind string, fits func(string) bool) event {
	v.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case e, ok := <-events:
			if !ok {
				v.t.Fatalf("the stream ended before %q", kind)
			}
			if e.kind == kind && (fits == nil || fits(e.data)) {
				return e
			}
		case <-limit:
			v.t.Fatalf("no %q came that fits", kind)
		}
	}
}

func TestChangesArePushed(t *testing.T) {
	v := visit(t, Options{})
	asJSON, asParts := v.open("/api/live"), v.open("/live")
	v.await(asJSON, "hello", nil)
	first := v.await(asJSON, "state", nil)
	if first.id == "" || !strings.Contains(first.data, `"target":20.5`) {
		t.Errorf("%+v", first)
	}
	if e := v.await(asParts, "parts", nil); !strings.Contains(e.data, `"id":"charge"`) || !strings.Contains(e.data, `"id":"room-1"`) {
		t.Errorf("the first push is not the whole page: %.200s", e.data)
	}
	v.house.Show(func(s gateway.State) gateway.State {
		r, _ := s.Rooms.Get("1")
		r.Target.Value = gateway.Number(17)
		s.Rooms = s.Rooms.With("1", r)
		return s
	})
	v.await(asJSON, "state", func(d string) bool { return strings.Contains(d, `"target":17`) })
	e := v.await(asParts, "parts", func(d string) bool { return strings.Contains(d, `value=\"17.5\"`) })
	if e.data == "" || strings.Contains(e.data, `"id":"charge"`) {
		t.Errorf("more than the room was pushed: %.200s", e.data)
	}
	// A room that is gone has the page drawn anew.
	v.house.Show(func(s gateway.State) gateway.State { s.Rooms = s.Rooms.Without("2"); return s })
	v.await(asParts, "reload", nil)
}

func TestOpenPagesAreBoundedAndEndWithTheirSession(t *testing.T) {
	v := visit(t, Options{})
	var all []<-chan event
	for range mostPages {
		events := v.open("/live")
		v.await(events, "hello", nil)
		all = append(all, events)
	}
	answer := v.do(t.Context(), "GET", "/api/live", "")
	answer.Body.Close()
	if answer.StatusCode != 503 {
		t.Errorf("one page more: %s", answer.Status)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+v.address+"/sign-out", nil)
	r.AddCookie(&http.Cookie{Name: cookieName, Value: v.token})
	if answer, err := client.Do(r); err != nil || answer.StatusCode != 303 {
		t.Fatalf("%v", err)
	}
	limit := time.After(20 * time.Second)
	for _, events := range all {
		for open := true; open; {
			select {
			case _, open = <-events:
			case <-limit:
				t.Fatal("a page goes on being told after its session has ended")
			}
		}
	}
}

// Whose sign-in is over is told nothing any more, not even what was waiting.
func TestNothingIsToldOnceTheSignInIsOver(t *testing.T) {
	d := newDoor(t, Options{})
	for range 50 { // what waits for the page is looked at in any order
		one, _ := d.live.open()
		d.keepUp(t.Context(), one, pusher{}, func(pusher, gateway.State) error {
			t.Error("the house is shown to somebody who is signed out")
			return nil
		}, "the token of a sign-in that is over")
		d.live.shut(one)
	}
}

// What 20 open pages cost, with the browsers' end of the lines in the same process.
func TestOpenPagesCostLittle(t *testing.T) {
	v := visit(t, Options{})
	used := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	v.await(v.open("/live"), "parts", nil) // what the first one costs, all of them share
	before := used()
	for range mostPages - 1 {
		v.await(v.open("/live"), "parts", nil)
	}
	each := (max(used(), before) - before) / (mostPages - 1)
	t.Logf("%d bytes a page", each)
	if each > 500_000 {
		t.Errorf("an open page costs %d bytes", each)
	}
}

// The house decides about a wish; what it says is the answer.
func TestWishIsAnsweredByTheHouse(t *testing.T) {
	v := visit(t, Options{Wish: wisher})
	answers := make(chan granted, 1)
	ask := func(path, body string) {
		answer := v.do(t.Context(), "POST", path, body)
		defer answer.Body.Close()
		var g granted
		if err := json.NewDecoder(answer.Body).Decode(&g); err != nil || g.Granted != (answer.StatusCode == 200) {
			t.Errorf("%s: %v %+v", answer.Status, err, g)
		}
		answers <- g
	}
	ask("/api/wish/home", `{"mode":"party"}`)
	if g := <-answers; g.Granted || g.Why != `no such wish: home {"mode":"party"}` {
		t.Errorf("%+v", g)
	}
	for _, c := range []struct {
		decision gateway.Decision
		want     granted
	}{
		{gateway.Decision{Kind: "mode", What: "the home's mode away", Why: "asked for in page"}, granted{true, "the home's mode away", "asked for in page"}},
		{gateway.Decision{Kind: "refused", What: "page: the home's mode away", Why: "no"}, granted{false, "the home's mode away", "no"}},
	} {
		go ask("/api/wish/home", `{"mode":"away"}`)
		if w := gatewaytest.Wait[gateway.Wish](v.house, nil); w != (gateway.Wish{By: "page", Ask: gateway.SetMode{Mode: gateway.HomeAway}}) {
			t.Errorf("%+v", w)
		}
		v.house.Show(func(s gateway.State) gateway.State { // others act meanwhile
			s.Decided += 2
			c.decision.Number = s.Decided
			s.Decisions = append(s.Decisions[:len(s.Decisions):len(s.Decisions)], gateway.Decision{Number: s.Decided - 1, Kind: "wish", What: "x", Why: "asked for in MQTT"}, c.decision)
			return s
		})
		if g := <-answers; g != c.want {
			t.Errorf("%+v, want %+v", g, c.want)
		}
	}
}

// palier is the alarm that pages are told of.
var palier = gateway.Alarm{Number: 12, Phase: gateway.Sounding, Kind: gateway.Smoke, Name: "Palier", Since: evening}

// tell begins a round of the alarm, as the rules do: the command is in the State that shows the alarm.
func (v *visitor) tell(round float64) uint64 {
	v.t.Helper()
	id := v.house.Send(gateway.Command{Point: gateway.Point{Adapter: "web", Of: palier.PointName(), Quantity: gateway.Tell}, Value: gateway.Number(round)})
	v.house.Show(func(s gateway.State) gateway.State { s.Commanded, s.Alarms = id, []gateway.Alarm{palier}; return s })
	return id
}

func (v *visitor) outcome(id uint64) gateway.Outcome {
	v.t.Helper()
	return gatewaytest.Wait(v.house, func(o gateway.Outcome) bool { return o.ID == id })
}

// number is that of an open page, which it hears first.
func (v *visitor) number(events <-chan event) uint64 {
	v.t.Helper()
	var h hello
	if err := json.Unmarshal([]byte(v.await(events, "hello", nil).data), &h); err != nil {
		v.t.Fatal(err)
	}
	return h.Page
}

// seen has a page confirm an alarm.
func (v *visitor) seen(page, alarm uint64) int {
	v.t.Helper()
	answer := v.do(v.t.Context(), "POST", "/api/seen", fmt.Sprintf(`{"page":%d,"alarm":%d}`, page, alarm))
	answer.Body.Close()
	return answer.StatusCode
}

// What all open pages show is delivered at once: long before those that are slow would be counted.
func TestAnAlarmThatEveryPageShowsIsDeliveredAtOnce(t *testing.T) {
	v := visitWith(t, Options{}, func(a *Adapter) { a.calls.within = time.Hour })
	pages := []<-chan event{v.open("/live"), v.open("/api/live")}
	numbers := []uint64{v.number(pages[0]), v.number(pages[1])}
	id := v.tell(1)
	for i, events := range pages {
		v.await(events, "alarm", func(d string) bool { return strings.Contains(d, `"round":1`) })
		v.seen(numbers[i], palier.Number)
	}
	if o := v.outcome(id); o.By != "2 pages" {
		t.Errorf("%+v", o)
	}
}

// An alarm is pushed to pages that are open, which confirm it; that counts as delivered, and says how many.
func TestAlarmIsDeliveredToOpenPages(t *testing.T) {
	v := visit(t, Options{})
	if o := v.outcome(v.tell(1)); o.Err != "no page is open" || o.Final {
		t.Errorf("%+v", o)
	}
	one, two := v.open("/live"), v.open("/api/live")
	pages := []uint64{v.number(one), v.number(two)}
	v.await(one, "alarm", nil) // whoever opens the page meanwhile is told
	id := v.tell(2)
	for _, events := range []<-chan event{one, two} {
		e := v.await(events, "alarm", func(d string) bool { return strings.Contains(d, `"round":2`) })
		if !strings.Contains(e.data, `"number":12`) || !strings.Contains(e.data, `"name":"Palier"`) {
			t.Errorf("%s", e.data)
		}
	}
	if o := v.outcome(id); o.Err != "2 pages open, and none has shown it" {
		t.Errorf("%+v", o)
	}
	if v.seen(99, 12) != 422 || v.seen(pages[0], 13) != 204 || v.seen(pages[1], 12) != 204 {
		t.Error("a page that is not open confirms, or one that is cannot")
	}
	if o := v.outcome(id); o.Err != "" || o.By != "1 page" { // late is not never
		t.Errorf("%+v", o)
	}
	v.house.Show(func(s gateway.State) gateway.State {
		s.Alarms = []gateway.Alarm{palier}
		s.Alarms[0].Answered = evening
		return s
	})
	v.await(two, "state", func(d string) bool { return strings.Contains(d, `"answered":`) })
	late := v.open("/live")
	v.await(late, "parts", nil)
	select {
	case e := <-late:
		if e.kind == "alarm" {
			t.Error("an alarm that was answered is told")
		}
	case <-time.After(300 * time.Millisecond):
	}
}
