package clock

import "testing"

func TestRouterIn(t *testing.T) {
	const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	for table, want := range map[string]string{
		"":   "",
		head: "",
		head + "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n" +
			"eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n": "192.168.1.1",
		head + "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n": "",
		head + "eth0\t00000000\tnonsense\t0003\t0\t0\t0\t00000000\t0\t0\t0\n": "",
	} {
		if got := routerIn(table); got != want {
			t.Errorf("%q: %q, want %q", table, got, want)
		}
	}
}
