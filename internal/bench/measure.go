// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"
)

const (
	warmUps     = 200 // plain requests on each path before any are measured
	warmUpPart  = 4   // and no more than one for so many that are
	mebibyte    = 1 << 20
	costsAreFor = 1000 // requests or streams, all costs
)

// bench is a running measurement.
type bench struct {
	opt    options
	net    *network
	load   *load
	meter  *meter // nil where usage cannot be read
	report *Report
	say    func(format string, args ...any) // tells the user how far it is
}

// measure builds and starts everything, measures it and stops it again.
func measure(ctx context.Context, opt options, say func(format string, args ...any)) (report *Report, err error) {
	debug.SetGCPercent(looseGC)
	dir, err := os.MkdirTemp("", "tokengo-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for state: %w", err)
	}
	defer os.RemoveAll(dir)
	b := &bench{opt: opt, report: newReport(opt), say: say}
	if b.meter, err = newMeter(); err != nil && !errors.Is(err, errNoUsage) {
		return nil, err
	}
	binary, err := b.binary(ctx, dir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	say("starting client, relay, exit and the mock backend")
	if b.net, err = startNetwork(ctx, binary, dir, opt, cancel); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.net.stop()) }()
	b.load = newLoad(b.net.urls, max(opt.concurrency, opt.streams))
	defer b.load.close()
	return b.report, b.all(ctx)
}

// binary is the tokengo to measure.
func (b *bench) binary(ctx context.Context, dir string) (string, error) {
	if b.opt.binary != "" {
		return filepath.Abs(b.opt.binary)
	}
	b.say("building cmd/tokengo")
	return build(ctx, dir)
}

// all takes every measurement into the report.
func (b *bench) all(ctx context.Context) error {
	begin := time.Now()
	quiet, err := b.share()
	if err != nil {
		return err
	}
	idle, err := b.usage()
	if err != nil {
		return err
	}
	levels := []int{1}
	if b.opt.concurrency > 1 {
		levels = append(levels, b.opt.concurrency)
	}
	for _, concurrency := range levels {
		if err := b.plain(ctx, concurrency); err != nil {
			return err
		}
	}
	if err := b.streams(ctx); err != nil {
		return err
	}
	after, err := b.usage()
	if err != nil {
		return err
	}
	busy, err := b.share()
	if err != nil {
		return err
	}
	b.report.Memory = memoryOf(idle, after)
	b.report.Busy = busyOf(quiet, busy)
	b.report.Errors = b.load.errs
	b.report.Seconds = time.Since(begin).Seconds()
	b.report.judge()
	return nil
}

// plain measures plain requests, so many at once.
func (b *bench) plain(ctx context.Context, concurrency int) error {
	b.say("%d plain requests on each path, %d at once", b.opt.requests, concurrency)
	warm := min(warmUps, max(b.opt.requests/warmUpPart, 1))
	if _, err := b.load.plainTurns(ctx, warm, concurrency); err != nil {
		return err
	}
	before, err := b.usage()
	if err != nil {
		return err
	}
	both, err := b.load.plainTurns(ctx, b.opt.requests, concurrency)
	if err != nil {
		return err
	}
	after, err := b.usage()
	if err != nil {
		return err
	}
	b.report.Plain = append(b.report.Plain, plainOf(concurrency, both, costOf(before, after, b.opt.requests)))
	return nil
}

// streams measures streams.
func (b *bench) streams(ctx context.Context) error {
	b.say("%d streams of %d chunks at %s at once on each path, %d times", b.opt.streams, b.opt.chunks, b.opt.interval, b.opt.rounds)
	before, err := b.usage()
	if err != nil {
		return err
	}
	delays, err := b.load.streamTurns(ctx, b.opt)
	if err != nil {
		return err
	}
	after, err := b.usage()
	if err != nil {
		return err
	}
	b.report.Streams = streamsOf(b.opt, delays, costOf(before, after, b.opt.streams*b.opt.rounds))
	return nil
}

// usages are the usages of the roles, in their order; nil where they cannot be read.
type usages []usage

// usage reads that of every role now. The roles have next to nothing to do while it is the direct path's
// turn, so what they used between two readings is what the tunnelled turns between them cost, with
// whatever they put off.
func (b *bench) usage() (usages, error) {
	if b.meter == nil {
		return nil, nil
	}
	var all usages
	for _, role := range roles {
		u, err := b.meter.read(b.net.pid(role))
		if err != nil {
			return nil, fmt.Errorf("the %s: %w", role, err)
		}
		all = append(all, u)
	}
	return all, nil
}

// perRole makes figures of what count says of each role's usage, divided by unit.
func (u usages) perRole(unit float64, count func(i int, u usage) int64) *PerRole {
	if u == nil {
		return nil
	}
	var counts [3]int64
	for i := range counts {
		counts[i] = count(i, u[i])
	}
	figure := func(n int64) float64 { return float64(n) / unit }
	return &PerRole{
		Client: figure(counts[0]), Relay: figure(counts[1]), Exit: figure(counts[2]),
		All: figure(counts[0] + counts[1] + counts[2]),
	}
}

// costOf is the processor time, in seconds for each 1000 of n requests or streams, between two readings.
func costOf(before, after usages, n int) *PerRole {
	return after.perRole(float64(n)*float64(time.Second)/costsAreFor, func(i int, u usage) int64 {
		return int64(u.cpu - before[i].cpu)
	})
}

func memoryOf(idle, after usages) *Memory {
	if after == nil {
		return nil
	}
	rss := func(_ int, u usage) int64 { return u.rss }
	anon := func(_ int, u usage) int64 { return u.anon }
	peak := func(_ int, u usage) int64 { return u.peak }
	return &Memory{
		Idle: idle.perRole(mebibyte, rss), After: after.perRole(mebibyte, rss),
		AfterOwn: after.perRole(mebibyte, anon), Peak: after.perRole(mebibyte, peak),
	}
}

// share is how much of the machine was used, and how much of that by this benchmark.
type share struct {
	machine processors
	own     time.Duration // of the roles, the backend and the load generator
}

// share returns that as of now, nil where it cannot be read.
func (b *bench) share() (*share, error) {
	if b.meter == nil {
		return nil, nil
	}
	var s share
	var err error
	if s.machine, err = b.meter.readProcessors(); err != nil {
		return nil, err
	}
	pids := []int{os.Getpid()}
	for _, c := range b.net.children {
		pids = append(pids, c.cmd.Process.Pid)
	}
	for _, pid := range pids {
		u, err := b.meter.read(pid)
		if err != nil {
			return nil, err
		}
		s.own += u.cpu
	}
	return &s, nil
}

// busyOf is who used the processors between two readings.
func busyOf(before, after *share) *Busy {
	if after == nil || after.machine.total == before.machine.total {
		return nil
	}
	percent := func(d time.Duration) float64 {
		return 100 * float64(max(d, 0)) / float64(after.machine.total-before.machine.total)
	}
	own := after.own - before.own
	return &Busy{
		Own:    percent(own),
		Others: percent(after.machine.busy - before.machine.busy - own),
		Stolen: percent(after.machine.stolen - before.machine.stolen),
	}
}
