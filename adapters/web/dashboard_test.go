package web

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The dashboard for Grafana asks for figures that are there, each panel in a place of its own.
func TestDashboardShowsWhatThereIs(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "scripts", "grafana.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2025, 10, 29, 18, 0, 0, 0, time.UTC)
	a := New(Options{Version: "1", Stored: func() Stored { return Stored{} }, Backup: func() Backup { return Backup{State: now} }})
	var e exposition
	a.program(&e)
	a.backup(&e, now)
	s := full(now)
	judgement(&e, s, now)
	heating(&e, s)
	hardware(&e, s, now)
	decisions(&e, s)
	there := map[string]bool{}
	for sample := range parse(t, string(e.text)) {
		name, _, _ := strings.Cut(sample, "{")
		there[name] = true
	}
	taken := map[[2]int]string{}
	for _, p := range dashboard.Panels {
		if len(p.Targets) == 0 {
			t.Errorf("%s shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			for _, name := range regexp.MustCompile(`veilleuse_[a-z_]+`).FindAllString(target.Expr, -1) {
				if !there[name] {
					t.Errorf("%s asks for %s, which is not told", p.Title, name)
				}
			}
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%s lies over %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	if len(dashboard.Panels) < 10 {
		t.Errorf("only %d panels", len(dashboard.Panels))
	}
}
