package homekit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Bridge is what people and the other parts of the house need to know of one bridge.
type Bridge struct {
	Name        string
	ID          string                 // HomeKit id, by which it can be told from accessories on the LAN
	Code        string                 // setup code, 123-45-678
	URI         string                 // content of the QR code, X-HM://...
	Listen      string                 // host:port; of a further bridge "" before it was ever served
	Controllers int                    // that are paired with it: phones, home hubs, other programs
	Paired      []hap.PairedController // those of them whose record is whole
	Announced   string                 // what is wrong with its record on the LAN, in words; "": nothing, or nobody has looked yet
}

// bridgesMax bounds what a house that never stops growing costs.
const bridgesMax = 16

// bridgePrefix begins the keys of every bridge but the first.
const bridgePrefix = "bridge/"

// store is where the bridge of that number keeps what it must not lose.
func (a *Adapter) store(number int) hap.Store {
	if number == 1 {
		return shelved{a.options.Vault}
	}
	return part{shelved{a.options.Vault}, bridgePrefix + strconv.Itoa(number) + "/"}
}

// numbers lists the bridges that there are, the first always among them.
func (a *Adapter) numbers() ([]int, error) {
	keys, err := a.options.Vault.List(bridgePrefix)
	if err != nil {
		return nil, fmt.Errorf("list the bridges of the Home app: %w", err)
	}
	all := []int{1}
	for _, key := range keys {
		text, _, _ := strings.Cut(strings.TrimPrefix(key, bridgePrefix), "/")
		number, err := strconv.Atoi(text)
		if err != nil || number < 2 {
			return nil, fmt.Errorf("the HomeKit bridge of the key %.40q is none of ours: restore a backup", key)
		}
		if !slices.Contains(all, number) {
			all = append(all, number)
		}
	}
	slices.Sort(all)
	return all, nil
}

// Bridges lists the bridges, the first one first. It works before Run, too: codes belong to the installation.
func (a *Adapter) Bridges() ([]Bridge, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	numbers, err := a.numbers()
	if err != nil {
		return nil, err
	}
	var all []Bridge
	for _, number := range numbers {
		b, err := a.describe(number)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

// describe tells of one bridge. It needs the lock: two calls at once must not make two identities.
func (a *Adapter) describe(number int) (Bridge, error) {
	store := a.store(number)
	identity, err := loadIdentity(store)
	if err != nil {
		return Bridge{}, err
	}
	paired, err := store.List(pairingPrefix)
	if err != nil {
		return Bridge{}, fmt.Errorf("list HomeKit pairings: %w", err)
	}
	whole, err := hap.PairedWith(store)
	if err != nil {
		return Bridge{}, err
	}
	out := Bridge{
		Name: nameOf(a.options.Name, number), ID: identity.DeviceID, Code: string(identity.SetupCode),
		URI: hap.SetupURI(hap.CategoryBridge, identity.SetupCode, identity.SetupID), Controllers: len(paired), Paired: whole,
	}
	if number == 1 {
		out.Listen = a.options.Listen
	}
	for _, b := range a.bridges {
		if b.number != number {
			continue
		}
		if bound := b.address.Load(); bound != nil {
			out.Listen = *bound
		}
		if trouble := b.announced.Load(); trouble != nil {
			out.Announced = *trouble
		}
	}
	return out, nil
}

// pairingPrefix begins the keys under which a hap.Server keeps its pairings.
const pairingPrefix = "pairing/"

// Code is what the Home app needs to pair with the first bridge: the setup code, the content of its QR code, and where
// the bridge listens. It works before Run, too.
func (a *Adapter) Code() (code, uri, listen string, err error) {
	all, err := a.Bridges()
	if err != nil {
		return "", "", "", err
	}
	return all[0].Code, all[0].URI, all[0].Listen, nil
}

// loadIdentity reads a bridge's identity, or makes it at the very first call.
func loadIdentity(store hap.Store) (hap.ServerIdentity, error) {
	identity, err := hap.LoadServerIdentity(store)
	if err != nil {
		return identity, fmt.Errorf("HomeKit identity: %w", err)
	}
	return identity, nil
}

// load reads every bridge for a new run.
func (a *Adapter) load(writes chan<- write) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	numbers, err := a.numbers()
	if err != nil {
		return err
	}
	a.bridges = nil
	for _, number := range numbers {
		b, err := a.loadBridge(number, writes)
		if err != nil {
			return err
		}
		b.layout, b.before, b.knewOwn = true, b.shelf.accessories(), b.shelf.ids.Knows(ownKey)
		a.bridges = append(a.bridges, b)
	}
	a.writes = writes
	return nil
}

// place is the bridge on which the accessory of that key stands. Once given it stays for ever, also while the accessory is
// gone. It is nil where there is no place and no further bridge can be made.
func (a *Adapter) place(key string) *bridge {
	for _, b := range slices.Backward(a.bridges) {
		if b.shelf.ids.Knows(key) && b.shelf.fits(key) {
			return b
		}
	}
	for _, b := range a.bridges {
		if b.shelf.roomy() {
			return b
		}
	}
	return a.grow()
}

// grow makes one more bridge, since all others are full.
func (a *Adapter) grow() *bridge {
	number := a.bridges[len(a.bridges)-1].number + 1
	if number > bridgesMax {
		a.say("HomeKit takes no more accessories: the rest is not in the Home app", "bridges", bridgesMax)
		return nil
	}
	b, err := a.loadBridge(number, a.writes)
	if err != nil {
		a.say("no further bridge could be made: the rest is not in the Home app", "err", err)
		return nil
	}
	b.fresh, b.layout = true, true
	a.bridges = append(a.bridges, b)
	return b
}

// say warns of the same thing once a run.
func (a *Adapter) say(what string, args ...any) {
	if a.said[what] {
		return
	}
	a.said[what] = true
	a.options.Log.Warn(what, args...)
}

// entry is an accessory as published, and its bridge; the bridge is nil for none.
func (a *Adapter) entry(key string) (entry, *bridge) {
	for _, b := range slices.Backward(a.bridges) {
		if e, ok := b.shelf.entries[key]; ok {
			return e, b
		}
	}
	return entry{}, nil
}
