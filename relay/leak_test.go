// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokengo/tokengo/tunnel"
)

// TestNoLeaks sends many requests and cancels half of them, before the answer and within it.
func TestNoLeaks(t *testing.T) {
	const workers, each = 8, 252
	before := runtime.NumGoroutine()
	t.Run("traffic", func(t *testing.T) {
		g := newRig(t)
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if string(body) == "early" {
				<-r.Context().Done()
				return
			}
			io.WriteString(w, "first")
			http.NewResponseController(w).Flush()
			if string(body) == "late" {
				<-r.Context().Done()
			}
		})
		var wg sync.WaitGroup
		for worker := range workers {
			client := g.client([]string{h2, h1}[worker%2])
			wg.Go(func() {
				for i := range each {
					traffic(g, client, s, []string{"finish", "early", "finish", "late"}[i%4])
				}
			})
		}
		wg.Wait()
		g.eventually("only the poll is in flight", func() bool {
			e := g.takers(s.hash())[0]
			return e.carrier.(*tunnel.Tunnel).InFlight() == 1 && e.inFlight == 0 && len(g.relay.slots) == 0
		})
		want := map[outcome]float64{outcomeAnswered: workers * each / 2, outcomeBroken: workers * each / 4}
		for outcome, n := range want {
			g.eventually(string(outcome)+" are counted", func() bool { return g.outcomes(outcome) == n })
		}
		if n := g.outcomes(outcomeCancelled); n > workers*each/4 { // those cancelled before they were sent never arrived
			t.Errorf("%v requests were cancelled, want no more than %d", n, workers*each/4)
		}
	})
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-tick.C:
		case <-deadline:
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// traffic sends one request and ends it in the way that its body says.
func traffic(g *rig, client *http.Client, s *session, body string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if body == "early" {
		time.AfterFunc(time.Millisecond, cancel)
	}
	resp, err := client.Do(g.request(ctx, s.hash(), strings.NewReader(body)))
	if err != nil {
		if body != "early" {
			g.t.Errorf("%s: %v", body, err)
		}
		return
	}
	defer resp.Body.Close()
	if body == "late" {
		io.ReadFull(resp.Body, make([]byte, 5))
		return
	}
	got, err := io.ReadAll(resp.Body)
	if body == "early" && ctx.Err() != nil {
		return // net/http may still hand out what came as it was cancelled
	}
	if string(got) != "first" || err != nil {
		g.t.Errorf("%s: %q, %v", body, got, err)
	}
}

// BenchmarkPlain forwards one request with one answer, both of 1 KiB; client and exit are included.
func BenchmarkPlain(b *testing.B) {
	g := newRig(b)
	client := g.client(h2)
	payload := bytes.Repeat([]byte("x"), 1<<10)
	s := g.connect(newIdentity(b), func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Write(payload)
	})
	b.ReportAllocs()
	for b.Loop() {
		resp, err := client.Do(g.request(b.Context(), s.hash(), bytes.NewReader(payload)))
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); n != int64(len(payload)) || err != nil {
			b.Fatal(n, err)
		}
		resp.Body.Close()
	}
}

// BenchmarkChunk forwards one flushed chunk of 200 bytes, each when the client has the one before;
// client and exit are included.
func BenchmarkChunk(b *testing.B) {
	g := newRig(b)
	payload := bytes.Repeat([]byte("x"), 200)
	next := make(chan struct{})
	s := g.connect(newIdentity(b), func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		control := http.NewResponseController(w)
		w.Write(payload)
		control.Flush()
		for range next {
			w.Write(payload)
			control.Flush()
		}
	})
	resp, err := g.client(h2).Do(g.request(b.Context(), s.hash(), strings.NewReader("sealed")))
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	defer close(next)
	buf := make([]byte, len(payload))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.ReadFull(resp.Body, buf); err != nil {
			b.Fatal(err)
		}
		next <- struct{}{}
	}
}
