// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/tokengo/tokengo/shape"
)

// options are what the command line says.
type options struct {
	answers int // on each topic
	users   int // at once
	seeds   int
	quick   bool
	plots   string
	traces  string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "leaktest:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	opt := options{}
	flags := flag.NewFlagSet("leaktest", flag.ContinueOnError)
	flags.IntVar(&opt.answers, "answers", 300, "ask for `N` answers on each topic")
	flags.IntVar(&opt.users, "users", 60, "let `N` users ask at once")
	flags.IntVar(&opt.seeds, "seeds", 5, "deal the answers to folds `N` times")
	flags.BoolVar(&opt.quick, "quick", false, "60 answers on each topic, all at once, none for control, and once more if something leaks")
	flags.StringVar(&opt.plots, "plots", "", "draw plots into `directory`")
	flags.StringVar(&opt.traces, "traces", "", "write what the relay saw to `file`, one JSON object a line")
	if err := flags.Parse(args); err != nil {
		return opt, err
	}
	if opt.quick {
		opt.answers = 60
		opt.users = len(topics) * opt.answers
	}
	if opt.answers < folds*groupSize || opt.users < 1 || opt.seeds < 1 {
		return opt, fmt.Errorf("at least %d answers, one user and one seed are needed", folds*groupSize)
	}
	return opt, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	opt, err := parse(args)
	if err != nil {
		return err
	}
	found, err := measureAll(ctx, opt, out)
	if err != nil || !opt.quick {
		return errors.Join(err, check(found, 0))
	}
	if leak := check(found, quickMargin); leak != nil { // what is no chance shows twice
		fmt.Fprintf(out, "\n%v. Few answers err now and then: once more.\n\n", leak)
		if found, err = measureAll(ctx, opt, out); err != nil {
			return err
		}
	}
	return check(found, quickMargin)
}

// measureAll measures all modes, reports, and writes what the options ask for.
func measureAll(ctx context.Context, opt options, out io.Writer) ([]finding, error) {
	var found []finding
	var trials []*trial
	for _, mode := range shape.Modes() {
		tr, control, err := measure(ctx, mode, opt)
		if err != nil {
			return nil, err
		}
		f := find(tr, control, opt.seeds)
		fmt.Fprintf(out, "%s: AUROC %v\n", mode, worst(f.areas))
		found, trials = append(found, f), append(trials, tr)
	}
	report(out, found)
	return found, keep(opt, trials, found)
}

// measure runs the answers of one mode, and, unless it has to be quick, as many without content.
func measure(ctx context.Context, mode shape.Mode, opt options) (tr, control *trial, err error) {
	tr = newTrial(mode, opt.answers, opt.users)
	if err := tr.run(ctx); err != nil || opt.quick {
		return tr, nil, err
	}
	control = newControl(mode, opt.answers, opt.users)
	return tr, control, control.run(ctx)
}

// keep writes what the options ask for.
func keep(opt options, trials []*trial, found []finding) error {
	if opt.plots != "" {
		if err := plotTraces(opt.plots, trials); err != nil {
			return err
		}
		if err := plotAreas(opt.plots, found); err != nil {
			return err
		}
	}
	if opt.traces == "" {
		return nil
	}
	f, err := os.Create(opt.traces)
	if err != nil {
		return fmt.Errorf("write traces: %w", err)
	}
	defer f.Close()
	for _, tr := range trials {
		if err := writeTraces(f, string(tr.mode), tr.scripts); err != nil {
			return fmt.Errorf("write traces: %w", err)
		}
	}
	return nil
}
