package systemd

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/systemd/systemdtest"
)

func TestFromEnvironment(t *testing.T) {
	own := strconv.Itoa(os.Getpid())
	for _, test := range []struct {
		name                      string
		socket, watchdog, process string
		want                      Manager
		fault                     string
	}{
		{"nobody", "", "30000000", own, Manager{}, ""},
		{"no watchdog", "/run/systemd/notify", "", "", Manager{Socket: "/run/systemd/notify"}, ""},
		{"watchdog", "@manager", "180000000", own, Manager{"@manager", 3 * time.Minute}, ""},
		{"watchdog of whoever runs", "@manager", "180000000", "", Manager{"@manager", 3 * time.Minute}, ""},
		{"watchdog of another process", "@manager", "180000000", "1", Manager{Socket: "@manager"}, ""},
		{"no address", "vsock:2:1234", "", "", Manager{}, "NOTIFY_SOCKET"},
		{"an empty name", "@", "", "", Manager{}, "NOTIFY_SOCKET"},
		{"no number", "@manager", "soon", "", Manager{Socket: "@manager"}, "WATCHDOG_USEC"},
		{"zero", "@manager", "0", "", Manager{Socket: "@manager"}, "WATCHDOG_USEC"},
		{"an age", "@manager", "9223372036854775807", "", Manager{Socket: "@manager"}, "WATCHDOG_USEC"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("NOTIFY_SOCKET", test.socket)
			t.Setenv("WATCHDOG_USEC", test.watchdog)
			t.Setenv("WATCHDOG_PID", test.process)
			got, err := FromEnvironment()
			if got != test.want || (err != nil) != (test.fault != "") || err != nil && !strings.Contains(err.Error(), test.fault) {
				t.Errorf("%+v, %v; want %+v and a fault of %q", got, err, test.want, test.fault)
			}
			for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
				if value, there := os.LookupEnv(name); there {
					t.Errorf("%s is left to our children: %q", name, value)
				}
			}
		})
	}
}

func TestBothKindsOfSocketsAreReached(t *testing.T) {
	for name, m := range map[string]*systemdtest.Manager{
		"a file": systemdtest.Listen(t), "a name": systemdtest.ListenAt(t, "@veilleuse-test-name-"+strconv.Itoa(os.Getpid())),
	} {
		if err := (Manager{Socket: m.Socket}).send("READY=1"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if told := m.Told(); len(told) != 1 || told[0] != "READY=1" {
			t.Errorf("%s is told %q", name, told)
		}
	}
	if err := (Manager{Socket: "/nowhere/at/all"}).send("READY=1"); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("nobody there: %v", err)
	}
}
