package broker

import (
	"fmt"
	"strings"
)

// access says who may read and write which topics, in the words of Mosquitto's acl_file (mosquitto.conf(5)):
//
//	topic read veilleuse/#              of those without a name
//	user homeassistant
//	topic readwrite homeassistant/#     of this user: read, write, readwrite (also if left out) or deny
//	pattern readwrite own/%u/#          of everybody; %u is the user's name, %c the client id
//
// What no line allows is forbidden; a deny outweighs all others.
type access struct {
	users    map[string][]rule // "" is whoever has no name
	patterns []rule
}

// rule is one line.
type rule struct {
	filter      string
	read, write bool // neither: deny
}

func (r rule) denies() bool { return !r.read && !r.write }

// mostRules bounds a file: each message to each client is looked up in it.
const mostRules = 1000

// readAccess reads a file. The error says which line is wrong and what would be right.
func readAccess(file string) (*access, error) {
	content, err := readFile(file)
	if err != nil {
		return nil, err
	}
	return parseAccess(file, string(content))
}

func parseAccess(name, content string) (*access, error) {
	a := &access{users: map[string][]rule{}}
	user, number, rules := "", 0, 0
	for line := range strings.Lines(content) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		if word == "user" {
			if user = rest; user == "" {
				return nil, fmt.Errorf("%s:%d: user needs a name", name, number)
			}
			continue
		}
		r, err := parseRule(word, rest)
		if rules++; err == nil && rules > mostRules {
			err = fmt.Errorf("more than %d lines with topic or pattern", mostRules)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		if word == "pattern" {
			a.patterns = append(a.patterns, r)
		} else {
			a.users[user] = append(a.users[user], r)
		}
	}
	return a, nil
}

// parseRule reads what follows topic or pattern: perhaps a right, then the filter, which may hold blanks.
func parseRule(word, rest string) (rule, error) {
	if word != "topic" && word != "pattern" {
		return rule{}, fmt.Errorf("%q is none of user, topic, pattern", brief(word))
	}
	r := rule{filter: rest, read: true, write: true}
	switch right, filter, _ := strings.Cut(rest, " "); right {
	case "read":
		r = rule{filter: filter, read: true}
	case "write":
		r = rule{filter: filter, write: true}
	case "deny":
		r = rule{filter: filter}
	case "readwrite":
		r.filter = filter
	}
	r.filter = strings.TrimSpace(r.filter)
	if err := checkFilter(r.filter); err != nil {
		return rule{}, fmt.Errorf("%q: %w; as in: topic read house/+/state", brief(r.filter), err)
	}
	return r, nil
}

// guestName is who somebody is for the rules.
type guestName struct{ user, client string }

// allows reports whether somebody may write to a topic, or read what a filter matches: a filter is granted
// if anything below it may be read, and each message is looked at again on its way.
func (a *access) allows(who guestName, topic string, write bool) bool {
	allowed := false
	for _, list := range [][]rule{a.users[who.user], a.patterns} {
		for _, r := range list {
			filter, ok := r.meant(who)
			switch {
			case !ok:
			case r.denies() && covers(filter, topic):
				return false
			case write && r.write || !write && r.read:
				allowed = allowed || overlap(filter, topic)
			}
		}
	}
	return allowed
}

// meant is the filter for somebody, names put in; false if a name would mean more than itself.
func (r rule) meant(who guestName) (string, bool) {
	if !strings.Contains(r.filter, "%") {
		return r.filter, true
	}
	for _, n := range []struct{ mark, name string }{{"%u", who.user}, {"%c", who.client}} {
		if strings.Contains(r.filter, n.mark) && (n.name == "" || strings.ContainsAny(n.name, "+#/")) {
			return "", false
		}
	}
	return strings.NewReplacer("%u", who.user, "%c", who.client).Replace(r.filter), true
}

// overlap reports whether some topic falls under both filters; the second may be a topic.
func overlap(a, b string) bool {
	if !hasWildcard(b) {
		return matches(a, b)
	}
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	if strings.HasPrefix(a, "$") != strings.HasPrefix(b, "$") {
		return false // wildcards do not match the topics below $
	}
	for i := 0; ; i++ {
		switch endA, endB := i == len(as), i == len(bs); {
		case endA && endB:
			return true
		case !endA && as[i] == "#", !endB && bs[i] == "#":
			return true
		case endA || endB:
			return false
		case as[i] != bs[i] && as[i] != "+" && bs[i] != "+":
			return false
		}
	}
}

// covers reports whether everything that falls under the second filter falls under the first.
func covers(wide, narrow string) bool {
	if !hasWildcard(narrow) {
		return matches(wide, narrow)
	}
	ws, ns := strings.Split(wide, "/"), strings.Split(narrow, "/")
	for i, w := range ws {
		switch {
		case w == "#":
			return !strings.HasPrefix(narrow, "$") || i > 0
		case i == len(ns) || ns[i] == "#" || w != "+" && w != ns[i]:
			return false
		}
	}
	return len(ws) == len(ns)
}
