package netatmo

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// camera is what this run knows of reaching one.
type camera struct {
	access CameraAccess
	vpn    *url.URL
	key    string    // as in vpn
	asked  time.Time // when its relay was last asked for its address
	told   CameraAccess
}

// learnCamera takes what homestatus says of a camera that has an HTTP interface on the LAN, and has
// its address asked for if there is news.
func (s *session) learnCamera(d deviceStatus) {
	if s.Cameras == nil || d.camera.vpn == nil || !isA(localHTTP, d.Model) {
		return
	}
	c := s.known.cameras[d.Device]
	if c == nil {
		c = &camera{access: CameraAccess{Device: d.Device}}
		s.known.cameras[d.Device] = c
	}
	if c.key != d.camera.key {
		c.key, c.access.Key, c.access.LocalURL = d.camera.key, d.camera.key, ""
		c.asked = time.Time{}
	}
	if c.access.IsLocal != d.camera.local {
		c.asked = time.Time{}
	}
	if _, runs := pause(cameras, s.state.Authority.Phase, 0, 0); runs && c.asked.IsZero() {
		s.round.hasten(cameras, s.now())
	}
	c.vpn = d.camera.vpn
	c.access.IsLocal, c.access.Model = d.camera.local, d.Model
	c.access.Name = s.known.founds[d.Device].Name
	s.tellCamera(c)
}

func (s *session) tellCamera(c *camera) {
	if c.access != c.told {
		c.told = c.access
		s.Cameras(c.access)
	}
}

// askCamera asks the vendor's relay for the LAN address of one camera that was not asked for long, and
// soon again if there are more. The relay passes the question on to the camera: what comes back, or
// not, says nothing about the cloud (openHAB#13487), so no Call is made of it; and it gets no token.
func (s *session) askCamera(ctx context.Context) (again time.Duration) {
	c, left := s.nextCamera()
	if c == nil {
		return 0
	}
	c.asked = s.now()
	if s.mayAskRelay(c.vpn) && s.spend(ctx, forPoll) == nil {
		to := c.vpn.JoinPath("command/ping")
		r := s.web.do(ctx, call{name: "ping", whole: to}, "")
		if whole, err := readWhole(r.status, r.body); r.err == nil && err == nil && r.status == 200 {
			s.learnAddress(c, whole.text("local_url"))
		}
		s.post(s.purse.Budget(s.now()))
	}
	if left {
		return spacing
	}
	return 0
}

// nextCamera returns a camera to ask, and whether there are more.
func (s *session) nextCamera() (c *camera, left bool) {
	now := s.now()
	var due []gateway.DeviceID
	for id, c := range s.known.cameras {
		if c.vpn != nil && (c.asked.IsZero() || now.Sub(c.asked) >= cameraEvery/2) {
			due = append(due, id)
		}
	}
	if len(due) == 0 {
		return nil, false
	}
	slices.Sort(due)
	return s.known.cameras[due[0]], len(due) > 1
}

// mayAskRelay reports whether an address that the vendor gave is one of the vendor's own. The
// dialler checks where its name points to, and TLS who answers.
func (s *session) mayAskRelay(vpn *url.URL) bool {
	host := vpn.Hostname()
	if isLoopback(s.web.base.Hostname()) {
		return isLoopback(host)
	}
	return vpn.Scheme == "https" && vpn.User == nil &&
		(strings.HasSuffix(host, ".netatmo.net") || strings.HasSuffix(host, ".netatmo.com"))
}

// learnAddress takes the address by which the camera says that it is reached on the LAN, if it can be
// one: the vendor has given out link-local and public ones (pyatmo#347, openHAB#15883).
func (s *session) learnAddress(c *camera, text string) {
	local, err := url.Parse(text)
	if err != nil || local.Scheme != "http" || local.User != nil || local.RawQuery != "" {
		return
	}
	address, err := netip.ParseAddr(local.Hostname())
	key := strings.Trim(local.Path, "/")
	if err != nil || !isKey(key) {
		return
	}
	if address = address.Unmap(); !address.IsPrivate() && !(address.IsLoopback() && isLoopback(s.web.base.Hostname())) {
		return
	}
	c.access.LocalURL, c.access.Key = "http://"+local.Host+"/"+key, key
	s.tellCamera(c)
}
