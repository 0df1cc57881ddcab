package netatmotest

import (
	"net/url"
	"testing"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
)

func TestMendWaitsForItsPort(t *testing.T) {
	u := start(t, nil)
	address, err := url.Parse(u.cloud.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.cloud.Break(Fault{Kind: Refused})
	if err := loopback.Squat(address.Host); err != nil {
		t.Fatal(err)
	}
	u.cloud.Mend()
	u.must("/api/homesdata", "", 200)
}
