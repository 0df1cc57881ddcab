package powercut

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const sector = 512

// survival says of each thing that was not flushed whether it is on the disk all the same.
type survival func() bool

func all() bool  { return true }
func none() bool { return false }

// aHalf lets chance decide.
func aHalf(random *rand.Rand) survival { return func() bool { return random.IntN(2) == 0 } }

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
	pending []func([]byte, survival) []byte // each brings onto the disk what survives of it
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
		d.names[of].write(c.numbers[len(c.numbers)-1], c.strings[0])
	case "write":
		d.names[of].write(d.offsets[c.fd], c.strings[0])
		d.offsets[c.fd] += int64(len(c.strings[0]))
	case "ftruncate":
		d.names[of].truncate(c.numbers[0])
	case "fsync", "fdatasync":
		if file, ok := d.names[of]; ok {
			d.flush(file)
		} else {
			d.flushNames(of)
		}
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
		file.truncate(0)
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
func (i *inode) write(at int64, data string) {
	whole := func(onto []byte, survives survival) []byte {
		for from := 0; from < len(data); {
			// Sectors begin where the disk has them, not where the write does.
			until := min(len(data), from+sector-int(at+int64(from))%sector)
			if survives() {
				onto = put(onto, int(at)+from, data[from:until])
			}
			from = until
		}
		return onto
	}
	i.data = whole(i.data, all)
	i.pending = append(i.pending, whole)
}

func put(onto []byte, at int, data string) []byte {
	if missing := at + len(data) - len(onto); missing > 0 {
		onto = append(onto, make([]byte, missing)...)
	}
	copy(onto[at:], data)
	return onto
}

func (i *inode) truncate(size int64) {
	cut := func(onto []byte, survives survival) []byte {
		switch {
		case !survives():
			return onto
		case int64(len(onto)) > size:
			return onto[:size]
		}
		return append(onto, make([]byte, int(size)-len(onto))...)
	}
	i.data = cut(i.data, all)
	i.pending = append(i.pending, cut)
}

// flush makes a file's content durable; or the disk lies.
func (d *disk) flush(file *inode) {
	if !d.liesNow() {
		file.durable, file.pending = slices.Clone(file.data), nil
	}
}

// flushNames makes the names in a folder durable; or the disk lies.
func (d *disk) flushNames(folder string) {
	if d.liesNow() {
		return
	}
	var left []naming
	for _, n := range d.pending {
		if slices.Contains(n.folders, folder) {
			n.on(d.durable)
		} else {
			left = append(left, n)
		}
	}
	d.pending = left
}

func (d *disk) liesNow() bool { return d.lies > 0 && d.random.Float64() < d.lies }

// left is what is on the disk after a power cut at this moment: path and content. Of what happened to names and was
// not flushed the first so many survive. The disk itself goes on.
func (d *disk) left(survives survival, named int) map[string][]byte {
	names := maps.Clone(d.durable)
	for _, n := range d.pending[:named] {
		n.on(names)
	}
	files := map[string][]byte{}
	for path, file := range names {
		data := slices.Clone(file.durable)
		for _, part := range file.pending {
			data = part(data, survives)
		}
		files[strings.TrimPrefix(path, d.folder)] = data
	}
	return files
}

// waiting reports whether anything has not been flushed.
func (d *disk) waiting() bool {
	waits := len(d.pending) > 0
	for _, file := range d.names {
		waits = waits || len(file.pending) > 0
	}
	return waits
}

// anyNames is how many of the names that were not flushed survive, if chance decides.
func (d *disk) anyNames() int { return d.random.IntN(len(d.pending) + 1) }

// diskOf is a disk on which those files are.
func diskOf(files map[string][]byte, lies float64, random *rand.Rand) *disk {
	d := newDisk("", lies, random)
	for path, data := range files {
		d.durable[path] = &inode{data: data, durable: slices.Clone(data)}
	}
	d.names = maps.Clone(d.durable)
	return d
}

// write writes files into a folder, which it makes if need be.
func write(files map[string][]byte, into string) error {
	for path, data := range files {
		to := filepath.Join(into, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			return fmt.Errorf("write what is left: %w", err)
		}
	}
	return os.MkdirAll(into, 0o700)
}
