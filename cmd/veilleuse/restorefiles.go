package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
	laid     map[string]bool // files there, of this restore
}

// place puts one file, and says where it is.
func (p placing) place(path string, f backup.File) error {
	present, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(present, f.Data):
		fmt.Fprintf(p.out, "%s (%s) is the same already\n", path, fileRole(f))
		return nil
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
	aside := filepath.Join(p.fallback, "restored-files", filepath.Base(path))
	if p.laid[aside] {
		aside = filepath.Join(p.fallback, "restored-files", f.Role+"."+filepath.Base(path))
	}
	p.laid[aside] = true
	if asideErr := writeConfigFile(aside, f.Data); asideErr != nil {
		return errors.Join(err, asideErr)
	}
	fmt.Fprintf(p.out, "%s cannot be put into %s (%v): put it there with sudo install -D -m 0640 -g %d %s %s\n", fileRole(f), path, err, os.Getgid(), aside, path)
	return nil
}

// writeConfigFile writes a file, its folder too. One that root writes can be read by the folder's group, as the service's
// user has to.
func writeConfigFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := store.ReplaceFile(path, data); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	if of, ok := info.Sys().(*syscall.Stat_t); ok && of.Gid != 0 {
		return errors.Join(os.Chown(path, 0, int(of.Gid)), os.Chmod(path, 0o640))
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
