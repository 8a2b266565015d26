// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/route"
)

// post sends a request through a relay as a client does, watched, for the time of the test.
func (s *paths) post(t *testing.T, r *simulated) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(t.Context())
	t.Cleanup(func() { cancel(nil) })
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url.Base()+pathOHTTP+"x", strings.NewReader("sealed"))
	if err != nil {
		return nil, err
	}
	stop := s.watch(ctx, r.url, cancel)
	resp, err := s.directory.poller(r.url).relay.transport.RoundTrip(req)
	stop()
	if err != nil {
		return nil, errors.Join(err, context.Cause(ctx))
	}
	return resp, nil
}

// Whenever a relay freezes, all requests that wait on it are told within a second, and a new one that runs into it, too.
func TestFrozenRelayLosesItsRequests(t *testing.T) {
	for phase := time.Duration(0); phase < 2*probeSpacing; phase += 50 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			a, b := newSimulated(t, "a"), newSimulated(t, "b")
			s := simulatedPaths(t, a, b)
			const waiting = 50
			var group sync.WaitGroup
			var frozen atomic.Pointer[time.Time]
			ask := func() {
				_, err := s.post(t, a)
				if took := time.Since(*frozen.Load()); !errors.Is(err, errRelaySilent) || took >= time.Second {
					t.Errorf("frozen %v after it was asked: told after %v: %v", phase, took, err)
				}
			}
			for range waiting {
				group.Go(ask)
			}
			time.Sleep(5*time.Second + phase)
			if state := s.status()[0].State; state != route.Closed {
				t.Errorf("a slow answer alone made it %v", state)
			}
			now := time.Now()
			frozen.Store(&now)
			a.freeze()
			group.Go(ask)
			group.Wait()
			if state := s.status()[0].State; state != route.Open {
				t.Errorf("the frozen relay is %v", state)
			}
			e := reachedThrough(a, b)
			if got := s.of(e); len(got) != 1 || got[0].Relay != b.url {
				t.Errorf("paths %v, want the other relay alone", got)
			}
		})
	}
}

// A request that runs into a relay that has been frozen for a while is told just as fast.
func TestFrozenIdleRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newSimulated(t, "a"), newSimulated(t, "b")
		s := simulatedPaths(t, a, b)
		a.freeze()
		began := time.Now()
		_, err := s.post(t, a)
		if took := time.Since(began); !errors.Is(err, errRelaySilent) || took != probeAfter+probeAnswer {
			t.Errorf("told after %v: %v", took, err)
		}
	})
}

// So is one that must connect first, whether it can or not.
func TestFrozenRelayThatIsDialled(t *testing.T) {
	for _, accepts := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a, b := newSimulated(t, "a"), newSimulated(t, "b")
			s := simulatedPaths(t, a, b)
			a.accepts.Store(accepts)
			s.directory.poller(a.url).relay.close()
			synctest.Wait()
			a.freeze()
			began := time.Now()
			_, err := s.post(t, a)
			if took := time.Since(began); !errors.Is(err, errRelaySilent) || took != probeAfter+probeAnswer {
				t.Errorf("accepts %v: told after %v: %v", accepts, took, err)
			}
		})
	}
}

// The looks at the directory find a frozen relay that nobody waits for, and find it again when it is back.
func TestLooksFindFrozenRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newSimulated(t, "a"), newSimulated(t, "b")
		s := simulatedPaths(t, a, b)
		time.Sleep(time.Minute)
		if a.probes.Load() != 0 {
			t.Errorf("%d probes while nobody waited", a.probes.Load())
		}
		a.freeze()
		time.Sleep(13 * time.Second) // a look begins at the latest after 12
		if state := s.status()[0].State; state == route.Closed {
			t.Error("the frozen relay is taken for well")
		}
		if got := s.of(reachedThrough(a, b)); got[0].Relay != b.url {
			t.Errorf("paths %v, want the other relay first", got)
		}
		time.Sleep(5 * time.Minute)
		a.thaw()
		time.Sleep(2*dialTimeout + 2*maxBackoff)
		if got := s.status()[0]; got.State != route.Closed || !got.Until.IsZero() {
			t.Errorf("the relay is back: %+v", got)
		}
		if got := s.of(reachedThrough(a, b)); len(got) != 2 {
			t.Errorf("paths %v, want both relays", got)
		}
	})
}

// How often a slow answer is probed for, by whom, and by whom not at all.
func TestProbesAreFew(t *testing.T) {
	tests := []struct {
		name    string
		relays  int
		wait    time.Duration
		talks   time.Duration // every so often something else comes from the relay
		atLeast int32
		atMost  int32
	}{
		{"a quick answer", 2, probeAfter - 1, 0, 0, 0},
		{"a slow answer", 2, 10 * time.Second, 0, 20, 29},
		{"a slow answer, while others come", 2, 10 * time.Second, probeAfter / 2, 0, 0},
		{"one relay", 1, 10 * time.Second, 0, 0, 0},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			relays := []*simulated{newSimulated(t, "a"), newSimulated(t, "b")}[:test.relays]
			a := relays[0]
			a.post = func(w http.ResponseWriter, r *http.Request) {
				http.NewResponseController(w).Flush()
				for test.talks > 0 && r.Context().Err() == nil {
					sleep(r.Context(), test.talks, nil)
					io.WriteString(w, "x")
					http.NewResponseController(w).Flush()
				}
			}
			s := simulatedPaths(t, relays...)
			resp, err := s.post(t, a) // it goes on talking
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			go io.Copy(io.Discard, resp.Body)
			for range 3 {
				defer s.watch(t.Context(), a.url, func(err error) { t.Errorf("%s: %v", test.name, err) })()
			}
			time.Sleep(test.wait)
			if n := a.probes.Load(); n < test.atLeast || n > test.atMost {
				t.Errorf("%s: %d probes in %v, want %d to %d", test.name, n, test.wait, test.atLeast, test.atMost)
			}
		})
	}
}

// An answer that has begun outlives a hiccup of the network, and ends within two seconds and a half when it was none.
func TestAnswersThroughFrozenRelay(t *testing.T) {
	for _, pause := range []time.Duration{900 * time.Millisecond, 1500 * time.Millisecond, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			a, b := newSimulated(t, "a"), newSimulated(t, "b")
			a.post = func(w http.ResponseWriter, r *http.Request) {
				for i := range 100 {
					fmt.Fprintf(w, "%d\n", i)
					http.NewResponseController(w).Flush()
					sleep(r.Context(), 100*time.Millisecond, nil)
				}
			}
			s := simulatedPaths(t, a, b)
			resp, err := s.post(t, a)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			time.Sleep(time.Second)
			frozen := time.Now()
			a.freeze()
			thaw := time.AfterFunc(pause, a.thaw)
			defer thaw.Stop()
			if _, err := s.post(t, a); !errors.Is(err, errRelaySilent) {
				t.Errorf("a request that waits: %v", err)
			}
			body, err := io.ReadAll(resp.Body)
			took := time.Since(frozen)
			switch {
			case pause == time.Hour && (err == nil || took > 2500*time.Millisecond):
				t.Errorf("frozen for good: %d bytes after %v, %v", len(body), took, err)
			case pause < time.Hour && (err != nil || !strings.HasSuffix(string(body), "\n99\n")):
				t.Errorf("frozen for %v: %d bytes, %v", pause, len(body), err)
			}
			if state := s.status()[0].State; pause < time.Hour && state != route.Closed {
				t.Errorf("after %v: %v", pause, state)
			}
		})
	}
}

// When nothing works, a request is not given up for a hiccup, but for a connection that is dead: a new one may live.
func TestNowhereElse(t *testing.T) {
	for _, pause := range []time.Duration{1300 * time.Millisecond, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			a, b := newSimulated(t, "a"), newSimulated(t, "b")
			a.post = func(_ http.ResponseWriter, r *http.Request) { sleep(r.Context(), time.Second, nil) }
			s := simulatedPaths(t, a, b)
			s.failed(b.url)
			began := time.Now()
			a.freeze()
			thaw := time.AfterFunc(pause, a.thaw)
			defer thaw.Stop()
			_, err := s.post(t, a)
			took := time.Since(began)
			switch {
			case pause < time.Hour && err != nil:
				t.Errorf("frozen for %v: %v", pause, err)
			case pause == time.Hour && (!errors.Is(err, errRelaySilent) || took != probeAfter+2*probeAnswer):
				t.Errorf("frozen for good: after %v: %v", took, err)
			}
		})
	}
}

// A relay that has not answered yet is nowhere to go: for its sake no request is given up elsewhere.
func TestElsewhere(t *testing.T) {
	d := newDirectory(Config{Relays: []relayurl.URL{{Host: "a:1"}, {Host: "b:1"}}, Logger: slog.New(slog.DiscardHandler)})
	a, b := d.pollers[0], &d.pollers[1].relay.health
	d.pollers[0].relay.health.measured(time.Millisecond)
	if d.elsewhere(a) {
		t.Error("a relay that has not answered yet is taken for one that works")
	}
	b.measured(time.Millisecond)
	if !d.elsewhere(a) {
		t.Error("a relay that has answered is not taken for one that works")
	}
	b.failed(time.Now())
	if d.elsewhere(a) {
		t.Error("a relay that has failed is taken for one that works")
	}
}

// A relay that is far away is given more time, and one that is dialled first all that dialling takes.
func TestDistantRelayIsNotFrozen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newSimulated(t, "a"), newSimulated(t, "b")
		const latency = 800 * time.Millisecond
		a.latency.Store(int64(latency))
		s := simulatedPaths(t, a, b)
		if got := s.status()[0].RoundTrip; got != latency {
			t.Errorf("round trip %v, want %v", got, latency)
		}
		s.directory.poller(a.url).relay.close()
		a.post = func(http.ResponseWriter, *http.Request) {}
		if _, err := s.post(t, a); err != nil {
			t.Errorf("a relay %v away: %v", latency, err)
		}
	})
}

// A connection that breaks is no silence: those who wait on it learn it from their own requests.
func TestBrokenConnectionIsNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newSimulated(t, "a"), newSimulated(t, "b")
		s := simulatedPaths(t, a, b)
		a.Close()
		s.directory.poller(a.url).relay.close()
		stop := s.watch(t.Context(), a.url, func(err error) { t.Errorf("lost: %v", err) })
		defer stop()
		time.Sleep(2 * time.Second)
	})
}

// lost is not called for whoever stopped or went away.
func TestWatchEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newLookout()
		never := func(err error) { t.Errorf("lost: %v", err) }
		o.watch(t.Context(), never)()
		ctx, cancel := context.WithCancel(t.Context())
		defer o.watch(ctx, never)()
		cancel()
		synctest.Wait()
		if _, waits := o.oldest(); waits {
			t.Error("somebody still waits")
		}
		o.lose()
		times := 0
		defer o.watch(t.Context(), func(error) { times++ })()
		o.lose()
		o.lose()
		if times != 1 {
			t.Errorf("told %d times", times)
		}
	})
}

// Each connection of a relay whose handshake stops gets a second probe: the handshakes of one do not count against the next.
func TestEachHandshakeIsProbedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelay(relayurl.URL{Host: "relay.example:443"}, func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				there.Read(make([]byte, 1))
				go io.Copy(io.Discard, there)
				time.Sleep(10 * time.Millisecond)
				io.WriteString(there, "\x16\x03\x03\x00\x7a")
			}()
			return here, nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { r.lookout.run(ctx, r, func() bool { return true }) })
		var first time.Duration
		for n := range 3 {
			began, lost := time.Now(), make(chan struct{})
			stop := r.lookout.watch(ctx, func(error) { close(lost) })
			<-lost
			stop()
			if took := time.Since(began); n == 0 {
				first = took
			} else if took < first {
				t.Errorf("connection %d was given up after %v, the first after %v", n+1, took, first)
			}
		}
		cancel()
		r.transport.cut()
		group.Wait()
	})
}
