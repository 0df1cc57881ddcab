package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"rsc.io/qr"

	"github.com/veilleuse/veilleuse/adapters/homekit"
)

// codeReport is what veilleuse code prints, and with --json writes.
type codeReport struct {
	Code        string       `json:"code"`   // 123-45-678
	URI         string       `json:"uri"`    // X-HM://..., the content of the QR code
	Listen      string       `json:"listen"` // host:port of the bridge
	Name        string       `json:"name"`
	Controllers int          `json:"controllers"`    // that are paired with it
	More        []codeReport `json:"more,omitempty"` // of the further bridges of a big house
}

// codesOf is the first bridge with the further ones in it.
func codesOf(all []homekit.Bridge) codeReport {
	var reports []codeReport
	for _, b := range all {
		reports = append(reports, codeReport{Code: b.Code, URI: b.URI, Listen: b.Listen, Name: b.Name, Controllers: b.Controllers})
	}
	first := reports[0]
	first.More = reports[1:]
	return first
}

// codeVerb prints the setup code for the Home app and its QR code. It works without a daemon, too:
// the code belongs to the installation.
func codeVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("code").withJSON()
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	var r codeReport
	err := o.ask(ctx, "GET", "/code", nil, &r, func(h *house) (err error) {
		r, err = h.code()
		return err
	})
	if err != nil {
		return err
	}
	return o.sayCodes(c.out, r)
}

// sayCodes prints the codes of all bridges.
func (o *options) sayCodes(out io.Writer, r codeReport) error {
	if o.json {
		return writeJSON(out, r)
	}
	if len(r.More) == 0 {
		return printCode(out, r)
	}
	fmt.Fprintf(out, "HomeKit takes 150 accessories from one bridge, so that this house has %d. Add each of them.\n", 1+len(r.More))
	for _, b := range append([]codeReport{r}, r.More...) {
		fmt.Fprintf(out, "\n%s, %s:\n\n", b.Name, pairedWith(b.Controllers))
		if err := printCode(out, b); err != nil {
			return err
		}
	}
	return nil
}

// pairedWith says how many controllers a bridge has.
func pairedWith(controllers int) string {
	switch controllers {
	case 0:
		return "paired with nobody"
	case 1:
		return "paired with 1 controller"
	}
	return fmt.Sprintf("paired with %d controllers", controllers)
}

// printCode draws the QR code with half blocks, dark on light whatever the terminal's colours are.
func printCode(out io.Writer, r codeReport) error {
	picture, err := qr.Encode(r.URI, qr.M)
	if err != nil {
		return fmt.Errorf("draw the QR code: %w", err)
	}
	const border = 2
	for y := -border; y < picture.Size+border; y += 2 {
		var line strings.Builder
		for x := -border; x < picture.Size+border; x++ {
			line.WriteString(halfBlock(picture.Black(x, y), picture.Black(x, y+1)))
		}
		fmt.Fprintln(out, "  "+line.String())
	}
	where := ""
	if r.Listen != "" {
		where = "  (served at " + r.Listen + ")\n"
	}
	_, err = fmt.Fprintf(out, "\n  In the Home app: add an accessory, scan this, or type %s\n%s", r.Code, where)
	return err
}

// halfBlock draws two pixels, one above the other; light is drawn, dark is left out, as most
// terminals are dark.
func halfBlock(upperDark, lowerDark bool) string {
	switch {
	case upperDark && lowerDark:
		return " "
	case upperDark:
		return "▄"
	case lowerDark:
		return "▀"
	}
	return "█"
}
