// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"time"

	"github.com/tokengo/tokengo/scrub"
)

// gitTimeout bounds each question to git.
const gitTimeout = 2 * time.Second

// ownIdentity is what this machine knows of its user, with the words that the user has listed. What cannot be found out is
// left empty.
func ownIdentity(ctx context.Context, words []string) scrub.Identity {
	id := scrub.Identity{Words: words}
	id.Home, _ = os.UserHomeDir()
	if u, err := user.Current(); err == nil {
		id.User = u.Username[strings.LastIndexByte(u.Username, '\\')+1:] // without a Windows domain
	}
	if name := os.Getenv("USER"); name != "" {
		id.User = name
	}
	id.Host, _ = os.Hostname()
	id.GitNames = gitLines(ctx, "config", "--get-all", "user.name")
	id.Emails = gitLines(ctx, "config", "--get-all", "user.email")
	for _, line := range gitLines(ctx, "config", "--get-regexp", `^remote\..*\.url$`) {
		if _, url, ok := strings.Cut(line, " "); ok {
			id.Remotes = append(id.Remotes, url)
		}
	}
	return id
}

// gitLines are the lines that git answers in the working directory, none if there is no git or no answer.
func gitLines(ctx context.Context, args ...string) []string {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return nil
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
