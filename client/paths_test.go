// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// standing is one relay as a table has it.
type standing struct {
	trip     time.Duration // to the relay; 0: not measured
	leg      float64       // from there to the exit, in milliseconds; 0: not said
	operator string
	failures int
	failed   time.Duration // how long ago the last of them was
}

// stand makes paths through relays that stand as the table says, and an exit behind all of them.
func stand(t *testing.T, relays []standing) (*paths, Exit) {
	t.Helper()
	cfg := Config{Logger: slog.New(slog.DiscardHandler)}
	e := Exit{Info: &service.Info{Operator: "Exits Ltd"}}
	for i, r := range relays {
		url := relayurl.URL{Host: string(rune('a' + i))}
		cfg.Relays = append(cfg.Relays, url)
		e.Paths = append(e.Paths, Path{Relay: url, Operator: r.operator, Observed: service.Observed{RTTMillis: r.leg}})
	}
	d := newDirectory(cfg)
	for i, r := range relays {
		h := &d.pollers[i].relay.health
		if r.trip > 0 {
			h.measured(r.trip)
		}
		at := time.Now().Add(-r.failed)
		for range r.failures {
			h.until = time.Time{} // as if the rest before were over
			h.failed(at)
		}
	}
	return newPaths(d), e
}

func hosts(all []Path) string {
	var names []string
	for _, path := range all {
		names = append(names, path.Relay.Host)
	}
	return strings.Join(names, "")
}

func TestPathsOf(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name   string
		relays []standing
		want   []string // all orders that come up, sorted
	}{
		{"one", []standing{{}}, []string{"a"}},
		{"the nearer", []standing{{trip: 80 * ms}, {trip: 20 * ms}}, []string{"ba"}},
		{"the nearer to both", []standing{{trip: 20 * ms, leg: 100}, {trip: 60 * ms, leg: 10}}, []string{"ba"}},
		{"about as near", []standing{{trip: 100 * ms}, {trip: 119 * ms}, {trip: 300 * ms}}, []string{"abc", "bac"}},
		{"all very near", []standing{{trip: 1 * ms}, {trip: 10 * ms}}, []string{"ab", "ba"}},
		{"not measured", []standing{{trip: 20 * ms}, {}}, []string{"ba"}},
		{"silence gains nothing", []standing{{trip: 50 * ms}, {trip: 50 * ms, leg: 100}, {trip: 10 * ms, leg: 20}}, []string{"cab", "cba"}},
		{"boundless claim", []standing{{trip: 20 * ms, leg: 1e300}, {trip: 20 * ms, leg: 1}}, []string{"ba"}},
		{"one rests", []standing{{trip: 1 * ms, failures: 1}, {trip: 90 * ms}}, []string{"b"}},
		{"one has rested", []standing{{trip: 1 * ms, failures: 1, failed: time.Second}, {trip: 90 * ms}}, []string{"ba"}},
		{"it rests longer", []standing{{trip: 1 * ms, failures: 3, failed: time.Second}, {trip: 90 * ms}}, []string{"b"}},
		{"all rest", []standing{{failures: 3}, {failures: 1}, {failures: 2}}, []string{"b"}},
		{"own operator", []standing{{operator: " exits ltd"}, {operator: "Relays Ltd"}}, []string{"b"}},
		{"own operator, the other rests", []standing{{operator: "Exits Ltd"}, {operator: "Relays Ltd", failures: 1}}, []string{"b"}},
		{"own operator alone", []standing{{operator: "EXITS LTD"}}, []string{""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, e := stand(t, test.relays)
				var got []string
				for range 200 {
					got = append(got, hosts(s.of(e)))
				}
				slices.Sort(got)
				if diff := gocmp.Diff(test.want, slices.Compact(got)); diff != "" {
					t.Errorf("orders (-want +got):\n%s", diff)
				}
				if got, empty := e.inReach(), test.want[0] == ""; got == empty {
					t.Errorf("in reach: %v", got)
				}
			})
		})
	}
}

// The rest of a relay doubles, however many requests see one failure, and ends with any answer.
func TestRelayRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e := stand(t, []standing{{}, {}})
		a := e.Paths[0].Relay
		for _, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			for range 50 {
				s.failed(a)
			}
			got := s.status()[0]
			if rest := time.Until(got.Until); rest != want*time.Second || got.State != route.Open {
				t.Errorf("%v, for %v, want %v s", got.State, rest, want)
			}
			time.Sleep(want * time.Second)
			if got := s.status()[0]; got.State != route.HalfOpen || !got.Until.IsZero() {
				t.Errorf("after the rest: %+v", got)
			}
		}
		s.answered(a)
		if got := s.status()[0]; got.State != route.Closed {
			t.Errorf("after an answer: %+v", got)
		}
		s.failed(a)
		if got := time.Until(s.status()[0].Until); got != time.Second {
			t.Errorf("the next failure rests it for %v", got)
		}
		nowhere := relayurl.URL{Host: "nowhere"}
		s.failed(nowhere)
		s.answered(nowhere)
		s.watch(t.Context(), nowhere, nil)()
	})
}

func TestRoundTripIsTheMedian(t *testing.T) {
	var h health
	if trip, known := h.roundTrip(); trip != 0 || known {
		t.Errorf("%v, %v before any", trip, known)
	}
	for _, trip := range []time.Duration{900, 900, 5, 7, 6, 900, 5, 7, 6, 8} { // the first two are forgotten
		h.measured(trip)
	}
	if trip, known := h.roundTrip(); trip != 6 || !known {
		t.Errorf("%v, %v, want 6", trip, known)
	}
}

func TestRelayOperators(t *testing.T) {
	a, b := relayurl.URL{Host: "a:1"}, relayurl.URL{Host: "b:1"}
	tests := []struct {
		name      string
		operators map[relayurl.URL]string
		says      string
	}{
		{"none", nil, ""},
		{"one", map[relayurl.URL]string{a: "Example Ltd"}, ""},
		{"a relay that is not used", map[relayurl.URL]string{b: "Example Ltd"}, "not configured"},
		{"no name", map[relayurl.URL]string{a: "two\nlines"}, "operator"},
	}
	for _, test := range tests {
		_, err := New(Config{Relays: []relayurl.URL{a}, RelayOperators: test.operators})
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want an error that says %q", test.name, err, test.says)
		}
	}
}

// What the user says of who runs a relay goes before what it says itself, and a change is a change of routes.
func TestWhoRunsTheRelay(t *testing.T) {
	s := newSegmented(t, []*testExit{offering(t)})
	other := newSegmented(t, []*testExit{offering(t)})
	s.set(func() { s.operator = "Exits Ltd" })
	other.set(func() { other.operator = "Honest Ltd" })
	c := start(t, Config{
		RefreshInterval: time.Millisecond, RelayOperators: map[relayurl.URL]string{other.relay.url: "Known Ltd"},
	}, s.relay, other.relay)
	paths := newPaths(c.directory)
	operators := func() (all []string) {
		for _, status := range paths.status() {
			all = append(all, status.Operator)
		}
		return all
	}
	if diff := gocmp.Diff([]string{"Exits Ltd", "Known Ltd"}, operators()); diff != "" {
		t.Errorf("operators (-want +got):\n%s", diff)
	}
	for _, e := range c.Exits() {
		want := cmp.Or(map[relayurl.URL]string{s.relay.url: "Exits Ltd"}[e.Paths[0].Relay], "Known Ltd")
		if e.Paths[0].Operator != want {
			t.Errorf("a path through a relay of %q, want %q", e.Paths[0].Operator, want)
		}
	}
	before := c.directory.view(time.Now()).routes
	s.set(func() { s.operator = "Others Ltd" })
	eventually(t, "the change shows", func() bool { return operators()[0] == "Others Ltd" })
	if after := c.directory.view(time.Now()).routes; after == before {
		t.Error("the routes are what they were")
	}
}

// A directory as one document says it, too.
func TestDocumentNamesTheOperator(t *testing.T) {
	relay := newTestRelay(t, offering(t))
	relay.set(func() { relay.operator = "Example Ltd" })
	exits, err := fetch(t.Context(), relay.url)
	if err != nil || len(exits) != 1 || exits[0].Paths[0].Operator != "Example Ltd" {
		t.Errorf("exits %+v, %v", exits, err)
	}
}

// A relay that swallows what is sent to it does not delay the first answer through another.
func TestFirstAnswerDoesNotWaitForAll(t *testing.T) {
	good := newTestRelay(t, offering(t))
	silent := relayurl.URL{Host: "192.0.2.1:4433"}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != good.url.Host {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	began := time.Now()
	c := startUnready(t, Config{Relays: []relayurl.URL{silent}, DialContext: dial}, good)
	c.expectChat("{}")
	if took := time.Since(began); took >= refreshWait {
		t.Errorf("the first answer took %v", took)
	}
}

// A look ends when what it is for has come, and not before all have answered when it has not.
func TestRefreshEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newSimulated(t, "a"), newSimulated(t, "b")
		s := simulatedPathsEvery(t, time.Hour, a, b)
		time.Sleep(time.Minute)
		a.freeze()
		began := time.Now()
		s.directory.refresh(t.Context(), func() bool { return true })
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v with one answer", took)
		}
		a.thaw()
		time.Sleep(time.Minute)
		const latency = 100 * time.Millisecond
		a.latency.Store(int64(latency))
		began = time.Now()
		calls := 0
		s.directory.refresh(t.Context(), func() bool { calls++; return false })
		if took := time.Since(began); took < latency || calls != 2 {
			t.Errorf("took %v, %d answers", took, calls)
		}
	})
}

// The parts may be used from many goroutines at once.
func TestPathsAtOnce(t *testing.T) {
	s, e := stand(t, []standing{{trip: time.Millisecond}, {trip: time.Millisecond}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			for range 100 {
				relay := e.Paths[i%2].Relay
				stop := s.watch(ctx, relay, func(error) {})
				if got := s.of(e); len(got) == 0 {
					t.Error("no path")
				}
				s.failed(relay)
				s.status()
				s.answered(relay)
				s.directory.poller(relay).relay.lookout.lose()
				stop()
			}
		})
	}
	group.Wait()
	for _, p := range s.directory.pollers {
		if _, waits := p.relay.lookout.oldest(); waits {
			t.Error("somebody still waits")
		}
	}
}

// An exit behind a relay of its own operator is not used, and the tool is told why.
func TestOwnOperatorIsNotUsed(t *testing.T) {
	relay := newTestRelay(t, offering(t)) // of the operator "tester"
	relay.set(func() { relay.operator = "Tester" })
	c := start(t, Config{}, relay)
	resp := c.do("POST", "/v1/chat/completions", chatBody)
	if message, code := errorText(t, service.OpenAI, read(t, resp)); code != "no_exit" || !strings.Contains(message, "same operator") {
		t.Errorf("code %q, message %q", code, message)
	}
	other := testInfo(models(service.OpenAI, "n"))
	other.Operator = "somebody else"
	relay.set(func() { relay.exits = append(relay.exits, newExit(t, newIdentity(t), other)) })
	c = start(t, Config{}, relay)
	resp = c.do("POST", "/v1/chat/completions", chatBody)
	if message, code := errorText(t, service.OpenAI, read(t, resp)); code != "model_not_found" || !strings.Contains(message, "same operator: 1") {
		t.Errorf("code %q, message %q", code, message)
	}
	c = start(t, Config{RelayOperators: map[relayurl.URL]string{relay.url: "Relays Ltd"}}, relay)
	c.expectChat("{}")
}

// A silent relay is no fault of the exit.
func TestSilenceIsTheRelays(t *testing.T) {
	if f := brokenOff(errRelaySilent); !f.relayDown || !f.outage || f.result != route.Inconclusive {
		t.Errorf("%+v", f)
	}
}
