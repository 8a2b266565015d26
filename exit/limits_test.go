// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/tokengo/tokengo/service"
)

func TestLoad(t *testing.T) {
	var l load
	begin := time.Unix(1000, 0)
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	enter := func(s int, want bool, wantWait time.Duration) {
		t.Helper()
		if wait, ok := l.enter(2, at(s)); ok != want || wait != wantWait {
			t.Errorf("after %d s: %v, wait %v; want %v, %v", s, ok, wait, want, wantWait)
		}
	}
	enter(0, true, 0)
	enter(4, true, 0)
	enter(10, false, 4*time.Second) // they have run for 8 s on average, and there are two places
	l.leave(at(0), at(12))
	enter(12, true, 0)
	enter(12, false, 6*time.Second) // as the one that ended took
	l.leave(at(4), at(14))
	l.cancel(at(12))
	if l.running != 0 || l.started != 0 || l.mean != 11750*time.Millisecond {
		t.Errorf("left over: %+v", &l)
	}
}

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1", -time.Second: "1", time.Second: "1", 1001 * time.Millisecond: "2", 30 * time.Second: "30", time.Hour: "300",
	} {
		if got := seconds(d); got != want {
			t.Errorf("seconds(%v) = %s, want %s", d, got, want)
		}
	}
}

// Whichever limit is reached, a request beyond it is told in its tool's own shape when to come back, others
// are not held up, and a place that is free again is used.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		other  bool // whether a request for another model, of another backend, is answered meanwhile
	}{
		{"exit", func(cfg *Config) { cfg.SLA = &service.SLA{MaxConcurrency: 1} }, false},
		{"backend", func(cfg *Config) { cfg.Backends[0].MaxConcurrent = 1 }, true},
		{"model", func(cfg *Config) { cfg.Backends[0].ModelConcurrent = map[string]int{"gpt-test": 1} }, true},
		{"all", func(cfg *Config) {
			cfg.SLA = &service.SLA{MaxConcurrency: 2}
			cfg.Backends[0].MaxConcurrent = 2
			cfg.Backends[0].ModelConcurrent = map[string]int{"gpt-test": 1}
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begun, finish := make(chan struct{}, 1), make(chan struct{})
			slow := openAIBackend(backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
				begun <- struct{}{}
				<-finish
				io.WriteString(w, "done")
			}))
			quick := openAIBackend(backendServer(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "quick") }))
			quick.Models = testModels("quick")
			cfg := Config{Backends: []Backend{slow, quick}}
			tt.change(&cfg)
			r := newRig(t, cfg)
			first := make(chan reply)
			go func() { first <- r.do(t, chunked, chat()) }()
			<-begun
			for range 2 {
				got := r.do(t, chunked, chat())
				if got.status != 429 || got.code(t) != "exit_busy" || got.fields.Get("retry-after") != "1" {
					t.Errorf("got %+v", got)
				}
			}
			claude := r.do(t, chunked, inner{path: "/v1/messages", body: `{"model":"gpt-test","max_tokens":5,"messages":[{"role":"user","content":"x"}]}`})
			if claude.status != 429 || claude.fields.Get("retry-after") == "" {
				t.Errorf("translated: got %+v", claude)
			}
			other := r.do(t, chunked, inner{path: "/v1/completions", body: `{"model":"quick"}`})
			if (other.status == 200) != tt.other {
				t.Errorf("another model: got %+v", other)
			}
			close(finish)
			if got := <-first; got.body != "done" {
				t.Errorf("the first got %+v", got)
			}
			<-r.done
			go func() { <-begun }()
			if got := r.do(t, chunked, chat()); got.body != "done" {
				t.Errorf("afterwards: got %+v", got)
			}
		})
	}
}

// What began while there was no limit counts under one that a reload sets.
func TestLimitsCountWhatRan(t *testing.T) {
	for name, limit := range map[string]func(cfg *Config){
		"exit":    func(cfg *Config) { cfg.SLA = &service.SLA{MaxConcurrency: 1} },
		"backend": func(cfg *Config) { cfg.Backends[0].MaxConcurrent = 1 },
		"model":   func(cfg *Config) { cfg.Backends[0].ModelConcurrent = map[string]int{"m": 1} },
	} {
		var all loads
		configured := func(change func(*Config)) []*limiter {
			cfg := Config{Backends: []Backend{{Protocol: service.OpenAI, URL: "http://127.0.0.1:1", Models: testModels("m")}}}
			change(&cfg)
			b, err := newBackend(cfg.Backends[0], discard)
			if err != nil {
				t.Fatal(err)
			}
			defer b.close()
			all.limit(&cfg, []*backend{b})
			return b.limits.of("m")
		}
		admitted := func(limits []*limiter) bool {
			ok := true
			for _, l := range limits {
				_, entered := l.load.enter(l.most, testStart)
				ok = ok && entered
			}
			return ok
		}
		if !admitted(configured(func(*Config) {})) {
			t.Errorf("%s: no limit, and a request is not admitted", name)
		}
		if admitted(configured(limit)) {
			t.Errorf("%s: a second request is admitted to what takes one", name)
		}
	}
}

func TestLimitsAreChecked(t *testing.T) {
	for name, b := range map[string]Backend{
		"negative":      {MaxConcurrent: -1, Models: testModels("m")},
		"unknown model": {ModelConcurrent: map[string]int{"x": 1}, Models: testModels("m")},
		"negative too":  {ModelConcurrent: map[string]int{"m": -1}, Models: testModels("m")},
		"silent":        {Silent: true},
	} {
		b.Protocol, b.URL = service.OpenAI, "http://127.0.0.1:1"
		if _, err := newBackend(b, discard); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
