// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Command bench measures what privacy costs: the same requests to the same backend, once directly and
// once through client, relay and exit, in turns, so that whatever else the machine does meets both.
//
//	go run ./internal/bench              # about two minutes; run it on a quiet machine
//	go run ./internal/bench --quick      # a few seconds, to see that it works
//	go run ./internal/bench --markdown   # tables for docs/performance.md
//
// It builds cmd/tokengo and starts the three roles as three processes with fresh state on loopback, and
// a mock backend as a fourth, so that processor time and memory come from the operating system, role by
// role, and hold nothing of the load generator or the backend. Processor time and memory are read from
// Linux's /proc and are not available elsewhere.
//
// Every answer is compared byte for byte with what the backend sent. The command fails when any differs;
// a missed aim is reported and is no failure, since it depends on the machine.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// backendCommand is the hidden first argument that makes this program the mock backend.
const backendCommand = "backend"

// options are what the command line says.
type options struct {
	requests    int           // plain requests on each path, at each concurrency
	concurrency int           // measured besides 1
	streams     int           // at once
	rounds      int           // of streams on each path
	chunks      int           // of a stream
	interval    time.Duration // between the chunks of a stream
	binary      string        // a tokengo to measure, "" to build one
	json        bool
	markdown    bool
}

// The streams that the aims are about.
const (
	defaultChunks   = 100
	defaultInterval = 10 * time.Millisecond
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the command line: the backend or the benchmark.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == backendCommand {
		return runBackend(ctx, args[1:], stdin, stdout)
	}
	opt, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	report, err := measure(ctx, opt, func(format string, args ...any) {
		fmt.Fprintf(stderr, format+"\n", args...)
	})
	if err != nil {
		return err
	}
	if err := writeReport(stdout, report, opt); err != nil {
		return err
	}
	if n := report.Errors.Failed(); n > 0 {
		return fmt.Errorf("%d of %d requests and streams failed or were not answered as the backend did",
			n, report.Errors.Requests+report.Errors.Streams)
	}
	return nil
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	opt := options{chunks: defaultChunks, interval: defaultInterval}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&opt.requests, "requests", 10_000, "plain `requests` on each path, at each concurrency")
	flags.IntVar(&opt.concurrency, "concurrency", 16, "plain requests at `once`; 1 is always measured, too")
	flags.IntVar(&opt.streams, "streams", 64, "`streams` at once")
	flags.IntVar(&opt.rounds, "rounds", 10, "how `often` that many streams run on each path")
	flags.StringVar(&opt.binary, "binary", "", "measure this tokengo `file` instead of building ./cmd/tokengo")
	flags.BoolVar(&opt.json, "json", false, "print the figures as JSON")
	flags.BoolVar(&opt.markdown, "markdown", false, "print the figures as Markdown tables")
	quick := flags.Bool("quick", false, "a few seconds: 400 requests and one round of streams")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if *quick {
		set := make(map[string]bool)
		flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
		if !set["requests"] {
			opt.requests = 400
		}
		if !set["rounds"] {
			opt.rounds = 1
		}
	}
	switch {
	case flags.NArg() > 0:
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case min(opt.requests, opt.concurrency, opt.streams, opt.rounds) < 1:
		return options{}, errors.New("--requests, --concurrency, --streams and --rounds must be at least 1")
	case opt.json && opt.markdown:
		return options{}, errors.New("choose one of --json and --markdown")
	}
	return opt, nil
}

// writeReport writes the report in the form that was asked for.
func writeReport(w io.Writer, r *Report, opt options) error {
	if opt.json {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return writeTables(w, r.tables(), opt.markdown)
}
