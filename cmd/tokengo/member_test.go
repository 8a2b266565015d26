// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// member is a tokengo that runs until its test ends.
type member struct {
	cmd    *exec.Cmd
	stdout *bufio.Reader
	log    string // file
}

// launch runs tokengo in dir. What it writes to standard error is in the file name.log there.
func launch(t *testing.T, dir, name string, args ...string) *member {
	t.Helper()
	m := &member{cmd: exec.Command("tokengo", args...), log: filepath.Join(dir, name+".log")}
	log, err := os.Create(m.log)
	must(t, err)
	defer log.Close()
	out, in, err := os.Pipe()
	must(t, err)
	m.stdout = bufio.NewReader(out)
	m.cmd.Dir, m.cmd.Stderr, m.cmd.Stdout = dir, log, in
	m.cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	must(t, m.cmd.Start())
	in.Close()
	t.Cleanup(func() {
		m.cmd.Process.Kill()
		m.cmd.Wait()
		out.Close()
		if t.Failed() {
			text, _ := os.ReadFile(m.log)
			t.Logf("%s wrote:\n%s", name, text[max(0, len(text)-2000):])
		}
	})
	return m
}

// firstLine is what it prints for others to use.
func (m *member) firstLine(t *testing.T) string {
	t.Helper()
	line, err := m.stdout.ReadString('\n')
	if err != nil && err != io.EOF || line == "" {
		t.Fatalf("%v printed nothing: %v", m.cmd.Args, err)
	}
	return strings.TrimSpace(line)
}

// waitLog waits until it has written text so many times.
func (m *member) waitLog(t *testing.T, text string, times int) {
	t.Helper()
	for deadline := time.Now().Add(slack); ; {
		log, err := os.ReadFile(m.log)
		must(t, err)
		if strings.Count(string(log), text) >= times {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v has not written %q %d times, but\n%s", m.cmd.Args, text, times, log)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// signal sends it a signal. That it is already gone shows elsewhere.
func (m *member) signal(s syscall.Signal) { m.cmd.Process.Signal(s) }

func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
}
