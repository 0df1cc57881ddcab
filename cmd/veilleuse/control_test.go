package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/ear"
	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// nobody is a house that has nothing.
type nobody struct{}

func (nobody) code() (codeReport, error) { return codeReport{Code: "123-45-679"}, nil }
func (nobody) resetHome(context.Context) (codeReport, error) {
	return codeReport{}, errors.New("no bridge")
}
func (nobody) report(gateway.State) statusReport { return statusReport{} }
func (nobody) diagnose(context.Context, gateway.State) doctorReport {
	return doctorReport{}
}
func (nobody) drill(context.Context, gateway.State, uint64, bool) drillView { return drillView{} }
func (nobody) discover(context.Context) ([]foundAccessory, error) {
	return nil, errors.New("no network")
}
func (nobody) pair(context.Context, pairRequest) (pairAnswer, error) {
	return pairAnswer{}, errors.New("no such accessory")
}
func (nobody) pairings(context.Context, pairingsRequest) (pairingsReport, error) {
	return pairingsReport{}, nil
}
func (nobody) share(context.Context, web.Share) (web.Shared, error)  { return web.Shared{}, nil }
func (nobody) ourselves() (ourselves, error)                         { return ourselves{}, nil }
func (nobody) join(context.Context, joinRequest) (pairAnswer, error) { return pairAnswer{}, nil }
func (nobody) unpair(context.Context, string) (string, error)        { return "", nil }
func (nobody) login(json.RawMessage) error                           { return nil }
func (nobody) pack(time.Time, bool) (packedBackup, error)            { return packedBackup{}, nil }
func (nobody) makeBackup(time.Time, bool) (madeBackup, error)        { return madeBackup{}, nil }
func (nobody) password(string) error                                 { return nil }
func (nobody) packBundle(time.Time, bool) (packedBundle, error)      { return packedBundle{}, nil }
func (nobody) listen(context.Context, int) (ear.Hearing, error) {
	return ear.Hearing{}, errors.New("no microphone")
}
func (nobody) learn(context.Context, ear.Wanted) (learnReport, error) { return learnReport{}, nil }
func (nobody) forget(string) (string, error)                          { return "", nil }
func (nobody) signatures() ([]ear.Signature, error)                   { return nil, nil }

func TestControlContract(t *testing.T) {
	gatewaytest.Contract(t, "control", func(tb testing.TB) gateway.Adapter {
		return &control{path: filepath.Join(tb.TempDir(), "control.sock"), house: nobody{}}
	})
}

func TestBrokerContract(t *testing.T) {
	gatewaytest.Contract(t, "broker", func(tb testing.TB) gateway.Adapter {
		h := house{}
		c := defaults()
		c.MQTT.Listen, c.State = "127.0.0.1:0", tb.TempDir()
		if _, err := h.messages(c, slog.New(slog.DiscardHandler)); err != nil {
			tb.Fatal(err)
		}
		return portless{h.broker}
	})
}

func TestControlSocketIsForItsOwnerOnly(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "control.sock")
	if err := os.WriteFile(path, nil, 0o600); err != nil { // left behind by a daemon that was killed
		t.Fatal(err)
	}
	gatewaytest.Start(t, "control", &control{path: path, house: nobody{}})
	awaitSocket(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	var said string
	err := askDaemon(t.Context(), folder, "POST", "/pair", pairRequest{ID: "x"}, &said)
	if err == nil || err.Error() != "no such accessory" {
		t.Errorf("a refusal arrives as %v", err)
	}
	err = askDaemon(t.Context(), folder, "POST", "/pair", "not a request", &said)
	if err == nil || !strings.Contains(err.Error(), "not readable") {
		t.Errorf("a bad request gives %v", err)
	}
	if _, err := listenUnix(path); err == nil || !strings.Contains(err.Error(), "another veilleuse") {
		t.Errorf("a second daemon on the socket gives %v", err)
	}
}

// awaitSocket waits until somebody serves a socket.
func awaitSocket(t *testing.T, path string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		if conn, err := net.Dial("unix", path); err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nobody serves %s", path)
		}
		time.Sleep(time.Millisecond)
	}
}

// On a disk that was read-only from the start the socket of an earlier run can neither be served nor taken away.
func TestVerbsFindAHouseWhoseDiskTakesNoSocket(t *testing.T) {
	folder, other := t.TempDir(), t.TempDir()
	t.Setenv("RUNTIME_DIRECTORY", t.TempDir())
	path := filepath.Join(folder, "control.sock")
	if err := os.MkdirAll(filepath.Join(path, "that stays"), 0o700); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Start(t, "control", &control{path: path, spare: spareSocket(folder), house: nobody{}})
	awaitSocket(t, spareSocket(folder))
	if info, err := os.Stat(spareSocket(folder)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	var code codeReport
	if err := askDaemon(t.Context(), folder, "GET", "/code", nil, &code); err != nil || code.Code != "123-45-679" {
		t.Errorf("%+v, %v", code, err)
	}
	if err := askDaemon(t.Context(), other, "GET", "/code", nil, &code); !errors.Is(err, errNoDaemon) {
		t.Errorf("of another house: %v", err)
	}
}

// A daemon that is asked for a house which another one serves must not serve it beside that.
func TestASecondDaemonTakesNoSpareSocket(t *testing.T) {
	folder := t.TempDir()
	path, spare := filepath.Join(folder, "control.sock"), filepath.Join(folder, "spare")
	first, err := listenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := (&control{path: path, spare: spare}).listen(); !errors.Is(err, errServed) {
		t.Errorf("a second daemon gives %v", err)
	}
	if _, err := os.Lstat(spare); err == nil {
		t.Error("it serves the spare socket")
	}
}

// The umask is the whole process's: whoever makes a file in the moment in which it is another one gets other rights.
func TestMakingTheSocketChangesNobodyElsesRights(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	ends, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- makeFiles(folder, ends) }()
	for range 500 {
		listener, err := listenUnix(filepath.Join(folder, "control.sock"))
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
	}
	close(ends)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// makeFiles makes files until it is told to end, each with the same rights, and looks at the socket's meanwhile.
func makeFiles(folder string, ends chan struct{}) error {
	var usual fs.FileMode
	for i := 0; ; i++ {
		path := filepath.Join(folder, fmt.Sprint(i%100))
		os.Remove(path)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		if i == 0 {
			usual = info.Mode()
		} else if info.Mode() != usual {
			return fmt.Errorf("a file has the rights %v, and others %v", info.Mode(), usual)
		}
		if socket, err := os.Lstat(filepath.Join(folder, "control.sock")); err == nil && socket.Mode().Perm() != 0o600 {
			return fmt.Errorf("the socket has the rights %v", socket.Mode())
		}
		select {
		case <-ends:
			return nil
		default:
		}
	}
}
