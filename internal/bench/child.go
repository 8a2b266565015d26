// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	stopTimeout = 15 * time.Second // for a child to end after it was asked to; then it is killed
	tailBytes   = 4 << 10          // of a child's standard error that are kept
	maxLine     = 4 << 10          // of the line with a child's URL
)

// command is what a child runs.
type command struct {
	name string // of the role
	file string
	args []string
	env  []string
	dir  string
}

// child is a running process. startChild starts a goroutine that waits for it; it ends with the process,
// which stop brings about.
type child struct {
	name   string
	cmd    *exec.Cmd
	line   chan string // the first line of its standard output
	stderr *tail
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
}

// startChild starts a process, which is asked to end with ctx or stop. When it ends otherwise, died is
// called with the reason.
func startChild(ctx context.Context, c command, died func(error)) (*child, error) {
	ctx, cancel := context.WithCancel(ctx)
	first := &firstLine{line: make(chan string, 1)}
	p := &child{name: c.name, line: first.line, stderr: &tail{}, cancel: cancel, done: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, c.file, c.args...)
	p.cmd.Env, p.cmd.Dir = c.env, c.dir
	p.cmd.Stdout, p.cmd.Stderr = first, p.stderr
	p.cmd.Cancel = func() error { return askToEnd(p.cmd.Process) }
	p.cmd.WaitDelay = stopTimeout
	if _, err := p.cmd.StdinPipe(); err != nil { // open for as long as this process lives
		cancel()
		return nil, fmt.Errorf("start the %s: %w", c.name, err)
	}
	if err := p.cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("start the %s: %w", c.name, err)
	}
	go func() {
		defer close(p.done)
		p.cmd.Wait() // ProcessState says how it ended
		if ctx.Err() == nil {
			died(fmt.Errorf("the %s ended on its own: %s%s", c.name, p.cmd.ProcessState, p.stderr))
		}
	}()
	return p, nil
}

// askToEnd asks politely where that can be done.
func askToEnd(p *os.Process) error {
	if runtime.GOOS == "windows" {
		return p.Kill()
	}
	return p.Signal(syscall.SIGTERM)
}

// url waits for the line with the child's URL.
func (p *child) url(ctx context.Context) (string, error) {
	select {
	case line := <-p.line:
		return line, nil
	case <-ctx.Done():
		return "", fmt.Errorf("wait for the URL of the %s: %w%s", p.name, context.Cause(ctx), p.stderr)
	}
}

// stop asks the child to end and waits until it has. It fails when the child had to be killed or failed.
func (p *child) stop() error {
	p.cancel()
	<-p.done
	if runtime.GOOS != "windows" && !p.cmd.ProcessState.Success() {
		return fmt.Errorf("stop the %s: %s%s", p.name, p.cmd.ProcessState, p.stderr)
	}
	return nil
}

// firstLine is a standard output of which only the first line matters.
type firstLine struct {
	buf  []byte
	line chan string // with room for one; nil when it was sent
}

// Write implements [io.Writer].
func (f *firstLine) Write(p []byte) (int, error) {
	if f.line == nil {
		return len(p), nil
	}
	f.buf = append(f.buf, p...)
	if line, _, ok := bytes.Cut(f.buf, []byte("\n")); ok {
		f.line <- strings.TrimSpace(string(line))
		f.line, f.buf = nil, nil
	} else if len(f.buf) > maxLine {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

// tail keeps the end of a standard error for when something goes wrong.
type tail struct {
	mu  sync.Mutex // guards buf
	buf []byte
}

// Write implements [io.Writer].
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	t.buf = append(t.buf[:0], t.buf[max(0, len(t.buf)-tailBytes):]...)
	return len(p), nil
}

// String is what was kept, on lines of its own, or nothing.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.buf) == 0 {
		return ""
	}
	return "\n" + strings.TrimSpace(string(t.buf))
}
