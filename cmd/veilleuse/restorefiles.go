package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/adapters/store/backup"
)

// placing puts restored files of the configuration where they belong: never over another one, unless that is forced,
// and then the other is kept.
type placing struct {
	out      io.Writer
	force    bool
	stamp    string          // of the names of those that make way
	fallback string          // the state folder, for what cannot be written where it belongs
	grounds  []string        // the files that are put, and the folders in which and below which all are
	laid     map[string]bool // files there, of this restore
}

// place puts one file, and says where it is.
func (p placing) place(path string, f backup.File) error {
	present, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(present, f.Data):
		fmt.Fprintf(p.out, "%s (%s) is the same already\n", path, fileRole(f))
		return nil
	case !p.holds(path):
		return p.layAside(path, f, errors.New("files are put beside the configuration only, and where it names some: a backup may be somebody else's"))
	case err == nil && !p.force:
		return p.put(path+".restored", f, fmt.Sprintf("; yours in %s stays: compare the two, or restore with --force", path))
	case err == nil:
		kept := path + ".before-restore-" + p.stamp
		if err := os.Link(path, kept); err != nil {
			return p.put(path+".restored", f, fmt.Sprintf("; yours in %s stays, for it cannot be set aside: %v", path, err))
		}
		return p.put(path, f, "; the one that was there is "+kept)
	case !errors.Is(err, fs.ErrNotExist):
		return p.put(path+".restored", f, fmt.Sprintf("; yours in %s stays, for it cannot be read: %v", path, err))
	}
	return p.put(path, f, "")
}

// put writes a file, or where that is not allowed lays it into the state folder and says so.
func (p placing) put(path string, f backup.File, more string) error {
	err := writeConfigFile(path, f.Data)
	if err == nil {
		fmt.Fprintf(p.out, "%s is in %s%s\n", fileRole(f), path, more)
		return nil
	}
	return p.layAside(path, f, err)
}

// layAside lays a file into the state folder, and says why it is not put where it belongs, and how it gets there.
func (p placing) layAside(path string, f backup.File, why error) error {
	aside := filepath.Join(p.fallback, "restored-files", filepath.Base(path))
	if p.laid[aside] {
		aside = filepath.Join(p.fallback, "restored-files", filepath.Base(f.Role+"."+filepath.Base(path)))
	}
	p.laid[aside] = true
	if err := writeConfigFile(aside, f.Data); err != nil {
		return errors.Join(why, err)
	}
	fmt.Fprintf(p.out, "%s is not put into %s (%v): put it there with sudo install -D -m 0640 -g %d %s %s\n", fileRole(f), path, why, os.Getgid(), aside, path)
	return nil
}

// holds reports whether a path lies where files are put. A restore runs as root, and only its owner's key says that nobody
// else has made the backup: one in clear, or one for a public key, is anybody's word.
func (p placing) holds(path string) bool {
	whole, err := filepath.Abs(path)
	return err == nil && slices.ContainsFunc(p.grounds, func(ground string) bool {
		ground, err := filepath.Abs(ground)
		within, beyond := filepath.Rel(ground, whole)
		return err == nil && beyond == nil && filepath.IsLocal(within)
	})
}

// groundsOf is where a restore on this machine puts files: in the folder of the configuration and in that of the state, and
// where the configuration that is here says that there are some.
func groundsOf(here locality) []string {
	if here.configs == "" {
		all := []string{}
		for _, place := range places {
			all = append(all, filepath.Dir(place))
		}
		return all
	}
	all := []string{filepath.Dir(here.configs)}
	if here.found {
		all = append(all, here.config.State)
		for _, f := range namedFiles(here.config) {
			all = append(all, f.Path)
		}
	}
	return slices.DeleteFunc(all, func(ground string) bool { return ground == "" })
}

// writeConfigFile writes a file, its folder too. What root writes can be read by the group of the folder that it comes into, as
// the service's user has to.
func writeConfigFile(path string, data []byte) error {
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	if err := store.ReplaceFile(path, data); err != nil {
		return err
	}
	return letGroupRead(path, 0o640)
}

// makeFolder makes a folder, and those above it that are not there.
func makeFolder(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() || path == filepath.Dir(path) {
		return nil
	}
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	return letGroupRead(path, 0o750)
}

// letGroupRead gives what root has just made to the group of the folder that it is in, unless that is root's own.
func letGroupRead(path string, mode fs.FileMode) error {
	info, err := os.Stat(filepath.Dir(path))
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	if of, ok := info.Sys().(*syscall.Stat_t); ok && of.Gid != 0 {
		return errors.Join(os.Chown(path, 0, int(of.Gid)), os.Chmod(path, mode))
	}
	return nil
}

// giveToOwner gives what root has written in the state folder to the folder's owner, who is to run the daemon.
func giveToOwner(state string) error {
	info, err := os.Stat(state)
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	of, ok := info.Sys().(*syscall.Stat_t)
	if !ok || of.Uid == 0 {
		return nil
	}
	return filepath.WalkDir(state, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(of.Uid), int(of.Gid))
	})
}
