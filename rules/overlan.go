package rules

import (
	"github.com/veilleuse/veilleuse/gateway"
)

// A person's command never waits for the verdict. While the cloud is in charge it is told; what it has
// not carried out in time, or is not likely to, goes over the LAN at once as well.

// overLAN says why a person's wish for a room goes over the LAN though the cloud is in charge; "" if it
// does not.
func (b *book) overLAN(room gateway.Room) (why string, ok bool) {
	switch {
	case room.Override.Local && !b.signedIn():
		return "", true
	case room.Override.Local:
		return b.cloudFails(string(room.ID), gateway.Target, gateway.Mode)
	case b.regimeHere() && room.Override.Mode == "":
		return b.cloudFails(b.Home.ID, gateway.Mode, gateway.TimetableID)
	}
	return "", false
}

// regimeHere reports whether a mode of the home was set here and the cloud fails to take it up.
func (b *book) regimeHere() bool {
	if !b.Home.Regime.Local || !b.signedIn() {
		return false
	}
	_, fails := b.cloudFails(b.Home.ID, gateway.Mode, gateway.TimetableID)
	return fails
}

// cloudFails says why the cloud does not carry out what was asked of it for a room or the home.
func (b *book) cloudFails(of string, quantities ...gateway.Quantity) (why string, fails bool) {
	asked, pending := b.pending(of, quantities...)
	switch {
	case !pending:
		return "; Netatmo refused it", true // for good, or it would be asked again
	case asked.Err != "":
		return "; Netatmo did not carry it out: " + asked.Err, true
	case b.inVain(asked):
		return "; Netatmo has not answered within " + patience.String(), true
	case b.doubtful():
		return "; Netatmo may not carry it out just now", true
	}
	return "", false
}

// pending is what was asked of the cloud for a room or the home and is not done.
func (b *book) pending(of string, quantities ...gateway.Quantity) (gateway.Asked, bool) {
	for _, q := range quantities {
		asked, ok := b.Asked.Get(gateway.PointKey(gateway.CloudPoint(of, q).String()))
		if ok && asked.Keep && !asked.Done {
			return asked, true
		}
	}
	return gateway.Asked{}, false
}

// doubtful reports whether a command to the cloud is likely to be lost: something fails just now, or
// our quota is used up.
func (b *book) doubtful() bool {
	c := b.Cloud
	return c.Bad > 0 || b.fails(c.Write) || b.fails(c.Auth) || c.Verdict == gateway.VerdictRateLimited
}
