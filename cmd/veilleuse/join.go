package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
)

// joinRequest is what veilleuse pair --join sends.
type joinRequest struct {
	ID      string `json:"id"`
	Address string `json:"address,omitempty"`
	Room    string `json:"room,omitempty"`
	Key     string `json:"key"` // the accessory's long-term public key
}

// ourselves is what an accessory's owner needs to add us.
type ourselves struct {
	Controller string `json:"controller"`
	Key        string `json:"key"` // hexadecimal digits
}

// join says who we are, so that the accessory's owner can add us, and joins once that is done.
func (o *options) join(ctx context.Context, c console, r joinRequest, wait time.Duration) error {
	var us ourselves
	err := o.ask(ctx, "GET", "/identity", nil, &us, func(h *house) (err error) {
		us, err = h.ourselves()
		return err
	})
	if err != nil {
		return err
	}
	printUs(c.out, us, r.ID)
	if r.Key == "" && personAt(c.in) {
		if r.Key, err = askKey(c); err != nil {
			return err
		}
	}
	if r.Key == "" {
		fold(c.out, "", fmt.Sprintf("Then: veilleuse pair %s --join --key KEY", r.ID))
		return nil
	}
	if _, err := parseKey(r.Key); err != nil {
		return fmt.Errorf("--key: %w", err)
	}
	return patiently(ctx, c, wait, func() (answer pairAnswer, err error) {
		err = o.ask(ctx, "POST", "/join", r, &answer, func(h *house) (err error) {
			answer, err = h.join(ctx, r)
			return err
		})
		return answer, err
	})
}

func printUs(out io.Writer, us ourselves, id string) {
	fold(out, "", fmt.Sprintf("To let Veilleuse join %s, its owner adds this controller as an admin:", id))
	fmt.Fprintf(out, "  controller  %s\n  public key  %s\n", us.Controller, us.Key)
	fold(out, "", "and tells the accessory's own public key, 64 hexadecimal digits, which it keeps as AccessoryLTPK. "+
		"Another Veilleuse does and tells both by: veilleuse share "+id+" "+us.Controller+" "+us.Key)
}

// askKey asks the person at the terminal.
func askKey(c console) (string, error) {
	fmt.Fprint(c.out, "the accessory's public key: ")
	line, err := bufio.NewReader(io.LimitReader(c.in, 1<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the key: %w", err)
	}
	return strings.TrimSpace(line), nil
}

// ourselves is who we are towards accessories.
func (h *house) ourselves() (ourselves, error) {
	me, err := h.accessory.Identity()
	return ourselves{me.ID, hex.EncodeToString(me.Key)}, err
}

// join makes us a further controller of an accessory, and says in a sentence what is there now.
func (h *house) join(ctx context.Context, r joinRequest) (pairAnswer, error) {
	key, err := parseKey(r.Key)
	if err != nil {
		return pairAnswer{}, err
	}
	paired, err := h.accessory.Join(ctx, r.ID, r.Address, key, r.Room)
	if errors.Is(err, accessory.ErrNotAdded) || passing(err) {
		return pairAnswer{Not: err.Error(), Owner: errors.Is(err, accessory.ErrNotAdded)}, nil
	}
	if err != nil {
		return pairAnswer{}, err
	}
	return pairAnswer{Said: fmt.Sprintf("%s (%s) has let us join; its owner stays what it is", paired.Name, paired.ID)}, nil
}
