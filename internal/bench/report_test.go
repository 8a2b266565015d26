// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ms = time.Millisecond

func times(d ...time.Duration) []time.Duration { return d }

// testReport is a report of round figures. Without usage, it is one of a system that has none.
func testReport(withUsage bool) *Report {
	opt := options{streams: 64, rounds: 10, chunks: 100, interval: 10 * ms}
	r := &Report{Command: "go run ./internal/bench", Machine: "a machine", Started: time.Unix(1_800_000_000, 0), Seconds: 60}
	var before, after usages
	if withUsage {
		before = usages{{cpu: 1 * time.Second, rss: 10 * mebibyte}, {cpu: 2 * time.Second, rss: 11 * mebibyte}, {rss: 12 * mebibyte}}
		after = usages{
			{cpu: 3 * time.Second, rss: 20 * mebibyte, anon: 4 * mebibyte, peak: 30 * mebibyte},
			{cpu: 3 * time.Second, rss: 15 * mebibyte, anon: 5 * mebibyte, peak: 15 * mebibyte},
			{cpu: 4 * time.Second, rss: 16 * mebibyte, anon: 6 * mebibyte, peak: 16 * mebibyte},
		}
		r.Busy = &Busy{Own: 60, Others: 1.25}
	}
	both := [2]series{
		{latencies: times(1*ms, 2*ms), elapsed: time.Second, done: 2000},
		{latencies: times(1500*time.Microsecond, 4*ms), elapsed: 2 * time.Second, done: 2000},
	}
	r.Plain = []Plain{plainOf(1, both, costOf(before, after, 10_000)), plainOf(16, both, costOf(before, after, 2_000))}
	r.Streams = streamsOf(opt, [2][]time.Duration{times(ms), times(3 * ms)}, costOf(before, after, 1000))
	r.Memory = memoryOf(before, after)
	r.Errors = Errors{Requests: 8000, Streams: 1280, StreamFailures: 1, Samples: []string{"tunnelled: EOF"}}
	r.judge()
	return r
}

func TestJudge(t *testing.T) {
	results := func(r *Report) (all []string) {
		for _, a := range r.Aims {
			all = append(all, a.Name+": "+a.Result())
		}
		return all
	}
	want := []string{
		"added to a plain request, p50, 1 at once (ms): pass",
		"added to a chunk, p50, 64 streams at once (ms): miss",
		"CPU for 1000 plain requests, 1 at once (s): pass",
		"CPU for 1000 plain requests, 16 at once (s): miss",
		"CPU for 1000 streams of 100 chunks (s): miss",
		"memory after the load, all roles (MiB): pass",
		"memory at its peak, all roles (MiB): miss",
		"errors in 8000 plain requests and 1280 streams: miss",
	}
	if diff := cmp.Diff(want, results(testReport(true))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i := 2; i < 7; i++ {
		want[i] = want[i][:strings.LastIndex(want[i], ":")] + ": " + notAvailable
	}
	if diff := cmp.Diff(want, results(testReport(false))); diff != "" {
		t.Errorf("without usage (-want +got):\n%s", diff)
	}
}

func TestTextTables(t *testing.T) {
	const want = `go run ./internal/bench
  a machine
  2027-01-15 08:00:00 UTC, 60 s
  processor time: 60% this benchmark, 1.2% others, 0.0% other machines
  error: tunnelled: EOF

Plain requests, answers of 1024 bytes
  at once  path       p50 ms  p90 ms  p99 ms  requests/s
  1        direct     1.000   2.000   2.000   2000
  1        tunnelled  1.500   4.000   4.000   1000
  1        added      0.500   2.000   2.000   
  16       direct     1.000   2.000   2.000   2000
  16       tunnelled  1.500   4.000   4.000   1000
  16       added      0.500   2.000   2.000   

From the backend to the reader, each chunk of 64 streams at once, 100 chunks at 10 ms, 10 times
  path       p50 ms  p90 ms  p99 ms
  direct     1.000   1.000   1.000
  tunnelled  3.000   3.000   3.000
  added      2.000   2.000   2.000

CPU seconds
  for                              client  relay  exit   all
  1000 plain requests, 1 at once   0.200   0.100  0.400  0.700
  1000 plain requests, 16 at once  1.000   0.500  2.000  3.500
  1000 streams of 100 chunks       2.000   1.000  4.000  7.000

Resident memory, MiB
  when                                    client  relay  exit  all
  idle, before the load                   10.0    11.0   12.0  33.0
  after the load                          20.0    15.0   16.0  51.0
    of that, without the program's pages  4.0     5.0    6.0   15.0
  peak                                    30.0    15.0   16.0  61.0

Aims
  aim                                             measured  at most  result
  added to a plain request, p50, 1 at once (ms)   0.500     0.8      pass
  added to a chunk, p50, 64 streams at once (ms)  2.000     0.8      miss
  CPU for 1000 plain requests, 1 at once (s)      0.700     0.7      pass
  CPU for 1000 plain requests, 16 at once (s)     3.500     0.7      miss
  CPU for 1000 streams of 100 chunks (s)          7.000     6        miss
  memory after the load, all roles (MiB)          51.000    60       pass
  memory at its peak, all roles (MiB)             61.000    60       miss
  errors in 8000 plain requests and 1280 streams  1.000     0        miss

`
	var got bytes.Buffer
	if err := writeReport(&got, testReport(true), options{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMarkdownTables(t *testing.T) {
	const want = "`go run ./internal/bench`\n\n- a machine\n\n" +
		"CPU seconds:\n\n| for | all |\n|---|---|\n| 1000 plain requests | not available |\n\n"
	tables := []table{
		{title: "go run ./internal/bench", rows: [][]string{{"a machine"}}},
		{title: "CPU seconds", head: []string{"for", "all"}, rows: [][]string{{"1000 plain requests", notAvailable}}},
	}
	var got bytes.Buffer
	if err := writeTables(&got, tables, true); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestJSONReport(t *testing.T) {
	var out bytes.Buffer
	want := testReport(true)
	if err := writeReport(&out, want, options{json: true}); err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	out.Reset()
	if err := writeReport(&out, testReport(false), options{json: true}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cpu_seconds_per_1000", "memory_mib", "busy_percent"} {
		if strings.Contains(out.String(), name) {
			t.Errorf("%s is there without usage", name)
		}
	}
}

func TestBusyOf(t *testing.T) {
	before := &share{machine: processors{busy: 1 * time.Second, total: 10 * time.Second}, own: time.Second}
	after := &share{machine: processors{busy: 7 * time.Second, stolen: 500 * ms, total: 20 * time.Second}, own: 5 * time.Second}
	if diff := cmp.Diff(&Busy{Own: 40, Others: 20, Stolen: 5}, busyOf(before, after)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := busyOf(nil, nil); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}
