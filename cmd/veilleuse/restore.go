package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/veilleuse/veilleuse/adapters/homekit"
	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/adapters/store/backup"
	"github.com/veilleuse/veilleuse/gateway"
)

// restoreOptions are the options of the verb restore.
type restoreOptions struct {
	*options
	verify, force bool
	key, state    string
	keepDoor      bool // the page keeps its password and who is signed in
}

// restoreVerb brings a house back from a backup, or proves that it could be.
func restoreVerb(_ context.Context, c console, args []string) error {
	o := restoreOptions{options: newOptions("restore")}
	o.set.BoolVar(&o.verify, "verify", false, "")
	o.set.BoolVar(&o.force, "force", false, "")
	o.set.StringVar(&o.key, "key", "", "")
	o.set.StringVar(&o.state, "state", "", "")
	rest, err := o.parse(args, 1)
	if err != nil {
		return err
	}
	here, hereErr := o.locate()
	if hereErr != nil && !o.verify {
		return hereErr
	}
	r, err := o.open(rest[0], here, c.in)
	if err != nil {
		return err
	}
	if o.verify {
		r.describe(c.out)
		return nil
	}
	return r.restore(c.out, here, o)
}

// locality is this machine's configuration, into which a house is to come.
type locality struct {
	config  Config
	found   bool   // there is a configuration
	configs string // where it is or, if there is none, where -c wants it; "": nobody said
}

// locate looks for the configuration. That there is none is no fault: the backup may bring it.
func (o restoreOptions) locate() (locality, error) {
	file := o.config
	if file == "" {
		file = usualPlace()
	}
	if _, err := os.Stat(file); file == "" || errors.Is(err, fs.ErrNotExist) {
		return locality{config: defaults(), configs: file}, nil
	}
	config, _, err := loadConfig(file)
	return locality{config, err == nil, file}, err
}

// opened is a backup of which every part was checked.
type opened struct {
	name    string
	folder  bool // it is the state of a house rather than a backup, and has no configuration
	sealed  bool
	content backup.Content
	copied  store.Copy
	lasting gateway.Lasting
	secrets secretCounts
}

// open reads a backup and checks every record of it. It changes nothing.
func (o restoreOptions) open(name string, here locality, in io.Reader) (opened, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return openFolder(name)
	}
	file, err := backup.ReadFile(name)
	if errors.Is(err, fs.ErrPermission) { // the home of whoever says sudo -u veilleuse is closed to that user
		return opened{}, fmt.Errorf("the backup cannot be read: %w: sudo veilleuse restore can, and gives the service what is its own", err)
	}
	if err != nil {
		return opened{}, fmt.Errorf("the backup cannot be read: %w", err)
	}
	var key *backup.Key
	if backup.IsSealed(file) {
		if key, err = o.readKey(here.config, in); err != nil {
			return opened{}, err
		}
	}
	r, err := openBackup(name, file, key)
	if errors.Is(err, backup.ErrNoKey) {
		err = fmt.Errorf("%w: name its key file with --key FILE, or --key - and type the passphrase", err)
	}
	return r, err
}

// openBackup reads the file of a backup and checks every record of it.
func openBackup(name string, file []byte, key *backup.Key) (opened, error) {
	r := opened{name: name, sealed: backup.IsSealed(file)}
	var err error
	if r.content, err = backup.Open(file, key); err == nil {
		r.copied, err = store.ReadCopy(r.content.Values)
	}
	return r.understood(err)
}

// openFolder reads the state of a house, such as an earlier restore or an upgrade has set aside, as open reads a backup.
func openFolder(name string) (opened, error) {
	r := opened{name: name, folder: true}
	var err error
	r.copied, r.content.Made, err = store.ReadWhole(name)
	if errors.Is(err, fs.ErrNotExist) {
		return opened{}, fmt.Errorf("the folder %s holds no state of a house: name the file of a backup, or a folder that was set aside: %w", name, err)
	}
	if err != nil {
		return opened{}, err
	}
	r.content.Dated, r.content.Values = true, r.copied.Values()
	r, err = r.understood(nil)
	r.content.Home = r.lasting.Home.Name
	return r, err
}

// understood reads what is in the copy, if that could be read.
func (r opened) understood(err error) (opened, error) {
	if err == nil {
		r.lasting, _, err = r.copied.Load()
	}
	if err == nil {
		r.secrets, err = countSecrets(r.copied)
	}
	if err != nil {
		return opened{}, fmt.Errorf("%s: %w", r.name, err)
	}
	return r, nil
}

// longestKey bounds a passphrase that is typed.
const longestKey = 4 << 10

func (o restoreOptions) readKey(c Config, in io.Reader) (*backup.Key, error) {
	switch o.key {
	case "":
		return backupKey(c)
	case "-":
		line, err := bufio.NewReader(io.LimitReader(in, longestKey)).ReadString('\n')
		if err != nil && line == "" {
			return nil, fmt.Errorf("--key -: nothing was typed: %w", err)
		}
		key, err := backup.ReadKey([]byte(line))
		if err != nil {
			return nil, fmt.Errorf("--key -: %w", err)
		}
		return key, nil
	}
	return readKeyFile(o.key)
}

// describe says what is in it.
func (r opened) describe(out io.Writer) {
	c, has := r.content, r.contents()
	made := c.Made.Local().Format("2 Jan 2006 15:04")
	if !c.Dated {
		made += " by a clock that nobody vouched for"
	}
	name := c.Home
	if name == "" {
		name = "without a name yet"
	}
	fmt.Fprintf(out, "%s is whole: %d records\n", r.name, len(c.Values))
	if r.folder {
		fmt.Fprintf(out, "  written    %s\n  home       %s\n", made, name)
	} else {
		fmt.Fprintf(out, "  made       %s, by veilleuse %s, %s\n", made, c.Program, map[bool]string{true: "encrypted", false: "in clear"}[r.sealed])
		fmt.Fprintf(out, "  home       %s, bridge %s\n", name, c.House)
	}
	fmt.Fprintf(out, "  pairings   %d with the Home app's side, %d accessories\n", has.Controllers, has.Accessories)
	fmt.Fprintf(out, "  Netatmo    %s\n", map[bool]string{true: "signed in", false: "not signed in"}[has.SignedIn])
	fmt.Fprintf(out, "  rooms      %d, with %d devices\n", has.Rooms, has.Devices)
	fmt.Fprintf(out, "  journal    %d outages, %d decisions\n", has.Outages, has.Decisions)
	fmt.Fprintf(out, "  state      version %d; this program knows %d\n", has.State, gateway.LastingVersion)
	for _, f := range c.Files {
		fmt.Fprintf(out, "  file       %s (%s)\n", f.Path, fileRole(f))
	}
}

func fileRole(f backup.File) string {
	if f.Role == "" {
		return "the configuration"
	}
	return f.Role
}

// restore puts everything in its place, and says what is next.
func (r opened) restore(out io.Writer, here locality, o restoreOptions) error {
	state, err := r.bring(out, here, o)
	if state == "" {
		return err
	}
	r.sayWhatNext(out, state, here, o)
	return err
}

// bring puts everything in its place, and returns the state folder; it is "" if nothing was restored.
func (r opened) bring(out io.Writer, here locality, o restoreOptions) (state string, err error) {
	state, now := r.stateFolder(here, o), time.Now()
	present, err := store.Read(state)
	if err != nil {
		return "", err
	}
	if o.keepDoor {
		if err := keepDoor(r.copied.Vault(gateway.WebAdapter), present.Vault(gateway.WebAdapter)); err != nil {
			return "", err
		}
	}
	ago := now.Sub(r.content.Made)
	if err := homekit.Restored(r.copied.Vault("homekit"), present.Vault("homekit"), ago); err != nil {
		return "", err
	}
	aside, err := store.Restore(state, r.copied, now)
	if err != nil && aside == "" {
		return "", fmt.Errorf("nothing was restored: %w", err)
	}
	fmt.Fprintf(out, "restored into %s: %d pairings with the Home app's side, %d accessories, %d rooms\n",
		state, r.secrets.controllers, r.secrets.accessories, r.lasting.Rooms.Len())
	if aside != "" {
		fmt.Fprintf(out, "what was there is kept in %s\n", aside)
	}
	p := placing{out: out, force: o.force, stamp: now.UTC().Format("20060102-150405"), fallback: state, grounds: groundsOf(here), laid: map[string]bool{}}
	for _, f := range r.content.Files {
		err = errors.Join(err, p.place(r.target(f, here), f))
	}
	return state, errors.Join(err, giveToOwner(state))
}

// stateFolder is where the house is to live: where --state says, else the configuration of this machine, else that of
// the backup.
func (r opened) stateFolder(here locality, o restoreOptions) string {
	switch theirs, ok := r.configuration(); {
	case o.state != "":
		return o.state
	case here.found:
		return here.config.State
	case ok:
		return theirs.State
	}
	return usableState(here.config.State)
}

// configuration is the one in the backup, if it has one that this program can read. Faults in it, such as a file that is
// not on this machine yet, are for later.
func (r opened) configuration() (Config, bool) {
	for _, f := range r.content.Files {
		if f.Role == "" {
			c, faults := readConfig(f.Path, f.Data)
			return c, len(faults) == 0 || c.State != ""
		}
	}
	return Config{}, false
}

// target is where a file belongs on this machine.
func (r opened) target(f backup.File, here locality) string {
	if f.Role == "" && here.configs != "" {
		return here.configs
	}
	return f.Path
}

func (r opened) sayWhatNext(out io.Writer, state string, here locality, o restoreOptions) {
	if theirs, ok := r.configuration(); ok && theirs.State != state && (!here.found || o.force) {
		fmt.Fprintf(out, "the restored configuration names another state folder: set state: %s in it\n", state)
	}
	fmt.Fprintln(out, "Take the old machine off the network, for two must never run one house; then start veilleuse.")
	if r.secrets.controllers > 0 {
		fmt.Fprintln(out, "The Home app goes on by itself. Who was removed from it since the backup is back in: look there.")
	}
	if r.secrets.signIns > 0 {
		fmt.Fprintln(out, "If the sign-in at Netatmo was renewed since, veilleuse status asks you to log in again; the house goes on meanwhile.")
	}
}
