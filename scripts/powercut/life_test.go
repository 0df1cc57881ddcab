package powercut

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/gateway"
)

const (
	folderVariable       = "VEILLEUSE_FOLDER"
	acknowledgedVariable = "VEILLEUSE_ACKNOWLEDGED"
)

func acknowledgedBefore() int {
	n, _ := strconv.Atoi(os.Getenv(acknowledgedVariable))
	return n
}

// item is something that must not be lost once it was acknowledged.
type item struct {
	vault string // "": it stands in the State
	key   string
}

var (
	override = item{key: "override"} // a person's wish
	journal  = item{key: "journal"}  // of an outage
)

// The vaults and keys are those of the adapters, so that the program itself can live on what a life leaves.
var (
	identity = item{"homekit", "identity"} // by which the Home app knows the house
	tokens   = item{"netatmo", "token"}
	kept     = item{"accessory", "previous/aa:bb:cc:dd:ee:01"} // the pairing before this one
)

// phones is how many pairings there are at most; one is dissolved as often as one is made.
const phones = 4

func pairing(phone int) item {
	return item{"homekit", fmt.Sprintf("pairing/%x", fmt.Sprint("phone ", phone%phones))}
}

// step says what the n-th change of a life is, and whether it takes something away. They follow one upon the other for
// ever: what a life holds after n of them is known, whoever looks.
func step(n int) (of item, removed bool) {
	if n == 1 {
		return identity, false
	}
	round := n / 6
	switch n % 6 {
	case 0:
		return tokens, false
	case 1:
		return pairing(round), false
	case 2:
		return override, false
	case 3:
		return journal, false
	case 4:
		return kept, false
	default:
		return pairing(round + phones/2), true
	}
}

// memory is how many changes back the oldest is that can still be seen.
const memory = 2 * 6 * phones

// after is what there is after n changes: each item, with the change that made it.
func after(n int) map[item]int {
	held := map[item]int{}
	if n > 0 {
		held[identity] = 1
	}
	for i := max(2, n-memory); i <= n; i++ {
		of, removed := step(i)
		if held[of] = i; removed {
			delete(held, of)
		}
	}
	return held
}

// entry is what the n-th change writes. No two are alike.
func entry(of item, n int) string {
	by := fmt.Sprintf("by change %d; ", n)
	switch of {
	case override:
		return asJSON(overrideOf(n))
	case journal:
		return asJSON(outageOf(n))
	case tokens:
		return asJSON(netatmo.Token{Access: "access " + by, Refresh: "refresh " + by, Expires: evening.Add(time.Duration(n) * time.Second)})
	case identity:
		key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
		return asJSON(hap.ServerIdentity{DeviceID: "AA:BB:CC:DD:EE:00", Key: key, SetupCode: "123-45-679", SetupID: "ABCD"})
	case kept:
		return strings.Repeat(by, 1+n%9*150) // up to 20 kB: several pages of the database
	}
	return asJSON(map[string]any{"key": fmt.Appendf(nil, "%032d", n), "admin": true})
}

// evening is when a life begins.
var evening = time.Date(2025, 10, 29, 15, 41, 0, 0, time.UTC)

func overrideOf(n int) gateway.Override {
	at := evening.Add(time.Duration(n) * time.Second)
	return gateway.Override{Mode: gateway.RoomManual, Target: 10 + float64(n%30)/2, At: at, Until: at.Add(3 * time.Hour), By: fmt.Sprint("change ", n)}
}

func outageOf(n int) gateway.Outage {
	return gateway.Outage{Number: uint64(n), Why: fmt.Sprint("change ", n), Lost: evening, Began: evening.Add(time.Minute), Writes: n}
}

func asJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// living is a store with what is needed to change it.
type living struct {
	folder string
	store  *store.Store
	house  gateway.State
}

const bedroom = gateway.RoomID("bedroom")

// wakeUp opens the store as the daemon does after an accident: bbolt tries the file in a process of its own first.
func wakeUp(folder string) (*living, error) {
	s, err := store.OpenWith(folder, store.Options{Log: slog.New(slog.DiscardHandler), Try: tryApart})
	if err != nil {
		return nil, err
	}
	lasting, _, err := s.Load()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &living{folder, s, lasting.State()}, nil
}

func tryApart(path string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	try := exec.Command(self)
	try.Env = append(os.Environ(), roleVariable+"="+roleTry, folderVariable+"="+path)
	if out, err := try.CombinedOutput(); err != nil {
		return fmt.Errorf("bbolt: %w: %.200s", err, out)
	}
	return nil
}

func tryDatabase(path string) {
	if err := store.Try(path); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// change makes the n-th change and returns when it is durable.
func (l *living) change(n int) error {
	of, removed := step(n)
	switch {
	case of == override:
		room, _ := l.house.Rooms.Get(bedroom)
		room.ID, room.Name, room.Override = bedroom, "Bedroom", overrideOf(n)
		l.house.Rooms = l.house.Rooms.With(bedroom, room)
		return l.store.Save(l.house)
	case of == journal:
		l.house.Outages = []gateway.Outage{outageOf(n)}
		return l.store.Save(l.house)
	case removed:
		return l.store.Vault(of.vault).Delete(of.key)
	}
	return l.store.Vault(of.vault).Set(of.key, []byte(entry(of, n)))
}

// holds is all that is there.
func (l *living) holds() (map[item]string, error) {
	held := map[item]string{}
	if room, ok := l.house.Rooms.Get(bedroom); ok && room.Override != (gateway.Override{}) {
		held[override] = asJSON(room.Override)
	}
	if len(l.house.Outages) > 0 {
		held[journal] = asJSON(l.house.Outages[0])
	}
	for _, name := range []string{"netatmo", "homekit", "accessory"} {
		vault := l.store.Vault(name)
		keys, err := vault.List("")
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			data, err := vault.Get(key)
			if err != nil {
				return nil, err
			}
			held[item{name, key}] = string(data)
		}
	}
	return held, nil
}

// compare says after which change a life stands that was acknowledged up to that one. The next may have become durable
// without a word. Else it names what was lost, and what never was.
func compare(held map[item]string, acknowledged int) (stands int, lost, wrong []string) {
	for n := acknowledged; n <= acknowledged+1; n++ {
		if lost, wrong = differ(held, n); len(lost)+len(wrong) == 0 {
			return n, nil, nil
		}
	}
	lost, wrong = differ(held, acknowledged)
	return acknowledged, lost, wrong
}

func differ(held map[item]string, n int) (lost, wrong []string) {
	want := after(n)
	for of, by := range want {
		have, ok := held[of]
		switch {
		case !ok:
			lost = append(lost, fmt.Sprintf("%s/%s of change %d is gone", of.vault, of.key, by))
		case have == entry(of, by):
		case wasOnce(of, have, n+1):
			lost = append(lost, fmt.Sprintf("%s/%s is older than change %d", of.vault, of.key, by))
		default:
			wrong = append(wrong, fmt.Sprintf("%s/%s holds what it never held: %.60q", of.vault, of.key, have))
		}
	}
	for of, have := range held {
		_, wanted := want[of]
		switch {
		case wanted:
		case wasOnce(of, have, n+1):
			lost = append(lost, fmt.Sprintf("%s/%s came back", of.vault, of.key))
		default:
			wrong = append(wrong, fmt.Sprintf("%s/%s holds what it never held: %.60q", of.vault, of.key, have))
		}
	}
	slices.Sort(lost)
	slices.Sort(wrong)
	return lost, wrong
}

// wasOnce reports whether one of the first n changes wrote that.
func wasOnce(of item, text string, n int) bool {
	for ; n > 0; n-- {
		if by, removed := step(n); by == of && !removed && entry(of, n) == text {
			return true
		}
	}
	return false
}

// live is a life from one accident to the next: it opens what the last one left, says what it finds there of what had
// been acknowledged up to then, and goes on changing things, each of which it acknowledges once it is durable.
func live(folder string, acknowledged int, out io.Writer) {
	began := time.Now()
	l, err := wakeUp(folder)
	if err != nil {
		fmt.Fprintln(out, wordFailed, oneLine(err))
		return
	}
	fmt.Fprintln(out, wordOpen, time.Since(began).Milliseconds())
	if said := l.store.Damage(); said != "" {
		fmt.Fprintln(out, wordDamaged, said)
	}
	held, err := l.holds()
	if err != nil {
		fmt.Fprintln(out, wordFailed, oneLine(err))
		return
	}
	n, lost, wrong := compare(held, acknowledged)
	for _, one := range lost {
		fmt.Fprintln(out, wordLost, one)
	}
	for _, one := range wrong {
		fmt.Fprintln(out, wordWrong, one)
	}
	fmt.Fprintln(out, wordStands, n)
	if err := l.goOn(n, out); err != nil {
		fmt.Fprintln(out, wordFailed, oneLine(err))
	}
}

// goOn changes things until it is killed. Now and then it closes the store and opens it again, which writes the snapshot.
func (l *living) goOn(n int, out io.Writer) (err error) {
	const closes = 17
	for {
		n++
		if err := l.change(n); err != nil {
			return err
		}
		fmt.Fprintln(out, wordAcknowledged, n)
		if n%closes == 0 {
			if err := l.store.Close(); err != nil {
				return err
			}
			if l, err = wakeUp(l.folder); err != nil {
				return err
			}
		}
	}
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// copyOf copies the files of a folder into another one.
func copyOf(folder, into string) error {
	names, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range names {
		if !entry.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(into, entry.Name()), data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
