package peers

import (
	"fmt"
	"os"
	"testing"

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

// signIn gives the program a token as the vendor's developer page makes it.
func (h *house) signIn(cloud *netatmotest.Cloud) error {
	token := h.file("token.json", string(cloud.Token()))
	if _, err := h.verb("login", "--token", token); err != nil {
		return err
	}
	return os.Remove(token)
}

// hasPlan waits until the vendor's plan and view are there.
func (h *house) hasPlan() error {
	_, err := until(3*patience, func() error {
		s, err := h.status()
		if err != nil {
			return err
		}
		r, err := s.room("Salon")
		if err == nil && (r.Target == nil || r.Temperature == nil) {
			err = fmt.Errorf("%w: the room is %+v", errNotYet, r)
		}
		return err
	})
	return err
}
