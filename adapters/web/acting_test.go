package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func language(name string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Accept-Language", name) }
}

// A form that comes after the sign-in is over is kept through the sign-in, a wrong password included, and then done.
func TestAWishOutlivesTheSignIn(t *testing.T) {
	d := newDoor(t, Options{Wish: wisher})
	key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	s := cottage()
	d.newest.Store(&s)
	if err := d.sessions.endAll(); err != nil {
		t.Fatal(err)
	}
	form := "to=room%2F1&target=21.5"
	w := d.request("POST", "/do", form, with(key))
	if w.Code != 401 || !strings.Contains(w.Body.String(), "what you asked for is done") || !strings.Contains(w.Body.String(), `name="kept" value="target=21.5&amp;to=room%2F1"`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	kept := "&kept=" + url.QueryEscape("target=21.5&to=room/1")
	if w := d.request("POST", "/sign-in", "password=wrong+password"+kept); w.Code != 403 || !strings.Contains(w.Body.String(), `name="kept" value="target=21.5&amp;to=room/1"`) {
		t.Errorf("after a wrong password: %d %s", w.Code, w.Body)
	}
	w = d.request("POST", "/sign-in", "password="+url.QueryEscape(rightful)+kept)
	// There is no house behind: the wish is refused with that, next to its room.
	if w.Code != 422 || keyOf(w) == "" || !strings.Contains(w.Body.String(), justStarted) {
		t.Errorf("signed in: %d, %s", w.Code, w.Body)
	}
	for name, body := range map[string]string{"nothing": "", "too much": "to=room%2F1&target=" + strings.Repeat("1", 2*mostRefused)} {
		if w := d.request("POST", "/do", body, with("x")); w.Code != 303 || w.Header().Get("Location") != "/sign-in" {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if w := d.request("POST", "/care/unpair", "id=AA&sure=true", with("x")); w.Code != 303 {
		t.Errorf("keeping the house is kept for nobody: %d", w.Code)
	}
}

// A wish for a room that vanished meanwhile is refused with one sentence, which is shown though its place is gone.
func TestAWishForARoomThatIsGone(t *testing.T) {
	d := newDoor(t, Options{Wish: wisher})
	s := cottage()
	d.newest.Store(&s)
	p := sheetOf(d.view(s), english, evening)
	parts := p.parts()
	for to, want := range map[string]int{"room/9": 1, "room/1": 0} {
		p.out.Reset()
		p.refused = &refusal{to, "there is no such room"}
		p.lostRefusal(parts)
		if got := strings.Count(p.out.String(), "there is no such room"); got != want {
			t.Errorf("%s: said %d times above the rooms, want %d", to, got, want)
		}
	}
}

// A page is told when a room is gone, once, and goes on being told of the others.
func TestAPageOutlivesARoom(t *testing.T) {
	v := visit(t, Options{})
	events := v.open("/live")
	v.await(events, "parts", nil)
	v.house.Show(func(s gateway.State) gateway.State {
		s.Version++
		s.Rooms = s.Rooms.Without("2")
		return s
	})
	v.await(events, "reload", nil)
	v.house.Show(func(s gateway.State) gateway.State {
		s.Version++
		s.Home.Name = "Anders"
		r, _ := s.Rooms.Get("1")
		r.Name = "Wohnzimmer"
		s.Rooms = s.Rooms.With("1", r)
		return s
	})
	v.await(events, "parts", func(data string) bool { return strings.Contains(data, "Wohnzimmer") })
}

// A device that says why it has not taken a target has that said next to it.
func TestATargetThatIsNotTakenSaysWhy(t *testing.T) {
	s := cottage()
	point := gateway.Point{Adapter: "accessory", Of: "v1", Quantity: gateway.Target}
	s.Asked = s.Asked.With(gateway.PointKey(point.String()), gateway.Asked{Command: gateway.Command{Point: point, Value: gateway.Number(20.5)}, At: evening.Add(-time.Minute), Err: "the valve <sleeps>"})
	page := drawn(t, s, english)
	if !strings.Contains(page, "the device shows 18°") || !strings.Contains(page, "not taken yet: the valve &lt;sleeps&gt;") {
		t.Error("the reason is missing")
	}
	d, _ := s.Devices.Get("v1")
	d.Readings = []gateway.Measure{{Quantity: gateway.Target, Value: gateway.Number(20.5), At: evening, From: "accessory"}}
	s.Devices = s.Devices.With("v1", d)
	if page := drawn(t, s, english); strings.Contains(page, "not taken yet") || !strings.Contains(page, "taken</span>") {
		t.Error("it is taken, and the page says something else")
	}
}
