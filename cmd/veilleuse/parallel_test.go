package main

import (
	"flag"
	"testing"
)

// atOnce is how many of the tests that say so run beside each other. They wait for clocks and other processes rather than
// compute, so a machine of two cores takes more than its two; -parallel on the command line overrides it.
const atOnce = "6"

func TestMain(m *testing.M) {
	leaveSurroundings()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	m.Run()
}
