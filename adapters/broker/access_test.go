package broker

import (
	"fmt"
	"strings"
	"testing"
)

const houseAccess = `# who may what
topic read weather/#

user home assistant
topic readwrite homeassistant/#
topic read veilleuse/#
topic write veilleuse/+/+/set
topic deny veilleuse/device/lock/#

user plug
topic stat/plug
pattern write tele/%u/+
pattern read cmnd/%c/#
`

func TestAccess(t *testing.T) {
	a, err := parseAccess("acl", houseAccess)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		user, client, topic string
		read, write         bool
	}{
		{"", "x", "weather/rain", true, false},
		{"", "x", "veilleuse/status", false, false},
		{"", "x", "tele//a", false, false}, // a pattern is not for nobody
		{"home assistant", "x", "homeassistant/status", true, true},
		{"home assistant", "x", "veilleuse/room/1", true, false},
		{"home assistant", "x", "veilleuse/room/1/set", true, true},
		{"home assistant", "x", "veilleuse/device/lock/set", false, false},
		{"home assistant", "x", "weather/rain", false, false},
		{"home assistant", "x", "#", true, false},
		{"home assistant", "x", "veilleuse/device/#", true, false},
		{"home assistant", "x", "veilleuse/device/lock/#", false, false},
		{"home assistant", "x", "$SYS/#", false, false},
		{"home assistant", "x", "stat/#", false, false},
		{"plug", "c1", "stat/plug", true, true},
		{"plug", "c1", "stat/plug/2", false, false},
		{"plug", "c1", "tele/plug/STATE", false, true},
		{"plug", "c1", "tele/other/STATE", false, false},
		{"plug", "c1", "cmnd/c1/POWER", true, false},
		{"plug", "+", "cmnd/c1/POWER", false, false}, // a client id is no wildcard
		{"#", "c1", "tele/plug/STATE", false, false},
		{"unknown", "c1", "weather/rain", false, false},
	} {
		t.Run(fmt.Sprint(row.user, " ", row.topic), func(t *testing.T) {
			who := guestName{row.user, row.client}
			if got := a.allows(who, row.topic, false); got != row.read {
				t.Errorf("reading is allowed: %v", got)
			}
			if got := a.allows(who, row.topic, true); got != row.write && !hasWildcard(row.topic) {
				t.Errorf("writing is allowed: %v", got)
			}
		})
	}
}

func TestBadAccess(t *testing.T) {
	for line, want := range map[string]string{
		"users anna":                      `acl:2: "users" is none of user, topic, pattern`,
		"user":                            "acl:2: user needs a name",
		"topic read a/#/b":                `acl:2: "a/#/b": a wildcard must be a whole level`,
		"topic":                           `acl:2: "": the topic is empty`,
		"topic readwrite":                 `acl:2: "": the topic is empty`,
		"pattern write a\x00b":            "acl:2: ",
		strings.Repeat("topic a\n", 1001): "acl:1002: more than 1000 lines",
	} {
		if _, err := parseAccess("acl", "# rules\n"+line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q gives %v, want %s", line, err, want)
		}
	}
}

// FuzzAccess reads any list and holds that what is denied to all topics is allowed on none.
func FuzzAccess(f *testing.F) {
	f.Add(houseAccess, "veilleuse/room/1/set")
	f.Add("topic read %c/#\npattern deny %u/+", "a/b")
	f.Fuzz(func(t *testing.T, list, topic string) {
		a, err := parseAccess("acl", list)
		if err != nil || checkTopic(topic) != nil {
			return
		}
		who := guestName{"anna", "c"}
		for _, write := range []bool{false, true} {
			if a.allows(who, topic, write) && !a.allows(who, "#", false) && !a.allows(who, topic, true) && topic[0] != '$' {
				t.Errorf("%q may be read, but nothing may", topic)
			}
			a.patterns = append(a.patterns, rule{filter: "#"}, rule{filter: "$SYS/#"})
			if topic[0] != '$' && a.allows(who, topic, write) {
				t.Errorf("%q is allowed although all is denied", topic)
			}
			a.patterns = a.patterns[:len(a.patterns)-2]
		}
	})
}
