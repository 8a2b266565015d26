// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// usage is what the operating system counted for a process.
type usage struct {
	cpu  time.Duration // user and system time since it began, in whole clock ticks
	rss  int64         // resident bytes now (VmRSS)
	anon int64         // of these, such as belong to this process alone (RssAnon): not its program
	peak int64         // and at most so far (VmHWM)
}

// errNoUsage is what reading usage fails with where there is no /proc of Linux.
var errNoUsage = errors.New("processor time and memory of processes are read on Linux only")

// meter reads usage.
type meter struct {
	proc string // where procfs is mounted
	hz   int64  // clock ticks in a second
}

// newMeter learns how long a clock tick is. It fails with errNoUsage except on Linux.
func newMeter() (*meter, error) {
	if runtime.GOOS != "linux" {
		return nil, errNoUsage
	}
	m := &meter{proc: "/proc"}
	auxv, err := os.ReadFile(filepath.Join(m.proc, "self", "auxv"))
	if err != nil {
		return nil, fmt.Errorf("read the length of a clock tick: %w", err)
	}
	m.hz, err = clockTicks(auxv, strconv.IntSize/8)
	return m, err
}

// read returns the usage of the process with this id.
func (m *meter) read(pid int) (u usage, err error) {
	dir := filepath.Join(m.proc, strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return u, fmt.Errorf("read the usage of process %d: %w", pid, err)
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return u, fmt.Errorf("read the usage of process %d: %w", pid, err)
	}
	if u.cpu, err = cpuTime(stat, m.hz); err != nil {
		return u, err
	}
	if u.rss, err = statusBytes(status, "VmRSS"); err != nil {
		return u, err
	}
	if u.anon, err = statusBytes(status, "RssAnon"); err != nil {
		return u, err
	}
	u.peak, err = statusBytes(status, "VmHWM")
	return u, err
}

// Fields of /proc/PID/stat after the name, from 0 (proc_pid_stat(5) counts from 1 and has the name second).
const (
	statUserTime   = 14 - 3
	statSystemTime = 15 - 3
)

// cpuTime reads user and system time from a /proc/PID/stat. The name in it, in parentheses, may itself hold
// spaces and parentheses.
func cpuTime(stat []byte, hz int64) (time.Duration, error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, errors.New("read processor time: /proc/PID/stat has no name")
	}
	fields := strings.Fields(string(stat[end+1:]))
	if len(fields) <= statSystemTime {
		return 0, fmt.Errorf("read processor time: /proc/PID/stat has only %d fields", len(fields))
	}
	var ticks int64
	for _, i := range []int{statUserTime, statSystemTime} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read processor time: %w", err)
		}
		ticks += n
	}
	return ticksToDuration(ticks, hz), nil
}

// ticksToDuration converts ticks, of which a second has hz, rounding down to the nanosecond.
func ticksToDuration(ticks, hz int64) time.Duration {
	return time.Duration(ticks/hz)*time.Second + time.Duration(ticks%hz)*time.Second/time.Duration(hz)
}

// processors is what the operating system counted for all processors together.
type processors struct {
	busy   time.Duration // with any process, or with interrupts
	stolen time.Duration // by the machines that share the hardware
	total  time.Duration
}

// readProcessors returns it as of now.
func (m *meter) readProcessors() (processors, error) {
	stat, err := os.ReadFile(filepath.Join(m.proc, "stat"))
	if err != nil {
		return processors{}, fmt.Errorf("read how busy the machine is: %w", err)
	}
	return processorTimes(stat, m.hz)
}

// processorTimes reads the first line of /proc/stat (proc_stat(5)): cpu and the ticks spent with user, nice,
// system, idle, iowait, irq, softirq, steal and more that is already in the others.
func processorTimes(stat []byte, hz int64) (processors, error) {
	line, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return processors{}, fmt.Errorf("read how busy the machine is: /proc/stat begins with %q", line)
	}
	var ticks [8]int64
	for i := range ticks {
		n, err := strconv.ParseInt(fields[i+1], 10, 64)
		if err != nil {
			return processors{}, fmt.Errorf("read how busy the machine is: %w", err)
		}
		ticks[i] = n
	}
	user, nice, system, idle, iowait, irq, softirq, steal := ticks[0], ticks[1], ticks[2], ticks[3], ticks[4], ticks[5], ticks[6], ticks[7]
	busy := user + nice + system + irq + softirq
	return processors{
		busy:   ticksToDuration(busy, hz),
		stolen: ticksToDuration(steal, hz),
		total:  ticksToDuration(busy+steal+idle+iowait, hz),
	}, nil
}

// statusBytes reads a size, such as "VmRSS:	   1780 kB", from a /proc/PID/status.
func statusBytes(status []byte, name string) (int64, error) {
	for line := range strings.Lines(string(status)) {
		value, ok := strings.CutPrefix(line, name+":")
		if !ok {
			continue
		}
		number, ok := strings.CutSuffix(strings.TrimSpace(value), " kB")
		kib, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil {
			return 0, fmt.Errorf("read memory: %s is %q", name, strings.TrimSpace(value))
		}
		return kib << 10, nil
	}
	return 0, fmt.Errorf("read memory: /proc/PID/status has no %s", name)
}

// auxClockTicks is AT_CLKTCK of getauxval(3): the frequency in which times(2) and /proc count.
const auxClockTicks = 17

// clockTicks reads the number of clock ticks in a second from an auxiliary vector: pairs of words, each
// of wordSize bytes, of the machine's byte order.
func clockTicks(auxv []byte, wordSize int) (int64, error) {
	word := func(p []byte) uint64 {
		if wordSize == 4 {
			return uint64(binary.NativeEndian.Uint32(p))
		}
		return binary.NativeEndian.Uint64(p)
	}
	for ; len(auxv) >= 2*wordSize; auxv = auxv[2*wordSize:] {
		value := word(auxv[wordSize:])
		if word(auxv) == auxClockTicks && value > 0 && value <= uint64(time.Second) {
			return int64(value), nil
		}
	}
	return 0, errors.New("read the length of a clock tick: the auxiliary vector does not have it")
}
