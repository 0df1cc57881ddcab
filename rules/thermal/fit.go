package thermal

import "math"

// The grid of what is tried in a night: emitters, walls and ceilings of all kinds of houses.
var (
	lags     = [...]float64{1, 1.6, 2.4, 3.6, 5, 7, 10, 15, 22, 32, 48} // ticks
	masses   = [...]float64{24, 72, 200, 600}                           // ticks
	ceilings = [...]float64{1, 0.7, 0.5, 0.35}
)

var senses = [...]float64{1, 2, 4} // ticks

const delays = 2

const terms = 8 // reading, mass, warm, rest, four of the day

// rows are the spans that an equation of the fit may cover, in ticks: short ones see quick rooms, long
// ones slow floors.
var rows = [...]int{3, 6, 18}

// equations are the sums of squares and products of a least-squares fit.
type equations struct {
	a [terms][terms]float64
	b [terms]float64
	c float64
	n float64
}

func (e *equations) add(x *[terms]float64, y float64) {
	for i := range x {
		for j := range i + 1 {
			e.a[i][j] += x[i] * x[j]
		}
		e.b[i] += x[i] * y
	}
	e.c += y * y
	e.n++
}

// ridge draws what the data leave open towards nothing.
var ridge = [terms]float64{1e-3, 1e-3, 1e-4, 1e-4, 3, 3, 3, 3}

// solve returns the terms and the sum of squares that they leave.
func (e *equations) solve() (x [terms]float64, left float64, ok bool) {
	var l [terms][terms]float64
	for i := range terms {
		for j := range i + 1 {
			sum := e.a[i][j]
			if i == j {
				sum += ridge[i]
			}
			for k := range j {
				sum -= l[i][k] * l[j][k]
			}
			if i != j {
				l[i][j] = sum / l[j][j]
			} else if l[i][i] = math.Sqrt(sum); !(l[i][i] > 0) {
				return x, 0, false
			}
		}
	}
	var z [terms]float64
	for i := range terms {
		z[i] = e.b[i]
		for k := range i {
			z[i] -= l[i][k] * z[k]
		}
		z[i] /= l[i][i]
	}
	for i := terms - 1; i >= 0; i-- {
		x[i] = z[i]
		for k := i + 1; k < terms; k++ {
			x[i] -= l[k][i] * x[k]
		}
		x[i] /= l[i][i]
	}
	left = e.c
	for i := range terms {
		left -= x[i] * e.b[i]
	}
	return x, max(left, 0), true
}

// try fits the rest of a model whose lag, delay, mass and ceiling are given. A room that cools when
// heated is refused: ok is false.
func (m model) try(samples []sample, first int64, rowTicks int) (_ model, ok bool) {
	var e equations
	var x [terms]float64
	var water, warm, wall float64
	wall = mean(samples[:min(len(samples), perDay/2)])
	last := wall
	whole, begun := 0, math.NaN()
	skip := min(len(samples)/4, perDay)
	for i, s := range samples {
		if i >= m.Delay {
			water = min(water+(samples[i-m.Delay].heat-water)/m.Lag, m.Ceiling)
		}
		warm += (water - warm) / m.Sense
		if math.IsNaN(s.temperature) {
			whole, begun = 0, math.NaN()
			wall += (last - wall) / m.Mass
			continue
		}
		if !math.IsNaN(begun) {
			x[0] += last - base
			x[1] += wall - base
			x[2] += warm
			whole++
		}
		wall += (last - wall) / m.Mass
		last = s.temperature
		if math.IsNaN(begun) || whole == rowTicks {
			if whole == rowTicks && i > skip {
				x[3] = float64(rowTicks)
				for k, w := range wave(first + int64(i-rowTicks/2)) {
					x[4+k] = w * float64(rowTicks)
				}
				e.add(&x, last-begun)
			}
			whole, begun, x = 0, last, [terms]float64{}
		}
	}
	c, left, ok := e.solve()
	if !ok || e.n < 16 {
		return m, false
	}
	m.Pull, m.Gain, m.Rest, m.Day = c[1], c[2], c[3], [4]float64(c[4:])
	m.Loss = -c[0] - c[1]
	m.Sigma = math.Sqrt(left / e.n)
	return m, m.Gain > 0.002 && m.Pull >= 0 && m.Loss > -0.0005 && m.Pull+m.Loss < 0.7
}

// search is the nightly fit under way. It goes through the grid a few models a Step, so that no Step
// takes long: for each span of rows and each lag twenty models with ceiling and sense, then eight with
// wall and delay, then the best of them forecasts.
type search struct {
	Day   int64 `json:"day"`             // of the last one begun, from 2 h UTC
	Next  int   `json:"next,omitempty"`  // the model to look at; 0: none is under way
	Until int64 `json:"until,omitempty"` // tick before which samples count
	Here  model `json:"here"`            // the best of this span and lag
	Best  model `json:"best"`            // the best of all, Sigma its surprise
}

const (
	first   = len(ceilings) * len(senses)
	second  = len(masses) * delays
	perLag  = first + second + 1
	whole   = len(rows) * len(lags) * perLag
	perStep = 2 // models looked at in one Step
	least   = 2 * perDay
)

// learn goes on with the search, or begins it once a night.
func (m *memory) learn(now int64) {
	q := &m.Search
	if q.Next == 0 {
		if day := (now - 2*3600) / 86400; day != q.Day && m.Seen.length() >= least {
			*q = search{Day: day, Next: 1, Until: m.Seen.end()}
		}
		return
	}
	m.searchOn(perStep)
}

// searchOn looks at n models; at the end the best becomes the room's.
func (m *memory) searchOn(n int) {
	q := &m.Search
	from := max(m.Seen.First, q.Until-14*perDay)
	samples := m.Seen.since(from)
	samples = samples[:max(min(len(samples), int(q.Until-from)), 0)]
	if q.Next == 1 && m.Model.usable() {
		q.Best = m.Model // what served must be beaten on the same days
		q.Best.Sigma = q.Best.surprise(samples, from)
	}
	for ; n > 0 && q.Next <= whole; n-- {
		q.look(q.Next-1, samples, from)
		q.Next++
	}
	if q.Next > whole {
		if q.Best.usable() {
			m.Model = q.Best
		}
		*q = search{Day: q.Day}
	}
}

// look fits the model of a number.
func (q *search) look(number int, samples []sample, from int64) {
	row, lag, k := rows[number/perLag/len(lags)], lags[number/perLag%len(lags)], number%perLag
	if k == 0 {
		q.Here = model{}
	}
	var m model
	switch {
	case k < first:
		m = model{Lag: lag, Delay: 1, Sense: senses[k%len(senses)], Mass: masses[1], Ceiling: ceilings[k/len(senses)]}
	case !q.Here.usable():
		return
	case k < first+second:
		m = model{Lag: lag, Delay: (k - first) % delays, Sense: q.Here.Sense, Mass: masses[(k-first)/delays], Ceiling: q.Here.Ceiling}
	default:
		q.Here.Sigma = q.Here.surprise(samples, from)
		if !q.Best.usable() || q.Here.Sigma < q.Best.Sigma {
			q.Best = q.Here
		}
		return
	}
	if t, ok := m.try(samples, from, row); ok && (!q.Here.usable() || t.Sigma < q.Here.Sigma) {
		q.Here = t
	}
}

// surprise is how far the model's forecasts were off, in K of an hour: from each half hour to a quarter,
// half an hour, one, two and four hours ahead, the further the lighter, knowing the heat that was to come.
func (m *model) surprise(samples []sample, first int64) float64 {
	b := belief{at: first, reading: mean(samples[:min(len(samples), perDay/2)])}
	b.mass = b.reading
	sum, n := 0.0, 0.0
	for i, s := range samples {
		m.step(&b, s.heat)
		m.correct(&b, s.temperature)
		if i%6 != 0 || i < perDay/2 || i+48 >= len(samples) {
			continue
		}
		ahead := b
		for k := 1; k <= 48; k++ {
			m.step(&ahead, samples[i+k].heat)
			if k == 3 || k == 6 || k == 12 || k == 24 || k == 48 {
				if t := samples[i+k].temperature; !math.IsNaN(t) {
					sum, n = sum+math.Abs(t-ahead.reading)*math.Sqrt(12/float64(k)), n+1
				}
			}
		}
	}
	return sum / max(n, 1)
}
