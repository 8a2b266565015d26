// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

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
	barWidth      = 20
	aroundRows    = 6 // lines of a picture that are not exits
)

// view shows a market at work.
type view interface {
	phase(phase)
	draw(*market)
	every() time.Duration // between two calls of draw
}

// newView draws a table again and again where w is a terminal, and prints a line now and then elsewhere.
func newView(w io.Writer) view {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &liveView{terminal: f}
	}
	return &plainView{w: w}
}

// row is a stall as it is shown.
type row struct {
	*stall
	standing
	share float64 // of the answers of the last two seconds
}

// rows are the stalls, in the order of the market or, where there are too many, those with the most requests.
func (m *market) rows(atMost int) (rows []row, left int) {
	shares := m.tally.shares(len(m.stalls))
	for i, s := range m.stalls {
		rows = append(rows, row{s, m.standings[i], shares[i]})
	}
	if len(rows) <= atMost {
		return rows, 0
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.share, a.share) })
	return rows[:atMost], len(rows) - atMost
}

// liveView redraws a table in place.
type liveView struct {
	terminal *os.File
	name     string
	begun    time.Time
	lines    int // of the last picture
}

func (v *liveView) phase(p phase)        { v.name, v.begun = p.name, time.Now() }
func (v *liveView) every() time.Duration { return viewInterval }

func (v *liveView) draw(m *market) {
	width, height, err := term.GetSize(int(v.terminal.Fd()))
	if err != nil {
		width, height = 80, 24
	}
	lines := v.picture(m, max(1, min(viewRows, height-aroundRows)))
	var b strings.Builder
	if v.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", v.lines) // up
	}
	for _, line := range lines {
		shown := []rune(line)
		b.WriteString(string(shown[:min(len(shown), width-1)]) + "\x1b[K\n") // a line that folds would count twice
	}
	b.WriteString("\x1b[J") // away with what is left of a longer picture
	v.lines = len(lines)
	io.WriteString(v.terminal, b.String())
}

// picture is the table as lines.
func (v *liveView) picture(m *market, atMost int) []string {
	rows, left := m.rows(atMost)
	tools, lately := m.tally.summary()
	lines := []string{
		fmt.Sprintf("%s, for %.0f s", v.name, time.Since(v.begun).Seconds()),
		tools + "; " + lately,
		"",
		fmt.Sprintf("%-8s %-5s %6s %6s  %-*s %6s  %5s  %s", "", "tier", "$/1M", "tok/s", barWidth, "share of requests", "", "score", "breaker"),
	}
	for _, r := range rows {
		bar := strings.Repeat("█", int(r.share*barWidth+0.5))
		lines = append(lines, fmt.Sprintf("%-8s %-5s %6s %6d  %-*s %5.0f%%  %5s  %s",
			r.name, r.tier, r.price, r.speed(), barWidth, bar, 100*r.share, r.scoreText(), r.breaker()))
	}
	if left > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", left))
	}
	return lines
}

// plainView prints lines that stay.
type plainView struct {
	w    io.Writer
	name string
}

func (v *plainView) every() time.Duration { return plainInterval }

func (v *plainView) phase(p phase) { v.name = p.name }

func (v *plainView) draw(m *market) {
	rows, _ := m.rows(viewRows)
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.share, a.share) })
	var busiest []string
	for _, r := range rows[:min(3, len(rows))] {
		if r.share > 0 {
			busiest = append(busiest, fmt.Sprintf("%s %.0f%%", r.name, 100*r.share))
		}
	}
	tools, lately := m.tally.summary()
	fmt.Fprintf(v.w, "%-22s  %s; %s; %s\n", v.name, tools, lately, strings.Join(busiest, ", "))
}

// noView shows nothing.
type noView struct{}

func (noView) phase(phase)          {}
func (noView) draw(*market)         {}
func (noView) every() time.Duration { return viewInterval }
