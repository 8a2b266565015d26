// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test binary be the child processes that tests start.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == backendCommand {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestParseOptions(t *testing.T) {
	all := options{requests: 10_000, concurrency: 16, streams: 64, rounds: 10, chunks: 100, interval: 10 * time.Millisecond}
	with := func(change func(*options)) options {
		o := all
		change(&o)
		return o
	}
	for _, test := range []struct {
		args string
		want options
	}{
		{"", all},
		{"--quick", with(func(o *options) { o.requests, o.rounds = 400, 1 })},
		{"--quick --requests 7", with(func(o *options) { o.requests, o.rounds = 7, 1 })},
		{"--rounds 3 --quick", with(func(o *options) { o.requests, o.rounds = 400, 3 })},
		{"--concurrency 4 --streams 8 --json", with(func(o *options) { o.concurrency, o.streams, o.json = 4, 8, true })},
		{"--markdown --binary x", with(func(o *options) { o.markdown, o.binary = true, "x" })},
	} {
		got, err := parseOptions(strings.Fields(test.args), io.Discard)
		if err != nil {
			t.Errorf("%q: %v", test.args, err)
		}
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(options{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.args, diff)
		}
	}
}

func TestParseOptionsRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"--requests 0":      "at least 1",
		"--streams -3":      "at least 1",
		"--json --markdown": "choose one",
		"now":               `unexpected argument "now"`,
		"--fast":            "not defined",
	} {
		if _, err := parseOptions(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", args, err, want)
		}
	}
}

func TestHelp(t *testing.T) {
	var stderr bytes.Buffer
	err := run(context.Background(), []string{"--help"}, nil, io.Discard, &stderr)
	if !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"-requests", "-streams", "-concurrency", "-quick", "-json", "-markdown"} {
		if !strings.Contains(stderr.String(), name) {
			t.Errorf("the help does not have %s", name)
		}
	}
}
