// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

// observed downloads what the relay observes of an exit.
func (g *rig) observed(c *http.Client, hash service.Hash) service.Observed {
	g.t.Helper()
	seen, err := service.ParseObservations(strings.NewReader(g.get(c, "/directory/observed").body))
	if err != nil {
		g.t.Fatal(err)
	}
	return seen.Of(hash)
}

func TestObserved(t *testing.T) {
	g := newRig(t, func(c *Config) { c.ObserveInterval = time.Nanosecond })
	client := g.client(h2)
	begin := time.Now().Truncate(time.Minute)
	arrived, release := make(chan struct{}), make(chan struct{})
	s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-release
	})
	g.eventually("the round trip is measured", func() bool { return g.observed(client, s.hash()).RTTMillis > 0 })
	got := g.observed(client, s.hash())
	if got.Since.Before(begin) || got.Since.After(time.Now()) || !got.Since.Equal(got.Since.Truncate(time.Minute)) {
		t.Errorf("since %v, connected after %v", got.Since, begin)
	}
	got.Since, got.RTTMillis, got.RTT90Millis = time.Time{}, 0, 0
	if diff := cmp.Diff(service.Observed{Tunnels: 1, Uptime5m: 1, Uptime30m: 1, Uptime1d: 1}, got); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}

	answers := make(chan answer)
	for i := range 5 {
		go func() {
			a, err := g.do(client, g.request(t.Context(), s.hash(), strings.NewReader("sealed")))
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
		<-arrived
		if got, want := g.observed(client, s.hash()).InFlight, level(i+1); got != want {
			t.Errorf("%d in flight are shown as %d, want %d", i+1, got, want)
		}
	}
	close(release)
	for range 5 {
		<-answers
	}
	g.eventually("none is in flight", func() bool { return g.observed(client, s.hash()).InFlight == 0 })
}

// TestObservationsAreRenewedRarely publishes the same until it is time, whatever comes and goes.
func TestObservationsAreRenewedRarely(t *testing.T) {
	g := newRegistry(10)
	p := newPublisher(g, time.Minute)
	now := time.Now()
	first, err := p.observations(now)
	if err != nil {
		t.Fatal(err)
	}
	g.add(newIdentity(t).registration(t), standing{})
	if again, err := p.observations(now.Add(time.Minute - 1)); again != first || err != nil {
		t.Errorf("renewed too early: %v", err)
	}
	if later, err := p.observations(now.Add(time.Minute)); later == first || err != nil {
		t.Errorf("not renewed: %v", err)
	}
}

func TestRounding(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 0, 3: 0, 4: 4, 7: 4, 8: 8, 100: 64} {
		if got := level(n); got != want {
			t.Errorf("%d requests are shown as %d, want %d", n, got, want)
		}
	}
	for share, want := range map[float64]float64{0: 0, 1: 1, 0.974: 0.95, 0.976: 1, 0.3: 0.3} {
		if got := toStep(share, shareStep); got != want {
			t.Errorf("a share of %v is shown as %v, want %v", share, got, want)
		}
	}
	for d, want := range map[time.Duration]float64{
		0: 0, 9 * time.Microsecond: 0.009, 624 * time.Microsecond: 0.62, 12400 * time.Microsecond: 12,
		129 * time.Millisecond: 130, 999 * time.Millisecond: 1000,
	} {
		if got := roundMillis(d); got != want {
			t.Errorf("%v is shown as %v ms, want %v", d, got, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	var trips trips
	if got := quantile(trips.all(), 0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	for i := range 26 {
		trips.add(time.Duration(26 - i)) // the last 16 are 16 to 1
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 8, 0.9: 15, 1: 16} {
		if got := quantile(trips.all(), q); got != want {
			t.Errorf("quantile %v: %d, want %d", q, got, want)
		}
	}
}

func TestUptime(t *testing.T) {
	const day = 24 * time.Hour
	type change struct {
		at time.Duration
		up bool
	}
	tests := []struct {
		name                string
		changes             []change
		now                 time.Duration
		short, middle, long float64
	}{
		{"just connected", []change{{0, true}}, 0, 1, 1, 1},
		{"ever since", []change{{0, true}}, 2 * day, 1, 1, 1},
		{"away for the second half", []change{{0, true}, {2 * time.Minute, false}}, 4 * time.Minute, 0.5, 0.5, 0.5},
		{"back after a day", []change{{0, true}, {time.Hour, false}, {25 * time.Hour, true}}, 25*time.Hour + 30*time.Minute, 1, 1, 0.02},
		{"away for the last 5 minutes", []change{{0, true}, {55 * time.Minute, false}}, time.Hour, 0, 0.83, 0.92},
		{"away for years", []change{{0, true}, {time.Hour, false}}, 1000 * day, 0, 0, 0},
	}
	for _, test := range tests {
		h := newHistory(0)
		for _, c := range test.changes {
			h.connected(c.at, c.up)
		}
		h.connected(test.now, h.up)
		var got []float64
		for _, window := range []time.Duration{shortWindow, middleWindow, longWindow} {
			got = append(got, toStep(h.uptime(test.now, window), uptimeStep))
		}
		if diff := cmp.Diff([]float64{test.short, test.middle, test.long}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestHistoryOutlivesAConnection has an exit leave and come back.
func TestHistoryOutlivesAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegistry(10)
		reg := newIdentity(t, func(in *service.Info) { in.Expires = time.Now().Add(48 * time.Hour) }).registration(t)
		away := g.add(reg, standing{})
		<-time.After(3 * time.Minute)
		g.leave(away)
		g.remove(away)
		<-time.After(time.Minute)
		g.add(reg, standing{})
		seen := g.observations(time.Now())
		if got := seen.Of(reg.Hash); got.Uptime5m != 0.75 || got.Tunnels != 1 {
			t.Errorf("observed %+v, want connected for three of four minutes", got)
		}
	})
}

func TestAnsweredShare(t *testing.T) {
	g := newRegistry(10)
	reg := newIdentity(t).registration(t)
	g.add(reg, standing{})
	end := func(n int, v verdict) {
		for range n {
			g.release(g.take(reg.Hash, nil), v)
		}
	}
	share := func(now time.Time) *float64 {
		seen := g.observations(now)
		return seen.Of(reg.Hash).Answered
	}
	end(leastJudged-1, kept)
	end(100, noVerdict)
	if got := share(time.Now()); got != nil {
		t.Errorf("a share of %v is shown of too few requests", *got)
	}
	end(1, failedIt)
	if got := share(time.Now()); got == nil || *got != 1 {
		t.Errorf("one of %d that failed is shown", leastJudged)
	}
	end(leastJudged, failedIt)
	if got := share(time.Now()); got == nil || *got != 0.5 {
		t.Errorf("half of the requests failed and the share is %v", got)
	}
	if got := share(time.Now().Add(middleWindow + judgedBucket)); got != nil {
		t.Errorf("half an hour later the share is still %v", *got)
	}
}

// TestVerdicts holds whose fault it is when a request ends in one way or another.
func TestVerdicts(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t)
		client := g.client(protocol)
		s := g.connect(newIdentity(t), func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			switch string(body) {
			case "refuse":
				w.WriteHeader(http.StatusBadRequest)
			case "break":
				io.WriteString(w, "half")
				http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			case "vanish":
				panic(http.ErrAbortHandler)
			case "wait":
				io.WriteString(w, "half")
				http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
		})
		count := func() (answered, reached uint64) {
			registry := g.relay.registry
			registry.mu.Lock()
			defer registry.mu.Unlock()
			h := registry.hashes[s.hash()].history
			now := registry.age(time.Now())
			return h.answered.sum(now, middleWindow), h.reached.sum(now, middleWindow)
		}
		tests := []struct {
			body              string
			answered, reached uint64
		}{
			{"ask", 1, 1},
			{"refuse", 2, 2},
			{"break", 2, 3},
			{"vanish", 2, 4},
		}
		for _, test := range tests {
			resp, err := client.Do(g.request(t.Context(), s.hash(), strings.NewReader(test.body)))
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			g.eventually(test.body+" is judged", func() bool {
				answered, reached := count()
				return answered == test.answered && reached == test.reached
			})
		}
		resp, err := client.Do(g.request(t.Context(), s.hash(), strings.NewReader("wait")))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close() // the client goes away within the answer
		g.eventually("it has ended", func() bool { return len(g.relay.slots) == 0 })
		if answered, reached := count(); answered != 2 || reached != 4 {
			t.Errorf("a client that goes away is held against the exit: %d of %d", answered, reached)
		}
	})
}
