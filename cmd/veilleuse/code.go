package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"rsc.io/qr"
)

// codeReport is what veilleuse code prints, and with --json writes.
type codeReport struct {
	Code   string `json:"code"`   // 123-45-678
	URI    string `json:"uri"`    // X-HM://..., the content of the QR code
	Listen string `json:"listen"` // host:port of the bridge
}

// codeVerb prints the setup code for the Home app and its QR code. It works without a daemon, too:
// the code belongs to the installation.
func codeVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("code").withJSON()
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	config, _, err := loadConfig(o.config)
	if err != nil {
		return err
	}
	var r codeReport
	err = askDaemon(ctx, config.State, "GET", "/code", nil, &r)
	if errors.Is(err, errNoDaemon) {
		err = withHouse(config, func(h *house) error {
			r, err = h.code()
			return err
		})
	}
	if err != nil {
		return err
	}
	if o.json {
		return writeJSON(c.out, r)
	}
	return printCode(c.out, r)
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
	_, err = fmt.Fprintf(out, "\n  In the Home app: add an accessory, scan this, or type %s\n  (served at %s)\n", r.Code, r.Listen)
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
