package broker

import (
	"strings"
	"testing"
)

func TestMatches(t *testing.T) {
	for _, row := range []struct {
		filter, topic string
		want          bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"a/b", "a", false},
		{"a", "a/b", false},
		{"a/", "a/", true},
		{"a", "a/", false},
		{"a/+", "a/", true},
		{"+", "a", true},
		{"+", "a/b", false},
		{"+/+", "/a", true},
		{"/+", "/a", true},
		{"+", "/a", false},
		{"+/b", "a/b", true},
		{"a/+/c", "a/b/c", true},
		{"a/+/c", "a/b/d", false},
		{"#", "a/b/c", true},
		{"#", "/", true},
		{"a/#", "a", true},
		{"a/#", "a/b/c", true},
		{"a/#", "ab", false},
		{"a/+/#", "a", false},
		{"a/+/#", "a/b", true},
		{"+/#", "a", true},
		{"#", "$SYS/a", false},
		{"+/a", "$SYS/a", false},
		{"$SYS/#", "$SYS/a", true},
		{"$SYS/+", "$SYS/a", true},
	} {
		if got := matches(row.filter, row.topic); got != row.want {
			t.Errorf("%q matches %q: %v", row.filter, row.topic, got)
		}
	}
}

// FuzzMatches compares with the rules read the slow way.
func FuzzMatches(f *testing.F) {
	f.Add("a/+/#", "a/b/c")
	f.Add("a/#", "a")
	f.Add("+", "")
	f.Add("$x/+", "$x/y")
	f.Fuzz(func(t *testing.T, filter, topic string) {
		if checkFilter(filter) != nil || checkTopic(topic) != nil {
			t.Skip()
		}
		dollar := topic[0] == '$' && (filter[0] == '+' || filter[0] == '#')
		want := !dollar && slowly(strings.Split(filter, "/"), strings.Split(topic, "/"))
		if got := matches(filter, topic); got != want {
			t.Errorf("%q matches %q: %v", filter, topic, got)
		}
	})
}

func slowly(filter, topic []string) bool {
	switch {
	case len(filter) == 1 && filter[0] == "#":
		return true
	case len(filter) == 0 || len(topic) == 0:
		return len(filter) == len(topic)
	}
	return (filter[0] == "+" || filter[0] == topic[0]) && slowly(filter[1:], topic[1:])
}

func TestShelfKeepsAccount(t *testing.T) {
	s := newShelf(limits{topics: 2, retained: 20})
	put := func(topic string, payload int) {
		t.Helper()
		if err := s.fits(topic, payload); err != nil {
			t.Fatal(err)
		}
		s.put(topic, payload, 0, false)
	}
	put("a", 9)
	put("b", 9)
	put("b", 9) // the same again takes no more room
	if s.used != 20 {
		t.Errorf("%d bytes are used", s.used)
	}
	if s.fits("c", 1) == nil {
		t.Error("a third topic fits")
	}
	if s.fits("b", 10) == nil {
		t.Error("21 bytes fit")
	}
	put("a", 0)
	put("a", 0) // deleted already
	put("c", 9)
	if s.used != 20 || len(s.items) != 2 {
		t.Errorf("%d bytes are used by %d topics", s.used, len(s.items))
	}
	if s.turnOf("a") != 0 || s.turnOf("b") == 0 || s.turnOf("b") == s.turnOf("c") {
		t.Error("turns do not tell messages apart")
	}
}
