// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCPUTime(t *testing.T) {
	for _, test := range []struct {
		stat string
		hz   int64
		want time.Duration
	}{
		{"42 (tokengo) S 1 2 2 0 -1 4194560 100 200 3 4 150 75 8 9 20 0", 100, 2250 * time.Millisecond},
		{"42 (a (b) c) S 1 2 2 0 -1 4194560 100 200 3 4 0 1 8 9", 100, 10 * time.Millisecond},
		{"42 (1 2 3 4) 5) R 1 2 2 0 -1 4194560 100 200 3 4 1 2 8 9", 1000, 3 * time.Millisecond},
		{"42 (x) R 1 2 2 0 -1 4194560 100 200 3 4 1024 512 8 9", 1024, 1500 * time.Millisecond},
		{"42 (x) R 1 2 2 0 -1 4194560 100 200 3 4 100000000000 5 8 9", 100, 1_000_000_000*time.Second + 50*time.Millisecond},
	} {
		if got, err := cpuTime([]byte(test.stat), test.hz); err != nil || got != test.want {
			t.Errorf("%s at %d Hz: got %v, %v, want %v", test.stat, test.hz, got, err, test.want)
		}
	}
	for _, stat := range []string{"", "42 tokengo S 1", "42 (tokengo) S 1 2", "42 (x) R 1 2 2 0 -1 4194560 100 200 3 4 many 5 8 9"} {
		if got, err := cpuTime([]byte(stat), 100); err == nil {
			t.Errorf("%q: got %v", stat, got)
		}
	}
}

func TestProcessorTimes(t *testing.T) {
	got, err := processorTimes([]byte("cpu  100 20 300 4000 50 6 7 80 900 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n"), 100)
	want := processors{busy: 4330 * time.Millisecond, stolen: 800 * time.Millisecond, total: 45630 * time.Millisecond}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(processors{})); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, stat := range []string{"", "cpu0 1 2 3 4 5 6 7 8 9 10\n", "cpu 1 2 3\n", "cpu 1 2 3 4 5 6 7 x 9 10\n"} {
		if got, err := processorTimes([]byte(stat), 100); err == nil {
			t.Errorf("%q: got %v", stat, got)
		}
	}
}

func TestStatusBytes(t *testing.T) {
	status := []byte("Name:\ttokengo\nVmHWM:\t    2048 kB\nVmRSS:\t    1780 kB\nRssAnon:\t     116 kB\nThreads:\t9\n")
	for name, want := range map[string]int64{"VmRSS": 1780 << 10, "VmHWM": 2 << 20, "RssAnon": 116 << 10} {
		if got, err := statusBytes(status, name); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", name, got, err, want)
		}
	}
	for _, name := range []string{"VmSwap", "Threads", "Name", "Vm"} {
		if got, err := statusBytes(status, name); err == nil {
			t.Errorf("%s: got %d", name, got)
		}
	}
}

func TestClockTicks(t *testing.T) {
	words := func(size int, values ...uint64) []byte {
		var b []byte
		for _, v := range values {
			if size == 4 {
				b = binary.NativeEndian.AppendUint32(b, uint32(v))
			} else {
				b = binary.NativeEndian.AppendUint64(b, v)
			}
		}
		return b
	}
	for _, size := range []int{4, 8} {
		if got, err := clockTicks(words(size, 33, 17, 17, 100, 6, 4096, 0, 0), size); err != nil || got != 100 {
			t.Errorf("words of %d bytes: got %d, %v", size, got, err)
		}
		for _, auxv := range [][]byte{nil, words(size, 17), words(size, 6, 17, 0, 0), words(size, 17, 0)} {
			if got, err := clockTicks(auxv, size); err == nil {
				t.Errorf("words of %d bytes, %x: got %d", size, auxv, got)
			}
		}
	}
}

func TestTicksToDurationDoesNotDrift(t *testing.T) {
	for _, hz := range []int64{100, 250, 300, 1000, 1024} {
		const seconds = 100 * 365 * 24 * 3600
		if got := ticksToDuration(seconds*hz, hz); got != seconds*time.Second {
			t.Errorf("a century at %d Hz is %v", hz, got)
		}
	}
}

func TestMeterReadsThisProcess(t *testing.T) {
	m, err := newMeter()
	if runtime.GOOS != "linux" {
		if err != errNoUsage {
			t.Errorf("got %v, want %v", err, errNoUsage)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	u, err := m.read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if u.rss < 1<<20 || u.peak < u.rss/2 || u.anon <= 0 || u.anon > u.rss || u.cpu < 0 || u.cpu > time.Hour {
		t.Errorf("this process uses %+v", u)
	}
	p, err := m.readProcessors()
	if err != nil || p.busy <= 0 || p.busy > p.total {
		t.Errorf("the processors were %+v, %v", p, err)
	}
}
