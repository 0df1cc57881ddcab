package hap

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"math/big"
	"sync"
	"testing"
)

// The values of HAP R2 5.5.2: user, password and private keys of RFC 5054 appendix B in the 3072-bit group.
const (
	vectorSalt = "BEB25379D1A8581EB5A727673A2441EE"
	vectorA    = "60975527035CF2AD1989806F0407210BC81EDC04E2762A56AFD529DDDA2D4393"
	vectorB    = "E487CB59D31AC550471E81F00F6928E01DDA08E974A004F49E61F5D105284D20"
	vectorKey  = "5CBC219DB052138EE1148C71CD4498963D682549CE91CA24F098468F06015BEB" +
		"6AF245C2093F98C3651BCA83AB8CAB2B580BBF02184FEFDF26142F73DF95AC50"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func number(t testing.TB, text string) *big.Int { return new(big.Int).SetBytes(unhex(t, text)) }

func TestSRPVector(t *testing.T) {
	server := srpServerWith("alice", "password123", unhex(t, vectorSalt), number(t, vectorB))
	client := srpClientWith("alice", "password123", number(t, vectorA))
	if err := client.answer(server.salt, server.public); err != nil {
		t.Fatal(err)
	}
	if want := unhex(t, vectorKey); !bytes.Equal(client.key, want) {
		t.Fatalf("the client has the key %x, want %x", client.key, want)
	}
	proof, key, err := server.verify(client.public, client.proof)
	if err != nil || !bytes.Equal(key, client.key) {
		t.Fatalf("the server has the key %x, %v", key, err)
	}
	if err := client.verify(proof); err != nil {
		t.Fatal(err)
	}
}

// foreignClient is a controller of another make, written from RFC 5054 and independent of srpClient. cutA and cutS say
// what it does with leading zero bytes.
type foreignClient struct {
	private    *big.Int
	cutA, cutS bool
}

func (c foreignClient) convention(cut bool, n *big.Int) []byte {
	if cut {
		return n.Bytes()
	}
	return n.FillBytes(make([]byte, 384))
}

func sha(parts ...[]byte) []byte {
	sum := sha512.Sum512(bytes.Join(parts, nil))
	return sum[:]
}

// exchange returns A, M1 and the M2 that it will want, with the key.
func (c foreignClient) exchange(code string, salt, serverPublic []byte) (public, proof, answer, key []byte) {
	modulus, _ := new(big.Int).SetString(srpModulusHex, 16)
	generator := big.NewInt(5)
	padded := func(n *big.Int) []byte { return n.FillBytes(make([]byte, 384)) }
	integer := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	a := new(big.Int).Exp(generator, c.private, modulus)
	b := integer(serverPublic)
	u := integer(sha(padded(a), padded(b)))
	k := integer(sha(padded(modulus), padded(generator)))
	x := integer(sha(salt, sha([]byte("Pair-Setup:"+code))))
	base := new(big.Int).Sub(b, new(big.Int).Mul(k, new(big.Int).Exp(generator, x, modulus)))
	secret := new(big.Int).Exp(base.Mod(base, modulus), new(big.Int).Add(c.private, new(big.Int).Mul(u, x)), modulus)
	key = sha(c.convention(c.cutS, secret))
	mixed := sha(modulus.Bytes())
	for i, other := range sha([]byte{5}) {
		mixed[i] ^= other
	}
	proof = sha(mixed, sha([]byte("Pair-Setup")), salt, c.convention(c.cutA, a), c.convention(c.cutA, b), key)
	return c.convention(c.cutA, a), proof, sha(padded(a), proof, key), key
}

// Private keys of a controller that lead to zero bytes against the server of HAP R2 5.5.2 (user "Pair-Setup", code
// 518-08-582); found by counting.
var zeroKeys = []struct {
	name    string
	private int64
	a, s    bool // A or S begins with a zero byte
}{
	{"none", 5000, false, false},
	{"A", 5220, true, false},
	{"S", 5031, false, true},
	{"A and S", 6588, true, true},
}

func TestSRPServerTakesEveryConvention(t *testing.T) {
	const code = "518-08-582"
	for _, zero := range zeroKeys {
		for _, c := range []foreignClient{{cutA: false, cutS: false}, {cutA: true, cutS: false}, {cutA: false, cutS: true}, {cutA: true, cutS: true}} {
			c.private = big.NewInt(zero.private)
			server := srpServerWith(srpUser, code, unhex(t, vectorSalt), number(t, vectorB))
			public, proof, want, key := c.exchange(code, server.salt, server.public)
			got, gotKey, err := server.verify(public, proof)
			if err != nil || !bytes.Equal(got, want) || !bytes.Equal(gotKey, key) {
				t.Errorf("zero bytes in %s, cut A %t, cut S %t: %v", zero.name, c.cutA, c.cutS, err)
			}
			if _, _, err := server.verify(public, proof[:63]); !errors.Is(err, errSRPProof) {
				t.Errorf("zero bytes in %s: a cut proof gives %v", zero.name, err)
			}
		}
	}
}

func TestSRPClientRestartsOnZeroBytes(t *testing.T) {
	const code = "518-08-582"
	server := srpServerWith(srpUser, code, unhex(t, vectorSalt), number(t, vectorB))
	for _, zero := range zeroKeys {
		client := srpClientWith(srpUser, code, big.NewInt(zero.private))
		if got := client.public[0] == 0; got != zero.a {
			t.Errorf("key %d: A begins with zero is %t", zero.private, got)
		}
		if err := client.answer(server.salt, server.public); errors.Is(err, errSRPRestart) != zero.s {
			t.Errorf("zero bytes in %s: %v", zero.name, err)
		}
	}
	for _, public := range [][]byte{append([]byte{0}, server.public[1:]...), server.public[1:]} {
		client, err := newSRPClient(code)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.answer(server.salt, public); !errors.Is(err, errSRPRestart) {
			t.Errorf("B of %d bytes without its first: %v", len(public), err)
		}
		if client.proof != nil {
			t.Error("there is a proof that must not be sent")
		}
	}
}

func TestSRPRefuses(t *testing.T) {
	server, err := newSRPServer("518-08-582")
	if err != nil {
		t.Fatal(err)
	}
	client, err := newSRPClient("518-08-583")
	if err != nil {
		t.Fatal(err)
	}
	if err := client.answer(server.salt, server.public); err != nil {
		t.Skip("a zero byte came up, which other tests cover:", err)
	}
	if _, _, err := server.verify(client.public, client.proof); !errors.Is(err, errSRPProof) {
		t.Errorf("a wrong code gives %v", err)
	}
	if err := client.verify(make([]byte, 64)); !errors.Is(err, errSRPProof) {
		t.Errorf("a wrong proof of the accessory gives %v", err)
	}
	multiple := new(big.Int).Mul(srpModulus, big.NewInt(1))
	for name, public := range map[string][]byte{"zero": make([]byte, 384), "nothing": nil, "the modulus": multiple.Bytes(), "too long": append(make([]byte, 1), server.public...)} {
		if _, _, err := server.verify(public, client.proof); err == nil || errors.Is(err, errSRPProof) {
			t.Errorf("A is %s: %v", name, err)
		}
		if err := client.answer(server.salt, public); err == nil || errors.Is(err, errSRPRestart) {
			t.Errorf("B is %s: %v", name, err)
		}
	}
}

// TestSRPPairsThousandTimes pairs with fresh keys: our client with our server, and clients of both conventions with our
// server. None may be refused.
func TestSRPPairsThousandTimes(t *testing.T) {
	rounds := 1000
	if testing.Short() {
		rounds = 40
	}
	work := make(chan int)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for round := range work {
				if err := pairOnce(round); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			}
		})
	}
	for round := range rounds {
		work <- round
	}
	close(work)
	group.Wait()
}

func pairOnce(round int) error {
	const code = "518-08-582"
	for {
		server, err := newSRPServer(code)
		if err != nil {
			return err
		}
		if round%2 == 1 {
			private, err := srpPrivate()
			if err != nil {
				return err
			}
			cut := round%4 == 1
			public, proof, want, _ := foreignClient{private, cut, cut}.exchange(code, server.salt, server.public)
			answer, _, err := server.verify(public, proof)
			if err == nil && !bytes.Equal(answer, want) {
				err = errors.New("the server's proof is wrong")
			}
			return err
		}
		client, err := newSRPClient(code)
		if err != nil {
			return err
		}
		if err := client.answer(server.salt, server.public); errors.Is(err, errSRPRestart) {
			continue
		} else if err != nil {
			return err
		}
		answer, key, err := server.verify(client.public, client.proof)
		if err != nil {
			return err
		}
		if !bytes.Equal(key, client.key) {
			return errors.New("the keys differ")
		}
		return client.verify(answer)
	}
}
