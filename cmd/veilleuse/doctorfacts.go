package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/store/backup"
	"github.com/veilleuse/veilleuse/adapters/uplink"
	"github.com/veilleuse/veilleuse/gateway"
)

// doctorFacts is what the running daemon knows of itself beside the State. Words in ...Err are for
// people; "" is no trouble.
type doctorFacts struct {
	Client   bool // an application at Netatmo is configured
	SignedIn bool

	Paired    []accessory.Paired
	PairedErr string
	Found     []foundAccessory // on the LAN just now

	Bridge      string // where the bridges listen
	BridgeErr   string
	Controllers int      // Apple devices or homes paired with the bridges
	Unpaired    []string // further bridges that nobody is paired with
	Silent      bool     // this house is not to be announced
	Visible     bool     // the record of every bridge came back by mDNS
	Unseen      []string // the bridges whose record did not
	Announced   []string // what the bridges say is wrong with their records
	SweepErr    string

	BrokerInside bool
	Broker       string // where the broker is
	BrokerErr    string
	Clients      int // of the broker inside

	Backup backup.Report

	Damage      string
	Written     uint64 // bytes, since the start
	Snapshot    bool   // there is one
	SnapshotAge time.Duration
	Folder      string
	DiskFree    uint64 // bytes
	DiskErr     string

	Witnesses int
}

// dialPatience is how long a part of our own may take to answer at its door.
const dialPatience = 2 * time.Second

// snapshotFile is the store's copy, as README.md names it.
const snapshotFile = "veilleuse.snapshot.json"

// diagnose asks everything that can be asked, which takes some seconds: it listens on the LAN.
func (h *house) diagnose(ctx context.Context, s gateway.State) doctorReport {
	return diagnose(s, h.notes(), h.doctorFacts(ctx))
}

func (h *house) doctorFacts(ctx context.Context) doctorFacts {
	c := h.config
	f := doctorFacts{Client: h.cloud.HasApplication(), SignedIn: h.signedIn(), Silent: h.silent, Backup: h.backup.Report(),
		Damage: h.store.Damage(), Written: h.stored().Bytes, Folder: c.State, Witnesses: len(c.Uplink.Witnesses)}
	if c.Uplink.Witnesses == nil {
		f.Witnesses = len(uplink.DefaultWitnesses())
	}
	var err error
	if f.Paired, err = h.accessory.Paired(); err != nil {
		f.PairedErr = err.Error()
	}
	h.lookAtLAN(ctx, &f)
	h.lookAtDoors(ctx, &f)
	lookAtDisk(&f)
	return f
}

// sweepsAtMost is how often the LAN is listened to before the bridge counts as not found: a multicast
// packet may get lost.
const sweepsAtMost = 2

// lookAtLAN listens for what announces itself: our own bridge, and what could be paired.
func (h *house) lookAtLAN(ctx context.Context, f *doctorFacts) {
	own, err := h.bridge.Bridges()
	unseen := map[string]string{} // names by id
	for _, b := range own {
		unseen[strings.ToLower(b.ID)] = b.Name
	}
	ours := slices.Collect(maps.Keys(unseen))
	for sweeps := 0; err == nil && sweeps < sweepsAtMost && !f.Visible; sweeps++ {
		var announced []accessory.Announced
		announced, err = h.everybody.Discover(ctx)
		f.Found = nil
		for _, a := range announced {
			if id := strings.ToLower(a.ID); slices.Contains(ours, id) {
				delete(unseen, id)
				continue
			}
			f.Found = append(f.Found, foundAs(a, f.Paired))
		}
		if f.Silent {
			return
		}
		f.Visible = len(unseen) == 0
	}
	f.Unseen = slices.Sorted(maps.Values(unseen))
	if err != nil {
		f.SweepErr = err.Error()
	}
}

// lookAtBridges knocks at every bridge, and counts who is paired with them.
func (h *house) lookAtBridges(ctx context.Context, f *doctorFacts) {
	all, err := h.bridge.Bridges()
	if err != nil {
		f.BridgeErr = err.Error()
	}
	var doors []string
	for i, b := range all {
		doors = append(doors, b.Listen)
		if why := knock(ctx, b.Listen); why != "" && f.BridgeErr == "" {
			f.BridgeErr = why
		}
		f.Controllers += b.Controllers
		if b.Controllers == 0 && i > 0 {
			f.Unpaired = append(f.Unpaired, b.Name)
		}
		if b.Announced != "" {
			f.Announced = append(f.Announced, b.Name+": "+b.Announced)
		}
	}
	f.Bridge = strings.Join(doors, " and ")
}

// lookAtDoors knocks at the bridges and at the broker inside.
func (h *house) lookAtDoors(ctx context.Context, f *doctorFacts) {
	h.lookAtBridges(ctx, f)
	if h.broker == nil {
		f.Broker = h.config.MQTT.Broker
		if f.Broker == embedded {
			f.BrokerInside, f.BrokerErr = true, "it could not be made: the status of MQTT says why"
		}
		return
	}
	f.BrokerInside, f.Broker, f.Clients = true, h.broker.Address(), h.broker.Clients()
	if f.Broker == "" {
		f.BrokerErr = "it does not listen at " + h.config.MQTT.Listen
		return
	}
	f.BrokerErr = knock(ctx, f.Broker)
}

// knock opens a connection to a server of our own and closes it; the answer is "" or what was wrong.
func knock(ctx context.Context, address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err.Error()
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return err.Error()
	}
	conn.Close()
	return ""
}

func lookAtDisk(f *doctorFacts) {
	if info, err := os.Stat(filepath.Join(f.Folder, snapshotFile)); err == nil {
		f.Snapshot, f.SnapshotAge = true, time.Since(info.ModTime())
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(f.Folder, &disk); err != nil {
		f.DiskErr = fmt.Sprintf("%s: %v", f.Folder, err)
		return
	}
	f.DiskFree = uint64(disk.Bavail) * uint64(disk.Bsize)
}
