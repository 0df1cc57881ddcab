package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// ask goes to every mouth that has to be asked.
func (c *canaryHouse) ask() {
	for _, path := range pageRoutes(c.t) {
		c.heard("GET "+path, "%s", c.get(c.browser, "http://"+c.house.page.Address()+path))
	}
	socket := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", c.house.control.path)
	}}}
	for _, path := range controlRoutes(c.t) {
		c.heard("GET "+path, "%s", c.get(socket, "http://control"+path))
	}
	for _, verb := range []string{"status", "doctor", "report", "check", "discover"} {
		c.verb("", verb)
	}
	_, file, err := c.house.bundle(time.Now())
	if err != nil {
		c.heard("bundle", "NONE: %v", err)
		return
	}
	for name, text := range unpacked(c.t, file) {
		c.heard("bundle", "%s: %s", name, text)
	}
}

// get reads an answer; of one that does not end, its beginning.
func (c *canaryHouse) get(client *http.Client, address string) []byte {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	must(c.t, err)
	r, err := client.Do(q)
	must(c.t, err)
	defer r.Body.Close()
	if strings.HasSuffix(address, "live") {
		time.AfterFunc(700*time.Millisecond, cancel)
	}
	text, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if r.StatusCode >= 500 || r.StatusCode == 401 {
		c.t.Errorf("%s answers %d: %s", address, r.StatusCode, text)
	}
	return text
}

// pageRoutes is every page and call that is read, out of the table itself.
func pageRoutes(t *testing.T) []string {
	return routesIn(t, filepath.Join("..", "..", "adapters", "web", "*.go"), `\{"GET", "(/[^"{]*)`, 10)
}

// controlRoutes is what a verb can ask of the daemon, without what is there to hand out secrets.
func controlRoutes(t *testing.T) []string {
	all := routesIn(t, "*.go", `HandleFunc\("GET (/[^"{]*)`, 8)
	return slices.DeleteFunc(all, func(path string) bool { return path == "/backup" || path == "/bundle" })
}

func routesIn(t *testing.T, files, shape string, least int) (all []string) {
	names, err := filepath.Glob(files)
	must(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(shape).FindAllStringSubmatch(string(mustRead(t, name)), -1) {
			all = append(all, m[1])
		}
	}
	if len(all) < least {
		t.Fatalf("only %d routes are found in %s: %q", len(all), files, all)
	}
	return all
}

// disk is what lies in files that are not made to keep the secret.
func (c *canaryHouse) disk() {
	state := filepath.Dir(c.house.control.path)
	roots := []string{state, filepath.Join(c.folder, "second")}
	if file := filepath.Join(c.folder, "house.backup"); c.mouths["verb backup"] != nil {
		roots = append(roots, file)
	}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			var text []byte
			var info fs.FileInfo
			if err == nil && d.Type().IsRegular() {
				if info, err = d.Info(); err == nil {
					text, err = os.ReadFile(path)
				}
			}
			if errors.Is(err, fs.ErrNotExist) { // a house that runs writes new files beside the old ones, and then in their place
				return nil
			}
			if err != nil || info == nil {
				return err
			}
			mouth := "disk " + filepath.Base(filepath.Dir(path)) + "/" + d.Name()
			if strings.HasPrefix(d.Name(), "veilleuse.db") || strings.HasPrefix(d.Name(), "veilleuse.snapshot") {
				mouth = "database " + d.Name()
			}
			if info.Mode().Perm() != 0o600 {
				c.t.Errorf("%s has mode %v", path, info.Mode())
			}
			c.heard(mouth, "%s", text)
			return nil
		})
		must(c.t, err)
	}
}
