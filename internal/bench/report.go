// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// What we aim at, on two processor cores, with all three roles together and post-quantum keys.
const (
	aimPlainCPU   = 0.7 // seconds for each 1000 plain requests
	aimStreamCPU  = 6.0 // seconds for each 1000 streams of 100 chunks
	aimAddedPlain = 0.8 // ms, the median of one request at a time
	aimAddedChunk = 0.8 // ms, the median
	aimMemory     = 60. // MiB resident
	aimFailures   = 0.
)

const (
	notAvailable   = "not available"
	figureDecimals = 3
)

// Report is all that was measured. It is what --json prints.
type Report struct {
	Command string    `json:"command"`
	Started time.Time `json:"started"`
	Machine string    `json:"machine"`
	Seconds float64   `json:"seconds"` // that it took
	Plain   []Plain   `json:"plain"`
	Streams Streams   `json:"streams"`
	Busy    *Busy     `json:"busy_percent,omitempty"` // nil where it cannot be read
	Memory  *Memory   `json:"memory_mib,omitempty"`   // nil where it cannot be read
	Errors  Errors    `json:"errors"`
	Aims    []Aim     `json:"aims"`
}

// Plain is what was measured of plain requests, so many at once.
type Plain struct {
	Concurrency int       `json:"concurrency"`
	Requests    int       `json:"requests"` // on each path
	Direct      Path      `json:"direct"`
	Tunnelled   Path      `json:"tunnelled"`
	Added       Quantiles `json:"added"`
	CPU         *PerRole  `json:"cpu_seconds_per_1000,omitempty"`
}

// Path is what was measured of plain requests on one path.
type Path struct {
	Quantiles
	PerSecond float64 `json:"requests_per_second"`
}

// Streams is what was measured of streams. The quantiles are of the time from the backend to the
// reader of each chunk.
type Streams struct {
	AtOnce    int       `json:"at_once"`
	Rounds    int       `json:"rounds"`
	Chunks    int       `json:"chunks"`
	Interval  float64   `json:"interval_ms"`
	Direct    Quantiles `json:"direct"`
	Tunnelled Quantiles `json:"tunnelled"`
	Added     Quantiles `json:"added"`
	CPU       *PerRole  `json:"cpu_seconds_per_1000,omitempty"`
}

// Busy is who used the processors while it was measured, in percent of their time: figures taken while
// others used much are worth little.
type Busy struct {
	Own    float64 `json:"own"`    // the roles, the backend and the load generator
	Others float64 `json:"others"` // all else on this machine, and interrupts
	Stolen float64 `json:"stolen"` // other machines on the same hardware
}

// Memory is what was resident, in MiB. What the roles share, such as the pages of their program, counts for
// each of them.
type Memory struct {
	Idle     *PerRole `json:"idle"`      // before any load
	After    *PerRole `json:"after"`     // at the end of the load
	AfterOwn *PerRole `json:"after_own"` // of that, what a role shares with no other process
	Peak     *PerRole `json:"peak"`
}

// PerRole is a figure of each role and their sum.
type PerRole struct {
	Client float64 `json:"client"`
	Relay  float64 `json:"relay"`
	Exit   float64 `json:"exit"`
	All    float64 `json:"all"`
}

// Aim is one of the aims and how near we are.
type Aim struct {
	Name     string   `json:"name"`
	Measured *float64 `json:"measured,omitempty"` // nil where it could not be
	Limit    float64  `json:"limit"`
}

// Result is pass, miss or why there is none.
func (a Aim) Result() string {
	switch {
	case a.Measured == nil:
		return notAvailable
	case *a.Measured <= a.Limit:
		return "pass"
	}
	return "miss"
}

func newReport(opt options) *Report {
	return &Report{
		Command: strings.Join(append([]string{"go run ./internal/bench"}, os.Args[1:]...), " "),
		Started: time.Now(),
		Machine: machine(),
	}
}

// machine describes this machine and how busy it is.
func machine() string {
	s := fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				s += " (" + strings.TrimSpace(value) + ")"
				break
			}
		}
	}
	s += ", " + runtime.Version()
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		if minute, _, ok := strings.Cut(string(load), " "); ok {
			s += ", load average at the start " + minute
		}
	}
	return s
}

func plainOf(concurrency int, both [2]series, cpu *PerRole) Plain {
	p := Plain{Concurrency: concurrency, Requests: both[tunnelled].done, CPU: cpu}
	p.Direct, p.Tunnelled = pathOf(both[direct]), pathOf(both[tunnelled])
	p.Added = p.Tunnelled.minus(p.Direct.Quantiles)
	return p
}

func pathOf(s series) Path {
	return Path{Quantiles: quantilesOf(s.latencies), PerSecond: float64(s.done) / s.elapsed.Seconds()}
}

func streamsOf(opt options, delays [2][]time.Duration, cpu *PerRole) Streams {
	s := Streams{AtOnce: opt.streams, Rounds: opt.rounds, Chunks: opt.chunks, Interval: millis(opt.interval), CPU: cpu}
	s.Direct, s.Tunnelled = quantilesOf(delays[direct]), quantilesOf(delays[tunnelled])
	s.Added = s.Tunnelled.minus(s.Direct)
	return s
}

// judge compares what was measured with the aims.
func (r *Report) judge() {
	aim := func(limit float64, measured *float64, format string, args ...any) {
		r.Aims = append(r.Aims, Aim{Name: fmt.Sprintf(format, args...), Measured: measured, Limit: limit})
	}
	for _, p := range r.Plain {
		if p.Concurrency == 1 {
			aim(aimAddedPlain, &p.Added.P50, "added to a plain request, p50, 1 at once (ms)")
		}
	}
	aim(aimAddedChunk, &r.Streams.Added.P50, "added to a chunk, p50, %d streams at once (ms)", r.Streams.AtOnce)
	for _, p := range r.Plain {
		aim(aimPlainCPU, p.CPU.all(), "CPU for 1000 plain requests, %d at once (s)", p.Concurrency)
	}
	aim(aimStreamCPU, r.Streams.CPU.all(), "CPU for 1000 streams of %d chunks (s)", r.Streams.Chunks)
	var after, peak *float64
	if r.Memory != nil {
		after, peak = r.Memory.After.all(), r.Memory.Peak.all()
	}
	aim(aimMemory, after, "memory after the load, all roles (MiB)")
	aim(aimMemory, peak, "memory at its peak, all roles (MiB)")
	failed := float64(r.Errors.Failed())
	aim(aimFailures, &failed, "errors in %d plain requests and %d streams", r.Errors.Requests, r.Errors.Streams)
}

// all is the sum, nil when there is none.
func (p *PerRole) all() *float64 {
	if p == nil {
		return nil
	}
	return &p.All
}

// table is a heading and rows of cells.
type table struct {
	title string
	head  []string
	rows  [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// tables are what people read of a report.
func (r *Report) tables() []table {
	about := table{title: r.Command}
	about.row(r.Machine)
	about.row(fmt.Sprintf("%s, %.0f s", r.Started.UTC().Format(time.DateTime+" UTC"), r.Seconds))
	if r.Busy != nil {
		about.row(fmt.Sprintf("processor time: %.0f%% this benchmark, %.1f%% others, %.1f%% other machines", r.Busy.Own, r.Busy.Others, r.Busy.Stolen))
	}
	for _, s := range r.Errors.Samples {
		about.row("error: " + s)
	}
	return []table{about, r.plainTable(), r.streamTable(), r.cpuTable(), r.memoryTable(), r.aimTable()}
}

func (r *Report) plainTable() table {
	t := table{
		title: fmt.Sprintf("Plain requests, answers of %d bytes", plainBytes),
		head:  []string{"at once", "path", "p50 ms", "p90 ms", "p99 ms", "requests/s"},
	}
	for _, p := range r.Plain {
		n := fmt.Sprint(p.Concurrency)
		perSecond := func(f float64) string { return fmt.Sprintf("%.0f", f) }
		t.row(append([]string{n, "direct"}, append(p.Direct.cells(), perSecond(p.Direct.PerSecond))...)...)
		t.row(append([]string{n, "tunnelled"}, append(p.Tunnelled.cells(), perSecond(p.Tunnelled.PerSecond))...)...)
		t.row(append([]string{n, "added"}, append(p.Added.cells(), "")...)...)
	}
	return t
}

func (r *Report) streamTable() table {
	s := r.Streams
	t := table{
		title: fmt.Sprintf("From the backend to the reader, each chunk of %d streams at once, %d chunks at %g ms, %d times", s.AtOnce, s.Chunks, s.Interval, s.Rounds),
		head:  []string{"path", "p50 ms", "p90 ms", "p99 ms"},
	}
	t.row(append([]string{"direct"}, s.Direct.cells()...)...)
	t.row(append([]string{"tunnelled"}, s.Tunnelled.cells()...)...)
	t.row(append([]string{"added"}, s.Added.cells()...)...)
	return t
}

func (r *Report) cpuTable() table {
	t := table{title: "CPU seconds", head: []string{"for", "client", "relay", "exit", "all"}}
	for _, p := range r.Plain {
		t.row(append([]string{fmt.Sprintf("1000 plain requests, %d at once", p.Concurrency)}, p.CPU.cells(figureDecimals)...)...)
	}
	t.row(append([]string{fmt.Sprintf("1000 streams of %d chunks", r.Streams.Chunks)}, r.Streams.CPU.cells(figureDecimals)...)...)
	return t
}

func (r *Report) memoryTable() table {
	t := table{title: "Resident memory, MiB", head: []string{"when", "client", "relay", "exit", "all"}}
	m := r.Memory
	if m == nil {
		m = &Memory{}
	}
	t.row(append([]string{"idle, before the load"}, m.Idle.cells(1)...)...)
	t.row(append([]string{"after the load"}, m.After.cells(1)...)...)
	t.row(append([]string{"  of that, without the program's pages"}, m.AfterOwn.cells(1)...)...)
	t.row(append([]string{"peak"}, m.Peak.cells(1)...)...)
	return t
}

func (r *Report) aimTable() table {
	t := table{title: "Aims", head: []string{"aim", "measured", "at most", "result"}}
	for _, a := range r.Aims {
		measured := notAvailable
		if a.Measured != nil {
			measured = figure(*a.Measured, figureDecimals)
		}
		t.row(a.Name, measured, fmt.Sprintf("%g", a.Limit), a.Result())
	}
	return t
}

func figure(f float64, decimals int) string { return fmt.Sprintf("%.*f", decimals, f) }

func (q Quantiles) cells() []string {
	return []string{figure(q.P50, figureDecimals), figure(q.P90, figureDecimals), figure(q.P99, figureDecimals)}
}

func (p *PerRole) cells(decimals int) []string {
	if p == nil {
		return []string{notAvailable, notAvailable, notAvailable, notAvailable}
	}
	return []string{figure(p.Client, decimals), figure(p.Relay, decimals), figure(p.Exit, decimals), figure(p.All, decimals)}
}

// writeTables writes tables for a terminal or as Markdown.
func writeTables(w io.Writer, tables []table, markdown bool) error {
	for _, t := range tables {
		var err error
		if markdown {
			err = t.writeMarkdown(w)
		} else {
			err = t.writeText(w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *table) writeText(w io.Writer) error {
	fmt.Fprintf(w, "%s\n", t.title)
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if t.head != nil {
		fmt.Fprintf(columns, "  %s\n", strings.Join(t.head, "\t"))
	}
	for _, row := range t.rows {
		fmt.Fprintf(columns, "  %s\n", strings.Join(row, "\t"))
	}
	fmt.Fprintln(columns)
	return columns.Flush()
}

func (t *table) writeMarkdown(w io.Writer) error {
	var b strings.Builder
	if t.head == nil {
		fmt.Fprintf(&b, "`%s`\n\n", t.title)
		for _, row := range t.rows {
			fmt.Fprintf(&b, "- %s\n", strings.Join(row, " "))
		}
	} else {
		fmt.Fprintf(&b, "%s:\n\n| %s |\n|%s\n", t.title, strings.Join(t.head, " | "), strings.Repeat("---|", len(t.head)))
		for _, row := range t.rows {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		}
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}
