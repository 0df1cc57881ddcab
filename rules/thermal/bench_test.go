package thermal_test

import (
	"testing"

	"github.com/veilleuse/veilleuse/rules/thermal/thermaltest"
)

func TestBench(t *testing.T) {
	c := thermaltest.Case{Name: "cold week", Sensor: thermaltest.Good, Watch: 2}
	for _, rival := range append(thermaltest.Rivals(), thermaltest.Learning) {
		_, _, row := c.Line(thermaltest.Five(), rival, 1)
		t.Log(row)
	}
}
