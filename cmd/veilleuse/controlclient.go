package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// longestAnswer bounds what a verb reads of the daemon's answer.
const longestAnswer = 16 << 20

// errNoDaemon says that nobody listens on the control socket.
var errNoDaemon = errors.New("no veilleuse runs on this state folder")

// askDaemon asks the daemon that runs on that state folder.
func askDaemon(ctx context.Context, state, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, controlPatience)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialDaemon(ctx, state)
	}}}
	defer client.CloseIdleConnections()
	request, err := newRequest(ctx, method, "http://control"+path, body)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if nobodyThere(err) {
		return fmt.Errorf("%w (%s): start it with veilleuse run, or name its configuration with -c", errNoDaemon, state)
	}
	if err != nil {
		return fmt.Errorf("ask the daemon: %w%s", err, asWhom(err))
	}
	defer response.Body.Close()
	return readAnswer(response, into)
}

// nobodyThere reports whether a socket could not be dialled because nobody serves it.
func nobodyThere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// dialDaemon connects to the daemon on that state folder, by the spare socket if nobody serves the one in the folder.
func dialDaemon(ctx context.Context, state string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", filepath.Join(state, "control.sock"))
	if nobodyThere(err) {
		if spare, lacking := d.DialContext(ctx, "unix", spareSocket(state)); lacking == nil {
			return spare, nil
		}
	}
	return conn, err
}

// spareSocket is where the daemon on that state folder is asked if its disk takes no socket: in the folder in memory that systemd
// makes for the service (RuntimeDirectory in the unit), which is its alone. The name is the house's own, for there may be others.
func spareSocket(state string) string {
	if whole, err := filepath.Abs(state); err == nil {
		state = whole
	}
	sum := sha256.Sum256([]byte(state))
	return filepath.Join(cmp.Or(os.Getenv("RUNTIME_DIRECTORY"), "/run/veilleuse"), hex.EncodeToString(sum[:8])+".sock")
}

func newRequest(ctx context.Context, method, url string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("write the request: %w", err)
		}
		content = bytes.NewReader(data)
	}
	return http.NewRequestWithContext(ctx, method, url, content)
}

// readAnswer reads the daemon's value, or its one sentence as an error.
func readAnswer(response *http.Response, into any) error {
	data, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSpace(string(data)))
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("the daemon's answer is not readable: %w", err)
	}
	return nil
}
