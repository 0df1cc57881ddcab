package chart

import "time"

// Days is where days stand: a column for each week from Monday on, a square for each day, in blocks one below the other, so that a
// year fits a phone.
type Days struct {
	First     time.Time // a date, at midnight UTC
	Left, Top float64
	Pitch     float64 // of a square
	Columns   int     // of a block
	Gap       float64 // between blocks
}

// At is the corner of a day's square. Dates are UTC's: there no day has 23 or 25 hours.
func (d *Days) At(date time.Time) (x, y float64) {
	column := d.column(date)
	row := (int(date.Weekday()) + 6) % 7
	return d.Left + float64(column%d.Columns)*d.Pitch, d.Block(column/d.Columns) + float64(row)*d.Pitch
}

// Block is the top of a block.
func (d *Days) Block(n int) float64 { return d.Top + float64(n)*(7*d.Pitch+d.Gap) }

func (d *Days) column(date time.Time) int {
	monday := d.First.AddDate(0, 0, -(int(d.First.Weekday())+6)%7)
	return int(date.Sub(monday).Hours()) / (24 * 7)
}
