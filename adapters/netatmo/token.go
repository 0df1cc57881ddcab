package netatmo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// The keys of the vault.
const (
	tokenKey   = "token"   // a keptToken
	refreshKey = "refresh" // an attempt: a refresh that has begun and is not known to have ended
)

// Token is a pair of OAuth tokens. The access token lives for three hours; the refresh token is
// good for one refresh, which gives a new pair and voids this one. It prints as [token].
type Token struct {
	Access  string    `json:"access_token"`
	Refresh string    `json:"refresh_token"`
	Scope   []string  `json:"scope,omitempty"`
	Expires time.Time `json:"expires,omitzero"` // of Access; zero: not known, the vendor will say
	Renew   time.Time `json:"renew,omitzero"`   // from when on it is better renewed; zero: not known
}

const hidden = "[token]"

// String hides the token.
func (Token) String() string { return hidden }

// GoString hides the token.
func (Token) GoString() string { return hidden }

// LogValue hides the token.
func (Token) LogValue() slog.Value { return slog.StringValue(hidden) }

// keptToken is the pair in use and, until that one has worked once, the pair before it.
type keptToken struct {
	Token
	Before *Token `json:"before,omitempty"`
}

// maxTokenFile is far above any token answer.
const maxTokenFile = 64 << 10

// ImportToken reads a pair as the vendor's developer page generates it, or as its token URL answers:
// {"access_token": "…", "refresh_token": "…"}, whatever else there is. An access token may be
// missing, for the refresh token gives one. How old the pair is cannot be known, so Expires is zero.
func ImportToken(r io.Reader) (Token, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxTokenFile+1))
	if err != nil {
		return Token{}, fmt.Errorf("read the token: %w", err)
	}
	if len(data) > maxTokenFile {
		return Token{}, errors.New("the token is longer than 64 KiB: expected the JSON of the vendor's developer page")
	}
	whole, err := readWhole(200, data)
	if err != nil {
		return Token{}, errors.New(`the token is not a JSON object: expected {"access_token": "…", "refresh_token": "…"} as the vendor's developer page generates it`)
	}
	t := tokenOf(whole)
	if t.Refresh == "" {
		return Token{}, errors.New(`the token has no "refresh_token": generate one at the vendor's developer page, with all scopes ticked, and take the whole JSON`)
	}
	return t, nil
}

func tokenOf(a attributes) Token {
	return Token{
		Access:  a.text("access_token", "accessToken"),
		Refresh: a.text("refresh_token", "refreshToken"),
		Scope:   a.texts("scope"),
	}
}

// SaveToken makes t the pair that the adapter uses: at once if it waits for one, else at its next
// refresh.
func SaveToken(v gateway.Vault, t Token) error { return saveToken(v, keptToken{Token: t}) }

func saveToken(v gateway.Vault, k keptToken) error {
	data, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("store the token: %w", err)
	}
	if err := v.Set(tokenKey, data); err != nil {
		return fmt.Errorf("store the token: %w", err)
	}
	return nil
}

// loadToken gives an error that errors.Is fs.ErrNotExist if nobody has signed in.
func loadToken(v gateway.Vault) (keptToken, error) {
	if v == nil {
		return keptToken{}, fs.ErrNotExist
	}
	data, err := v.Get(tokenKey)
	if err != nil {
		return keptToken{}, fmt.Errorf("read the token: %w", err)
	}
	var k keptToken
	if json.Unmarshal(data, &k) != nil || k.Refresh == "" {
		return keptToken{}, errors.New("the stored token is damaged: log in again: veilleuse login")
	}
	return k, nil
}
