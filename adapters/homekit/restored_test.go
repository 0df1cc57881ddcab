package homekit

import (
	"fmt"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestTheConfigurationNumberNeverGoesBack(t *testing.T) {
	for _, test := range []struct {
		name             string
		restored, before int // numbers; 0: none
		other            bool
		ago              time.Duration
		want             int
	}{
		{"on another machine", 5, 0, false, 0, 1005},
		{"of last month", 5, 0, false, 720 * time.Hour, 1725},
		{"of a clock that was ahead", 5, 0, false, -720 * time.Hour, 1005},
		{"on the same machine, which has gone on", 5, 900, false, 0, 1900},
		{"over another bridge", 5, 900, true, 0, 1005},
		{"at the end of the numbers", 65000, 0, false, 0, 465},
		{"that was never announced", 0, 0, false, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, present := gatewaytest.NewVault(), gatewaytest.NewVault()
			for _, at := range []struct {
				v *gatewaytest.Vault
				n int
			}{{v, test.restored}, {present, test.before}} {
				v, n := at.v, at.n
				v.Set("identity", []byte("me"))
				if n > 0 {
					v.Set("configuration", fmt.Appendf(nil, `{"number":%d,"layout":"x"}`, n))
				}
			}
			if test.other {
				present.Set("identity", []byte("somebody else"))
			}
			if err := Restored(v, present, test.ago); err != nil {
				t.Fatal(err)
			}
			if got, err := hap.ConfigurationNumber(shelved{v}); got != test.want || err != nil {
				t.Errorf("%d, %v; want %d", got, err, test.want)
			}
		})
	}
}

func TestEveryBridgeRises(t *testing.T) {
	v := gatewaytest.NewVault()
	for _, prefix := range []string{"", "bridge/2/", "bridge/3/"} {
		v.Set(prefix+"configuration", []byte(`{"number":5,"layout":"x"}`))
	}
	if err := Restored(v, nil, 0); err != nil {
		t.Fatal(err)
	}
	a := New(Options{Vault: v})
	for number := 1; number <= 3; number++ {
		if got, err := hap.ConfigurationNumber(a.store(number)); got != 1005 || err != nil {
			t.Errorf("bridge %d has %d, %v", number, got, err)
		}
	}
}
