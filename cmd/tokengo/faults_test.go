// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/tokengo/tokengo/internal/marked"
)

// What the client of the fleet is configured to have patience for, and what a busy machine may add. An exit that works
// must not seem silent there: it would be left, and yet answer.
const (
	half     = 25 // requests that begin before the fault, and as many that begin during it
	patience = 20 * time.Second
	silence  = 8 * time.Second
	slack    = 20 * time.Second
)

// fleetConfig is the client's tokengo.yaml, without its relays.
const fleetConfig = `
refresh_interval: 1s
answer_timeout: 8s
stall_timeout: 8s
`

// TestProcessesFail sends signals to real processes while 25 streams run and 25 requests begin. internal/network
// tests more faults, within one process.
func TestProcessesFail(t *testing.T) {
	if testing.Short() {
		t.Skip("starts 30 processes")
	}
	faults := []struct {
		name   string
		strike func(*fleet)
		hurt   func(*fleet, marked.Mark) bool // answers that must break; nil: it is not known which
	}{
		{"exit killed", func(f *fleet) { f.exits[f.victim].signal(syscall.SIGKILL) }, throughVictim},
		{"exit stopped", func(f *fleet) { f.exits[f.victim].signal(syscall.SIGSTOP) }, throughVictim},
		{"relay killed", func(f *fleet) { f.relays[0].signal(syscall.SIGKILL) }, nil},
		{"relay stopped", func(f *fleet) { f.relays[0].signal(syscall.SIGSTOP) }, nil},
		{"backend killed", func(f *fleet) { f.killBackend(f.victim) }, throughVictim},
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			f := newFleet(t)
			running := f.crowd.Begin(t.Context(), marked.Asked{N: half, Forms: marked.Streamed(), Long: true})
			must(t, running.WaitBegun(patience+slack))
			f.chooseVictim(running)
			fault.strike(f)
			late := f.crowd.Begin(t.Context(), marked.Asked{N: half, Forms: marked.Forms()})
			must(t, late.Wait(patience+slack))
			hurt := running.Part(func(request int) bool { return fault.hurt != nil && fault.hurt(f, f.last(request)) })
			must(t, hurt.Wait(2*silence+slack))
			close(f.release)
			must(t, running.Wait(2*silence+slack))
			for _, q := range slices.Concat(running.Requests(), late.Requests()) {
				for _, wrong := range q.Wrongs(&f.ledger) {
					t.Errorf("%v\n%s", q, wrong)
				}
			}
			for _, q := range running.Requests() {
				if want := f.fates(fault.hurt, q); !slices.Contains(want, q.State()) {
					t.Errorf("%v\nhad begun, want %v", q, want)
				}
			}
			for _, q := range late.Requests() {
				if q.State() != marked.Complete {
					t.Errorf("%v\nbegan during the fault, want complete", q)
				}
			}
		})
	}
}

func throughVictim(f *fleet, of marked.Mark) bool { return of.Backend == f.victim }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fates are what may have become of an answer that had begun.
func (f *fleet) fates(hurt func(*fleet, marked.Mark) bool, q *marked.Request) []marked.State {
	switch {
	case hurt == nil:
		return []marked.State{marked.Complete, marked.Broken}
	case hurt(f, f.last(q.Number)):
		return []marked.State{marked.Broken}
	default:
		return []marked.State{marked.Complete}
	}
}

// last is the last mark of the last attempt at a request that has reached a backend.
func (f *fleet) last(request int) marked.Mark {
	attempts := f.ledger.Of(request)
	return attempts[len(attempts)-1].Mark
}

// chooseVictim takes the exit that most of the running answers come from.
func (f *fleet) chooseVictim(running *marked.Batch) {
	count := make([]int, len(f.exits))
	for _, request := range running.Numbers() {
		count[f.last(request).Backend]++
	}
	f.victim = slices.Index(count, slices.Max(count))
}

// killBackend ends a backend's connections and refuses new ones.
func (f *fleet) killBackend(i int) {
	f.servers[i].Listener.Close()
	f.servers[i].CloseClientConnections()
}

// fleet is two relays, three exits with a backend each, and a client, all processes but the backends.
type fleet struct {
	relays, exits []*member
	servers       []*httptest.Server
	crowd         marked.Crowd
	ledger        marked.Ledger
	release       chan struct{} // closed: long answers end
	victim        int
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{release: make(chan struct{})}
	f.crowd.Tools = &http.Client{Transport: &http.Transport{}}
	dir := t.TempDir()
	var relays []string
	for _, name := range []string{"relay1", "relay2"} {
		m := launch(t, dir, name, "relay", "--listen", "127.0.0.1:0", "--state-dir", name)
		f.relays = append(f.relays, m)
		relays = append(relays, "--relay", m.firstLine(t))
	}
	for i, name := range []string{"exit1", "exit2", "exit3"} {
		srv := httptest.NewServer(&marked.Backend{Number: i, Ledger: &f.ledger, Release: f.release})
		t.Cleanup(srv.Close)
		f.servers = append(f.servers, srv)
		args := append([]string{"exit", "--state-dir", name, "--operator", name}, relays...)
		for _, protocol := range []string{"openai", "claude", "gemini", "ollama"} {
			args = append(args, "--backend", protocol+"="+srv.URL)
		}
		f.exits = append(f.exits, launch(t, dir, name, args...))
	}
	for _, m := range f.exits {
		m.waitLog(t, "registered with relay", len(f.relays))
	}
	writeFile(t, dir, "tokengo.yaml", fleetConfig)
	client := launch(t, dir, "client", append([]string{"client", "--config", "tokengo.yaml", "--listen", "127.0.0.1:0", "--state-dir", "client"}, relays...)...)
	f.crowd.URL = client.firstLine(t)
	t.Cleanup(func() {
		select {
		case <-f.release:
		default:
			close(f.release)
		}
		f.crowd.Wait()
		f.crowd.Tools.CloseIdleConnections()
	})
	return f
}
