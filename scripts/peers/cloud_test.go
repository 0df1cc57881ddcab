package peers

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
)

// startCloud serves the vendor on this machine, and beside it a witness of the internet.
func startCloud(t *testing.T, home netatmotest.Home) (cloud *netatmotest.Cloud, url, witness string) {
	t.Helper()
	cloud = netatmotest.New(netatmotest.Options{Home: home})
	url, err := cloud.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	other := netatmotest.New(netatmotest.Options{}) // all that counts is that it accepts connections
	there, err := other.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	return cloud, url, there[len("http://"):]
}

// signIn gives the daemon a token as the vendor's developer page makes it, and waits for the plan.
func (h *house) signIn(cloud *netatmotest.Cloud) (string, error) {
	began := time.Now()
	token := h.file("token.json", string(cloud.Token()))
	if _, err := h.verb("login", "--token", token); err != nil {
		return "", err
	}
	if err := os.Remove(token); err != nil {
		return "", err
	}
	_, err := until(40*time.Second, func() error {
		s, err := h.status()
		if err != nil {
			return err
		}
		r, err := s.room("Salon")
		if err == nil && (r.Target == nil || r.Temperature == nil) {
			text, _ := json.Marshal(r)
			err = fmt.Errorf("%w: the room is %s", errNotYet, text)
		}
		return err
	})
	return seconds(time.Since(began)), err
}
