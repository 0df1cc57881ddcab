package backup

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How many backups are kept in each place: of a house without pairings and sign-in more, for such a one may be
// what is left after an accident, and must not push out what was made before it.
const (
	kept      = 7
	keptEmpty = 30
)

// Options are the settings of the backups.
type Options struct {
	Folder  string                  // where they lie
	Second  string                  // another folder, best on another disk; "": none. Nothing is written there in clear
	House   func() (string, error)  // the bridge's HomeKit id
	Key     func() (*Key, error)    // nil without an error: in clear
	Content func() (Content, error) // everything but Made, Dated and House
	Log     *slog.Logger
}

// Adapter makes a backup a day. It takes no commands. Its methods may be called from any goroutine.
type Adapter struct {
	options Options
	making  sync.Mutex // held while files are written
	trouble string     // that people were told of; of Run alone

	mu     sync.Mutex // guards report; never held while the disk is touched
	report Report
}

// Report says how the backups stand.
type Report struct {
	Folder  string
	Newest  time.Time // by the clock of the house; zero: there is none
	Dated   bool      // that clock could be believed
	Sealed  bool      // the newest is encrypted
	Kept    int       // backups in Folder
	Err     string    // why the last one could not be made; "": it could
	Second  SecondReport
	Bytes   uint64 // written since the start
	Flushes uint64
}

// SecondReport says how the second place stands.
type SecondReport struct {
	Folder   string    // "": there is none
	Newest   time.Time // zero: nothing is there
	SameDisk bool      // it is on the disk of the first, as a stick is that is not plugged in
	Err      string
}

// New makes the adapter. Nothing is read or written yet.
func New(o Options) *Adapter {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Adapter{options: o, report: Report{Folder: o.Folder, Second: SecondReport{Folder: o.Second}}}
}

// Report returns how the backups stand.
func (a *Adapter) Report() Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.report
}

func (a *Adapter) note(change func(*Report)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.report)
}

// Pack returns the file of a backup as of now, and writes nothing.
func (a *Adapter) Pack(now time.Time, dated bool) (file []byte, sealed bool, err error) {
	key, err := a.options.Key()
	if err != nil {
		return nil, false, fmt.Errorf("backup.key_file: %w", err)
	}
	file, err = a.PackWith(key, now, dated)
	return file, key != nil, err
}

// PackWith is Pack with another key than the house's own; nil: in clear.
func (a *Adapter) PackWith(key *Key, now time.Time, dated bool) ([]byte, error) {
	c, err := a.options.Content()
	if err != nil {
		return nil, err
	}
	return a.seal(&c, now, dated, key)
}

func (a *Adapter) seal(c *Content, now time.Time, dated bool, key *Key) ([]byte, error) {
	house, err := a.options.House()
	if err != nil {
		return nil, err
	}
	c.Made, c.Dated, c.House = now.UTC().Round(0), dated, house
	return Seal(*c, key)
}

// shelves are the two places; the second has no folder if there is none.
func (a *Adapter) shelves() (first, second shelf, err error) {
	house, err := a.options.House()
	if err != nil {
		return shelf{}, shelf{}, err
	}
	tag := strings.ToLower(strings.ReplaceAll(house, ":", ""))
	return shelf{a.options.Folder, tag, true}, shelf{a.options.Second, tag, false}, nil
}

// Make makes a backup and puts it into its places. An error says that there is none; that only the second place
// could not be written stands in the report. dated says whether now can be believed.
func (a *Adapter) Make(now time.Time, dated bool) error {
	a.making.Lock()
	defer a.making.Unlock()
	err := a.make(now, dated)
	a.note(func(r *Report) {
		r.Err = ""
		if err != nil {
			r.Err = err.Error()
		}
	})
	if err != nil {
		return fmt.Errorf("make a backup: %w", err)
	}
	a.mirror()
	return nil
}

func (a *Adapter) make(now time.Time, dated bool) error {
	first, second, err := a.shelves()
	if err != nil {
		return err
	}
	key, err := a.options.Key()
	if err != nil {
		return fmt.Errorf("backup.key_file: %w", err)
	}
	c, err := a.options.Content()
	if err != nil {
		return err
	}
	file, err := a.seal(&c, now, dated, key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(first.dir, 0o700); err != nil {
		return err
	}
	number, err := nextNumber(first, second)
	if err != nil {
		return err
	}
	keep := kept
	if c.Secrets == 0 {
		keep = keptEmpty
	}
	a.note(func(r *Report) { r.Bytes += uint64(len(file)); r.Flushes += 2 }) // of the file, of the folder
	i := item{number: number, at: now, dated: dated, sealed: key != nil}
	i.name = first.nameOf(i)
	err = first.put(i, file, keep)
	a.look(first, second)
	return err
}

// nextNumber follows what is in either place: after a restore on a new card the second place may know more.
func nextNumber(first, second shelf) (uint64, error) {
	all, err := first.items()
	if err != nil {
		return 0, err
	}
	if second.dir != "" {
		more, _ := second.items() // one that cannot be read now is said to be so when it is written
		all = append(all, more...)
	}
	last := uint64(0)
	for _, i := range all {
		last = max(last, i.number)
	}
	return last + 1, nil
}

// look brings the report up to what lies in the places.
func (a *Adapter) look(first, second shelf) {
	all, err := first.items()
	var there []item
	if second.dir != "" {
		there, _ = second.items()
	}
	same := second.dir != "" && sameDisk(first.dir, second.dir)
	a.note(func(r *Report) {
		r.Kept, r.Newest, r.Dated, r.Sealed = len(all), time.Time{}, false, false
		if len(all) > 0 {
			last := all[len(all)-1]
			r.Newest, r.Dated, r.Sealed = last.at, last.dated, last.sealed
		}
		if err != nil {
			r.Err = err.Error()
		}
		r.Second.Newest, r.Second.SameDisk = time.Time{}, same
		if len(there) > 0 {
			r.Second.Newest = there[len(there)-1].at
		}
	})
}

func sameDisk(a, b string) bool {
	var x, y syscall.Stat_t
	return syscall.Stat(a, &x) == nil && syscall.Stat(b, &y) == nil && x.Dev == y.Dev
}

// mirror brings the newest backup to the second place, unless it is there.
func (a *Adapter) mirror() {
	first, second, err := a.shelves()
	if err != nil || second.dir == "" {
		return
	}
	err = a.mirrorNewest(first, second)
	before := a.Report().Second.Err
	said := ""
	if err != nil {
		said = err.Error()
	}
	a.note(func(r *Report) { r.Second.Err = said })
	a.look(first, second)
	if said != before && said != "" {
		a.options.Log.Warn("the second place has no copy of the backup", "folder", second.dir, "err", said)
	} else if said != before {
		a.options.Log.Info("the second place has a copy of the backup again", "folder", second.dir)
	}
}

var errClear = errors.New("backups there must be encrypted, for they hold tokens and pairing keys: set backup.key_file")

func (a *Adapter) mirrorNewest(first, second shelf) error {
	all, err := first.items()
	if err != nil || len(all) == 0 {
		return err
	}
	newest := all[len(all)-1]
	if !newest.sealed {
		return errClear
	}
	there, err := second.items()
	if err != nil {
		return err
	}
	for _, i := range there {
		if i.name == newest.name {
			return nil
		}
	}
	if info, err := os.Stat(second.dir); err != nil || !info.IsDir() {
		return fmt.Errorf("%s is no folder: is the stick plugged in?", second.dir)
	}
	file, err := first.load(newest)
	if err != nil {
		return err
	}
	a.note(func(r *Report) { r.Bytes += uint64(len(file)); r.Flushes += 2 })
	return second.put(newest, file, max(kept, len(all)))
}

// Newest opens the newest backup in the first place, of whatever house, that can be read; found is false if there is
// none. An error says why newer ones cannot be read. The second place is left alone: others may have theirs there.
func Newest(o Options) (c Content, found bool, err error) {
	all, err := shelf{dir: o.Folder, own: true}.items()
	if err != nil || len(all) == 0 {
		return Content{}, false, err
	}
	key, err := o.Key() // one in clear needs none
	for _, i := range slices.Backward(all) {
		file, wrong := shelf{dir: o.Folder, own: true}.load(i)
		if wrong == nil {
			c, wrong = Open(file, key.Frugal())
		}
		if wrong == nil {
			return c, true, err
		}
		err = errors.Join(err, fmt.Errorf("%s: %w", i.name, wrong))
	}
	return Content{}, false, err
}
