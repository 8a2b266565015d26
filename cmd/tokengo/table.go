// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/tokengo/tokengo/service"
)

const (
	tableWidth = 120 // columns that tables fit where no terminal says how many it has
	columnGap  = 2

	// Columns that cells keep which have to give way: while there is another column to leave out, and when there is none.
	fairList, fairName = 12, 16
	minCellWidth       = 8
)

// table is text in columns. Cells are made printable when they are shown. Where all columns together are too wide, lists
// are cut first and then names, the widest first. In a terminal, columns are left out before too little is left of these.
type table struct {
	header []string
	rows   [][]string
	lists  []string // columns, by their headers
	names  []string
	spare  []string // columns that may be left out, the least important first
	indent string
}

// add adds a row. An empty cell is shown as "-".
func (t *table) add(cells ...string) {
	for i, c := range cells {
		cells[i] = service.Printable(c, tableWidth)
		if c == "" {
			cells[i] = "-"
		}
	}
	t.rows = append(t.rows, cells)
}

// write prints the table. No row of it is longer than a line of the terminal.
func (t *table) write(out screen) error {
	l, missing := t.layout(out.width)
	for _, row := range append([][]string{t.header}, t.rows...) {
		if err := out.row(l.line(t.indent, row)); err != nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return out.row(fmt.Sprintf("%s(no room for %s: see --json)", t.indent, strings.Join(missing, ", ")))
}

// layout is which columns of a table are shown, and how wide each is.
type layout struct {
	t      *table
	shown  []int
	widths []int // of all columns
}

// layout lays the table out for a terminal of some columns, 0 for none. It also returns which columns are left out that
// have anything in them.
func (t *table) layout(width int) (l *layout, missing []string) {
	if width == 0 {
		l = t.without(nil)
		l.squeeze(tableWidth, minCellWidth, minCellWidth)
		return l, nil
	}
	if l = t.without(nil); l.total() <= width {
		return l, nil
	}
	empty, full := t.droppable()
	for n := range len(full) + 1 {
		l = t.without(append(empty, full[:n]...))
		if l.squeeze(width, fairList, fairName) {
			return l, full[:n]
		}
	}
	l.squeeze(width, minCellWidth, minCellWidth)
	return l, full
}

// droppable are the columns in which nothing is, and the others that may be left out, in the order in which they are.
func (t *table) droppable() (empty, full []string) {
	for i, name := range t.header {
		if len(t.rows) > 0 && !slices.ContainsFunc(t.rows, func(row []string) bool { return row[i] != "-" }) {
			empty = append(empty, name)
		}
	}
	full = slices.DeleteFunc(slices.Clone(t.spare), func(name string) bool { return slices.Contains(empty, name) })
	return slices.Clip(empty), full
}

// without lays the table out as wide as it is, without some columns.
func (t *table) without(left []string) *layout {
	l := &layout{t: t, widths: make([]int, len(t.header))}
	for i, name := range t.header {
		if slices.Contains(left, name) {
			continue
		}
		l.shown = append(l.shown, i)
		l.widths[i] = columns(name)
		for _, row := range t.rows {
			l.widths[i] = max(l.widths[i], columns(row[i]))
		}
	}
	return l
}

// squeeze makes lists and names narrower until all fits, but none narrower than given, or than its header. It reports
// whether all fits.
func (l *layout) squeeze(width, list, name int) bool {
	return l.narrow(l.t.lists, list, width) || l.narrow(l.t.names, name, width)
}

// narrow makes some of the columns narrower, the widest first, until all fits or they have the least width.
func (l *layout) narrow(names []string, least, width int) bool {
	floor := func(i int) int { return max(least, columns(l.t.header[i])) }
	over := l.total() - width
	for ; over > 0; over-- {
		widest := -1
		for _, i := range l.shown {
			if slices.Contains(names, l.t.header[i]) && l.widths[i] > floor(i) && (widest < 0 || l.widths[i] >= l.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return false
		}
		l.widths[widest]--
	}
	return true
}

// total is how wide the whole is.
func (l *layout) total() int {
	n := len(l.t.indent) + columnGap*(len(l.shown)-1)
	for _, i := range l.shown {
		n += l.widths[i]
	}
	return n
}

// line is a row without the spaces at its end.
func (l *layout) line(indent string, row []string) string {
	var line strings.Builder
	line.WriteString(indent)
	for _, i := range l.shown {
		cell := cut(row[i], l.widths[i])
		line.WriteString(cell + strings.Repeat(" ", l.widths[i]-columns(cell)+columnGap))
	}
	return strings.TrimRight(line.String(), " ")
}

// writeJSON prints a value for programs. What a terminal could take for more than text is escaped, which to programs is
// the same.
func writeJSON(w io.Writer, v any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	var text strings.Builder
	for _, r := range out.String() {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			text.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&text, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&text, `\u%04x`, r)
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}
