package replay

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestForeseeSaysWhatDialWouldSayWithoutTheNetwork(t *testing.T) {
	g := NewGuard(GuardOptions{
		Allow: []string{"test.example", "sis.example", "192.0.2.7", "192.0.2.9"}, Protected: []Protected{{Host: "sis.example"}, {Host: "192.0.2.9"}},
	})
	g.lookup = func(context.Context, string) ([]netip.Addr, error) { t.Error("a resolver was asked"); return nil, nil }
	g.alias = func(context.Context, string) (string, error) { t.Error("a resolver was asked"); return "", nil }
	g.dial = func(context.Context, string, string) (net.Conn, error) {
		t.Error("something was dialled")
		return nil, nil
	}
	tests := []struct {
		address string
		writing bool
		refused bool
		why     string
	}{
		{"test.example:443", false, false, "named"},
		{"test.example:443", true, true, "writes are not allowed"},
		{"other.example:443", false, true, "not named"},
		{"sis.example:443", false, true, "protected"},
		{"192.0.2.7:443", false, false, "named literally"},
		{"[::ffff:192.0.2.9]:443", false, true, "a protected address in another spelling"},
		{"127.0.0.1:80", true, false, "loopback"},
		{"user@test.example:80", false, true, "no name of a host"},
	}
	for _, test := range tests {
		if err := g.Foresee(test.address, test.writing); (harness.ClassOf(err) == harness.ClassRefused) != test.refused || (err != nil) != test.refused {
			t.Errorf("%s, writing %v: err %v, want refused %v: %s", test.address, test.writing, err, test.refused, test.why)
		}
	}
	if n := len(g.Connections()); n > 0 {
		t.Errorf("%d connections were counted", n)
	}
}
