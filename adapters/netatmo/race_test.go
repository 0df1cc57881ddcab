//go:build race

package netatmo

// raceDetector says that everything takes ten times as long here.
const raceDetector = true
