package hap

import (
	"bytes"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
)

// SRP-6a as HAP uses it (HAP R2 5.5): the 3072-bit group of RFC 5054, generator 5, SHA-512, the user name "Pair-Setup",
// the setup code with its dashes as password.
//
// Implementations disagree about leading zero bytes. Apple's ADK cuts them from S before hashing it to K, and from A
// and B inside the client's proof; fast-srp-hap and aiohomekit keep all 384 bytes. One side in 256 of each is hit, so
// we never produce a public value that has one, restart where the peer does, and accept both kinds of proof.

const (
	srpUser  = "Pair-Setup"
	srpBytes = 384 // length of the modulus
	srpSalt  = 16
)

// srpModulusHex is the 3072-bit prime of RFC 5054 appendix A.
const srpModulusHex = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74" +
	"020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437" +
	"4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05" +
	"98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB" +
	"9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
	"E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718" +
	"3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33" +
	"A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7" +
	"ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864" +
	"D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2" +
	"08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"

var (
	srpModulus, _ = new(big.Int).SetString(srpModulusHex, 16)
	srpGenerator  = big.NewInt(5)
)

// errSRPRestart says that a value of this exchange begins with a zero byte, which peers treat differently. The exchange
// must be dropped before the proof (M3) is sent and begun anew; that does not use up one of the accessory's tries.
var errSRPRestart = errors.New("an SRP value begins with a zero byte: start again")

// errSRPProof says that the peer's proof does not fit, which nearly always means a wrong setup code.
var errSRPProof = errors.New("the SRP proof does not fit the setup code")

// srpServer is the accessory's side of one exchange. It serves one client once.
type srpServer struct {
	salt     []byte // sent in M2
	public   []byte // B, sent in M2: 384 bytes, the first of them not zero
	user     string
	private  *big.Int // b
	verifier *big.Int // v
}

// newSRPServer draws a salt and a key pair for the setup code, written like "123-45-678".
func newSRPServer(code string) (*srpServer, error) {
	salt := make([]byte, srpSalt)
	if _, err := rand.Read(salt); err != nil {
		return nil, fmt.Errorf("draw salt: %w", err)
	}
	for {
		private, err := srpPrivate()
		if err != nil {
			return nil, err
		}
		server := srpServerWith(srpUser, code, salt, private)
		if server.public[0] != 0 {
			return server, nil
		}
	}
}

func srpServerWith(user, code string, salt []byte, private *big.Int) *srpServer {
	verifier := srpPower(srpGenerator, srpX(user, code, salt))
	public := new(big.Int).Mul(srpK(), verifier)
	public.Add(public, srpPower(srpGenerator, private)).Mod(public, srpModulus)
	return &srpServer{salt: salt, public: srpPad(public), user: user, private: private, verifier: verifier}
}

// verify checks the client's public value and proof (M3) against the four ways in which clients treat leading zero
// bytes. It returns our proof (for M4) and the session key of the way that matched, or errSRPProof.
func (s *srpServer) verify(public, proof []byte) (answer, key []byte, err error) {
	client := new(big.Int).SetBytes(public)
	if len(public) > srpBytes || new(big.Int).Mod(client, srpModulus).Sign() == 0 {
		return nil, nil, errors.New("the SRP public value of the controller is out of range")
	}
	kept := srpPad(client)
	shared := srpPower(s.verifier, srpHash(kept, s.public))
	shared.Mul(shared, client).Mod(shared, srpModulus)
	secret := srpPad(srpPower(shared, s.private))
	for _, s2 := range [][]byte{secret, srpCut(secret)} {
		for _, a := range [][]byte{kept, srpCut(kept)} {
			trial := sha512.Sum512(s2)
			want := srpProof(s.user, s.salt, a, s.public, trial[:])
			if answer == nil && subtle.ConstantTimeCompare(want, proof) == 1 {
				answer, key = srpDigest(kept, proof, trial[:]), trial[:]
			}
		}
	}
	if answer == nil {
		return nil, nil, errSRPProof
	}
	return answer, key, nil
}

// srpClient is the controller's side of one exchange.
type srpClient struct {
	public  []byte // A, sent in M3: 384 bytes, the first of them not zero
	proof   []byte // M1, sent in M3; filled by answer
	key     []byte // K; filled by answer, to be used once verify agrees
	user    string
	code    string
	private *big.Int // a
}

// newSRPClient draws a key pair for the setup code, written like "123-45-678".
func newSRPClient(code string) (*srpClient, error) {
	for {
		private, err := srpPrivate()
		if err != nil {
			return nil, err
		}
		client := srpClientWith(srpUser, code, private)
		if client.public[0] != 0 {
			return client, nil
		}
	}
}

func srpClientWith(user, code string, private *big.Int) *srpClient {
	return &srpClient{public: srpPad(srpPower(srpGenerator, private)), user: user, code: code, private: private}
}

// answer takes the accessory's salt and public value (M2) and computes the proof and the key. errSRPRestart means that
// this exchange must not go on to M3.
func (c *srpClient) answer(salt, public []byte) error {
	server := new(big.Int).SetBytes(public)
	if len(public) > srpBytes || new(big.Int).Mod(server, srpModulus).Sign() == 0 {
		return errors.New("the SRP public value of the accessory is out of range")
	}
	secret := c.secret(salt, server)
	if srpPad(server)[0] == 0 || secret[0] == 0 {
		return errSRPRestart
	}
	key := sha512.Sum512(secret)
	c.key = key[:]
	c.proof = srpProof(c.user, salt, c.public, srpPad(server), c.key)
	return nil
}

// secret is S = (B - k g^x)^(a + u x), with all its 384 bytes.
func (c *srpClient) secret(salt []byte, server *big.Int) []byte {
	x := srpX(c.user, c.code, salt)
	base := new(big.Int).Mul(srpK(), srpPower(srpGenerator, x))
	base.Sub(server, base).Mod(base, srpModulus)
	exponent := srpHash(c.public, srpPad(server))
	exponent.Mul(exponent, x).Add(exponent, c.private)
	return srpPad(srpPower(base, exponent))
}

// verify checks the accessory's proof (M4).
func (c *srpClient) verify(proof []byte) error {
	if subtle.ConstantTimeCompare(srpDigest(c.public, c.proof, c.key), proof) != 1 {
		return errSRPProof
	}
	return nil
}

func srpPrivate() (*big.Int, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("draw SRP key: %w", err)
	}
	return new(big.Int).SetBytes(raw), nil
}

func srpPower(base, exponent *big.Int) *big.Int { return new(big.Int).Exp(base, exponent, srpModulus) }

// srpPad gives the number all the bytes of the modulus.
func srpPad(n *big.Int) []byte { return n.FillBytes(make([]byte, srpBytes)) }

func srpCut(b []byte) []byte { return bytes.TrimLeft(b, "\x00") }

func srpDigest(parts ...[]byte) []byte {
	hash := sha512.New()
	for _, part := range parts {
		hash.Write(part)
	}
	return hash.Sum(nil)
}

func srpHash(parts ...[]byte) *big.Int { return new(big.Int).SetBytes(srpDigest(parts...)) }

// srpK is the multiplier k = H(N | pad(g)).
func srpK() *big.Int { return srpHash(srpPad(srpModulus), srpPad(srpGenerator)) }

// srpX is the private key that user and code give: x = H(salt | H(user ":" code)).
func srpX(user, code string, salt []byte) *big.Int {
	return srpHash(salt, srpDigest([]byte(user+":"+code)))
}

// srpProof is the client's proof M1 = H(H(N) xor H(g) | H(user) | salt | A | B | K).
func srpProof(user string, salt, a, b, key []byte) []byte {
	group := srpDigest(srpPad(srpModulus))
	subtle.XORBytes(group, group, srpDigest(srpGenerator.Bytes()))
	return srpDigest(group, srpDigest([]byte(user)), salt, a, b, key)
}
