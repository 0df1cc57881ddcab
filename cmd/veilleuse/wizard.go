package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
)

// pairRequest is what veilleuse pair sends.
type pairRequest struct {
	ID      string `json:"id"`
	Code    string `json:"code"`
	Address string `json:"address,omitempty"`
	Room    string `json:"room,omitempty"`
}

// pairAnswer is what came of it: a sentence, or what keeps the accessory from being paired until a person has done
// something about it.
type pairAnswer struct {
	Said  string       `json:"said,omitempty"`
	Taken *takenReport `json:"taken,omitempty"`
	Not   string       `json:"not,omitempty"`   // why it cannot be had at the moment
	Owner bool         `json:"owner,omitempty"` // its owner has to act
}

// takenReport is an accessory that belongs to another controller, and what a person can do.
type takenReport struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Steps []string `json:"steps"`
}

// How long veilleuse pair waits for an accessory to become free if a person sits at the terminal, and how often it
// looks: never more often than an accessory may be connected to.
const (
	terminalWait = 10 * time.Minute
	longestWait  = 24 * time.Hour
	lookAgain    = 10 * time.Second
)

// pairVerb pairs an accessory by its id, or its address, and its setup code, or joins one that has an owner.
func pairVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("pair")
	var request pairRequest
	o.set.StringVar(&request.Room, "room", "", "")
	o.set.StringVar(&request.Address, "address", "", "")
	wait := o.set.Duration("wait", -1, "")
	join, key := o.set.Bool("join", false, ""), o.set.String("key", "", "")
	rest, err := o.parseUpTo(args, 2)
	if err != nil {
		return err
	}
	switch {
	case *wait > longestWait || *wait < -1:
		return usageError{fmt.Errorf("--wait is 0s to %v, not %v", longestWait, *wait)}
	case *join && len(rest) != 1:
		return usageError{errors.New("--join takes the accessory's id alone: there is no setup code in it")}
	case *key != "" && !*join:
		return usageError{errors.New("--key belongs to --join")}
	case !*join && len(rest) != 2:
		return usageError{fmt.Errorf("expected 2 arguments besides options, the accessory's id and its setup code, got %d", len(rest))}
	}
	if *wait == -1 {
		*wait = 0
		if personAt(c.in) {
			*wait = terminalWait
		}
	}
	request.ID = rest[0]
	if *join {
		return o.join(ctx, c, joinRequest{ID: request.ID, Address: request.Address, Room: request.Room, Key: *key}, *wait)
	}
	request.Code = rest[1]
	return patiently(ctx, c, *wait, func() (answer pairAnswer, err error) {
		err = o.ask(ctx, "POST", "/pair", request, &answer, func(h *house) (err error) {
			answer, err = h.pair(ctx, request)
			return err
		})
		return answer, err
	})
}

// patiently asks for a pairing again and again, while a person does what is to be done. What stood in the way at first
// is told once; later ones, such as a device that restarts, only matter when the time is over.
func patiently(ctx context.Context, c console, wait time.Duration, ask func() (pairAnswer, error)) error {
	until := time.Now().Add(wait)
	for first := true; ; first = false {
		answer, err := ask()
		switch {
		case err != nil:
			return err
		case answer.Taken == nil && answer.Not == "":
			fmt.Fprintln(c.out, answer.Said)
			return nil
		case first && answer.Taken == nil && !answer.Owner: // nothing that waiting is known to mend
			return errors.New(answer.Not)
		case first:
			printTaken(c.out, answer.Taken)
		}
		left := time.Until(until)
		if left <= 0 {
			return errors.New(answer.why())
		}
		if first {
			fmt.Fprintf(c.err, "%s; waiting for that to change until %s, Ctrl-C ends\n", answer.why(), until.Local().Format("15:04:05"))
		}
		select {
		case <-time.After(min(lookAgain, left)):
		case <-ctx.Done():
			return errors.New("not waited for any longer: " + answer.why())
		}
	}
}

// why is what stands in the way.
func (a pairAnswer) why() string {
	if a.Taken != nil {
		return fmt.Sprintf("%s still belongs to another controller", a.Taken.Name)
	}
	return a.Not
}

func printTaken(out io.Writer, t *takenReport) {
	if t == nil {
		return
	}
	fold(out, "", fmt.Sprintf("%s (%s) is paired with another controller, which alone may let it go. Do one of these:", t.Name, t.ID))
	for i, step := range t.Steps {
		hang(out, fmt.Sprintf("  %d. ", i+1), "     ", step)
	}
}

// pair pairs an accessory and says in a sentence what is there now.
func (h *house) pair(ctx context.Context, r pairRequest) (pairAnswer, error) {
	where := r.ID
	if r.Address != "" {
		where = r.Address
	}
	paired, err := h.accessory.Pair(ctx, where, r.Code, r.Room)
	var taken *accessory.TakenError
	switch {
	case errors.As(err, &taken):
		return pairAnswer{Taken: h.taken(taken.Accessory, r.ID)}, nil
	case passing(err):
		return pairAnswer{Not: err.Error()}, nil
	case err != nil:
		return pairAnswer{}, err
	}
	if r.Address != "" && idShape.MatchString(r.ID) && !strings.EqualFold(paired.ID, r.ID) {
		return pairAnswer{Said: fmt.Sprintf("%s (%s) is paired, although you asked for %s: veilleuse unpair %s ends it", paired.Name, paired.ID, r.ID, paired.ID)}, nil
	}
	return pairAnswer{Said: fmt.Sprintf("%s (%s) is paired; keep its setup code", paired.Name, paired.ID)}, nil
}

// passing tells whether an accessory is merely not there, as one that is being reset.
func passing(err error) bool {
	var network *net.OpError
	return errors.Is(err, accessory.ErrAbsent) || errors.As(err, &network)
}

// taken says what a person can do about an accessory that belongs to another controller.
func (h *house) taken(a accessory.Announced, asked string) *takenReport {
	id := a.ID
	if id == "" {
		id = asked
	}
	steps := []string{
		"Remove it where it is. Most often that is Apple's Home app, also after it was set up in its maker's app: open its settings there and choose Remove Accessory. Or Home Assistant (its HomeKit Device entry), Homebridge, ioBroker, openHAB, or another Veilleuse (veilleuse unpair). From the Home app it is not lost: it comes back there through our bridge.",
		h.resetStep(accessory.ModelCode(a.Model)),
		fmt.Sprintf("Or leave it where it is and have its owner add us: veilleuse pair %s --join says how. Apple's Home app cannot; another Veilleuse and programs with the library aiohomekit or hap-controller can.", id),
	}
	return &takenReport{ID: id, Name: a.String(), Steps: steps}
}

// resetStep is how the model is made to forget its owner, as far as its firmware note knows.
func (h *house) resetStep(model string) string {
	const after = " Then its maker's app brings it back into the Wi-Fi: stop there before it asks for the HomeKit code."
	if note, ok := h.notes().For(model); ok && note.Reset.Does != "" {
		return fmt.Sprintf("If its owner is gone for good, reset it (%s). %s%s", note.Name, note.Reset.Does, after)
	}
	return "If its owner is gone for good, reset it as its manual says." + after
}
