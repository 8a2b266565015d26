// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// startTestChild starts this test binary as a mock backend. It fails the test when the child ends on its
// own, unless died is given.
func startTestChild(t *testing.T, args []string, died func(error)) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if died == nil {
		died = func(err error) { t.Error(err) }
	}
	c, err := startChild(t.Context(), command{
		name: "backend", file: self, args: append([]string{backendCommand}, args...),
		env: childEnv(os.Environ(), t.TempDir()), dir: t.TempDir(),
	}, died)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChildServesAndStops(t *testing.T) {
	c := startTestChild(t, nil, nil)
	url, err := c.url(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if listed, err := listsModel(t.Context(), url); !listed || err != nil {
		t.Errorf("%s lists the model: %v, %v", url, listed, err)
	}
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	if _, err := listsModel(t.Context(), url); err == nil {
		t.Error("it still answers")
	}
}

func TestChildThatDiesIsReported(t *testing.T) {
	died := make(chan error, 1)
	c := startTestChild(t, []string{"--no-such-flag"}, func(err error) { died <- err })
	err := <-died
	for _, want := range []string{"the backend ended on its own", "exit status 1", "no-such-flag"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if err := c.stop(); runtime.GOOS != "windows" && err == nil {
		t.Error("stop says nothing of its failure")
	}
}

func TestChildWithoutURL(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("too late")
	cancel(why)
	c := &child{name: "relay", line: make(chan string), stderr: &tail{}}
	io.WriteString(c.stderr, "port 1 is in use\n")
	if _, err := c.url(ctx); !errors.Is(err, why) || !strings.Contains(err.Error(), "port 1 is in use") {
		t.Errorf("got %v", err)
	}
}

func TestBackendEndsWithItsParent(t *testing.T) {
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(t.Context(), []string{backendCommand}, r, io.Discard, io.Discard) }()
	w.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestFirstLine(t *testing.T) {
	f := &firstLine{line: make(chan string, 1)}
	line := f.line
	for _, s := range []string{"http", "://a:1\nmore", "\nand more\n"} {
		if n, err := io.WriteString(f, s); n != len(s) || err != nil {
			t.Errorf("write %q: %d, %v", s, n, err)
		}
	}
	if got := <-line; got != "http://a:1" {
		t.Errorf("got %q", got)
	}
	f = &firstLine{line: make(chan string, 1)}
	if _, err := io.WriteString(f, strings.Repeat("x", maxLine+1)); err == nil {
		t.Error("a line of any length is taken")
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var s tail
	if s.String() != "" {
		t.Errorf("empty: %q", s.String())
	}
	io.WriteString(&s, strings.Repeat("a", 3*tailBytes))
	io.WriteString(&s, "the end\n")
	got := s.String()
	if !strings.HasSuffix(got, "athe end") || len(got) > tailBytes+1 {
		t.Errorf("%d bytes, ending in %q", len(got), got[max(0, len(got)-20):])
	}
}

func TestChildEnv(t *testing.T) {
	got := childEnv([]string{"PATH=/bin", "OPENAI_API_KEY=secret", "HTTPS_PROXY=http://p", "HOME=/home/me", "GOGC=70", "XDG_CONFIG_HOME=/x"}, "/d")
	want := []string{
		"PATH=/bin", "GOGC=70",
		"HOME=/d", "USERPROFILE=/d", "APPDATA=/d", "LOCALAPPDATA=/d", "XDG_CONFIG_HOME=/d", "XDG_STATE_HOME=/d",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
