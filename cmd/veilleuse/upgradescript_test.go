package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// trialled is a machine on which the package's script sees an upgrade through: systemctl and the programs are scripts,
// and what happened to them stands in one list.
type trialled struct {
	folder string
	shows  []string // what systemctl show says, one look after the other; the last is repeated
}

// onTrial lets 1.1 be on trial after 1.0, in the folder of a test.
func onTrial(t *testing.T, shows ...string) trialled {
	t.Helper()
	m := trialled{folder: t.TempDir(), shows: shows}
	m.write(t, "root/var/lib/veilleuse-upgrade/trial", "1.1 1.0\n")
	m.write(t, "root/usr/lib/veilleuse/previous/version", "1.0\n")
	m.write(t, "root/etc/veilleuse/veilleuse.yaml", "")
	m.write(t, "root/var/lib/veilleuse/veilleuse.db", "state of 1.1\n")
	m.write(t, "root/var/lib/veilleuse/before-upgrade/veilleuse.db", "state of 1.0\n")
	m.write(t, "calls", "")
	for i, s := range shows {
		m.write(t, fmt.Sprintf("show/%d", i+1), s+"\n")
	}
	m.program(t, "bin/systemctl", `if [ "$1" = show ]; then
  looks=$(($(cat "$TOP/looks" 2>/dev/null || echo 0) + 1)); echo $looks >"$TOP/looks"
  while [ ! -e "$TOP/show/$looks" ]; do looks=$((looks - 1)); done; cat "$TOP/show/$looks"; exit
fi
echo "systemctl $*" >>"$TOP/calls"`)
	m.program(t, "bin/setpriv", `while case $1 in --*) ;; *) false ;; esac; do shift; done; exec "$@"`)
	m.program(t, "bin/sleep", `exec /bin/sleep 0.01`)
	m.program(t, "bin/cut", `case "$*" in *uptime) up=$(cat "$TOP/up" 2>/dev/null || echo 0); up=$((up + 1 + up / 10)); echo $up | tee "$TOP/up" ;; *) exec /usr/bin/cut "$@" ;; esac`)
	m.program(t, "bin/veilleuse", `echo '{"store": {}}'`)
	m.program(t, "root/usr/lib/veilleuse/previous/veilleuse", `echo "previous $*" >>"$TOP/calls"
case "$*" in
"upgrade-ready "*) [ ! -e "$TOP/busy" ] || { rm "$TOP/busy"; echo 'an alarm is on'; exit 1; } ;;
"restore --verify "*) ! [ -e "$TOP/newer" ] ;;
esac`)
	return m
}

func (m trialled) write(t *testing.T, name, text string) {
	t.Helper()
	writeTo(t, m.room(t, name), text)
}

// room makes the folders above a file and returns its path.
func (m trialled) room(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(m.folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func (m trialled) program(t *testing.T, name, script string) {
	t.Helper()
	executable(t, m.room(t, name), script)
}

func (m trialled) remove(t *testing.T, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(m.folder, name)); err != nil {
		t.Fatal(err)
	}
}

func (m trialled) has(name string) bool {
	_, err := os.Stat(filepath.Join(m.folder, name))
	return err == nil
}

// watch runs the script until it has seen the upgrade through, and returns what it says and what it has called.
func (m trialled) watch(t *testing.T) (said string, calls []string) {
	t.Helper()
	said = m.does(t, "watch")
	return said, strings.Split(strings.TrimSpace(string(mustRead(t, filepath.Join(m.folder, "calls")))), "\n")
}

// does runs the script to do one thing, and returns what it says.
func (m trialled) does(t *testing.T, what string) string {
	t.Helper()
	script := packaged(t, "debian/upgrade")
	for _, place := range []string{"/var/lib/", "/usr/lib/", "/etc/"} {
		script = strings.ReplaceAll(script, "="+place, "="+m.folder+"/root"+place)
	}
	m.program(t, "upgrade", script)
	c := exec.CommandContext(t.Context(), filepath.Join(m.folder, "upgrade"), what)
	c.Env = []string{"PATH=" + filepath.Join(m.folder, "bin") + ":/usr/sbin:/usr/bin:/sbin:/bin", "TOP=" + m.folder, "VEILLEUSE_TRIAL_S=5", "VEILLEUSE_PAUSE_S=1"}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// installs lets another version of the package be installed, as its preinst leaves it: that keeps the program that serves
// only if it has passed its trial.
func (m trialled) installs(t *testing.T, version, serves string, proved bool) {
	t.Helper()
	m.program(t, "bin/dpkg-query", "echo "+version)
	m.program(t, "bin/deb-systemd-invoke", `exec systemctl "$@"`)
	if proved {
		m.write(t, "root/usr/lib/veilleuse/kept/version", serves+"\n")
		m.program(t, "root/usr/lib/veilleuse/kept/veilleuse", "exit 0")
	}
	m.write(t, "root/var/lib/veilleuse/veilleuse.db", "state of "+serves+"\n")
	if said := m.does(t, "begin"); said != "" {
		t.Fatal(said)
	}
}

// showing is one look at the service.
func showing(active, result string, process, restarts, sign int) string {
	return fmt.Sprintf("Result=%s\nNRestarts=%d\nMainPID=%d\nActiveState=%s\nWatchdogTimestampMonotonic=%d", result, restarts, process, active, sign)
}

const (
	dropIn    = "root/etc/systemd/system/veilleuse.service.d/previous.conf"
	trialFile = "root/var/lib/veilleuse-upgrade/trial"
	copied    = "root/var/lib/veilleuse/before-upgrade"
)

func TestTrialOfAnUpgrade(t *testing.T) {
	t.Parallel() // it waits most of the time
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell here")
	}
	active := showing("active", "success", 7, 0, 1)
	alive := showing("active", "success", 7, 0, 2)
	for _, test := range []struct {
		name, reason string
		shows        []string
	}{
		{"serves, and gives signs of life", "", []string{active, alive}},
		{"is started by hand meanwhile, and its time begins again", "", []string{active, showing("deactivating", "success", 7, 0, 1),
			showing("inactive", "success", 0, 0, 0), showing("activating", "success", 8, 0, 0), showing("active", "success", 8, 0, 5), showing("active", "success", 8, 0, 6)}},
		{"ends by itself", "exited", []string{showing("activating", "exit-code", 0, 0, 0), showing("activating", "success", 8, 1, 0)}},
		{"crashes after it was ready", "crashed", []string{active, alive, showing("activating", "signal", 0, 0, 2), showing("active", "success", 9, 1, 3)}},
		{"is killed by its watchdog", "hung", []string{active, showing("activating", "watchdog", 0, 0, 1), showing("active", "success", 9, 1, 1)}},
		{"is ready, but gives no sign of life, and nobody kills it", "hung", []string{active}},
		{"is not ready in the time that systemd gives it", "never-ready", []string{showing("activating", "timeout", 0, 0, 0), showing("activating", "success", 8, 1, 0)}},
		{"lives, but is never ready", "never-ready", []string{showing("activating", "success", 7, 0, 0)}},
		{"cannot be started at all", "exited", []string{showing("failed", "exit-code", 0, 0, 0)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := onTrial(t, test.shows...)
			said, calls := m.watch(t)
			if m.has(trialFile) {
				t.Error("the trial is not over")
			}
			if test.reason == "" {
				if said != "<5>1.1 has passed its trial\n" || m.has(dropIn) || m.has("root/var/lib/veilleuse/before-upgrade") || slices.Contains(calls, "systemctl stop veilleuse.service") {
					t.Errorf("it says %q, after %q", said, calls)
				}
				return
			}
			want := "<3>1.1 was taken back (" + test.reason + "): 1.0 serves again, with the state as 1.1 has left it; the next newer version is tried by itself"
			if !strings.HasPrefix(said, want) || strings.Count(said, "\n") != 1 {
				t.Errorf("it says %q, want %q", said, want)
			}
			drop := string(mustRead(t, filepath.Join(m.folder, dropIn)))
			if !strings.Contains(drop, "\nExecStart=\nExecStart="+m.folder+"/root/usr/lib/veilleuse/previous/veilleuse run -c ") ||
				!strings.Contains(drop, "\nEnvironment=\"VEILLEUSE_ROLLED_BACK=1.1 1.0 "+test.reason+" 2") {
				t.Errorf("the drop-in is %s", drop)
			}
			_, told, _ := strings.Cut(drop, "VEILLEUSE_ROLLED_BACK=")
			if r, err := readRolledBack(strings.Trim(told, "\"\n")); err != nil || r.Failed != "1.1" {
				t.Errorf("the program reads %+v, %v", r, err)
			} else if _, why := rolledBackWords(r); strings.HasPrefix(why, unknownReason) {
				t.Errorf("the program does not know the reason %s", r.Reason)
			}
			if order := []string{"systemctl stop veilleuse.service", "systemctl daemon-reload", "systemctl start veilleuse.service"}; !inOrder(calls, order) {
				t.Errorf("%q, want %q", calls, order)
			}
		})
	}
}

// inOrder reports whether all wanted are in a list, in that order.
func inOrder(list, wanted []string) bool {
	for _, one := range list {
		if len(wanted) > 0 && one == wanted[0] {
			wanted = wanted[1:]
		}
	}
	return len(wanted) == 0
}

func TestGoingBackTakesTheStateAlongWhereItMust(t *testing.T) {
	m := onTrial(t, showing("failed", "exit-code", 0, 0, 0))
	m.write(t, "newer", "")
	said, calls := m.watch(t)
	state := m.folder + "/root/var/lib/veilleuse"
	if !strings.Contains(said, "with the state as it was before the upgrade; ") {
		t.Errorf("it says %q", said)
	}
	restored := "previous restore -c " + m.folder + "/root/etc/veilleuse/veilleuse.yaml --state " + state + " " + state + "/before-upgrade"
	if !inOrder(calls, []string{"systemctl stop veilleuse.service", "previous restore --verify " + state, restored, "systemctl start veilleuse.service"}) {
		t.Errorf("%q", calls)
	}
}

// Whatever the script was doing when the power failed, it is done to its end afterwards.
func TestGoingBackIsFinishedAfterAnInterruption(t *testing.T) {
	m := onTrial(t, showing("active", "success", 7, 0, 1), showing("active", "success", 7, 0, 2))
	m.write(t, "root/var/lib/veilleuse-upgrade/failed", "1.1 1.0 hung 2026-11-23T14:00:00Z\n")
	if said, _ := m.watch(t); !strings.HasPrefix(said, "<3>1.1 was taken back (hung): 1.0 serves again") || m.has(trialFile) {
		t.Errorf("it says %q", said)
	}
}

func TestAnUpgradeWaitsForACalmHouse(t *testing.T) {
	m := onTrial(t, showing("active", "success", 5, 0, 1), showing("inactive", "success", 0, 0, 0), showing("active", "success", 7, 0, 1), showing("active", "success", 7, 0, 2))
	m.write(t, dropIn, "[Service]\n")
	m.write(t, "busy", "")
	m.remove(t, copied) // begin does
	m.program(t, "bin/veilleuse", `cp -r "$TOP/root/var/lib/veilleuse/before-upgrade" "$TOP/copied"; echo '{}'`)
	said, calls := m.watch(t)
	if want := "<6>1.1 waits, for an alarm is on\n<5>1.1 takes over from 1.0\n<5>1.1 has passed its trial\n"; said != want {
		t.Errorf("it says %q, want %q", said, want)
	}
	if m.has(dropIn) || !inOrder(calls, []string{"systemctl stop veilleuse.service", "systemctl daemon-reload", "systemctl --no-block start veilleuse.service"}) {
		t.Errorf("%q", calls)
	}
	if got := string(mustRead(t, filepath.Join(m.folder, "copied", "veilleuse.db"))); got != "state of 1.1\n" {
		t.Errorf("%q was set aside", got)
	}
}

// A program that serves but does not answer, or finds its database damaged, has not passed.
func TestTrialAsksTheProgramItself(t *testing.T) {
	for script, reason := range map[string]string{"exit 1": "mute", `echo '{"store": {"damage": "the database was damaged"}}'`: "damage"} {
		m := onTrial(t, showing("active", "success", 7, 0, 1), showing("active", "success", 7, 0, 2))
		m.program(t, "bin/veilleuse", script)
		if said, _ := m.watch(t); !strings.HasPrefix(said, "<3>1.1 was taken back ("+reason+"): 1.0 serves again") {
			t.Errorf("%s: it says %q", script, said)
		}
	}
}

// spoil gives the machine a configuration that no program accepts. Each has its own copy; the house that came up before
// goes on, and answers whoever knows its folder.
func (m trialled) spoil(t *testing.T) {
	t.Helper()
	m.write(t, "spoilt", "")
	m.program(t, "bin/veilleuse", `case "$1" in check) ! [ -e "$TOP/spoilt" ]; exit ;; esac; echo '{"store": {}}'`)
	m.program(t, "root/usr/lib/veilleuse/previous/veilleuse", `echo "previous $*" >>"$TOP/calls"
case "$*" in
*verbs.yaml) [ "$1" != upgrade-ready ] || [ ! -e "$TOP/busy" ] || { echo 'an alarm is on'; exit 1; } ;;
"upgrade-ready "*) ;;
*) ! [ -e "$TOP/spoilt" ] ;;
esac`)
}

// A house that serves goes on with the configuration it came up with. Whatever is started in its place would not come up.
func TestAnUpgradeWaitsForAConfigurationToStartWith(t *testing.T) {
	m := onTrial(t, showing("active", "success", 5, 0, 1), showing("inactive", "success", 0, 0, 0), showing("active", "success", 7, 0, 1), showing("active", "success", 7, 0, 2))
	m.write(t, dropIn, "[Service]\n")
	m.write(t, "busy", "")
	m.spoil(t)
	m.program(t, "bin/sleep", `[ ! -e "$TOP/slept" ] || rm -f "$TOP/spoilt"; [ -e "$TOP/busy" ] || touch "$TOP/slept"; rm -f "$TOP/busy"; exec /bin/sleep 0.01`)
	said, _ := m.watch(t)
	usual := m.folder + "/root/etc/veilleuse/veilleuse.yaml"
	if want := "<6>1.1 waits, for an alarm is on\n<6>1.1 waits, for " + usual + " has a fault with which neither could start (veilleuse check says which)\n" +
		"<5>1.1 takes over from 1.0\n<5>1.1 has passed its trial\n"; said != want {
		t.Errorf("it says %q, want %q", said, want)
	}
	if m.has("root/var/lib/veilleuse-upgrade/verbs.yaml") {
		t.Error("it leaves a file behind")
	}
}

// Whoever mends the usual configuration must have the program before come up with it.
func TestGoingBackKeepsToTheConfigurationThatPeopleMend(t *testing.T) {
	m := onTrial(t, showing("failed", "exit-code", 0, 0, 0))
	m.spoil(t)
	m.watch(t)
	if drop := string(mustRead(t, filepath.Join(m.folder, dropIn))); !strings.Contains(drop, " run -c "+m.folder+"/root/etc/veilleuse/veilleuse.yaml\n") {
		t.Errorf("the drop-in is %s", drop)
	}
}

// A configuration that came with the new program may have words that the one before does not know. People look for theirs
// in the usual place.
func TestGoingBackSaysWhichConfigurationCounts(t *testing.T) {
	m := onTrial(t, showing("failed", "exit-code", 0, 0, 0))
	m.program(t, "root/usr/lib/veilleuse/previous/veilleuse", `case "$*" in "check -c "*/etc/*) exit 1 ;; esac`)
	said, _ := m.watch(t)
	own := m.folder + "/root/usr/lib/veilleuse/previous/veilleuse.yaml"
	if !strings.Contains(said, " and its own configuration ("+own+": what you change belongs there until then); the next newer version") {
		t.Errorf("it says %q", said)
	}
	if drop := string(mustRead(t, filepath.Join(m.folder, dropIn))); !strings.Contains(drop, " run -c "+own+"\n") {
		t.Errorf("the drop-in is %s", drop)
	}
}

func TestAnUpgradeSaysThatTheHouseDoesNotServe(t *testing.T) {
	m := onTrial(t, showing("activating", "success", 5, 0, 1), showing("active", "success", 5, 0, 1), showing("inactive", "success", 0, 0, 0), showing("active", "success", 7, 0, 1), showing("active", "success", 7, 0, 2))
	m.write(t, dropIn, "[Service]\n")
	if said, _ := m.watch(t); said != "<6>1.1 waits, for 1.0 does not serve just now\n<5>1.1 takes over from 1.0\n<5>1.1 has passed its trial\n" {
		t.Errorf("it says %q", said)
	}
}

// What is gone back to is the last version that has passed its trial, with the state that it has left: neither that of one on
// trial nor one from before an earlier upgrade.
func TestTheStateThatIsKeptIsThatOfTheLastProgramThatWasProved(t *testing.T) {
	inactive := showing("inactive", "success", 0, 0, 0)
	for _, test := range []struct {
		name   string
		before func(m trialled)
		serves string
		proved bool
		want   string
	}{
		{"a third version comes while the second is on trial", func(trialled) {}, "1.1", false, "1.0 1.0"},
		{"the second has passed its trial, and its copy was left by an accident", func(m trialled) { m.remove(t, trialFile) }, "1.1", true, "1.1 1.1"},
		{"the second was taken back, and the first has served since", func(m trialled) {
			m.remove(t, trialFile)
			m.write(t, dropIn, "[Service]\n")
			m.write(t, "root/var/lib/veilleuse-upgrade/failed", "1.1 1.0 hung 2026-11-23T14:00:00Z\n")
		}, "1.0, today", false, "1.0 1.0, today"},
		{"the first upgrade of all", func(m trialled) { m.remove(t, trialFile); m.remove(t, copied) }, "1.0, today", true, "1.0, today 1.0, today"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := onTrial(t, inactive)
			test.before(m)
			m.installs(t, "1.2", test.serves, test.proved)
			old := strings.TrimPrefix(string(mustRead(t, filepath.Join(m.folder, trialFile))), "1.2 ")
			state := strings.TrimPrefix(string(mustRead(t, filepath.Join(m.folder, copied, "veilleuse.db"))), "state of ")
			if got := strings.TrimSpace(old) + " " + strings.TrimSpace(state); got != test.want {
				t.Errorf("kept are program and state of %s, want %s", got, test.want)
			}
		})
	}
}
