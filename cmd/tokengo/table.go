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
	"unicode/utf8"

	"github.com/tokengo/tokengo/service"
)

const (
	tableWidth   = 120 // columns of a terminal that tables fit
	columnGap    = 2
	minCellWidth = 8 // of a column that has to give way
)

// table is text in columns. Cells are made printable when they are shown, and the widest of the flexible columns give
// way where all together are too wide.
type table struct {
	header   []string
	rows     [][]string
	flexible []int // columns
	indent   string
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

// write prints the table.
func (t *table) write(w io.Writer) error {
	widths := t.widths()
	for _, row := range append([][]string{t.header}, t.rows...) {
		var line strings.Builder
		line.WriteString(t.indent)
		for i, cell := range row {
			cell = service.Printable(cell, widths[i])
			line.WriteString(cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+columnGap))
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// widths are those of the columns, in characters.
func (t *table) widths() []int {
	widths := make([]int, len(t.header))
	for _, row := range append([][]string{t.header}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	total := len(t.indent) + columnGap*(len(widths)-1)
	for _, width := range widths {
		total += width
	}
	for ; total > tableWidth && len(t.flexible) > 0; total-- {
		widest := slices.MaxFunc(t.flexible, func(a, b int) int { return widths[a] - widths[b] })
		if widths[widest] <= max(minCellWidth, utf8.RuneCountInString(t.header[widest])) {
			break
		}
		widths[widest]--
	}
	return widths
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
