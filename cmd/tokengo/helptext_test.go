// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

func TestFit(t *testing.T) {
	const text = `A paragraph of two
lines that goes on for longer than the width is.

Usage:
  tokengo some [flags] and this is not folded, whatever its length

Examples:
  tokengo some   # stays as it is, to be copied

Flags:
  -h, --help          help for some
      --kind string   how much of it there is to be, at the most
`
	const want = `A paragraph of two lines that goes on for longer than
the width is.

Usage:
  tokengo some [flags] and this is not folded, whatever its length

Examples:
  tokengo some   # stays as it is, to be copied

Flags:
  -h, --help          help for some
      --kind string   how much of it there is to be,
                      at the most
`
	if diff := cmp.Diff(want, fit(text, 53)); diff != "" {
		t.Errorf("fit (-want +got):\n%s", diff)
	}
}

// TestHelpFits holds the help of every command to the width of a terminal, but for examples and words that do not fit.
func TestHelpFits(t *testing.T) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		var out strings.Builder
		cmd.SetOut(&out)
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		copied := false
		for line := range strings.Lines(out.String()) {
			if !strings.HasPrefix(line, " ") {
				copied = strings.HasPrefix(line, "Examples:")
			}
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > helpWidth && !copied && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%s: %d columns: %s", cmd.CommandPath(), n, line)
			}
		}
		for _, sub := range cmd.Commands() {
			if sub.Name() != "completion" { // its texts are cobra's
				visit(sub)
			}
		}
	}
	visit(newRoot())
}
