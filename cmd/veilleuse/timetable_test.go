package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// vendorWeek spells out the heating schedule of the vendor's answer: the zone of each minute of the week.
// It shares nothing with what the verb uses.
func vendorWeek(t *testing.T, file string) [10080]int {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("no fixtures beside the checkout: %v", err)
	}
	var answer struct {
		Body struct {
			Homes []struct {
				Schedules []struct {
					Type      string
					Selected  bool
					Timetable []map[string]int
				}
			}
		}
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		t.Fatal(err)
	}
	var rows []map[string]int
	for _, s := range answer.Body.Homes[0].Schedules {
		if s.Type == "therm" && (s.Selected || rows == nil) {
			rows = s.Timetable
		}
	}
	var week [10080]int
	for minute := range week {
		best := -1
		for _, row := range rows { // the latest that is not after the minute; else the last of the week
			if at := row["m_offset"]; at <= minute && at >= best {
				best, week[minute] = at, row["zone_id"]
			}
		}
		for _, row := range rows {
			if at := row["m_offset"]; best < 0 || best > minute && at > best {
				best, week[minute] = at, row["zone_id"]
			}
		}
	}
	return week
}

func TestTimetableOfTheVendorMinuteByMinute(t *testing.T) {
	file := filepath.Join("..", "..", "..", "shared", "fixtures", "netatmo-cloud", "pyatmo", "homesdata.json")
	week := vendorWeek(t, file)
	from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, zone := range []string{"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "Pacific/Apia"} {
		t.Run(zone, func(t *testing.T) {
			loc, err := time.LoadLocation(zone)
			if err != nil {
				t.Fatal(err)
			}
			code, out, errors := said(t, "timetable", "--zone", zone, "--from", "2026-01-01", "--to", "2027-01-01", file)
			if code != exitWell || errors != "" {
				t.Fatalf("exit %d: %s", code, errors)
			}
			lines := strings.Split(strings.TrimSpace(out), "\n")
			listed, checked := -1, 0
			for at := from.Unix(); at < to.Unix(); at += 60 {
				for len(lines) > 0 && strings.HasPrefix(lines[0], fmt.Sprint(at, " ")) {
					fmt.Sscan(lines[0], new(int64), &listed)
					lines = lines[1:]
				}
				local := time.Unix(at, 0).In(loc)
				minute := (int(local.Weekday())+6)%7*1440 + local.Hour()*60 + local.Minute()
				if checked++; listed != week[minute] {
					t.Fatalf("%v: zone %d, want %d", local, listed, week[minute])
				}
			}
			if len(lines) > 0 {
				t.Errorf("%d lines are left, the first is %q", len(lines), lines[0])
			}
		})
	}
}
