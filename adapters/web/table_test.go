package web

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestARoomAsATable(t *testing.T) {
	text, header := gallery48(t).signed()("/pictures/room-1.csv")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Fatal(err, header)
	}
	var short []string
	last := time.Time{}
	for _, row := range rows[1:] {
		at, err := time.Parse(time.RFC3339, row[0])
		if err != nil || at.Before(last) {
			t.Errorf("%q after %v", row, last)
		}
		last = at
		short = append(short, strings.Join(row[1:], " "))
	}
	want := []string{"18 21 50 watching ", "18 21 50 local ", "18 21 50 watching ", "20 21 0 watching ", "    ", "20 21 0 watching ", "20 21 0 watching "}
	if !slices.Equal(short, want) || strings.Join(rows[0], "|") != "time (ISO 8601)|temperature (°C)|target (°C)|heating (%)|in charge|drill" {
		t.Errorf("%q\n%q, want\n%q", rows[0], short, want)
	}
}

func TestNoTextBecomesAFormula(t *testing.T) {
	text, _ := gallery48(t).signed()("/pictures/decisions.csv")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][5] != "'=Salon: 21 °C" || rows[1][6] != `asked for, in "page"` || rows[1][1] != "1" || rows[1][3] != "" {
		t.Errorf("%v %q", err, rows)
	}
	for value, want := range map[any]string{json.Number("-1.5"): "-1.5", "\n=1": "\"'\n=1\"", "-1": "'-1"} {
		if cell := cellOf(value); cell != want {
			t.Errorf("%v is %q, want %q", value, cell, want)
		}
	}
	if cell := cellOf([]any{"=1+1", "@x"}); cell != "'=1+1; @x" {
		t.Errorf("a list is %q", cell)
	}
}

// FuzzCell holds that a cell is one cell, and no formula, whatever stands in it.
func FuzzCell(f *testing.F) {
	for _, seed := range []string{"", "=1+1", "a,b", `"`, "\r\n", "-5", "+", "@x", "\t=1", "é\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\r") {
			return // csv.Reader reads \r\n as \n
		}
		rows, err := csv.NewReader(strings.NewReader("a," + cellOf(text) + "\r\n")).ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != 2 || strings.TrimPrefix(rows[0][1], "'") != strings.TrimPrefix(text, "'") {
			t.Fatalf("%q gives %q, %v", text, rows, err)
		}
		if cell := rows[0][1]; cell != "" && strings.Contains("=+-@\t", cell[:1]) {
			t.Errorf("%q is a formula", cell)
		}
	})
}
