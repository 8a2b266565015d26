// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"
)

const (
	viewInterval  = 250 * time.Millisecond // between two pictures on a terminal
	plainInterval = time.Second            // between two lines elsewhere
	viewRows      = 20                     // exits that are shown, those with the most requests
	barWidth      = 24
)

// view shows a market at work.
type view interface {
	phase(demoPhase)
	draw(*market)
	end()
	every() time.Duration // between two calls of draw
}

// newView draws a table again and again where w is a terminal, and prints a line now and then elsewhere.
func newView(w io.Writer) view {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &liveView{w: w}
	}
	return &plainView{w: w}
}

// row is a stall as it is shown.
type row struct {
	*stall
	standing
	share float64 // of the answers of the last two seconds
	state string  // of its circuit breaker, or that it is gone
}

// rows are the stalls, in the order of the market or, where there are too many, those with the most requests.
func (m *market) rows() (rows []row, left int) {
	shares := m.shares()
	for i, s := range m.stalls {
		standing := m.standing(i)
		rows = append(rows, row{s, standing, shares[i], standing.said()})
	}
	if len(rows) <= viewRows {
		return rows, 0
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.share, a.share) })
	return rows[:viewRows], len(rows) - viewRows
}

// shares are how the answers of the last two seconds spread.
func (m *market) shares() []float64 {
	shares := make([]float64, len(m.stalls))
	recent := m.tally.recent()
	for _, a := range recent {
		if a.outcome == answered {
			shares[a.stall] += 1 / float64(len(recent))
		}
	}
	return shares
}

// liveView redraws a table in place.
type liveView struct {
	w     io.Writer
	name  string
	begun time.Time
	lines int // of the last picture
}

func (v *liveView) phase(p demoPhase)    { v.name, v.begun = p.name, time.Now() }
func (v *liveView) every() time.Duration { return viewInterval }
func (v *liveView) end()                 {}

func (v *liveView) draw(m *market) {
	var b strings.Builder
	if v.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", v.lines) // up
	}
	rows, left := m.rows()
	lines := []string{
		fmt.Sprintf("%s, for %.0f s: %s", v.name, time.Since(v.begun).Seconds(), m.summary()),
		"",
		fmt.Sprintf("%-8s %-5s %8s %7s  %-*s %6s  %5s  %s", "", "tier", "$/1M", "tok/s", barWidth, "share of requests", "", "score", "breaker"),
	}
	for _, r := range rows {
		bar := strings.Repeat("█", int(r.share*barWidth+0.5))
		lines = append(lines, fmt.Sprintf("%-8s %-5s %8s %7d  %-*s %5.0f%%  %5s  %s",
			r.name, r.tier, r.price, r.speed(), barWidth, bar, 100*r.share, r.scored(), r.state))
	}
	if left > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", left))
	}
	for _, line := range lines {
		b.WriteString(line + "\x1b[K\n") // and clear what was behind it
	}
	v.lines = len(lines)
	io.WriteString(v.w, b.String())
}

// plainView prints lines that stay.
type plainView struct {
	w    io.Writer
	name string
}

func (v *plainView) every() time.Duration { return plainInterval }
func (v *plainView) end()                 {}

func (v *plainView) phase(p demoPhase) { v.name = p.name }

func (v *plainView) draw(m *market) {
	rows, _ := m.rows()
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.share, a.share) })
	var busiest []string
	for _, r := range rows[:min(3, len(rows))] {
		if r.share > 0 {
			busiest = append(busiest, fmt.Sprintf("%s %.0f%%", r.name, 100*r.share))
		}
	}
	fmt.Fprintf(v.w, "%-22s  %s; %s\n", v.name, m.summary(), strings.Join(busiest, ", "))
}

// summary is how the tools fare: over the last two seconds by tier, and in all.
func (m *market) summary() string {
	tiers := map[string]int{}
	for _, a := range m.tally.recent() {
		if a.outcome == answered {
			tiers[a.tier]++
		}
	}
	counts := map[outcome]int{}
	for _, a := range m.tally.where(func(asked) bool { return true }) {
		counts[a.outcome]++
	}
	return fmt.Sprintf("%d answered, %d broken off, %d refused; lately %d from tier %s, %d from tier %s",
		counts[answered], counts[cut], counts[refused], tiers[firstTier], firstTier, tiers[secondTier], secondTier)
}
