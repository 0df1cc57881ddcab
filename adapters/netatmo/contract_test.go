package netatmo

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestContract(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	for _, c := range []struct {
		name  string
		fault netatmotest.Kind
	}{{"a healthy vendor", ""}, {"a vendor that does not answer", netatmotest.TimeOut}, {"a vendor that is gone", netatmotest.Refused}} {
		t.Run(c.name, func(t *testing.T) {
			cloud := netatmotest.New(netatmotest.Options{})
			base, err := cloud.Start()
			if err != nil {
				t.Fatal(err)
			}
			defer cloud.Close()
			vault := signedIn(t, cloud)
			if c.fault != "" {
				cloud.Break(netatmotest.Fault{Kind: c.fault})
			}
			gatewaytest.Contract(t, gateway.CloudAdapter, func(testing.TB) gateway.Adapter {
				return New(Options{URL: base, ClientID: "client", ClientSecret: "client-secret", Vault: vault, Log: quiet})
			})
		})
	}
	t.Run("nobody signed in", func(t *testing.T) {
		gatewaytest.Contract(t, gateway.CloudAdapter, func(testing.TB) gateway.Adapter {
			return New(Options{ClientID: "client", Vault: newMemory(), Log: quiet})
		})
	})
	t.Run("nothing configured", func(t *testing.T) {
		gatewaytest.Contract(t, gateway.CloudAdapter, func(testing.TB) gateway.Adapter { return New(Options{Log: quiet}) })
	})
}

func TestUnusableAddressEndsTheRun(t *testing.T) {
	house := gatewaytest.Start(t, gateway.CloudAdapter, New(Options{URL: "http://api.netatmo.com", Log: slog.New(slog.DiscardHandler)}))
	h := gatewaytest.Wait(house, func(h gateway.Health) bool { return !h.Up })
	if !strings.Contains(h.Why, "use https") {
		t.Errorf("why: %q", h.Why)
	}
}
