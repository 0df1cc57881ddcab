package thermal

import "math"

// wish is what the plan is to reach.
type wish struct {
	target float64 // °C now
	until  int64   // tick at which it ends; 0: it lasts
	next   int64   // tick at which a warmer slot begins; 0: none
	then   float64 // °C from next on
	extra  float64 // K above that are aimed for: no reading is exact
}

const (
	stride   = 2  // ticks between the points at which the future is judged
	furthest = 96 // ticks, 8 h
	blocks   = 11 // pieces of the future with one duty each
	points   = furthest / stride
)

// future is the course of the reading without heat, what one unit of heat in each block adds to it,
// and what is wished.
type future struct {
	free   [points]float64
	effect [blocks][points]float64
	goal   [points]float64
	below  [points]float64 // weight of a kelvin too little
	above  [points]float64 // weight of a kelvin too much
	most   [blocks]float64
	cost   [blocks]float64
	duty   [blocks]float64
}

// lengths of the blocks in cycles.
var lengths = [blocks]int{1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 99}

// plan finds the duty of the cycle that begins now: that of the course which keeps nearest to what is
// wished from now to hours ahead.
func (m *model) plan(b belief, w wish, cycle, horizon int) (duty float64, f *future) {
	f = new(future)
	free := b
	for k := range points {
		for range stride {
			m.step(&free, 0)
		}
		f.free[k] = free.reading
	}
	m.effects(f, cycle)
	f.wish(b.at, w, horizon/stride)
	f.solve()
	return f.duty[0], f
}

// effects computes the answer to each block's heat.
func (m *model) effects(f *future, cycle int) {
	var unit [furthest]float64 // answer to one tick of heat
	still := *m
	still.Rest, still.Day, still.Ceiling = 0, [4]float64{}, 1
	b := belief{reading: base, mass: base}
	for k := range furthest {
		heat := 0.0
		if k == 0 {
			heat = 1
		}
		still.step(&b, heat)
		unit[k] = b.reading - base
	}
	from := 0
	for j, n := range lengths {
		to := min(from+n*cycle, furthest)
		for p := range points {
			at := p*stride + stride - 1
			for k := from; k < to && k <= at; k++ {
				f.effect[j][p] += unit[at-k]
			}
		}
		f.most[j], f.cost[j] = m.Ceiling, float64(to-from)
		from = to
	}
	f.most[0] = 1
}

// wish lays out goals and weights.
func (f *future) wish(now int64, w wish, horizon int) {
	for p := range min(points, horizon) {
		at := now + int64(p*stride+stride)
		goal, strict := w.target, true
		if w.until != 0 && at > w.until {
			strict = false
		}
		if w.next != 0 && at >= w.next {
			goal, strict = w.then, true
		}
		f.goal[p] = goal + w.extra
		if strict {
			f.below[p], f.above[p] = 1, 1
		}
	}
}

const (
	extra      = 0.06  // K above what is wished that is aimed for
	extraFloor = 0.12  // K of a floor, which is slow to make good
	thrift     = 0.002 // K²: what a tick of heat costs
)

// solve finds the duties by going through the blocks, the last first, so that heat comes late.
func (f *future) solve() {
	var course [points]float64
	copy(course[:], f.free[:])
	for range 30 {
		moved := 0.0
		for j := blocks - 1; j >= 0; j-- {
			slope, bend := thrift*f.cost[j], 1e-9
			for p := range points {
				miss, x := course[p]-f.goal[p], f.effect[j][p]
				weight := f.below[p]
				if miss > 0 {
					weight = f.above[p]
				}
				slope += weight * miss * x
				bend += weight * x * x
			}
			next := min(max(f.duty[j]-slope/bend, 0), f.most[j])
			step := next - f.duty[j]
			f.duty[j] = next
			moved = max(moved, math.Abs(step))
			if step != 0 {
				for p := range points {
					course[p] += step * f.effect[j][p]
				}
			}
		}
		if moved < 0.002 {
			return
		}
	}
}

// canWait reports whether the shortest heat that the relay can give, span ticks long, will still be in
// time when it begins a tick later.
func (m *model) canWait(b belief, w wish, span float64) bool {
	patience := m.Delay + int(m.Sense+0.5) + 3
	for k := range patience {
		m.step(&b, min(max(span-float64(k)+1, 0), step(k)))
		if w.at(b.at)+0.05 > b.reading {
			return false
		}
	}
	return true
}

// step is 0 in the first tick and 1 afterwards.
func step(k int) float64 {
	if k == 0 {
		return 0
	}
	return 1
}

// at is the least temperature that will do at a tick.
func (w wish) at(tick int64) float64 {
	switch {
	case w.next != 0 && tick >= w.next:
		return w.then
	case w.until != 0 && tick > w.until:
		return 0
	}
	return w.target
}
