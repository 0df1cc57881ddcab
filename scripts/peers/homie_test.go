package peers

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
)

// TestHomie shows a house by the Homie convention on Mosquitto, whose last wills and retained messages it rests on.
func TestHomie(t *testing.T) {
	with := needTools(t)
	address := freeAddress(t)
	startMosquitto(t, address)
	cloud, url, witness := startCloud(t, netatmotest.Home{})
	h := newHouse(t, with, settings{broker: address, cloud: url, witness: witness})
	need(t, "veilleuse login signs in before the daemon runs", func() (string, error) { return "", h.signIn(cloud) })
	// The first run announces to Home Assistant: the second must clean that up.
	h.start()
	need(t, "the plan is copied", func() (string, error) { return "", h.hasPlan() })
	h.end()
	h.amend("mqtt:\n", "mqtt:\n  discovery: homie\n")
	sub := listen(t, address, "homie/5/#")
	const root, room = "homie/5/veilleuse/$state", "homie/5/veilleuse-room-" + netatmotest.LivingRoom + "/thermostat/target"
	state := func(want string, since time.Time) (string, error) {
		got, err := sub.await(patience, since, root, func(payload string) bool { return payload == want })
		return seconds(got.at.Sub(since)), err
	}
	began := time.Now()
	h.start()
	promise(t, "every device is described, then ready", func() (string, error) {
		if _, err := state("ready", began); err != nil {
			return "", err
		}
		devices, topics := 0, 0
		_, err := until(patience, func() error { // what is not known before it is asked for anew comes later
			kept := retained(t, address, "homie/5/#")
			devices, topics = 0, len(kept)
			for topic := range kept {
				if id, ok := strings.CutSuffix(topic, "/$description"); ok {
					devices++
					if s := kept[id+"/$state"]; s != "ready" && s != "lost" {
						return fmt.Errorf("%s is %q", id, s)
					}
				}
			}
			if devices < 10 {
				return fmt.Errorf("only %d devices are described", devices)
			}
			return nil
		})
		return fmt.Sprintf("%d devices, %d topics", devices, topics), err
	})
	promise(t, "what was announced to Home Assistant is taken down", func() (string, error) {
		_, err := until(patience, func() error {
			if left := retained(t, address, "homeassistant/#"); len(left) > 0 {
				return fmt.Errorf("%w: %d announcements are left", errNotYet, len(left))
			}
			return nil
		})
		return "", err
	})
	promise(t, "a wish on a set topic moves the room, and the cloud is told", func() (string, error) {
		began := time.Now()
		if err := publish(address, room+"/set", "21.5"); err != nil {
			return "", err
		}
		got, err := sub.await(patience, began, room+"/$target", func(payload string) bool { return payload == "21.5" })
		if err != nil {
			return "", err
		}
		// Just started, it may not have read the vendor's plan yet, and asks again half a minute later.
		_, err = until(3*patience, func() error {
			if r := cloud.Room(netatmotest.LivingRoom); r.Target != 21.5 {
				return fmt.Errorf("%w: the cloud has %+v", errNotYet, r)
			}
			return nil
		})
		return seconds(got.at.Sub(began)), err
	})
	promise(t, "a daemon that is killed is lost by its last will", func() (string, error) {
		began := time.Now()
		h.stop(syscall.SIGKILL)
		return state("lost", began)
	})
	promise(t, "it is ready again when it is back", func() (string, error) {
		began := time.Now()
		h.start()
		return state("ready", began)
	})
	promise(t, "SIGTERM ends the daemon, and it says that it is disconnected", func() (string, error) {
		began := time.Now()
		if _, err := h.endsSoon(); err != nil {
			return "", err
		}
		return state("disconnected", began)
	})
}
