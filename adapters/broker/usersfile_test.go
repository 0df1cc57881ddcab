package broker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func TestUsersFile(t *testing.T) {
	hash := "$2y$05$abcdefghijklmnopqrstuuJ1gC0bqXg8w1m2Zx9n5l5bQ4m4m4m4m"
	tests := []struct {
		name, content, fault string
		users                int
	}{
		{"two users and a comment", "# house\nanna:" + hash + "\n\nbert:" + hash + "\n", "", 2},
		{"nobody", "# yet\n", "names no users", 0},
		{"a name twice", "anna:" + hash + "\nanna:" + hash + "\n", "users:2: anna is there twice", 0},
		{"a hash that takes a minute", "anna:" + hash[:4] + "16" + hash[6:] + "\n", "cost 16 takes too long", 0},
		{"a plain password", "anna:secret\n", "not name:bcrypt", 0},
		{"no name", ":" + hash + "\n", "a name and a bcrypt hash are needed", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "users")
			if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			users, err := readUsers(file)
			if test.fault == "" && (err != nil || len(users) != test.users) {
				t.Errorf("%d users, %v", len(users), err)
			}
			if test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("error is %v, want %s and no password", err, test.fault)
			}
		})
	}
}

// FuzzUsers reads any file and holds that whoever is in it has a name, and a hash that can be checked in time.
func FuzzUsers(f *testing.F) {
	f.Add("# house\nanna:$2y$05$abcdefghijklmnopqrstuuJ1gC0bqXg8w1m2Zx9n5l5bQ4m4m4m4m\n")
	f.Add("anna:$2a$31$abcdefghijklmnopqrstuuJ1gC0bqXg8w1m2Zx9n5l5bQ4m4m4m4m\n:$2")
	f.Fuzz(func(t *testing.T, content string) {
		all, err := parseUsers("users", content)
		if (err == nil) != (len(all) > 0) {
			t.Errorf("%v comes with %d users", err, len(all))
		}
		for name, hash := range all {
			if cost, err := bcrypt.Cost(hash); name == "" || err != nil || cost > dearestHash {
				t.Errorf("%q has a hash of cost %d, %v", name, cost, err)
			}
		}
	})
}
