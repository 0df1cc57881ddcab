// Command veilleuse keeps a Netatmo or Legrand home running while the vendor's cloud is gone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends what the first one could not, such as a file that never opens
	code := command(ctx, os.Args[1:], console{typed{ctx, os.Stdin}, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// console is where a verb reads and writes.
type console struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// verb is one thing the program does.
type verb struct {
	name, arguments, does string
	run                   func(ctx context.Context, c console, args []string) error
}

// usage is what to type.
func (v verb) usage() string { return strings.TrimSpace(v.name + " " + v.arguments) }

// verbs is every verb, in the order of the help.
func verbs() []verb {
	return []verb{
		{"run", "[-c FILE]", "the daemon; this is what veilleuse alone does", runVerb},
		{"demo", "[--json] [--keep]", "play the evening of 29 October 2025 in a simulated house", demoVerb},
		{"check", "[-c FILE]", "read the configuration and say every fault in it", checkVerb},
		{"login", "[-c FILE] [--token FILE]", "sign in at Netatmo", loginVerb},
		{"discover", "[-c FILE] [--json]", "list the HomeKit accessories on the LAN and over Bluetooth", discoverVerb},
		{"pair", "[-c FILE] [--room ROOM] [--address HOST:PORT] [--wait 10m] ID (CODE | --join [--key KEY])", "pair an accessory by its id and setup code, or join one that has an owner", pairVerb},
		{"pairings", "[-c FILE] [--json] [--remove CONTROLLER] ID", "list the controllers of a paired accessory, or remove one", pairingsVerb},
		{"share", "[-c FILE] [--json] [--user] ID CONTROLLER KEY", "let another controller join a paired accessory", shareVerb},
		{"unpair", "[-c FILE] ID", "end the pairing with an accessory", unpairVerb},
		{"password", "[-c FILE] [--forget]", "set another password for the page, or forget it", passwordVerb},
		{"code", "[-c FILE] [--json]", "the setup code for the Home app, with its QR", codeVerb},
		{"pair-home", "[-c FILE] [--reset [--yes]] [--json]", "pair the Home app again: the code, or with --reset a new one for which every controller is forgotten", pairHomeVerb},
		{"status", "[-c FILE] [--json]", "who is in charge and why, rooms, devices", statusVerb},
		{"report", "[-c FILE] [--json] [--list] [NUMBER]", "the journal of an outage: why, when, what was done, comfort kept", reportVerb},
		{"doctor", "[-c FILE] [--json]", "would the house survive an outage tonight, and what is missing", doctorVerb},
		{"drill", "[-c FILE] [--for 10m] [--stop] [--json]", "play an outage on the real house for a while and report", drillVerb},
		{"listen", "[-c FILE] [--json] [--seconds N | --file WAV | --learn NAME [--kind smoke|co] [--room ROOM] | --forget NAME]", "what the ear hears; learn a detector by its test button", listenVerb},
		{"bundle", "[-c FILE] [--names] [FILE]", "make a file to ask for help with, without secrets, addresses and names", bundleVerb},
		{"backup", "[-c FILE] [FILE]", "make a backup now: in the usual places, or in FILE", backupVerb},
		{"restore", "[-c FILE] [--verify] [--key FILE] [--state FOLDER] [--force] FILE", "bring a house back from a backup, or from a state folder that was set aside, or only prove that it could be", restoreVerb},
		{"upgrade-ready", "[-c FILE]", "may the program be exchanged now: no outage (nor what may be one), alarm, drill or test of a detector is on, or was in the last half hour", upgradeReadyVerb},
		{"replay", "FILE", "run a story through the rules and print each decision", replayVerb},
		{"timetable", "FILE --zone ZONE --from DAY --to DAY", "every change of zone of a vendor schedule", timetableVerb},
		{"version", "", "version, commit, Go version", versionVerb},
	}
}

// Exit codes.
const (
	exitWell  = 0
	exitNo    = 1 // the answer is no, or the input has a fault
	exitUsage = 2
)

// usageError is a wrong use of the command line.
type usageError struct{ error }

// errNo ends a verb that has already said that the answer is no.
var errNo = errors.New("no")

// command runs one verb and returns the exit code.
func command(ctx context.Context, args []string, c console) int {
	name := "run"
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		name, args = args[0], args[1:]
	} else if len(args) > 0 && slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
		name = "help"
	}
	if name == "help" {
		help(c.out)
		return exitWell
	}
	if name == tryVerb && len(args) == 1 {
		return tryDatabase(c, args[0])
	}
	all := verbs()
	at := slices.IndexFunc(all, func(v verb) bool { return v.name == name })
	if at < 0 {
		fmt.Fprintf(c.err, "veilleuse: %q is no verb; veilleuse help lists them\n", name)
		return exitUsage
	}
	err := all[at].run(ctx, c, args)
	var usage usageError
	switch {
	case err == nil:
		return exitWell
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(c.out, "veilleuse %s\n  %s\n", all[at].usage(), all[at].does)
		return exitWell
	case errors.As(err, &usage):
		fmt.Fprintf(c.err, "veilleuse %s: %v\nusage: veilleuse %s\n", name, err, all[at].usage())
		return exitUsage
	case !errors.Is(err, errNo):
		fmt.Fprintf(c.err, "veilleuse %s: %v\n", name, err)
	}
	return exitNo
}

func help(out io.Writer) {
	fmt.Fprintln(out, "veilleuse keeps a Netatmo or Legrand home running while the vendor's cloud is gone.")
	for _, v := range verbs() {
		fmt.Fprintf(out, "\n  %s\n      %s\n", v.usage(), v.does)
	}
}

// options are the flags of a verb; every verb takes the same name for the same thing.
type options struct {
	set    *flag.FlagSet
	config string
	json   bool
}

func newOptions(name string) *options {
	o := &options{set: flag.NewFlagSet(name, flag.ContinueOnError)}
	o.set.SetOutput(io.Discard)
	o.set.StringVar(&o.config, "c", "", "configuration file")
	return o
}

func (o *options) withJSON() *options {
	o.set.BoolVar(&o.json, "json", false, "JSON instead of words")
	return o
}

// parse reads flags wherever they stand and wants exactly so many other arguments.
func (o *options) parse(args []string, wanted int) ([]string, error) {
	rest, err := o.parseUpTo(args, wanted)
	if err == nil && len(rest) != wanted {
		return nil, usageError{fmt.Errorf("arguments besides options: expected %d, got %d", wanted, len(rest))}
	}
	return rest, err
}

// parseUpTo reads flags wherever they stand and takes at most so many other arguments.
func (o *options) parseUpTo(args []string, most int) ([]string, error) {
	var rest []string
	for {
		if err := o.set.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usageError{err}
		}
		if o.set.NArg() == 0 {
			break
		}
		rest, args = append(rest, o.set.Arg(0)), o.set.Args()[1:]
	}
	if len(rest) > most {
		return nil, usageError{fmt.Errorf("arguments besides options: expected at most %d, got %d", most, len(rest))}
	}
	return rest, nil
}

// checkVerb reads the configuration and says every fault.
func checkVerb(_ context.Context, c console, args []string) error {
	o := newOptions("check")
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	config, from, err := loadConfig(o.config)
	if err != nil {
		return err
	}
	if faults := config.fileFaults(); len(faults) > 0 { // no reason for the daemon not to start
		return faultError(faults)
	}
	if _, err := backupKey(config); err != nil { // nor is this
		return err
	}
	fmt.Fprintf(c.out, "the configuration is good (%s)\n", from)
	for _, warning := range uplinkOptions(config, outside{}).Warnings() {
		fmt.Fprintf(c.out, "warning: uplink.%s\n", warning)
	}
	return nil
}
