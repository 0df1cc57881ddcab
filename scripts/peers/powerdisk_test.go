package peers

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

const sector = 512

// disk is a file system with a volatile cache.
type disk struct {
	folder  string
	lies    float64 // share of flushes that it only says to have made
	random  *rand.Rand
	names   map[string]*inode // as the program sees them
	durable map[string]*inode // as they are found after a power cut
	pending []naming          // not flushed yet, in order
	offsets map[int]int64     // of descriptors
}

// inode is a file.
type inode struct {
	data    []byte // as the program sees it
	durable []byte
	pending []func([]byte, *rand.Rand) []byte // each brings a part of itself onto the disk
}

// naming is a change of names: from leaves, to comes, in one step.
type naming struct {
	folders  []string
	from, to string // "": none
	file     *inode
}

func newDisk(folder string, lies float64, random *rand.Rand) *disk {
	return &disk{folder: folder, lies: lies, random: random, names: map[string]*inode{}, durable: map[string]*inode{}, offsets: map[int]int64{}}
}

// apply does what a call did, if it concerns the folder.
func (d *disk) apply(c syscallLine) bool {
	inside := func(path string) bool { return path == d.folder || strings.HasPrefix(path, d.folder+"/") }
	of := c.path
	if len(c.strings) > 0 && strings.HasPrefix(c.strings[0], "/") && c.name != "write" && c.name != "pwrite64" {
		of = c.strings[0]
	}
	if !inside(of) {
		return false
	}
	switch c.name {
	case "openat":
		return d.open(c, of)
	case "pwrite64":
		d.write(of, c.numbers[len(c.numbers)-1], c.strings[0])
	case "write":
		d.write(of, d.offsets[c.fd], c.strings[0])
		d.offsets[c.fd] += int64(len(c.strings[0]))
	case "ftruncate":
		d.truncate(d.names[of], c.numbers[0])
	case "fsync", "fdatasync":
		d.flush(of)
	case "rename", "renameat", "renameat2":
		d.rename(naming{from: of, to: c.strings[1], file: d.names[of]})
	case "link", "linkat":
		d.rename(naming{to: c.strings[1], file: d.names[of]})
	case "unlink", "unlinkat":
		d.rename(naming{from: of})
	default:
		return false
	}
	return true
}

func (d *disk) open(c syscallLine, path string) bool {
	d.offsets[c.opened] = 0
	file, there := d.names[path]
	switch {
	case strings.Contains(c.flags, "O_CREAT") && !there:
		d.rename(naming{to: path, file: &inode{}})
	case strings.Contains(c.flags, "O_TRUNC") && there:
		d.truncate(file, 0)
	default:
		return false
	}
	return true
}

// rename changes names in the cache.
func (d *disk) rename(n naming) {
	for _, path := range []string{n.from, n.to} {
		if path != "" {
			n.folders = append(n.folders, filepath.Dir(path))
		}
	}
	n.on(d.names)
	d.pending = append(d.pending, n)
}

func (n naming) on(names map[string]*inode) {
	if n.from != "" {
		delete(names, n.from)
	}
	if n.to != "" {
		names[n.to] = n.file
	}
}

// write writes into the cache; at a power cut each of its sectors is on the disk or not.
func (d *disk) write(path string, at int64, data string) {
	file := d.names[path]
	whole := func(onto []byte, random *rand.Rand) []byte {
		for from := 0; from < len(data); {
			// Sectors begin where the disk has them, not where the write does.
			until := min(len(data), from+sector-int(at+int64(from))%sector)
			if random == nil || random.IntN(2) == 0 {
				onto = put(onto, int(at)+from, data[from:until])
			}
			from = until
		}
		return onto
	}
	file.data = whole(file.data, nil)
	file.pending = append(file.pending, whole)
}

func put(onto []byte, at int, data string) []byte {
	if missing := at + len(data) - len(onto); missing > 0 {
		onto = append(onto, make([]byte, missing)...)
	}
	copy(onto[at:], data)
	return onto
}

func (d *disk) truncate(file *inode, size int64) {
	cut := func(onto []byte, random *rand.Rand) []byte {
		switch {
		case random != nil && random.IntN(2) == 0:
			return onto
		case int64(len(onto)) > size:
			return onto[:size]
		}
		return append(onto, make([]byte, int(size)-len(onto))...)
	}
	file.data = cut(file.data, nil)
	file.pending = append(file.pending, cut)
}

// flush makes a file's content durable, or the names in a folder; or the disk lies.
func (d *disk) flush(path string) {
	if d.lies > 0 && d.random.Float64() < d.lies {
		return
	}
	if file, ok := d.names[path]; ok {
		file.durable, file.pending = slices.Clone(file.data), nil
		return
	}
	var left []naming
	for _, n := range d.pending {
		if slices.Contains(n.folders, path) {
			n.on(d.durable)
		} else {
			left = append(left, n)
		}
	}
	d.pending = left
}

// cut writes into a folder what is on the disk after a power cut at this moment. The disk itself goes on.
func (d *disk) cut(into string) error {
	names := map[string]*inode{}
	for path, file := range d.durable {
		names[path] = file
	}
	for _, n := range d.pending[:d.random.IntN(len(d.pending)+1)] {
		n.on(names)
	}
	if err := os.MkdirAll(into, 0o700); err != nil {
		return err
	}
	for path, file := range names {
		data := slices.Clone(file.durable)
		for _, part := range file.pending {
			data = part(data, d.random)
		}
		to := filepath.Join(into, strings.TrimPrefix(path, d.folder))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			return fmt.Errorf("write what is left: %w", err)
		}
	}
	return nil
}
