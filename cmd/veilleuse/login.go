package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo"
)

// loginPatience is how long a person may take to sign in.
const loginPatience = 10 * time.Minute

// loginVerb signs in at Netatmo: in the browser, or with the JSON that the vendor's developer page
// generates.
func loginVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("login")
	file := o.set.String("token", "", "")
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	config, _, err := loadConfig(o.config)
	if err != nil {
		return err
	}
	var token json.RawMessage
	if *file != "" {
		token, err = readToken(*file, c.in)
	} else {
		token, err = signIn(ctx, c, config)
	}
	if err != nil {
		return err
	}
	var said string
	err = askDaemon(ctx, config.State, "POST", "/login", token, &said)
	if errors.Is(err, errNoDaemon) {
		err = withHouse(config, func(h *house) error { return h.login(token) })
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, "signed in; the daemon begins to copy the home's plan at once")
	return nil
}

// longestToken bounds a token file.
const longestToken = 64 << 10

func readToken(file string, in io.Reader) (json.RawMessage, error) {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("--token: %w", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, longestToken))
	if err != nil {
		return nil, fmt.Errorf("--token: %w", err)
	}
	if !json.Valid(data) {
		return nil, errors.New(`--token: not JSON; expected what the vendor's developer page generates, {"access_token":"…","refresh_token":"…"}`)
	}
	return data, nil
}

// signIn shows the vendor's page to a person and waits for the browser to come back.
func signIn(ctx context.Context, c console, config Config) (json.RawMessage, error) {
	options, err := cloudOptions(config, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("wait for the browser: %w", err)
	}
	redirect := fmt.Sprintf("http://localhost:%d/", listener.Addr().(*net.TCPAddr).Port)
	state := rand.Text()
	page, err := netatmo.AuthorizeURL(options, redirect, state)
	if err != nil {
		listener.Close()
		return nil, err
	}
	fmt.Fprintf(c.out, "Open this page on this computer and allow the access:\n\n  %s\n\n(For a Pi without a screen: generate a token at https://dev.netatmo.com/apps and use veilleuse login --token FILE.)\n", page)
	code, err := waitForBrowser(ctx, listener, state)
	if err != nil {
		return nil, err
	}
	token, err := netatmo.Exchange(ctx, options, code, redirect)
	if err != nil {
		return nil, err
	}
	return json.Marshal(token)
}

// waitForBrowser serves the one request with which the vendor sends the browser back.
func waitForBrowser(ctx context.Context, listener net.Listener, state string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, loginPatience)
	defer cancel()
	codes := make(chan string, 1)
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if query.Get("state") != state || query.Get("code") == "" {
			http.Error(w, "This is not the answer to the sign-in that was begun. Run veilleuse login again.", http.StatusBadRequest)
			return
		}
		fmt.Fprintln(w, "Signed in. You may close this page.")
		select {
		case codes <- query.Get("code"):
		default:
		}
	})}
	go server.Serve(listener)
	defer server.Shutdown(context.WithoutCancel(ctx))
	select {
	case code := <-codes:
		return code, nil
	case <-ctx.Done():
		return "", errors.New("nobody signed in within ten minutes; run veilleuse login again")
	}
}
