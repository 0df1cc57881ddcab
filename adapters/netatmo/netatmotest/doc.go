// Package netatmotest fakes the vendor's cloud: an account with one home, tokens that rotate and die as
// the vendor's do, quotas, every call that the adapter uses with its real effects, and the faults that
// have been seen of it. It needs no testing.T, so that the demonstration can use it too.
//
// What it does is what public sources tell of the vendor: payloads of pyatmo and Gladys, the notes of
// openHAB and Home Assistant on tokens, quotas and errors.
package netatmotest
