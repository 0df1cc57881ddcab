package peers

import (
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/adapters/web/history"
	"github.com/veilleuse/veilleuse/gateway"
)

// TestPicturesPage has people look at the last 48 h of a house, at its outages, and at the vendor's year.
func TestPicturesPage(t *testing.T) {
	needTools(t)
	m := startMessages(t, "")
	need(t, "the house has a past of 48 h, with an outage, and with a time in which nobody looked", func() (string, error) {
		m.house.end()
		if err := givePast(filepath.Join(m.house.folder, "state")); err != nil {
			return "", err
		}
		m.house.start()
		return "", m.house.hasPlan()
	})
	b := startBrowserBy(t, m.house.with, m.house, "pictures.js")
	v := b.visit("phone", looks{french: true, phone: true})
	need(t, "somebody signs in, and a link on a room's card leads to its picture", func() (string, error) {
		if _, err := v.sees(`document.activeElement.id === 'password'`); err != nil {
			return "", err
		}
		if err := v.keys(pagePassword + "<Tab>" + pagePassword + "<Enter>"); err != nil {
			return "", err
		}
		if _, err := v.sees(`document.querySelectorAll('.room').length > 2`); err != nil {
			return "", err
		}
		if err := v.click("#room-" + netatmotest.Bedroom + " .past a"); err != nil {
			return "", err
		}
		_, err := v.sees(`location.pathname === '/pictures' && document.querySelector('.picture').id === 'room-` + netatmotest.Bedroom + `'`)
		return "", err
	})
	m.picturesSeen(b)
	m.picturesRead(v)
	m.picturesSaved(v)
	m.picturesRenew(v)
	m.picturesPlain(b)
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", m.house.endsSoon)
	promise(t, "what was seen since is on disk", func() (string, error) {
		file, err := os.ReadFile(filepath.Join(m.house.folder, "state", "history"))
		if err != nil {
			return "", err
		}
		h, err := history.Decode(file)
		if err == nil && len(h.Days()) == 0 {
			err = errors.New("what was written was not counted")
		}
		return fmt.Sprintf("%d bytes", len(file)), err
	})
}

// The past that the house is given.
var (
	pastOutage = 30 * time.Hour // ago
	pastLength = 8 * time.Hour
	pastGap    = 12 * time.Hour // ago
	pastAway   = 2 * time.Hour
)

// givePast writes it to a state folder, while no daemon has it.
func givePast(folder string) error {
	disk, err := store.Open(folder, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	lasting, _, err := disk.Load()
	if err != nil {
		return errors.Join(err, disk.Close())
	}
	now := time.Now().UTC()
	s := lasting.State()
	lost := now.Add(-pastOutage)
	s.Outages = []gateway.Outage{
		{Number: 1, Drill: true, Verdict: gateway.VerdictCloudDown, Why: "a drill was asked for", Lost: lost.AddDate(0, 0, -20), Began: lost.AddDate(0, 0, -20), Back: lost.AddDate(0, 0, -20).Add(9 * time.Minute), Ended: lost.AddDate(0, 0, -20).Add(12 * time.Minute)},
		{Number: 2, Verdict: gateway.VerdictCloudDown, Why: "The connection to Netatmo was not answered", Evidence: []string{"api.netatmo.com:443: no answer in 5 s", "5 of 5 witnesses answered"},
			Lost: lost, Began: lost.Add(3 * time.Minute), Back: lost.Add(pastLength - 10*time.Minute), Ended: lost.Add(pastLength), Writes: 7, SlotsDue: 8, SlotsKept: 8, Wishes: 2, Alarms: 1}}
	s.Days = pastDays(now)
	if err := errors.Join(disk.Save(s), disk.Close()); err != nil {
		return err
	}
	h, err := pastRooms(s, now)
	if err != nil {
		return err
	}
	return store.ReplaceFile(filepath.Join(folder, "history"), h.Encode())
}

// pastDays is a year of which a third was watched.
func pastDays(now time.Time) []gateway.Day {
	var all []gateway.Day
	for ago := 120; ago > 0; ago-- {
		d := gateway.Day{Date: now.AddDate(0, 0, -ago).Format(time.DateOnly), Watched: 86400}
		switch {
		case ago%40 == 7:
			d.Watched, d.Ours = 0, 86400
		case ago%31 == 3:
			d.Broken = 600
		case ago%37 == 5:
			d.Watched, d.Broken = 30000, 3600
		case ago == 1 || ago == 60:
			d.Broken = 4 * 3600
		}
		all = append(all, d)
	}
	return all
}

// pastRooms lets a day and a half, a gap, and another half day pass for rooms that warm and cool.
func pastRooms(s gateway.State, now time.Time) (*history.History, error) {
	h := &history.History{}
	for at := now.Add(-history.Length); at.Before(now.Add(-5 * time.Minute)); at = at.Add(history.Every) {
		ago := now.Sub(at)
		if ago < pastGap && ago > pastGap-pastAway {
			continue
		}
		if ago <= pastGap-pastAway && ago > pastGap-pastAway-history.Every { // another run begins
			var err error
			if h, err = history.Decode(h.Encode()); err != nil {
				return nil, err
			}
		}
		s.Authority = gateway.Authority{Phase: gateway.Watching}
		switch gone := pastOutage - ago; {
		case gone < 0 || gone > pastLength:
		case gone < 4*time.Minute:
			s.Authority.Phase = gateway.Suspect
		case gone > pastLength-20*time.Minute:
			s.Authority.Phase = gateway.Returning
		default:
			s.Authority.Phase = gateway.Local
		}
		i := 0.0
		for id, r := range s.Rooms.All() {
			day := math.Sin(2 * math.Pi * (ago.Hours() + 3*i) / 24)
			r.Temperature = gateway.Measure{Value: gateway.Number(19 + i/2 + 1.4*day), At: at}
			r.Target = gateway.Aim{Value: gateway.Number(17 + 3*math.Round((day+1)/2))}
			r.Heating = gateway.Number(max(0, 90*day))
			s.Rooms = s.Rooms.With(id, r)
			i++
		}
		h.Observe(s, at)
	}
	for ago := 20; ago > 0; ago-- {
		h.Count(uint64(20-ago)*(1_500_000+uint64(ago%5)*400_000), uint64(20-ago)*200, now.AddDate(0, 0, -ago))
	}
	return h, nil
}

// picturesSeen looks at the page on all screens, in both languages, by day and by night.
func (m *messages) picturesSeen(b *browser) {
	for _, look := range []struct {
		looks
		width int
	}{{looks{}, 320}, {looks{french: true, dark: true}, 390}, {looks{}, 1280}, {looks{french: true, dark: true}, 1280}} {
		name := fmt.Sprintf("pictures-%d-%s-%s", look.width, word(look.dark, "dark", "light"), word(look.french, "fr", "en"))
		promise(m.t, "no serious fault by axe, no request to strangers, nothing wider than the screen: "+name, func() (string, error) {
			v := &visitor{b, name, look.french}
			locale := word(look.french, "fr-FR", "en-GB")
			if err := b.ask("open", map[string]any{"visitor": name, "home": b.home, "width": look.width, "height": 844, "locale": locale, "dark": look.dark, "as": "phone"}, nil); err != nil {
				return "", err
			}
			var wide, size float64
			tooWide := map[string]any{"visitor": name, "script": "document.documentElement.scrollWidth - innerWidth"}
			if err := v.do("go", map[string]any{"url": b.home + "/pictures"}); err != nil {
				return "", err
			}
			if err := v.do("run", map[string]any{"script": "document.querySelectorAll('details').forEach(d => d.open = true)"}); err != nil {
				return "", err
			}
			if err := v.says("main", word(look.french, "Les dernières 48 heures", "The last 48 hours"), word(look.french, "la connexion à Netatmo reste sans réponse", "the connection to Netatmo was not answered"), word(look.french, "jour par jour", "day by day")); err != nil {
				return "", err
			}
			v.picture(name, true)
			if err := v.ask("run", tooWide, &wide); err != nil || wide > 0 {
				return "", fmt.Errorf("%v px too wide, %v", wide, err)
			}
			sum := "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).reduce((n, e) => n + e.encodedBodySize, 0)"
			if err := v.ask("run", map[string]any{"visitor": name, "script": sum}, &size); err != nil || size > 150_000 || size == 0 {
				return "", fmt.Errorf("%v bytes are loaded, %v", size, err)
			}
			// The smallest letters on the screen, in pixels.
			var letters float64
			least := `Math.min(...[...document.querySelectorAll('.drawing text')].map((t) => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a))`
			if err := v.ask("run", map[string]any{"visitor": name, "script": least}, &letters); err != nil || letters < 8 {
				return "", fmt.Errorf("the smallest letters have %.1f px, %v", letters, err)
			}
			if _, err := v.sound(); err != nil {
				return "", err
			}
			return fmt.Sprintf("%.0f kB with style and script, compressed; smallest letters %.1f px", size/1000, letters), v.do("close", map[string]any{})
		})
	}
}

// picturesRead reads pictures off, with the keyboard and with the pointer.
func (m *messages) picturesRead(v *visitor) {
	room := "#room-" + netatmotest.Bedroom
	said := func(at string, wants ...string) error {
		condition := fmt.Sprintf(`(t => %s)(document.querySelector('%s [data-reading]').textContent)`, condition(wants), at)
		_, err := v.sees(condition)
		return err
	}
	promise(m.t, "a room is read off by arrow keys, and the slider says it aloud", func() (string, error) {
		if err := v.do("focus", map[string]any{"at": room + " input"}); err != nil {
			return "", err
		}
		if err := v.keys(strings.Repeat("<ArrowLeft>", 8)); err != nil { // two hours ago
			return "", err
		}
		if err := said(room, "°C", "consigne", "chauffage", "Netatmo"); err != nil {
			return "", err
		}
		_, err := v.sees(fmt.Sprintf(`document.querySelector('%s input').getAttribute('aria-valuetext').includes('°C')`, room))
		return "", err
	})
	promise(m.t, "and by the pointer: who was in charge in the outage, and nothing where nobody looked", func() (string, error) {
		at := func(ago time.Duration) map[string]any {
			share := 1 - ago.Hours()/history.Length.Hours()
			return map[string]any{"at": room + " .drawing svg", "x": (30 + share*324) / 360, "y": 0.5}
		}
		if err := v.do("point", at(pastOutage-pastLength/2)); err != nil {
			return "", err
		}
		if err := said(room, "°C", "Veilleuse a pris le relais"); err != nil {
			return "", err
		}
		v.picture("picture-read-phone-fr", false)
		if err := v.do("point", at(pastGap-pastAway/2)); err != nil {
			return "", err
		}
		return "", said(room, "non enregistré")
	})
	promise(m.t, "a day of the vendor's year is read off by arrow keys", func() (string, error) {
		if err := v.do("focus", map[string]any{"at": "#availability input"}); err != nil {
			return "", err
		}
		if err := v.keys("<ArrowLeft>"); err != nil {
			return "", err
		}
		return "", said("#availability", "83,33 %", "24 h 00")
	})
}

// condition is a script that looks for words in t.
func condition(words []string) string {
	var all []string
	for _, w := range words {
		all = append(all, fmt.Sprintf("t.includes('%s')", w))
	}
	return strings.Join(all, " && ")
}

// picturesSaved saves each picture as both kinds of file, and reads them.
func (m *messages) picturesSaved(v *visitor) {
	save := func(id, kind string) (name, content string, err error) {
		var file struct{ Name, Content string }
		err = v.ask("save", map[string]any{"visitor": v.name, "at": fmt.Sprintf(`a[href="/pictures/%s.%s"]`, id, kind)}, &file)
		return file.Name, file.Content, err
	}
	for _, id := range []string{"room-" + netatmotest.Bedroom, "outages", "availability", "writes"} {
		promise(m.t, "saved as SVG and CSV: "+id, func() (string, error) {
			name, drawing, err := save(id, "svg")
			if err != nil || !strings.HasPrefix(name, "veilleuse-"+id+"-") || !strings.HasSuffix(name, ".svg") {
				return "", fmt.Errorf("%q, %v", name, err)
			}
			if err := drawn(drawing); err != nil {
				return "", err
			}
			if err := os.WriteFile(filepath.Join(v.shot, id+".svg"), []byte(drawing), 0o644); err != nil {
				return "", err
			}
			_, sheet, err := save(id, "csv")
			if err != nil {
				return "", err
			}
			rows, err := csv.NewReader(strings.NewReader(sheet)).ReadAll()
			if err != nil || len(rows) < 2 {
				return "", fmt.Errorf("%d rows, %v", len(rows), err)
			}
			if id == "room-"+netatmotest.Bedroom {
				err = roomRows(rows)
			}
			return fmt.Sprintf("%d and %d kB, %d rows", len(drawing)/1000, len(sheet)/1000, len(rows)-1), err
		})
	}
	promise(m.t, "the saved picture looks like the one in the page", func() (string, error) {
		if err := v.do("go", map[string]any{"url": "file://" + filepath.Join(v.shot, "room-"+netatmotest.Bedroom+".svg")}); err != nil {
			return "", err
		}
		v.picture("picture-saved", false)
		var fill string
		if err := v.ask("run", map[string]any{"visitor": v.name, "script": "getComputedStyle(document.querySelector('.local')).fill"}, &fill); err != nil || !strings.Contains(fill, "p-own") {
			return "", fmt.Errorf("an outage is filled with %q, %v", fill, err)
		}
		return "", v.do("go", map[string]any{"url": v.home + "/pictures"})
	})
}

// drawn reports whether a file is a picture on its own: well-formed, with a title, words and style, and nothing from elsewhere.
func drawn(content string) error {
	seen := map[string]int{}
	reader := xml.NewDecoder(strings.NewReader(content))
	for {
		token, err := reader.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok {
			seen[e.Name.Local]++
		}
	}
	for _, want := range []string{"svg", "title", "desc", "style", "pattern", "rect", "text"} {
		if seen[want] == 0 {
			return fmt.Errorf("there is no %s in %v", want, seen)
		}
	}
	if strings.Contains(content, "href") || strings.Count(content, "http") != 1 {
		return errors.New("it asks for something from elsewhere")
	}
	return nil
}

// roomRows looks for the past that was given.
func roomRows(rows [][]string) error {
	if want := "time (ISO 8601)|temperature (°C)|target (°C)|heating (%)|in charge|drill"; strings.Join(rows[0], "|") != want {
		return fmt.Errorf("the head is %q", rows[0])
	}
	local, gap := false, false
	var last time.Time
	for _, row := range rows[1:] {
		at, err := time.Parse(time.RFC3339, row[0])
		if err != nil || at.Before(last) {
			return fmt.Errorf("%q after %v: %v", row, last, err)
		}
		last = at
		local = local || row[4] == "local"
		gap = gap || row[1] == "" && row[4] == ""
	}
	if !local || !gap {
		return fmt.Errorf("the outage is there: %v; the gap: %v", local, gap)
	}
	return nil
}

// picturesRenew lets something happen, and waits for no minute.
func (m *messages) picturesRenew(v *visitor) {
	promise(m.t, "the page renews itself, and what was open stays open", func() (string, error) {
		if err := v.click("#outage-2 summary"); err != nil {
			return "", err
		}
		if err := publish(m.house.mqtt, m.livingRoom()+"/set", `{"target":18.5}`); err != nil {
			return "", err
		}
		if _, err := until(patience, func() error {
			if err := v.do("run", map[string]any{"script": "renew()"}); err != nil {
				return err
			}
			return v.saysNow("#decisions", word(v.french, "18,5", "18.5"))
		}); err != nil {
			return "", err
		}
		_, err := v.sees(`document.querySelector('#outage-2').open && document.querySelectorAll('.picture svg path').length > 20`)
		return "", err
	})
}

// picturesPlain looks at the page without JavaScript.
func (m *messages) picturesPlain(b *browser) {
	promise(m.t, "without JavaScript: the pictures are there, with their words and files", func() (string, error) {
		v := b.visit("plain", looks{plain: true, phone: true, as: "phone"})
		if err := v.do("go", map[string]any{"url": v.home + "/pictures"}); err != nil {
			return "", err
		}
		if err := v.says("main", "Chambre", "heated for", "served", "CSV"); err != nil {
			return "", err
		}
		v.picture("pictures-plain-phone-en", true)
		return "", v.do("close", map[string]any{})
	})
}
