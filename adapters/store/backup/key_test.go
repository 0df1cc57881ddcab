package backup

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A file says itself what a try to open it costs. What the service may have is less than a person's shell has.
func TestAPassphraseThatCostsTooMuchIsNotTried(t *testing.T) {
	costs := func(work int) []byte {
		part := base64.RawStdEncoding.EncodeToString(make([]byte, 32))
		return fmt.Appendf(nil, "age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw %d\n%s\n--- %s\n", work, part, part)
	}
	key, err := ReadKey([]byte("correct horse battery staple"))
	must(t, err)
	if _, err := Open(costs(19), key); !errors.Is(err, ErrCostly) {
		t.Errorf("the verb: %v", err)
	}
	if _, err := Open(costs(17), key.Frugal()); !errors.Is(err, ErrCostly) {
		t.Errorf("the service: %v", err)
	}
	if _, err := Open(costs(work), key); !errors.Is(err, ErrWrongKey) {
		t.Errorf("one like ours: %v", err)
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "veilleuse-aabbccddeeff-000001-undated.backup.age"), costs(18), 0o600))
	if _, _, err := Newest(Options{Folder: dir, Key: func() (*Key, error) { return key, nil }}); !errors.Is(err, ErrCostly) {
		t.Errorf("at the start: %v", err)
	}
}
