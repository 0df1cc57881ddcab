//go:build race

package thermal_test

// The race detector makes the bench twelve times slower, and nothing in it runs side by side.
const racing = true
