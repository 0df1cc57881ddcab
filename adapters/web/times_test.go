package web

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/veilleuse/veilleuse/gateway"
)

// sheets are the page of a house in Paris at that time, in both languages.
func sheets(t *testing.T, now time.Time) (inEnglish, inFrench *sheet) {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return sheetOf(house{zone: paris}, english, now), sheetOf(house{zone: paris}, french, now)
}

// A day of another year must not be taken for one of this.
func TestTimesOfAnotherYearHaveTheirYear(t *testing.T) {
	inEnglish, inFrench := sheets(t, time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC))
	for _, test := range []struct {
		name            string
		at              time.Time
		english, french string
	}{
		{"today", time.Date(2026, 11, 23, 8, 5, 0, 0, time.UTC), "09:05", "09:05"},
		{"four days ago", time.Date(2026, 11, 19, 8, 5, 0, 0, time.UTC), "Thu 09:05", "jeu. 09:05"},
		{"in the spring", time.Date(2026, 5, 1, 8, 5, 0, 0, time.UTC), "1 May 10:05", "1er mai 10:05"},
		{"a year ago", time.Date(2025, 11, 23, 8, 5, 0, 0, time.UTC), "23 Nov 2025 09:05", "23 nov. 2025 09:05"},
		{"the same day, three years ago", time.Date(2023, 11, 23, 20, 0, 0, 0, time.UTC), "23 Nov 2023 21:00", "23 nov. 2023 21:00"},
		{"a week before a year ago, which could be next week's", time.Date(2025, 11, 30, 8, 5, 0, 0, time.UTC), "30 Nov 2025 09:05", "30 nov. 2025 09:05"},
		{"in two years", time.Date(2028, 12, 31, 23, 30, 0, 0, time.UTC), "1 Jan 2029 00:30", "1er janv. 2029 00:30"},
	} {
		if got, fr := inEnglish.clock(test.at), inFrench.clock(test.at); got != test.english || fr != test.french {
			t.Errorf("%s: %q, %q, want %q, %q", test.name, got, fr, test.english, test.french)
		}
	}
	if got := inFrench.when("since", time.Date(2024, 11, 1, 8, 5, 0, 0, time.UTC)); got != "depuis le 1er nov. 2024 09:05" {
		t.Errorf("%q", got)
	}
}

// mostLetters is how many letters of a title a picture of outages has room for: 354 units of 6.2.
const mostLetters = 57

func TestTitlesOfOutagesFit(t *testing.T) {
	lost := time.Date(2024, 12, 31, 14, 41, 0, 0, time.UTC)
	o := &gateway.Outage{Number: 12, Drill: true, Lost: lost, Began: lost, Ended: lost.Add(11*time.Hour + 24*time.Minute)}
	for _, test := range []struct{ after, english, french string }{
		{"720h", "12 · 31 Dec 15:41 – 1 Jan 03:05 · 11 h 24 · Drill", "12 · 31 déc. 15:41 – 1er janv. 03:05 · 11 h 24 · Exercice"},
		{"12000h", "12 · 31 Dec 2024 15:41 · 11 h 24 · Drill", "12 · 31 déc. 2024 15:41 · 11 h 24 · Exercice"},
	} {
		after, err := time.ParseDuration(test.after)
		if err != nil {
			t.Fatal(err)
		}
		inEnglish, inFrench := sheets(t, lost.Add(after))
		got, fr := (&gallery{sheet: inEnglish}).outageTitle(o), (&gallery{sheet: inFrench}).outageTitle(o)
		if got != test.english || fr != test.french || utf8.RuneCountInString(fr) > mostLetters {
			t.Errorf("%q, %q, want %q, %q", got, fr, test.english, test.french)
		}
	}
}
