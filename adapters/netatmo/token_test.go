package netatmo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestImportToken(t *testing.T) {
	for _, c := range []struct {
		name, in        string
		access, refresh string
		scope           int
		err             string
	}{
		{"as the token URL answers", `{"access_token":"a1|b","refresh_token":"r1|c","scope":["x","y"],"expires_in":10800,"expire_in":10800}`, "a1|b", "r1|c", 2, ""},
		{"with a byte order mark and blanks", "\xef\xbb\xbf \n{\"access_token\":\" a \",\"refresh_token\":\"r\"}\r\n", "a", "r", 0, ""},
		{"scope as one string", `{"access_token":"a","refresh_token":"r","scope":"read_station read_camera"}`, "a", "r", 2, ""},
		{"in camel case", `{"accessToken":"a","refreshToken":"r"}`, "a", "r", 0, ""},
		{"without an access token", `{"refresh_token":"r"}`, "", "r", 0, ""},
		{"without a refresh token", `{"access_token":"a"}`, "", "", 0, `no "refresh_token"`},
		{"a refusal", `{"error":"invalid_grant"}`, "", "", 0, `no "refresh_token"`},
		{"not JSON", `5f8a|abc`, "", "", 0, "not a JSON object"},
		{"HTML", `<html>`, "", "", 0, "not a JSON object"},
		{"empty", ``, "", "", 0, "not a JSON object"},
		{"too long", `{"a":"` + strings.Repeat("x", maxTokenFile) + `"}`, "", "", 0, "longer than 64 KiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ImportToken(strings.NewReader(c.in))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want one with %q", err, c.err)
				}
				return
			}
			if err != nil || got.Access != c.access || got.Refresh != c.refresh || len(got.Scope) != c.scope {
				t.Errorf("got access %q, refresh %q, %d scopes, error %v", got.Access, got.Refresh, len(got.Scope), err)
			}
		})
	}
}

func TestImportTokenOfAPublishedAnswer(t *testing.T) {
	got, err := ImportToken(bytes.NewReader(fixture(t, "pyatmo-archive/oauth2_token.json")))
	if err != nil || len(got.Scope) != 7 || !strings.HasSuffix(got.Refresh, "758e93") || !got.Expires.IsZero() {
		t.Errorf("got %d scopes, expires %v, error %v", len(got.Scope), got.Expires, err)
	}
}

func TestTokenNeverShows(t *testing.T) {
	token := Token{Access: "ACCESS-SECRET", Refresh: "REFRESH-SECRET", Expires: time.Now()}
	camera := CameraAccess{Device: "70:ee", Key: "KEY-SECRET", LocalURL: "http://10.0.0.1/KEY-SECRET"}
	var b bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&b, nil))
	log.Info("x", "token", token, "camera", camera)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "token", token, "camera", camera)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		fmt.Fprintf(&b, format+" "+format, token, camera)
	}
	if strings.Contains(b.String(), "SECRET") {
		t.Errorf("a secret shows in %s", b.String())
	}
}

func TestLoadToken(t *testing.T) {
	m := newMemory()
	if _, err := loadToken(m); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty vault gives %v", err)
	}
	if _, err := loadToken(nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no vault gives %v", err)
	}
	if err := SaveToken(m, Token{Access: "a", Refresh: "r", Expires: evening, Renew: evening}); err != nil {
		t.Fatal(err)
	}
	k, err := loadToken(m)
	if err != nil || k.Access != "a" || k.Refresh != "r" || !k.Expires.Equal(evening) || !k.Renew.Equal(evening) || k.Before != nil {
		t.Errorf("read back access %q, refresh %q, expires %v, error %v", k.Access, k.Refresh, k.Expires, err)
	}
	m.Put(tokenKey, `{"access_to`)
	if _, err := loadToken(m); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "log in again") {
		t.Errorf("a damaged token gives %v", err)
	}
}

func FuzzImportToken(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		token, err := ImportToken(bytes.NewReader(data))
		if (err == nil) != (token.Refresh != "") {
			t.Fatalf("token %v, error %v", token.Refresh != "", err)
		}
		_, _ = readTokenAnswer(reply{status: 200, body: data}, evening)
	})
}
