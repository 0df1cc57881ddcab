package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/ear"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// firstRun is what the page's first run asks of the house: what the verbs ask, too.
func (h *house) firstRun() *web.First {
	f := &web.First{
		Stand: h.firstStand, Application: h.keepApplication, Token: h.pastedToken, Exchange: h.exchange, Choose: h.chooseHome,
		Authorize: func(redirect, state string) (string, error) { return netatmo.AuthorizeURL(h.cloud, redirect, state) },
		Discover:  h.firstDiscover, CheckCode: accessory.CheckCode, Pair: h.firstPair,
		Diagnose: func(ctx context.Context, s gateway.State) web.FirstReport { return firstReport(h.diagnose(ctx, s)) },
	}
	if h.config.Ear.Microphone != "" {
		f.Learn = h.firstLearn
	}
	return f
}

// firstStand is how far the house is.
func (h *house) firstStand() (web.FirstStand, error) {
	c := h.config
	vendor, asked := h.vendor.Standing()
	s := web.FirstStand{SignedIn: h.signedIn(), Asked: asked, Fault: vendor.Fault, HomeOpen: vendor.Open, HomeFixed: c.Home.ID != "",
		Ear: web.FirstEar{Microphone: c.Ear.Microphone, Room: c.Ear.Room}, Broker: h.firstBroker()}
	switch {
	case c.Netatmo.ClientID != "":
		s.Application = "file"
	case h.cloud.HasApplication():
		s.Application = "page"
	}
	for _, one := range vendor.Homes {
		s.Homes = append(s.Homes, web.FirstHome(one))
	}
	paired, err := h.accessory.Paired()
	s.Paired = len(paired)
	bridges, bad := h.bridge.Bridges()
	for _, b := range bridges {
		s.Bridges = append(s.Bridges, web.FirstBridge{Name: b.Name, Code: b.Code, URI: b.URI, Controllers: b.Controllers})
	}
	learnt, deaf := h.signatures()
	for _, one := range learnt {
		s.Ear.Learnt = append(s.Ear.Learnt, one.Name)
	}
	return s, errors.Join(err, bad, deaf)
}

// firstBroker is where the house is on MQTT.
func (h *house) firstBroker() web.FirstBroker {
	c := h.config.MQTT
	b := web.FirstBroker{Inside: h.broker != nil, Listen: c.Broker, Base: c.Base}
	if h.broker == nil {
		return b
	}
	if b.Listen = h.broker.Address(); b.Listen == "" { // it does not serve yet
		b.Listen = c.Listen
	}
	host, _, _ := net.SplitHostPort(b.Listen)
	ip := net.ParseIP(host)
	b.LAN, b.TLS, b.Users = host != "localhost" && (ip == nil || !ip.IsLoopback()), c.TLS.Certificate != "", c.UsersFile
	return b
}

// keepApplication keeps the person's own application. The vendor is asked anew, should a wrong one have been refused.
func (h *house) keepApplication(id, secret string) error {
	if err := netatmo.SaveApplication(h.cloud.Vault, id, secret); err != nil {
		return err
	}
	h.vendor.Hasten()
	return nil
}

// pastedToken keeps what a person copied from the vendor's page: the JSON, or the refresh token by itself.
func (h *house) pastedToken(pasted string) error {
	if !strings.HasPrefix(pasted, "{") {
		if strings.ContainsAny(pasted, " \t\r\n\"") {
			return errors.New("this is not one token: copy the refresh token alone, or the whole JSON from { to }")
		}
		alone, err := json.Marshal(map[string]string{"refresh_token": pasted})
		if err != nil {
			return fmt.Errorf("the token cannot be read: %w", err)
		}
		pasted = string(alone)
	}
	if err := netatmo.AskForHome(h.cloud.Vault); err != nil {
		return err
	}
	return h.login(json.RawMessage(pasted))
}

// exchange trades the code with which the vendor sent the browser back for a sign-in.
func (h *house) exchange(ctx context.Context, code, redirect string) error {
	token, err := netatmo.Exchange(ctx, h.cloud, code, redirect)
	if err != nil {
		return err
	}
	if err := netatmo.AskForHome(h.cloud.Vault); err != nil {
		return err
	}
	return h.keepToken(token)
}

func (h *house) chooseHome(id string) error {
	if err := netatmo.ChooseHome(h.cloud.Vault, id); err != nil {
		return err
	}
	h.vendor.Hasten()
	return nil
}

// firstDiscover is what veilleuse discover lists.
func (h *house) firstDiscover(ctx context.Context) ([]web.FirstAccessory, error) {
	found, err := h.discover(ctx)
	var all []web.FirstAccessory
	for _, a := range found {
		all = append(all, web.FirstAccessory{ID: a.ID, Name: a.Name, Model: a.Model, Address: a.Address, Via: a.Via, Paired: a.Paired})
	}
	return all, err
}

// firstPair pairs as veilleuse pair does.
func (h *house) firstPair(ctx context.Context, r web.FirstPairing) web.FirstPaired {
	answer, err := h.pair(ctx, pairRequest(r))
	var refusal *hap.PairingError
	switch {
	case answer.Taken != nil:
		return web.FirstPaired{Kind: "taken", Says: answer.why(), Steps: answer.Taken.Steps}
	case answer.Not != "":
		return web.FirstPaired{Kind: "absent", Says: answer.Not}
	case errors.As(err, &refusal) && refusal.Code == hap.ErrorAuthentication:
		return web.FirstPaired{Kind: "code", Says: err.Error()}
	case err != nil:
		return web.FirstPaired{Kind: "failed", Says: err.Error()}
	}
	return web.FirstPaired{Says: answer.Said}
}

// firstLearn has the ear learn as veilleuse listen --learn does.
func (h *house) firstLearn(ctx context.Context, name, kind, room string) (string, error) {
	r, err := h.learn(ctx, ear.Wanted{Name: name, Kind: gateway.Quantity(kind), Room: room})
	if err != nil {
		return "", err
	}
	return strings.Join(append([]string{learntWords(r)}, r.Mind...), "; mind: "), nil
}

// firstReport is what veilleuse doctor prints, for the page.
func firstReport(r doctorReport) web.FirstReport {
	f := web.FirstReport{At: r.At, Survives: r.Survives, Score: r.Score, Says: r.Verdict}
	for want, into := range map[result]*[]web.Gap{gap: &f.Missing, warn: &f.Look} {
		for _, e := range gather(want, r) {
			*into = append(*into, web.Gap{Name: strings.Join(e.names, ", "), What: e.What, Do: e.Do})
		}
	}
	return f
}
