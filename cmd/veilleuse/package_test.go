package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// packaged reads a file that the Debian package installs.
func packaged(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "scripts", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestCompletionKnowsEveryVerbAndOption runs the completion in bash, with a program that prints our help.
func TestCompletionKnowsEveryVerbAndOption(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash here")
	}
	folder := t.TempDir()
	var page bytes.Buffer
	help(&page)
	if err := os.WriteFile(filepath.Join(folder, "help"), page.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	executable(t, filepath.Join(folder, "veilleuse"), `[ "$1" = help ] && cat "${0%/*}/help"`)
	complete := func(words ...string) []string {
		script := packaged(t, "debian/completion.bash") + `
COMP_WORDS=(veilleuse "$@"); COMP_CWORD=$#; _veilleuse; printf '%s\n' "${COMPREPLY[@]}"`
		c := exec.Command(bash, append([]string{"-c", script, "bash"}, words...)...)
		c.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v\n%s", words, err, out)
		}
		return strings.Fields(string(out))
	}
	all := []string{}
	for _, v := range verbs() {
		all = append(all, v.name)
		options := regexp.MustCompile(`--[a-z]+|-c\b`).FindAllString(v.arguments, -1)
		if got := complete(v.name, ""); !slices.Equal(got, options) {
			t.Errorf("%s is completed by %q, want %q", v.name, got, options)
		}
	}
	if got := complete(""); !slices.Equal(got, append(all, "help")) {
		t.Errorf("the verbs are %q, want %q", got, all)
	}
	if got := complete("ti"); !slices.Equal(got, []string{"timetable"}) {
		t.Errorf("ti is completed by %q", got)
	}
	if got := complete("listen", "--kind", "s"); !slices.Equal(got, []string{"smoke"}) {
		t.Errorf("--kind s is completed by %q", got)
	}
	if got := complete("status", "-c", ""); len(got) != 0 {
		t.Errorf("a file is completed by %q, want what bash itself knows", got)
	}
}

// TestUnitAndPackageAgree: what the unit names is what the package installs and the program takes.
func TestUnitAndPackageAgree(t *testing.T) {
	unit := packaged(t, "veilleuse.service")
	for _, line := range []string{
		"ExecStart=/usr/bin/veilleuse run -c /etc/veilleuse/veilleuse.yaml", "Type=notify", "NotifyAccess=main",
		"Restart=always", "StartLimitIntervalSec=0", "User=veilleuse", "StateDirectory=veilleuse", "RuntimeDirectory=veilleuse", "RuntimeDirectoryMode=0700",
	} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit does not say %s", line)
		}
	}
	if strings.Contains(unit, "network-online") || strings.Contains(unit, "time-sync") {
		t.Error("the unit waits for the internet or for a time server")
	}
	build := packaged(t, "package")
	for _, file := range []string{"/usr/bin/veilleuse", "/lib/systemd/system/veilleuse.service", "/etc/veilleuse/veilleuse.yaml"} {
		if !strings.Contains(build, `"$root`+file+`"`) {
			t.Errorf("the package does not install %s", file)
		}
	}
}

// TestInstallTakesTheNewestPackage runs the part of scripts/install that looks for it, by Debian's own order of versions.
func TestInstallTakesTheNewestPackage(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err == nil {
		_, err = exec.LookPath("dpkg")
	}
	if err != nil {
		t.Skip("this is no Debian:", err)
	}
	script := packaged(t, "install")
	begin, end := strings.Index(script, "# version_in is"), strings.Index(script, "# make_way")
	if begin < 0 || end < begin {
		t.Fatal("the part is not where it was")
	}
	for want, others := range map[string][]string{
		"1.2.3+4.g1a2b3c4": {"1.2.3", "1.2.3~rc1", "1.1.9", "0~20261123.g1a2b3c4"},
		"1.10.0":           {"1.9.0", "1.10.0~rc2"},
		"0~20261123.g5":    nil,
	} {
		folder := t.TempDir()
		if err := os.Mkdir(filepath.Join(folder, "dist"), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, version := range append(others, want) {
			writeTo(t, filepath.Join(folder, "dist", "veilleuse_"+version+"_arm64.deb"), "")
		}
		c := exec.Command(bash, "-c", `set -euo pipefail
dpkg() { if [ "$1" = --print-architecture ]; then echo arm64; else command dpkg "$@"; fi; }
fail() { echo "$*"; exit 1; }
`+script[begin:end]+"\nfind_package")
		c.Dir = folder
		out, err := c.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || filepath.Base(got) != "veilleuse_"+want+"_arm64.deb" {
			t.Errorf("of %q and %s it takes %s, %v", others, want, got, err)
		}
	}
}
