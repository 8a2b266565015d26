// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
)

// Every relative link of README and docs leads to a file that is there, and to a heading that is in it.
func TestLinksOfDocs(t *testing.T) {
	for _, page := range pages(t) {
		for _, target := range linksOf(prose(read(t, page))) {
			if err := checkLink(t, page, target); err != nil {
				t.Errorf("%s: link %s: %v", page, target, err)
			}
		}
	}
}

func TestAnchors(t *testing.T) {
	text := "# One, two\n\n```sh\n# no heading\n```\n\n## `a` & [b](c.md)\n## One, two\n### 选路\n"
	got := anchorsOf(text)
	for _, want := range []string{"one-two", "a--b", "one-two-1", "选路"} {
		if !got[want] {
			t.Errorf("anchor %s is missing in %v", want, got)
		}
	}
	if len(got) != 4 {
		t.Errorf("got %d anchors, want 4: %v", len(got), got)
	}
}

// Every tokengo command that README and docs show is one, and so are its flags.
func TestCommandsInDocs(t *testing.T) {
	shown := 0
	for _, page := range pages(t) {
		for _, line := range commandsOf(read(t, page)) {
			shown++
			if err := checkCommand(line); err != nil {
				t.Errorf("%s: %s: %v", page, line, err)
			}
		}
	}
	if shown < 50 {
		t.Errorf("found %d commands, fewer than there are", shown)
	}
}

var (
	yamlExample = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	shortPin    = regexp.MustCompile(`sha256=[0-9a-f]*…`)
	keyFileLine = regexp.MustCompile(`(?m)^ *key_file: .*\n`) // a file that only readers have
)

// Every configuration file in README and docs would be accepted.
func TestExampleFilesInDocs(t *testing.T) {
	shown := 0
	for _, page := range pages(t) {
		for i, m := range yamlExample.FindAllStringSubmatch(read(t, page), -1) {
			shown++
			example := keyFileLine.ReplaceAllString(shortPin.ReplaceAllString(m[1], "sha256="+strings.Repeat("0", 64)), "")
			role := "client"
			if strings.Contains(example, "backends:") {
				role = "exit"
			}
			file := filepath.Join(t.TempDir(), "example.yaml")
			if err := os.WriteFile(file, []byte(example), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := checkFile(file, role); err != nil {
				t.Errorf("%s: example %d: %v", page, i+1, err)
			}
		}
	}
	if shown < 5 {
		t.Errorf("found %d examples, fewer than there are", shown)
	}
}

// pages are the Markdown files for readers.
func pages(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatalf("no docs: %v", err)
	}
	return append(docs, "../../README.md", "../../README.zh-CN.md")
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

var (
	fence      = regexp.MustCompile("(?ms)^```.*?^```$")
	inlineCode = regexp.MustCompile("`[^`\n]+`")
	link       = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	linkText   = regexp.MustCompile(`\[([^\]]*)\]\([^()\s]*\)`)
	heading    = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
)

// prose is a page without its code.
func prose(text string) string {
	return inlineCode.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
}

// linksOf are the targets of links and images within the repository.
func linksOf(text string) (targets []string) {
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[1], "://") {
			targets = append(targets, m[1])
		}
	}
	return targets
}

func checkLink(t *testing.T, page, target string) error {
	t.Helper()
	name, anchor, _ := strings.Cut(target, "#")
	file := page
	if name != "" {
		file = filepath.Join(filepath.Dir(page), name)
	}
	if _, err := os.Stat(file); err != nil {
		return err
	}
	if anchor != "" && !anchorsOf(read(t, file))[anchor] {
		return fmt.Errorf("no heading makes #%s", anchor)
	}
	return nil
}

// anchorsOf are the names that GitHub gives to the headings of a page.
func anchorsOf(text string) map[string]bool {
	anchors := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		base := slug(linkText.ReplaceAllString(m[1], "$1"))
		name := base
		for n := 1; anchors[name]; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		anchors[name] = true
	}
	return anchors
}

func slug(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}

var command = regexp.MustCompile("(?m)(?:^|[`$;&|(] ?)(?:\\./)?tokengo ([a-z][^`#|>&]*)")

// commandsOf are what follows "tokengo" where that stands in code.
func commandsOf(text string) (lines []string) {
	code := strings.Join(append(fence.FindAllString(text, -1), inlineCode.FindAllString(fence.ReplaceAllString(text, ""), -1)...), "\n")
	for _, m := range command.FindAllStringSubmatch(code, -1) {
		lines = append(lines, strings.TrimSpace(strings.SplitN(m[1], "\n", 2)[0]))
	}
	return lines
}

var flagName = regexp.MustCompile(`^--([a-z][a-z-]*)`)

// checkCommand reports a command that there is not, or a flag that it does not have. What follows the tool's name in
// 'tokengo run' is the tool's own.
func checkCommand(line string) error {
	words := strings.Fields(line)
	cmd, rest := newRoot(), words
	for len(rest) > 0 && subcommand(cmd, rest[0]) != nil {
		cmd, rest = subcommand(cmd, rest[0]), rest[1:]
	}
	if len(rest) == len(words) && words[0] != "help" && words[0] != "completion" {
		return fmt.Errorf("there is no command %s", words[0])
	}
	for _, word := range rest {
		name := flagName.FindStringSubmatch(word)
		if name != nil && name[1] != "help" && cmd.Flags().Lookup(name[1]) == nil {
			return fmt.Errorf("it has no flag --%s", name[1])
		}
		if cmd.Name() == "run" && name == nil && !strings.HasPrefix(word, "-") {
			break
		}
	}
	return nil
}

func subcommand(cmd *cobra.Command, name string) *cobra.Command {
	for _, sub := range cmd.Commands() {
		if sub.Name() == name {
			return sub
		}
	}
	return nil
}
