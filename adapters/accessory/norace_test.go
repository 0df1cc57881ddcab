//go:build !race

package accessory_test

// raceDetector says whether everything takes ten times as long here.
const raceDetector = false
