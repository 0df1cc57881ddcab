package thermaltest

import (
	"math"
	"math/rand/v2"
)

// Weather is outdoors, one value a minute from Monday 00:00 on.
type Weather struct {
	Outdoor []float64 // °C
	Sun     []float64 // W/m² on the windows
}

// coldWeek are the daily means of a cold week, after Zurich 2013.
var coldWeek = []float64{-0.7, -2.1, -3.6, -5.2, -6.0, -4.4, -2.8}

// mildWeek are the daily means of a mild one.
var mildWeek = []float64{6.2, 7.8, 9.0, 8.1, 6.6, 5.4, 7.1}

// Cold is the given number of weeks of ordinary winter and then the cold week.
func Cold(before int, seed uint64) Weather { return weather(before, coldWeek, 1.0, seed) }

// Mild is the given number of weeks of ordinary winter and then a mild week.
func Mild(before int, seed uint64) Weather { return weather(before, mildWeek, 6.0, seed) }

func weather(before int, last []float64, usual float64, seed uint64) Weather {
	draw := rand.New(rand.NewPCG(seed, 0x77656174))
	var means, clear []float64
	drift := 0.0
	for range before * 7 {
		drift = 0.7*drift + 1.6*draw.NormFloat64()
		means = append(means, usual+drift)
	}
	means = append(means, last...)
	for range means {
		clear = append(clear, draw.Float64())
	}
	return unfold(means, clear, draw)
}

// unfold makes minutes of daily means and clearness: coldest at 6, warmest at 15, gusts of cloud.
func unfold(means, clear []float64, draw *rand.Rand) Weather {
	n := len(means) * 1440
	w := Weather{Outdoor: make([]float64, n), Sun: make([]float64, n)}
	gust, cloud := 0.0, 0.0
	for k := range n {
		hour, day := float64(k%1440)/60, k/1440
		if k%10 == 0 {
			gust = 0.95*gust + 0.1*draw.NormFloat64()
			cloud = 0.9*cloud + 0.15*draw.NormFloat64()
		}
		swing := 1.5 + 2.5*clear[day]
		w.Outdoor[k] = between(means, float64(k)/1440-0.5) + swing*dayWave(hour) + gust
		if high := math.Sin(math.Pi * (hour - 8) / 8.5); hour > 8 && hour < 16.5 {
			w.Sun[k] = high * (30 + 420*min(max(clear[day]+cloud-0.3, 0), 1))
		}
	}
	return w
}

// dayWave runs from -1 at 6 o'clock to 1 at 15.
func dayWave(hour float64) float64 {
	if hour >= 6 && hour <= 15 {
		return -math.Cos(math.Pi * (hour - 6) / 9)
	}
	return math.Cos(math.Pi * math.Mod(hour-15+24, 24) / 15)
}

// between interpolates values that stand at whole numbers.
func between(values []float64, at float64) float64 {
	at = min(max(at, 0), float64(len(values)-1))
	i := min(int(at), len(values)-2)
	f := at - float64(i)
	return values[i]*(1-f) + values[i+1]*f
}
