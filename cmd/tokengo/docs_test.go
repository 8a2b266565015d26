// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Every key of a file and every flag is in docs/configuration.md.
func TestConfigurationIsDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, file := range []any{clientFile{}, relayFile{}, exitFile{}} {
		for _, key := range keysOf(reflect.TypeOf(file)) {
			if !mentions(text, key) {
				t.Errorf("%T: key %s is not documented", file, key)
			}
		}
	}
	for _, cmd := range allCommands(newRoot()) {
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if !flag.Hidden && !mentions(text, "--"+flag.Name) {
				t.Errorf("%s: flag --%s is not documented", cmd.CommandPath(), flag.Name)
			}
		})
	}
}

// allCommands are a command and all below it.
func allCommands(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		all = append(all, allCommands(sub)...)
	}
	return all
}

// mentions reports whether a word stands in a text as code: between backquotes or what parts words there.
func mentions(text, word string) bool {
	const parts = " `,:{}[]()=\n"
	for rest := text; ; {
		i := strings.Index(rest, word)
		if i < 0 {
			return false
		}
		before, after := rest[:i], rest[i+len(word):]
		if (before == "" || strings.ContainsRune(parts, rune(before[len(before)-1]))) &&
			(after == "" || strings.ContainsRune(parts, rune(after[0]))) {
			return true
		}
		rest = after
	}
}
