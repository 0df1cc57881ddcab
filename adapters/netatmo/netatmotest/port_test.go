package netatmotest

import (
	"net"
	"net/url"
	"testing"
	"time"
)

func TestMendWaitsForItsPort(t *testing.T) {
	u := start(t, nil)
	address, err := url.Parse(u.cloud.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.cloud.Break(Fault{Kind: Refused})
	squat(t, address.Host)
	u.cloud.Mend()
	u.must("/api/homesdata", "", 200)
}

// squat takes the port as another process would, for a moment.
func squat(t *testing.T, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { l.Close() })
}
