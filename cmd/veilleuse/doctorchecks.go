package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/schedule"
)

// Limits of the checks.
const (
	planOld     = 24 * time.Hour     // the plan is copied every 15 minutes while the cloud is there
	planVeryOld = 7 * 24 * time.Hour // people change a schedule with the season
	snapshotOld = 48 * time.Hour
	leastDisk   = 100 << 20      // bytes
	backupOld   = 48 * time.Hour // one is made each day
	budgetShare = 0.8            // of the requests in an hour; the rest is for people's commands
)

// checks are what concerns the whole house, in the order in which they matter.
func (d doctor) checks() []doctorCheck {
	all := []doctorCheck{}
	for _, c := range []struct {
		name string
		look func() finding
	}{
		{"pairings", d.pairings}, {"plan", d.planCopied}, {"sign-in", d.signedIn}, {"cloud", d.cloud},
		{"clock", d.clock}, {"siren", d.siren}, {"homekit", d.homeKit}, {"home-app", d.homeApp}, {"mdns", d.mdns},
		{"broker", d.broker}, {"store", d.store}, {"snapshot", d.snapshot}, {"backup", d.backup}, {"disk", d.disk},
		{"budget", d.budget}, {"witnesses", d.witnesses}, {"adapters", d.adapters},
	} {
		all = append(all, doctorCheck{c.name, c.look()})
	}
	return all
}

func (d doctor) pairings() finding {
	var silent []string
	for _, p := range d.facts.Paired {
		if !p.Live {
			silent = append(silent, p.Name+because(p.Why))
		}
	}
	switch {
	case d.facts.PairedErr != "":
		return finding{gap, "the pairings cannot be read: " + d.facts.PairedErr, "veilleuse restore brings them back from a backup; else pair anew"}
	case len(d.facts.Paired) == 0:
		return finding{gap, "no HomeKit accessory is paired, so nothing is reached over the LAN that way", "veilleuse discover, then veilleuse pair ID CODE"}
	case len(silent) > 0:
		return finding{gap, fmt.Sprintf("%d of %d paired accessories do not answer: %s", len(silent), len(d.facts.Paired), strings.Join(silent, ", ")), d.wake(gateway.AccessoryAdapter)}
	}
	return finding{Result: well, What: fmt.Sprintf("HomeKit accessories that are paired and answer: %d", len(d.facts.Paired))}
}

func (d doctor) planCopied() finding {
	home := d.state.Home
	plan, ok := d.plan()
	age := d.state.At.Sub(home.Copied)
	switch {
	case home.Copied.IsZero():
		return finding{gap, "no plan of the home is copied: in an outage nobody knows what the rooms ought to be", d.signIn()}
	case !ok:
		return finding{gap, "the home has no heating schedule in force", "choose a schedule in Netatmo's app; it is copied within a quarter of an hour"}
	case age > planVeryOld:
		return finding{gap, fmt.Sprintf("the plan was copied %s ago: what was changed since is not known here", long(age)), d.signIn()}
	case age > planOld:
		return finding{warn, fmt.Sprintf("the plan was copied %s ago", long(age)), d.signIn()}
	}
	if faults := schedule.Faults(plan); len(faults) > 0 {
		return finding{warn, fmt.Sprintf("schedule %s: %s", plan.Name, strings.Join(faults, "; ")), "save the schedule anew in Netatmo's app"}
	}
	return finding{Result: well, What: fmt.Sprintf("schedule %s, copied %s ago", plan.Name, long(age))}
}

func (d doctor) signedIn() finding {
	switch {
	case !d.facts.Client:
		return finding{gap, "no application of yours is configured at Netatmo, so the cloud is not read", d.signIn()}
	case !d.facts.SignedIn:
		return finding{gap, "not signed in at Netatmo: no plan is copied, and the cloud's word is missing", "veilleuse login"}
	case d.state.Cloud.Verdict == gateway.VerdictAuthRevoked:
		return finding{gap, "Netatmo no longer accepts the sign-in: " + d.state.Cloud.Why, "veilleuse login"}
	}
	return finding{Result: well, What: "signed in at Netatmo"}
}

func (d doctor) cloud() finding {
	c := d.state.Cloud
	switch {
	case d.state.Authority.Drill:
		return finding{warn, "a drill runs: " + d.state.Authority.Why, "veilleuse drill --stop ends it"}
	case c.Verdict == gateway.VerdictOK:
		return finding{Result: well, What: "Netatmo answers now"}
	case c.Verdict == gateway.VerdictUnknown || c.Verdict == "":
		return finding{warn, "nobody has looked at Netatmo yet", "ask again in a minute"}
	}
	return finding{warn, "there is trouble right now: " + c.Why, "what is not copied or paired cannot be now: do it once Netatmo answers"}
}

func (d doctor) clock() finding {
	c := d.state.Clock
	switch c.Trust {
	case gateway.TrustSynced, gateway.TrustHoldover:
		return finding{Result: well, What: string(c.Trust) + because(c.Why)}
	}
	return finding{gap, "the time of day is a guess" + because(c.Why) + ": no slot would change by schedule, rooms would hold 19 °C at most",
		"give the Pi a time server: sudo timedatectl set-ntp true, and see that timedatectl says \"synchronized: yes\"; for a power cut without internet, a clock module (RTC)"}
}

func (d doctor) siren() finding {
	for _, dev := range d.state.Devices.All() {
		for _, f := range dev.Faces {
			if f.Adapter != gateway.CloudAdapter && f.Reaches && takes(f, gateway.Siren) {
				return finding{Result: well, What: fmt.Sprintf("%s would sound, %s", dev.Name, d.over(f.Adapter))}
			}
		}
	}
	return finding{warn, "no siren can be sounded over the LAN: an alarm would show in the Home app and on MQTT, but nothing more would sound",
		"pair a siren (veilleuse pair ID CODE), or a switch with one behind it and siren: true under accessories in the configuration"}
}

func (d doctor) homeKit() finding {
	switch {
	case d.facts.BridgeErr != "":
		return finding{gap, "the bridge to the Home app does not answer: " + d.facts.BridgeErr, "see homekit.listen in the configuration, and journalctl -u veilleuse"}
	}
	return finding{Result: well, What: "the bridge to the Home app answers at " + d.facts.Bridge}
}

func (d doctor) homeApp() finding {
	if d.facts.Controllers == 0 {
		return finding{warn, "no Home app is paired with the bridge: in an outage nobody could steer from a phone", "veilleuse code, and scan it in the Home app"}
	}
	if len(d.facts.Unpaired) > 0 {
		return finding{warn, strings.Join(d.facts.Unpaired, " and ") + " is paired with nobody: what stands there is in no Home app", "veilleuse code, and scan its code in the Home app"}
	}
	return finding{Result: well, What: fmt.Sprintf("paired with the bridge: %d (phones, home hubs)", d.facts.Controllers)}
}

func (d doctor) mdns() finding {
	switch {
	case d.facts.Silent:
		return finding{warn, "this house announces nothing: it is a demonstration on loopback", "add the bridge by its address"}
	case d.facts.SweepErr != "":
		return finding{warn, "nobody could look whether the bridge can be found: " + d.facts.SweepErr, "see that the Pi has a network that lets multicast pass"}
	case !d.facts.Visible:
		which := "the bridge"
		if len(d.facts.Unseen) > 0 {
			which = strings.Join(d.facts.Unseen, " and ")
		}
		return finding{gap, which + " was not found by mDNS when looked for from here, so phones will not find it either",
			"see that UDP 5353 and multicast pass (firewall, Docker without host network, guest Wi-Fi), and that no other program holds the name"}
	}
	if len(d.facts.Announced) > 0 {
		return finding{warn, "phones may not find the bridge, which watches its own record. " + strings.Join(d.facts.Announced, "; "),
			"end what it names; what it can mend by announcing itself anew it mends"}
	}
	return finding{Result: well, What: "the bridge is found by mDNS"}
}

func (d doctor) broker() finding {
	h, ok := d.state.Health.Get("mqtt")
	switch {
	case d.facts.BrokerErr != "":
		return finding{gap, "the MQTT broker does not answer: " + d.facts.BrokerErr, "see mqtt.broker and mqtt.listen in the configuration, and journalctl -u veilleuse"}
	case ok && !h.Up:
		return finding{gap, "the house is not on MQTT: " + h.Why, "see the section mqtt of the configuration"}
	case !d.facts.BrokerInside:
		return finding{Result: well, What: "the house is on the broker " + d.facts.Broker}
	}
	return finding{Result: well, What: fmt.Sprintf("the broker inside answers at %s; clients: %d", d.facts.Broker, d.facts.Clients)}
}

func (d doctor) store() finding {
	h, ok := d.state.Health.Get("store")
	switch {
	case ok && !h.Up:
		return finding{gap, "what is decided cannot be kept on disk: " + h.Why, "see that the disk is not full or worn out; a restart would forget"}
	case d.facts.Damage != "":
		return finding{gap, d.facts.Damage, "do what it says; a card that does this once does it again: replace it"}
	}
	return finding{Result: well, What: fmt.Sprintf("undamaged, %.1f MB written since the start", float64(d.facts.Written)/1e6)}
}

func (d doctor) snapshot() finding {
	switch {
	case !d.facts.Snapshot:
		return finding{warn, "there is no snapshot to rebuild a damaged database from yet", "nothing: it is written within the hour"}
	case d.facts.SnapshotAge > snapshotOld:
		return finding{Result: well, What: fmt.Sprintf("the last snapshot is %s old: nothing that matters has changed since", long(d.facts.SnapshotAge))}
	}
	return finding{Result: well, What: fmt.Sprintf("the last snapshot is %s old", long(d.facts.SnapshotAge))}
}

func (d doctor) backup() finding {
	b := d.facts.Backup
	age := d.state.At.Sub(b.Newest)
	switch {
	case b.Err != "":
		return finding{warn, "no backup could be made: " + b.Err, "see what it says, then veilleuse backup"}
	case b.Newest.IsZero():
		return finding{warn, "there is no backup yet: a dead card would cost every pairing", "veilleuse backup makes one; the daemon does it once a day"}
	case b.Dated && age > backupOld:
		return finding{warn, fmt.Sprintf("the newest backup is %s old", long(age)), "veilleuse backup, and see journalctl -u veilleuse"}
	case b.Second.Folder == "":
		return finding{warn, "backups lie on the same card as the house", "set backup.key_file and backup.second in the configuration, or fetch one now and then with veilleuse backup FILE"}
	case b.Second.Err != "":
		return finding{warn, "there is no second copy of the backup: " + b.Second.Err, "see that " + b.Second.Folder + " is there and can be written"}
	case b.Second.SameDisk:
		return finding{warn, b.Second.Folder + " lies on the same disk as the house", "plug the stick in, or mount the other disk there"}
	case !b.Dated:
		return finding{Result: well, What: fmt.Sprintf("%d backups are kept, and a copy in %s; when the newest was made is not known", b.Kept, b.Second.Folder)}
	}
	return finding{Result: well, What: fmt.Sprintf("the newest backup is %s old, with a copy in %s", long(age), b.Second.Folder)}
}

func (d doctor) disk() finding {
	switch {
	case d.facts.DiskErr != "":
		return finding{warn, "nobody can tell how much room is on the disk: " + d.facts.DiskErr, "df -h " + d.facts.Folder}
	case d.facts.DiskFree < leastDisk:
		return finding{gap, fmt.Sprintf("only %d MB are free in %s", d.facts.DiskFree>>20, d.facts.Folder), "make room for 100 MB at least: sudo journalctl --vacuum-size=100M, sudo apt-get clean"}
	}
	return finding{Result: well, What: fmt.Sprintf("%d MB are free in %s", d.facts.DiskFree>>20, d.facts.Folder)}
}

func (d doctor) budget() finding {
	b := d.state.Budget
	if b.Limit > 0 && float64(b.Spent) >= budgetShare*float64(b.Limit) {
		return finding{warn, fmt.Sprintf("%d of %d requests of this hour are spent", b.Spent, b.Limit),
			"see whether another program uses the same application at Netatmo; else raise netatmo.budget_per_hour"}
	}
	return finding{Result: well, What: fmt.Sprintf("%d of %d requests of this hour are spent", b.Spent, b.Limit)}
}

func (d doctor) witnesses() finding {
	switch {
	case d.facts.Witnesses == 0:
		return finding{warn, "there are no witnesses, so nobody can tell \"the internet is down\" from \"Netatmo is down\"", "take uplink.witnesses: [] out of the configuration"}
	case d.state.Cloud.Witness == gateway.No:
		return finding{warn, "no witness answered when the way to Netatmo was last looked at", "see that the internet is there, and that the names under uplink.witnesses are right"}
	}
	return finding{Result: well, What: fmt.Sprintf("%d witnesses tell the internet from Netatmo", d.facts.Witnesses)}
}

func (d doctor) adapters() finding {
	var down []string
	up := 0
	for name, h := range d.state.Health.All() {
		if h.Up {
			up++
			continue
		}
		down = append(down, fmt.Sprintf("%s (%s)", name, h.Why))
	}
	switch {
	case len(down) > 0:
		return finding{gap, "does not run: " + strings.Join(down, ", "), "journalctl -u veilleuse; what is wrong stands there"}
	}
	return finding{Result: well, What: fmt.Sprintf("all %d parts of the program run", up)}
}
