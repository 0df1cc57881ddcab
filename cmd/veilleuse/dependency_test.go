package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/veilleuse/veilleuse/"

// wraps names the outside libraries that each package may import: the one it wraps, and no other.
var wraps = map[string][]string{
	"adapters/accessory": {"github.com/grandcat/zeroconf", "github.com/miekg/dns"},
	"adapters/broker":    {"github.com/mochi-mqtt/server/v2", "golang.org/x/crypto", "golang.org/x/time/rate"},
	"adapters/camera":    {"github.com/grandcat/zeroconf"},
	"adapters/clock":     {"golang.org/x/sys"},
	"adapters/hap":       {"golang.org/x/crypto", "github.com/godbus/dbus/v5"},
	"adapters/homekit":   {"github.com/brutella/hap/", "github.com/brutella/dnssd", "github.com/miekg/dns", "golang.org/x/net/ipv4", "github.com/pion/rtp", "github.com/pion/srtp/v3"},
	"adapters/mqtt":      {"github.com/eclipse/paho.mqtt.golang", "golang.org/x/time/rate"},
	"adapters/netatmo":   {"golang.org/x/time/rate"},
	"adapters/store":     {"go.etcd.io/bbolt", "filippo.io/age"},
	"adapters/web":       {"golang.org/x/crypto/argon2", "rsc.io/qr"},
	"adapters/uplink":    {"github.com/miekg/dns", "golang.org/x/sys", "golang.org/x/sync"},
	"firmware-notes":     {"github.com/goccy/go-yaml"},
}

// TestDependencyRule holds the one rule of the house: gateway imports the standard library only;
// rules imports gateway and nothing that reads or writes the world; an adapter imports gateway, the
// notes, its own parts and the library it wraps, never another adapter and never rules; nothing
// imports cmd.
func TestDependencyRule(t *testing.T) {
	seen := 0
	walkImports(t, func(file, folder, path string) {
		seen++
		if why := forbidden(folder, path); why != "" {
			t.Errorf("%s imports %s: %s", file, path, why)
		}
	})
	if seen < 100 {
		t.Fatalf("only %d imports were seen: the test looks in the wrong place", seen)
	}
}

// worldly are the standard packages that read or write the world.
var worldly = []string{"os", "net", "net/http", "os/exec", "syscall", "log/slog", "sync", "context", "io/ioutil"}

func forbidden(folder, path string) string {
	own, inside := strings.CutPrefix(path, module)
	outside := !inside && strings.Contains(strings.Split(path, "/")[0], ".")
	switch {
	case strings.HasPrefix(own, "cmd/") && inside:
		return "nothing imports cmd"
	case folder == "gateway":
		if inside || outside {
			return "gateway imports the standard library only"
		}
	case folder == "rules" || strings.HasPrefix(folder, "rules/"):
		if inside && own != "gateway" && !strings.HasPrefix(own, "rules/") || outside {
			return "rules imports gateway and pure packages only"
		}
		for _, w := range worldly {
			if path == w {
				return "rules reads and writes nothing but values"
			}
		}
	case strings.HasPrefix(folder, "adapters/"):
		return adapterForbidden(folder, own, inside, outside, path)
	}
	return ""
}

func adapterForbidden(folder, own string, inside, outside bool, path string) string {
	name := strings.Join(strings.Split(folder, "/")[:2], "/")
	test := strings.HasSuffix(folder, "test")
	switch {
	case inside && (own == name || strings.HasPrefix(own, name+"/")):
	case inside && (own == "gateway" || own == "firmware-notes") && name != "adapters/hap":
	case inside && (own == "adapters/hap" || own == "adapters/hap/ble") || inside && strings.HasPrefix(own, "adapters/hap/") && test:
	case inside && strings.HasPrefix(own, "gateway/gatewaytest") && test:
	case inside:
		return "an adapter imports no other adapter, no rules"
	case outside && test: // a fake speaks whatever its outside system speaks
	case outside:
		for _, library := range wraps[name] {
			if path == library || strings.HasPrefix(path, strings.TrimSuffix(library, "/")+"/") {
				return ""
			}
		}
		return "an adapter imports only the library it wraps"
	}
	return ""
}

// walkImports calls f for each import of each file that is not a test.
func walkImports(t *testing.T, f func(file, folder, path string)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && file != root {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		relative, _ := filepath.Rel(root, filepath.Dir(file))
		for _, spec := range parsed.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			f(file, filepath.ToSlash(relative), path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRulesArePure holds that rules starts no goroutine and reads no clock.
func TestRulesArePure(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "rules", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules found: %v", err)
	}
	more, _ := filepath.Glob(filepath.Join("..", "..", "rules", "*", "*.go"))
	for _, file := range append(files, more...) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if _, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%s starts a goroutine", file)
			}
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && (sel.Sel.Name == "Now" || sel.Sel.Name == "Since" || sel.Sel.Name == "Sleep" || sel.Sel.Name == "After") {
					t.Errorf("%s calls time.%s: time reaches rules inside an event only", file, sel.Sel.Name)
				}
			}
			return true
		})
	}
}
