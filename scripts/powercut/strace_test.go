package powercut

import (
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
)

// syscallLine is one system call as strace writes it: with its strings in hexadecimal, and behind each descriptor the
// path of its file.
type syscallLine struct {
	name    string
	fd      int
	strings []string // its arguments that are strings
	path    string   // of its first descriptor
	numbers []int64  // the plain numbers among its arguments, in order
	flags   string   // of openat
	opened  int      // what openat returned
}

var (
	straceLine   = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += (-?\d+)`)
	straceString = regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`)
	straceFD     = regexp.MustCompile(`^(\d+)<([^>]*)>`)
	straceNumber = regexp.MustCompile(`, (\d+)`)
	straceFlags  = regexp.MustCompile(`O_[A-Z_|O]+`)
)

// readStrace reads a log. A call that another thread's interrupted stands on two lines.
func readStrace(text string) ([]syscallLine, error) {
	var calls []syscallLine
	begun := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		pid, _, _ := strings.Cut(line, " ")
		if first, cut := strings.CutSuffix(line, " <unfinished ...>"); cut {
			begun[pid] = first
			continue
		}
		if _, rest, resumed := strings.Cut(line, " resumed>"); resumed {
			line = begun[pid] + rest
		}
		m := straceLine.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(m[3], "-") {
			continue // a signal, an exit, or a call that failed
		}
		c := syscallLine{name: m[1]}
		c.opened, _ = strconv.Atoi(m[3])
		for _, s := range straceString.FindAllStringSubmatch(m[2], -1) {
			data, err := unhex(s[1])
			if err != nil {
				return nil, err
			}
			c.strings = append(c.strings, data)
		}
		if fd := straceFD.FindStringSubmatch(m[2]); fd != nil {
			c.fd, _ = strconv.Atoi(fd[1])
			c.path, _ = unhex(fd[2])
		}
		for _, n := range straceNumber.FindAllStringSubmatch(straceString.ReplaceAllString(m[2], ""), -1) {
			value, _ := strconv.ParseInt(n[1], 10, 64)
			c.numbers = append(c.numbers, value)
		}
		c.flags = straceFlags.FindString(m[2])
		calls = append(calls, c)
	}
	return calls, nil
}

func unhex(s string) (string, error) {
	data, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	return string(data), err
}

// acknowledges reads what the recorded program says on its standard output.
func (c syscallLine) acknowledges() (string, bool) {
	if c.name != "write" || c.fd != 1 || len(c.strings) == 0 {
		return "", false
	}
	return strings.CutPrefix(strings.TrimSpace(c.strings[0]), "ack ")
}
