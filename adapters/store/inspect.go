package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
)

// inspection is what was found in a database file.
type inspection struct {
	content map[place]record // every value that is whole
	lost    []place          // values that are there and damaged
	faults  []string         // what is wrong, the first words for people; empty: nothing
	newer   error            // a value that a newer program wrote
	earlier map[place]record // if there are faults: what the other header page leads to, the state before the last change
}

// The parts of bbolt's file format, version 2, that are read here (bbolt internal/common). Numbers
// are in the order of the machine that wrote them, which is little endian on all that we build for.
const (
	pageSize       = 4096
	pageHeader     = 16 // id u64, flags u16, count u16, overflow u32
	elementSize    = 16 // of a branch: pos u32, ksize u32, pgid u64; of a leaf: flags, pos, ksize, vsize u32
	metaSize       = 64 // magic, version, page size, flags u32; root, sequence, free list, high water, transaction, sum u64
	branchPage     = 0x01
	leafPage       = 0x02
	metaPage       = 0x04
	bucketElement  = 0x01
	boltMagic      = 0xED0CDAED
	boltVersion    = 2
	bucketHeader   = 16                 // root u64, sequence u64
	noFreeList     = 0xffffffffffffffff // the list of free pages is worked out when the file is opened
	maxFile        = 64 << 20           // bytes; far more than a house needs, little enough to read whole
	smallestFile   = 4 * pageSize
	firstDataPage  = 2
	maxFaultsNoted = 8
)

// inspect reads a whole database file without trusting a byte of it. bbolt maps its file and believes
// it: damage there is a panic in a goroutine of its own, an endless recursion or a bus error, each of
// which ends the process, or simply a wrong value. What passes here is safe to be opened by bbolt.
func inspect(file []byte) inspection {
	w := newWalker(file)
	newest, other, ok := w.head()
	if !ok {
		return w.found
	}
	w.high = newest.high
	w.bucketsOf(newest.root)
	w.checkSeal(newest.transaction)
	if len(w.found.faults) > 0 && other != nil {
		w.found.earlier = inspectEarlier(file, *other)
	}
	return w.found
}

// inspectEarlier reads the tree of the other header page. bbolt never writes over what that one leads to, so that a
// last change which went wrong has left it whole.
func inspectEarlier(file []byte, h head) map[place]record {
	w := newWalker(file)
	w.high = min(h.high, uint64(len(file))/pageSize)
	w.bucketsOf(h.root)
	return w.found.content
}

func newWalker(file []byte) *walker {
	return &walker{file: file, seen: map[uint64]bool{}, found: inspection{content: map[place]record{}}}
}

type walker struct {
	file  []byte
	high  uint64          // first page that was never used
	seen  map[uint64]bool // pages that something refers to
	found inspection
	total seal
	seal  []byte
}

// head is what one meta page says.
type head struct{ root, free, high, transaction uint64 }

func (w *walker) fault(format string, args ...any) {
	if len(w.found.faults) < maxFaultsNoted {
		w.found.faults = append(w.found.faults, fmt.Sprintf(format, args...))
	}
}

// head chooses the newer of the two meta pages; the other is nil if it is broken. That one of them is broken is a
// fault of its own: which of the two was the newer can no longer be told.
func (w *walker) head() (newest head, other *head, ok bool) {
	if len(w.file) < smallestFile {
		w.fault("the file has only %d bytes", len(w.file))
		return head{}, nil, false
	}
	newest, firstOK := w.meta(0)
	second, secondOK := w.meta(1)
	switch {
	case !firstOK && !secondOK:
		w.fault("both header pages are damaged")
		return head{}, nil, false
	case !firstOK || !secondOK:
		w.fault("one of the two header pages is damaged")
		if secondOK {
			newest = second
		}
	default:
		if second.transaction > newest.transaction {
			newest, second = second, newest
		}
		other = &second
	}
	if newest.free != noFreeList {
		w.fault("the header names a list of free pages, which this program never writes")
		return head{}, nil, false
	}
	if size := uint64(len(w.file)) / pageSize; newest.high > size {
		w.fault("the file was cut off: %d of %d pages are there", size, newest.high)
		newest.high = size
	}
	return newest, other, true
}

func (w *walker) meta(page uint64) (head, bool) {
	data := w.file[page*pageSize:][:pageHeader+metaSize]
	m := data[pageHeader:]
	sum := fnv.New64a()
	sum.Write(m[:metaSize-8])
	u32, u64 := binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	h := head{root: u64(m[16:]), free: u64(m[32:]), high: u64(m[40:]), transaction: u64(m[48:])}
	ok := u32(m) == boltMagic && u32(m[4:]) == boltVersion && u32(m[8:]) == pageSize &&
		u64(m[56:]) == sum.Sum64() &&
		u64(data) == page && binary.LittleEndian.Uint16(data[8:]) == metaPage &&
		h.high > firstDataPage+1
	return h, ok
}

// element is one entry of a page: in a branch a key and the page below, in a leaf a key and a value.
type element struct {
	bucket bool
	child  uint64
	key    string
	value  []byte
}

// page returns the entries of a page of the file, or false with the fault noted.
func (w *walker) page(id uint64) (entries []element, leaf, ok bool) {
	if id < firstDataPage || id >= w.high {
		w.fault("a reference leads to page %d of %d", id, w.high)
		return nil, false, false
	}
	data := w.file[id*pageSize:]
	overflow := uint64(binary.LittleEndian.Uint32(data[12:]))
	if binary.LittleEndian.Uint64(data) != id || overflow >= w.high-id {
		w.fault("page %d is not what its place says", id)
		return nil, false, false
	}
	for p := id; p <= id+overflow; p++ {
		if w.seen[p] {
			w.fault("page %d is referred to twice", p)
			return nil, false, false
		}
		w.seen[p] = true
	}
	entries, leaf, fault := readPage(data[:(overflow+1)*pageSize])
	if fault != "" {
		w.fault("page %d: %s", id, fault)
	}
	return entries, leaf, fault == ""
}

// readPage reads a page, be it one of the file or one that lies inside a bucket's value.
func readPage(data []byte) (entries []element, leaf bool, fault string) {
	if len(data) < pageHeader {
		return nil, false, "too short"
	}
	flags, count := binary.LittleEndian.Uint16(data[8:]), int(binary.LittleEndian.Uint16(data[10:]))
	leaf = flags == leafPage
	switch {
	case flags != branchPage && flags != leafPage:
		return nil, false, "neither branch nor leaf"
	case flags == branchPage && count == 0:
		return nil, false, "a branch without entries"
	case pageHeader+count*elementSize > len(data):
		return nil, false, "more entries than it has room for"
	}
	for i := range count {
		e, ok := readElement(data[pageHeader+i*elementSize:], leaf)
		if !ok {
			return nil, leaf, fmt.Sprintf("entry %d reaches beyond it", i)
		}
		if i > 0 && e.key <= entries[i-1].key {
			return nil, leaf, fmt.Sprintf("entry %d is out of order", i)
		}
		entries = append(entries, e)
	}
	return entries, leaf, ""
}

// readElement reads the entry at the start of data, which reaches to the end of the page. Offsets
// count from the entry itself.
func readElement(data []byte, leaf bool) (element, bool) {
	u32 := binary.LittleEndian.Uint32
	if !leaf {
		pos, size := uint64(u32(data)), uint64(u32(data[4:]))
		if size == 0 || pos < elementSize || pos+size > uint64(len(data)) {
			return element{}, false
		}
		return element{child: binary.LittleEndian.Uint64(data[8:]), key: string(data[pos : pos+size])}, true
	}
	pos, keySize, valueSize := uint64(u32(data[4:])), uint64(u32(data[8:])), uint64(u32(data[12:]))
	if keySize == 0 || pos < elementSize || pos+keySize+valueSize > uint64(len(data)) || u32(data) > bucketElement {
		return element{}, false
	}
	rest := data[pos:]
	return element{
		bucket: u32(data) == bucketElement,
		key:    string(rest[:keySize]),
		value:  rest[keySize : keySize+valueSize],
	}, true
}

// bounds is the range of keys that a page may hold by its place in the tree.
type bounds struct {
	from  string // first
	until string // one past the last; "" = no end
}

func (b bounds) hold(entries []element) bool {
	last := len(entries) - 1
	if last < 0 {
		return b.from == "" // only a root may be empty
	}
	return entries[0].key >= b.from && (b.until == "" || entries[last].key < b.until)
}

// leaves yields the entries of every leaf from that page on, in order. A page that is broken is
// noted and skipped; the others are read all the same. No page is read twice, so it ends.
func (w *walker) leaves(id uint64, within bounds, yield func(element)) {
	entries, leaf, ok := w.page(id)
	if !ok {
		return
	}
	if !within.hold(entries) {
		w.fault("page %d holds keys of another place", id)
		return
	}
	for i, e := range entries {
		if leaf {
			yield(e)
			continue
		}
		below := bounds{e.key, within.until}
		if i+1 < len(entries) {
			below.until = entries[i+1].key
		}
		w.leaves(e.child, below, yield)
	}
}

func (w *walker) bucketsOf(root uint64) {
	w.leaves(root, bounds{}, func(e element) {
		if !e.bucket || len(e.value) < bucketHeader {
			w.fault("%q is no bucket", e.key)
			return
		}
		w.bucket(e.key, e.value)
	})
}

// bucket reads the values of one bucket, which lie in pages of its own or, if they are few, within
// the value that stands for the bucket.
func (w *walker) bucket(name string, value []byte) {
	take := func(e element) { w.value(place{name, e.key}, e) }
	if root := binary.LittleEndian.Uint64(value); root != 0 {
		w.leaves(root, bounds{}, take)
		return
	}
	entries, leaf, fault := readPage(value[bucketHeader:])
	if fault != "" || !leaf {
		w.fault("bucket %q: %s", name, fault)
		return
	}
	for _, e := range entries {
		take(e)
	}
}

func (w *walker) value(at place, e element) {
	if e.bucket {
		w.fault("%s is a bucket, not a value", at)
		return
	}
	if at == sealPlace {
		w.seal = e.value
		return
	}
	w.total.add(at, e.value)
	r, err := decodeRecord(at, e.value)
	switch {
	case err == nil:
		w.found.content[at] = r
	case errors.Is(err, errNewer):
		w.found.newer = err
	default:
		w.found.lost = append(w.found.lost, at)
		w.fault("%v", err)
	}
}

// checkSeal compares what was found with what the last transaction says it left.
func (w *walker) checkSeal(transaction uint64) {
	r, err := decodeRecord(sealPlace, w.seal)
	if err != nil {
		w.fault("%v", err)
		return
	}
	stored, err := decodeSeal(r.payload)
	if err != nil {
		w.fault("%v", err)
		return
	}
	w.total.transaction = transaction
	if stored != w.total {
		w.fault("the values are not those of the last change")
	}
}
