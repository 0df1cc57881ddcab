package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// temporarySuffix marks a file that is not finished. One that is found at the start was left by a
// power cut and is removed.
const temporarySuffix = ".new"

// lockPatience is how long the store waits for another process to let go of it: a daemon that is
// being restarted needs a moment to close.
const lockPatience = 2 * time.Second

// lockFolder makes this process the only one that uses the folder, until the file returned is closed
// or the process ends, however it ends. The folder itself is locked: that needs no room on the disk
// and works on a card that can only be read any more.
func lockFolder(dir string) (*os.File, error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open the state folder: %w", err)
	}
	deadline := time.Now().Add(lockPatience)
	for {
		err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return folder, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			folder.Close()
			return nil, fmt.Errorf("lock the state folder %s: %w", dir, err)
		}
		if time.Now().After(deadline) {
			folder.Close()
			return nil, fmt.Errorf("%s is in use by another veilleuse: stop that one first, or ask it with `veilleuse status`", dir)
		}
		time.Sleep(lockPatience / 40)
	}
}

// ReplaceFile puts a file with that content, for its owner only, in the place of path, durable and whole or not at
// all.
func ReplaceFile(path string, content []byte) error {
	temporary := path + temporarySuffix
	if err := writeDurably(temporary, content); err != nil {
		os.Remove(temporary)
		return err
	}
	return moveInto(temporary, path)
}

func writeDurably(path string, content []byte) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(content); err != nil {
		return err
	}
	return file.Sync()
}

// moveInto renames a finished file and makes the new name durable.
func moveInto(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

// syncFolder makes the names in a folder durable. Some network shares know no such thing: there the server does it.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = folder.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, folder.Close())
}

// readWhole reads a file that ought not to be larger than limit bytes. The bool is false if there is
// none.
func readWhole(path string, limit int64) ([]byte, bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, true, err
	}
	if int64(len(data)) > limit {
		return nil, true, fmt.Errorf("%s: %w: larger than %d bytes", path, errDamaged, limit)
	}
	return data, true, nil
}
