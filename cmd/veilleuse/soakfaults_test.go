package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
)

// soakFault is something that happens to the house. It takes about so long, in real time, and leaves nothing behind.
type soakFault struct {
	name  string
	often int    // how many of it are in the pack of which they are drawn
	needs string // of two that need the same part of the world to be theirs alone, one at a time
	do    func(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error
}

// Parts of the world that are broken by one at a time.
const (
	soakCloud = "cloud"
	soakLAN   = "LAN"
)

// soakFaults are all kinds that the simulated world knows. Alarms, drills, backups and steps of the clock are rare: each
// of them is written down at once, as it must be, and no house has them every hour.
func soakFaults() []soakFault {
	return []soakFault{
		{"the vendor's edge breaks", 8, soakCloud, edgeBreaks},
		{"the vendor's API breaks", 8, soakCloud, cloudBreaks},
		{"tokens are refused", 2, soakCloud, tokensRefused},
		{"signed out by the vendor", 1, soakCloud, signedOut},
		{"rate limits", 4, soakCloud, rateLimited},
		{"an accessory loses power", 8, soakLAN, accessoryOff},
		{"an accessory answers badly", 8, soakLAN, accessoryFails},
		{"an accessory moves while mDNS is gone", 4, soakLAN, movedUnseen},
		{"MQTT clients stall", 6, "", clientsStall},
		{"MQTT clients come and go", 6, "", clientsChurn},
		{"HomeKit controllers come and hang up", 8, "", controllersHangUp},
		{"pages are opened and closed", 8, "", pagesOpen},
		{"strangers at every port say nothing", 4, "", strangersWait},
		{"people wish", 6, soakLAN, peopleWish},
		{"people ask for status and doctor", 4, "", peopleAsk},
		{"an alarm", 3, soakLAN, anAlarm},
		{"a drill", 1, soakCloud, aDrill},
		{"a backup", 1, "", aBackup},
		{"the clock is set", 2, "", clockStep},
	}
}

func one[T any](dice *rand.Rand, of ...T) T { return of[dice.IntN(len(of))] }

// wait lets real time pass.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func edgeBreaks(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	fault := one(dice, uplinktest.NXDomain, uplinktest.EmptyAnswer, uplinktest.ServFail, uplinktest.NameRefused, uplinktest.NameSilent, uplinktest.ResolverDead,
		uplinktest.NamesFail, uplinktest.NamesSilent, uplinktest.ZeroAddress, uplinktest.PrivateName, uplinktest.Refused, uplinktest.BlackHole, uplinktest.Reset, uplinktest.Hangup,
		uplinktest.Redirect, uplinktest.Status500, uplinktest.Status502, uplinktest.Status503, uplinktest.Status504, uplinktest.RetryAfter, uplinktest.HTML200,
		uplinktest.Empty200, uplinktest.Truncated, uplinktest.SlowHeaders, uplinktest.Dribble, uplinktest.QuotaUsed,
		uplinktest.InternetDown, uplinktest.Portal, uplinktest.PortalDNS, uplinktest.SickPage)
	w.setLost(true)
	if err := w.internet.Break(fault); err != nil {
		return fmt.Errorf("%s: %w", fault, err)
	}
	wait(ctx, length)
	w.setLost(false)
	return w.internet.Break()
}

func cloudBreaks(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	w.cloud.Break(netatmotest.Fault{Delay: 100 * time.Millisecond, Kind: one(dice, netatmotest.TimeOut, netatmotest.Unavailable, netatmotest.Empty, netatmotest.HTML,
		netatmotest.Truncated, netatmotest.NoBody, netatmotest.Stale, netatmotest.Slow, netatmotest.Dribble, netatmotest.Mongo, netatmotest.Overloaded, netatmotest.ZeroHomes,
		netatmotest.IgnoreWrites, netatmotest.LostAnswer, netatmotest.Redirect, netatmotest.Reset)})
	wait(ctx, length)
	w.cloud.Mend()
	return nil
}

func tokensRefused(ctx context.Context, w *soakWorld, _ *rand.Rand, length time.Duration) error {
	w.cloud.Break(netatmotest.Fault{Kind: netatmotest.InvalidToken})
	wait(ctx, length)
	w.cloud.Mend()
	return nil
}

// signedOut has a person sign in again afterwards, as the house asks for.
func signedOut(ctx context.Context, w *soakWorld, _ *rand.Rand, length time.Duration) error {
	w.cloud.Revoke()
	w.cloud.Break(netatmotest.Fault{Kind: netatmotest.InvalidGrant, Paths: []string{"/oauth2/token"}})
	wait(ctx, length)
	w.cloud.Mend()
	var said string
	return w.ask(ctx, "POST", "/login", json.RawMessage(w.cloud.Token()), &said)
}

func rateLimited(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	w.cloud.Break(netatmotest.Fault{Kind: one(dice, netatmotest.TooMany, netatmotest.Concurrency, netatmotest.UsageReached), RetryAfter: time.Minute})
	wait(ctx, length)
	w.cloud.Mend()
	return nil
}

func anAccessory(dice *rand.Rand) string {
	return one(dice, "Thermostat", demoCO, demoSiren, soakSmoke)
}

func accessoryOff(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	return w.house.Restart(anAccessory(dice), func() { wait(ctx, length) })
}

func accessoryFails(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	fake, err := w.house.Accessory(anAccessory(dice))
	if err != nil {
		return err
	}
	fault := one(dice, haptest.Reset, haptest.DropAfterVerify, haptest.WrongNonce, haptest.HalfAnswer, haptest.Mute)
	fake.Fail(fault, 1+dice.IntN(3))
	for range 1 + dice.IntN(3) {
		fake.Disconnect()
		wait(ctx, length/4)
	}
	release := fake.Hold()
	wait(ctx, length/4)
	release()
	fake.Fail(fault, 0)
	return nil
}

func movedUnseen(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	w.hidden.Store(true)
	defer w.hidden.Store(false)
	err := w.house.Move(anAccessory(dice))
	wait(ctx, length)
	return err
}

// clientsStall has clients subscribe to everything and read nothing of it.
func clientsStall(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	const connect = "\x10\x13\x00\x04MQTT\x04\x02\x00\x00\x00\x07stall%02d"
	const subscribe = "\x82\x06\x00\x01\x00\x01#\x00"
	for i := range 1 + dice.IntN(5) {
		conn, err := dial(w.mqtt)
		if err != nil {
			return err
		}
		defer conn.Close()
		conn.(*net.TCPConn).SetReadBuffer(1024)
		if _, err := fmt.Fprintf(conn, connect+subscribe, i); err != nil {
			return err
		}
	}
	wait(ctx, length)
	return nil
}

// clientsChurn has clients connect, read, publish nonsense and leave, some without a word.
func clientsChurn(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	rounds := 3 + dice.IntN(5)
	for i := range rounds {
		options := paho.NewClientOptions().AddBroker("tcp://" + w.mqtt).SetClientID(fmt.Sprint("churn", i)).SetAutoReconnect(false).SetConnectTimeout(time.Second)
		client := paho.NewClient(options)
		if token := client.Connect(); !token.WaitTimeout(5*time.Second) || token.Error() != nil {
			return fmt.Errorf("an MQTT client cannot connect: %w", token.Error())
		}
		client.Subscribe("veilleuse/#", 1, func(paho.Client, paho.Message) {}).WaitTimeout(time.Second)
		client.Publish("veilleuse/room/none/set", 1, false, `{"target":"warm"}`).WaitTimeout(time.Second)
		wait(ctx, length/time.Duration(rounds))
		client.Disconnect(uint(dice.IntN(2) * 20))
	}
	return nil
}

// controllersHangUp has the Home app open further sessions and break off in the middle of things.
func controllersHangUp(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	rounds := 3 + dice.IntN(5)
	for range rounds {
		session, err := hap.Connect(ctx, w.homeKit, w.people.pairing, func([]hap.Reading) {})
		if err != nil {
			return fmt.Errorf("the Home app cannot connect: %w", err)
		}
		if _, err := session.Accessories(ctx); err != nil {
			return errors.Join(err, session.Close())
		}
		_, err = session.Subscribe(ctx, w.people.points["Chambre target"])
		wait(ctx, length/time.Duration(rounds))
		if err = errors.Join(err, session.Close()); err != nil {
			return err
		}
		broken, err := dial(w.homeKit)
		if err != nil {
			return err
		}
		fmt.Fprint(broken, "POST /pair-verify HTTP/1.1\r\nContent-Type: application/pairing+tlv8\r\nContent-Length: 37\r\n\r\n\x06\x01\x01")
		broken.Close()
	}
	return nil
}

// pagesOpen has browsers follow the house live, one of which reads nothing.
func pagesOpen(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	client, err := w.browser(ctx)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	var reading sync.WaitGroup
	defer reading.Wait()
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	for i := range 2 + dice.IntN(6) {
		page, err := w.get(ctx, client, "/")
		if err != nil {
			return err
		}
		io.Copy(io.Discard, page.Body)
		page.Body.Close()
		live, err := w.get(ctx, client, one(dice, "/live", "/api/live"))
		if err != nil {
			return err
		}
		reading.Go(func() {
			defer live.Body.Close()
			if i > 0 {
				io.Copy(io.Discard, live.Body)
			}
			<-ctx.Done()
		})
	}
	<-ctx.Done()
	return nil
}

// ports are all addresses where the daemon listens.
func (w *soakWorld) ports() []string {
	return []string{w.mqtt, w.homeKit, w.page, filepath.Join(w.state, "control.sock")}
}

// strangersWait has strangers connect to every port and say nothing, or little.
func strangersWait(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	for _, at := range w.ports() {
		for range 20 + dice.IntN(30) {
			conn, err := dial(at)
			if err != nil {
				continue // it is full: that is what this is about
			}
			defer conn.Close()
			fmt.Fprint(conn, one(dice, "", "G", "\x10", "GET / HTTP/1.1\r\nHost: local", "POST /pair-setup HTTP/1.1\r\n"))
		}
	}
	wait(ctx, length)
	return nil
}

func peopleWish(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	room := one(dice, netatmotest.LivingRoom, netatmotest.Bedroom, netatmotest.Child, netatmotest.Bathroom)
	text := fmt.Sprintf(`{"target":%.1f,"for":"30m"}`, 16+float64(dice.IntN(12))/2)
	if token := w.people.client.Publish("veilleuse/room/"+room+"/set", 1, false, text); !token.WaitTimeout(5*time.Second) || token.Error() != nil {
		return fmt.Errorf("a wish over MQTT: %w", token.Error())
	}
	wait(ctx, length/2)
	results, err := w.people.session.Write(ctx, hap.Write{ID: w.people.points["Chambre target"], Value: hap.NumberValue(16 + float64(dice.IntN(12))/2)})
	if err == nil {
		err = results[0].Status.Err()
	}
	if err != nil {
		return fmt.Errorf("a wish in the Home app: %w", err)
	}
	return nil
}

func peopleAsk(ctx context.Context, w *soakWorld, _ *rand.Rand, _ time.Duration) error {
	if _, err := w.status(ctx); err != nil {
		return err
	}
	var d doctorReport
	return w.ask(ctx, "GET", "/doctor", nil, &d)
}

func anAlarm(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	kind := one(dice, "smoke", "co")
	took, err := w.raise(kind)
	if err != nil {
		return err
	}
	w.alarmTook(took)
	wait(ctx, length/2)
	return w.smell(kind, false)
}

func aDrill(ctx context.Context, w *soakWorld, _ *rand.Rand, length time.Duration) error {
	var view drillView
	err := w.ask(ctx, "POST", "/drill", drillRequest{ForS: 300}, &view)
	if err != nil { // not while something is amiss: the house says so
		if strings.Contains(err.Error(), "ask again") {
			return err
		}
		return nil
	}
	wait(ctx, length)
	_ = w.ask(ctx, "POST", "/drill", drillRequest{End: true}, &view) // it may have ended by itself
	return nil
}

func aBackup(ctx context.Context, w *soakWorld, _ *rand.Rand, _ time.Duration) error {
	var made madeBackup
	return w.ask(ctx, "POST", "/backup", nil, &made)
}

// clockStep sets the daemon's clock and sets it back.
func clockStep(ctx context.Context, w *soakWorld, dice *rand.Rand, length time.Duration) error {
	by := time.Duration(dice.IntN(40)-20) * time.Minute
	if _, err := w.process.ask(fmt.Sprint("step ", by)); err != nil {
		return err
	}
	wait(ctx, length)
	_, err := w.process.ask(fmt.Sprint("step ", -by))
	return err
}
