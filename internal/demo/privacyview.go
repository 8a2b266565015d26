// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// show implements [report]: the three parties side by side, what scrubbing and shaping did, and the checks.
func (r *privacyReport) show(w io.Writer) {
	var mine, relays, exits []string
	for _, c := range r.Client.Chats {
		mine = append(mine, "prompt: "+c.Prompt, "answer: "+c.Answer, "")
		exits = append(exits, "prompt: "+c.Prompt, "answer: "+c.Answer, "")
	}
	for _, q := range r.Relay.Requests {
		relays = append(relays,
			"from "+q.ClientAddress, "to exit "+q.Exit[:min(8, len(q.Exit))],
			fmt.Sprintf("request, %d bytes: %s…", q.RequestBytes, q.RequestBegins),
			fmt.Sprintf("answer, %d bytes: %s…", q.AnswerBytes, q.AnswerBegins), "")
	}
	exits = append([]string{"from " + strings.Join(r.Exit.PeerAddresses, ", ") + " (the relay)"}, exits...)
	fmt.Fprintln(w, "WHO SAW WHAT")
	fmt.Fprintln(w)
	sideBySide(w, terminalWidth(w), []column{
		{"CLIENT (you)", mine}, {"RELAY (who, not what)", relays}, {"EXIT (what, not who)", exits},
	})
	showScrubbing(w, r.Scrubbing)
	showTraces(w, r.Traces)
	showChecks(w, "the recorded bytes", r.Checks)
	fmt.Fprintln(w, "\nNext: tokengo serve   (your own backends), or see the README for three machines")
}

// column is text under a title.
type column struct {
	title string
	lines []string
}

// sideBySide prints columns of equal width, folding their lines.
func sideBySide(w io.Writer, width int, columns []column) {
	const gap = 3
	each := (width - gap*(len(columns)-1)) / len(columns)
	folded := make([][]string, len(columns))
	rows := 0
	for i, c := range columns {
		folded[i] = append([]string{c.title, strings.Repeat("-", each)}, fold(c.lines, each)...)
		rows = max(rows, len(folded[i]))
	}
	for row := range rows {
		var line strings.Builder
		for i := range columns {
			cell := ""
			if row < len(folded[i]) {
				cell = folded[i][row]
			}
			line.WriteString(cell + strings.Repeat(" ", max(0, each-utf8.RuneCountInString(cell))))
			if i < len(columns)-1 {
				line.WriteString(" | ")
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// fold breaks lines at spaces, and words that are longer than a line anywhere.
func fold(lines []string, width int) []string {
	var out []string
	for _, line := range lines {
		current := ""
		for _, word := range strings.Fields(line) {
			if current != "" && utf8.RuneCountInString(current+" "+word) > width {
				out, current = append(out, current), ""
			}
			if current != "" {
				current += " "
			}
			current += word
			for runes := []rune(current); len(runes) > width; runes = []rune(current) {
				out, current = append(out, string(runes[:width])), string(runes[width:])
			}
		}
		out = append(out, current)
	}
	return out
}

// terminalWidth is the width of the terminal that w is, within reason, or 100.
func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return min(max(width, 72), 140)
		}
	}
	return 100
}

// showScrubbing prints a request before and after.
func showScrubbing(w io.Writer, v scrubView) {
	fmt.Fprintln(w, "\nWHAT SCRUBBING TAKES OUT")
	fmt.Fprintln(w)
	sideBySide(w, terminalWidth(w), []column{{"THE TOOL SENT", v.Sent}, {"THE BACKEND GOT", v.Arrived}})
}

// showTraces prints what the relay saw of each answer as a plot.
func showTraces(w io.Writer, traces []traceView) {
	fmt.Fprintln(w, "\nWHAT THE RELAY SAW of a streamed answer: bytes in each tenth of a second")
	fmt.Fprintln(w)
	for _, t := range traces {
		most := max(1, slices.Max(t.Bytes))
		fmt.Fprintf(w, "%-9s %s  (up to %d bytes)\n", t.Mode, plot(t.Bytes, most), most)
	}
	fmt.Fprintln(w, "\nWithout shaping, time and length of each token show. See docs/privacy.md.")
}

// plot draws heights in proportion to most, none of them 0 unless the value is.
func plot(values []int, most int) string {
	levels := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range values {
		if v == 0 {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(levels[min(v*len(levels)/most, len(levels)-1)])
	}
	return b.String()
}
