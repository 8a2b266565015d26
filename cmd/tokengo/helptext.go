// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// Widths of help texts, in columns.
const (
	helpWidth    = 80  // where the width of the terminal is unknown
	maxHelpWidth = 110 // longer lines are hard to read
	minHelpText  = 30  // what a description has at least beside the name of a flag
)

// fitHelp makes the help texts of a command and of all below it fit the terminal.
func fitHelp(root *cobra.Command) {
	plain := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		out := cmd.OutOrStdout()
		var text bytes.Buffer
		cmd.SetOut(&text)
		plain(cmd, args)
		cmd.SetOut(out)
		io.WriteString(out, fit(text.String(), widthOf(out)))
	})
}

// widthOf is the width to write help in.
func widthOf(w io.Writer) int {
	if width := screenOf(w).width; width > 0 {
		return min(width, maxHelpWidth)
	}
	return helpWidth
}

// described matches the part of a line of help before a description of a flag or a command.
var described = regexp.MustCompile(`^ {2,6}\S.*?\s{2,}`)

// fit folds paragraphs and descriptions to a width. Examples stay as they are, to be copied.
func fit(text string, width int) string {
	var out strings.Builder
	var paragraph []string
	examples := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if line != "" && line[0] != ' ' && !strings.HasSuffix(line, ":") {
			paragraph = append(paragraph, line)
			continue
		}
		hang(&out, "", strings.Join(paragraph, " "), width)
		paragraph = nil
		if line != "" && line[0] != ' ' {
			examples = line == "Examples:"
		}
		if name := described.FindString(line); name != "" && !examples {
			hang(&out, name, line[len(name):], width)
		} else {
			out.WriteString(line + "\n")
		}
	}
	hang(&out, "", strings.Join(paragraph, " "), width)
	return out.String()
}

// hang writes a description behind a name, folded between words.
func hang(out *strings.Builder, name, text string, width int) {
	indent := utf8.RuneCountInString(name)
	at, wide := indent, max(width, indent+minHelpText)
	out.WriteString(name)
	for i, word := range strings.Fields(text) {
		long := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+long > wide:
			out.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		default:
			out.WriteString(" ")
			at++
		}
		out.WriteString(word)
		at += long
	}
	if at > 0 {
		out.WriteString("\n")
	}
}
