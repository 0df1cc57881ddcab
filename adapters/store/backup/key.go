package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"filippo.io/age"
)

// Key encrypts and decrypts backups.
type Key struct {
	recipient age.Recipient // nil: the key can only decrypt
	identity  age.Identity  // nil: the key can only encrypt
}

// The work that a passphrase costs, as a power of two. Ours takes 32 MB of memory: age's own 18 takes 256, which is
// all that the service may have. One of 18, as the program age makes it, can be read, but not by the service.
const (
	work       = 15
	frugalWork = 16
	mostWork   = 18
)

// shortest is the length of a passphrase, in bytes, below which it could be guessed.
const shortest = 12

// Words for what cannot be done with a key.
var (
	ErrNoKey    = errors.New("the backup is encrypted and no key was given")
	ErrWrongKey = errors.New("the key does not fit this backup, or the backup is damaged")
	ErrCostly   = errors.New("to open this backup takes too much memory: veilleuse restore may take 256 MB for it, the service 64")
	errNoText   = errors.New("it is no text in UTF-8: nobody could type such a passphrase")
	errHalfKey  = errors.New("this is the public half of a key, which can only encrypt: the file with AGE-SECRET-KEY-1… is needed")
)

// ReadKey reads a key file: a secret key or a public key as age-keygen writes them, else a passphrase in its first
// line. A public key can make backups and not read them, which keeps a stolen Pi from giving them away.
func ReadKey(text []byte) (*Key, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // which editors on Windows put before a text; nobody could type it
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, errNoText
	}
	remarks := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "#"):
			remarks = true
		case strings.HasPrefix(line, "AGE-SECRET-KEY-1"):
			identity, err := age.ParseX25519Identity(line)
			if err != nil {
				return nil, errors.New("the secret key in it is damaged: expected a line as age-keygen writes it")
			}
			return &Key{identity.Recipient(), identity}, nil
		case strings.HasPrefix(line, "AGE-"), strings.HasPrefix(line, "age1") && strings.Count(line, "1") > 1 && !isPlain(line):
			return nil, errors.New("keys of this kind are not known here: make one with age-keygen, without options")
		case strings.HasPrefix(line, "age1"):
			recipient, err := age.ParseX25519Recipient(line)
			if err != nil {
				return nil, errors.New("the public key in it is damaged: expected a line as age-keygen -y writes it")
			}
			return &Key{recipient: recipient}, nil
		default:
			return passphrase(line)
		}
	}
	if remarks {
		return nil, errors.New("there are only lines with # at the beginning, which are remarks: begin a passphrase with something else")
	}
	return nil, errors.New("it is empty: expected a passphrase in its first line, or a key as age-keygen writes it")
}

// isPlain tells a public key of age itself from that of a plugin, which has its name between two ones.
func isPlain(line string) bool { return len(line) == len("age1")+58 }

func passphrase(words string) (*Key, error) {
	if len(words) < shortest {
		return nil, fmt.Errorf("the passphrase in it has fewer than %d letters, which can be guessed", shortest)
	}
	recipient, err := age.NewScryptRecipient(words)
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(work)
	identity, err := age.NewScryptIdentity(words)
	if err != nil {
		return nil, err
	}
	identity.SetMaxWorkFactor(mostWork)
	return &Key{recipient, identity}, nil
}

// Frugal is the key for the service, which would not survive what a passphrase may cost elsewhere; nil stays nil.
func (k *Key) Frugal() *Key {
	if k != nil {
		if identity, ok := k.identity.(*age.ScryptIdentity); ok {
			identity.SetMaxWorkFactor(frugalWork)
		}
	}
	return k
}

// Seal returns the file of a backup: encrypted if there is a key, else in clear.
func Seal(c Content, key *Key) ([]byte, error) {
	clear, err := c.encode()
	if err == nil {
		_, err = decode(clear)
	}
	if err != nil || key == nil {
		return clear, err
	}
	var file bytes.Buffer
	w, err := age.Encrypt(&file, key.recipient)
	if err != nil {
		return nil, fmt.Errorf("encrypt the backup: %w", err)
	}
	if _, err := w.Write(clear); err != nil {
		return nil, fmt.Errorf("encrypt the backup: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encrypt the backup: %w", err)
	}
	return file.Bytes(), nil
}

// IsSealed reports whether a file is an encrypted one.
func IsSealed(file []byte) bool { return bytes.HasPrefix(file, []byte(sealedBegin)) }

// Open reads the file of a backup and checks that it is whole. Every error is one sentence for people.
func Open(file []byte, key *Key) (Content, error) {
	if !IsSealed(file) {
		return decode(file)
	}
	switch {
	case key == nil:
		return Content{}, ErrNoKey
	case key.identity == nil:
		return Content{}, errHalfKey
	}
	r, err := age.Decrypt(bytes.NewReader(file), key.identity)
	switch {
	case err != nil && strings.Contains(err.Error(), "work factor too large"): // age has no other word for it
		return Content{}, ErrCostly
	case err != nil:
		return Content{}, ErrWrongKey
	}
	clear, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil || len(clear) > maxFile {
		return Content{}, ErrDamaged
	}
	return decode(clear)
}
