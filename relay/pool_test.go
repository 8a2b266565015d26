// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

func TestBetter(t *testing.T) {
	tests := []struct {
		name string
		a, b entry
		want bool // a rather than b
	}{
		{"fewer requests", entry{inFlight: 1, rtt: time.Second}, entry{inFlight: 2, rtt: time.Millisecond}, true},
		{"more requests", entry{inFlight: 2}, entry{inFlight: 1}, false},
		{"nearer", entry{rtt: time.Millisecond}, entry{rtt: time.Second}, true},
		{"farther", entry{rtt: time.Second}, entry{rtt: time.Millisecond}, false},
		{"not measured", entry{}, entry{rtt: time.Second}, false},
		{"against one not measured", entry{rtt: time.Second}, entry{}, false},
	}
	id := newIdentity(t)
	old, renewed := id.registration(t), id.sign(t, "new keys", 2).registration(t)
	for _, test := range tests {
		test.a.registration, test.b.registration = old, old
		if got := better(&test.a, &test.b, id.hash()); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	a, b := entry{registration: old, inFlight: 9}, entry{registration: renewed}
	if !better(&a, &b, id.hash()) || better(&b, &a, id.hash()) {
		t.Error("a tunnel with other keys is preferred to the one that registered these")
	}
}

// TestFrozenTunnelIsAvoided stops one of two connections without closing it.
func TestFrozenTunnelIsAvoided(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a PING to be overdue")
	}
	g := newRig(t)
	client := g.client(h2)
	id := newIdentity(t)
	g.connect(id, says("alive"))
	frozen := g.connect(id, says("frozen"))
	g.eventually("both take requests", func() bool { return len(g.takers(id.hash())) == 2 })
	frozen.freeze()
	g.eventually("one is taken for frozen", func() bool { return len(g.takers(id.hash())) == 1 })
	if _, n := g.relay.registry.counts(); n != 2 {
		t.Errorf("%d tunnels stand, want both: nothing was tested", n)
	}
	for range 3 {
		if got := g.ask(client, id.hash(), "x"); got.body != "alive" {
			t.Errorf("status %d, %q", got.status, got.body)
		}
	}
}

// TestKilledUnderLoad cuts one of three tunnels of a pool while 50 clients ask without a pause. What had
// reached it is reported as lost or broken; everything else is answered, by the others.
func TestKilledUnderLoad(t *testing.T) {
	g := newRig(t)
	id := newIdentity(t)
	var reached [3]atomic.Int32
	exit := func(i int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			reached[i].Add(1)
			echo(w, r)
		}
	}
	doomed := g.connect(id, exit(0))
	g.connect(id, exit(1))
	g.connect(id, exit(2))

	const clients, each = 50, 40
	var answered, lost, notReached atomic.Int32
	var group sync.WaitGroup
	for i := range clients {
		client := g.client([]string{h2, h1}[i%2])
		group.Go(func() {
			for n := range each {
				if i == 0 && n == each/2 {
					doomed.conn.Close()
				}
				a, err := g.do(client, g.request(t.Context(), id.hash(), strings.NewReader("sealed")))
				switch {
				case err == nil && a.status == http.StatusOK && a.body == "sealed":
					answered.Add(1)
				case err != nil, a.problem() == service.TypeExitLost:
					lost.Add(1)
				case a.problem() == service.TypeExitNotReached:
					notReached.Add(1)
				default:
					t.Errorf("status %d, body %q", a.status, a.body)
				}
			}
		})
	}
	group.Wait()
	if lost.Load() > clients {
		t.Errorf("%d requests were lost with one tunnel, of at most %d at a time", lost.Load(), clients)
	}
	if notReached.Load() > 0 {
		t.Errorf("%d requests reached nothing while two tunnels stood", notReached.Load())
	}
	if answered.Load()+lost.Load() != clients*each {
		t.Errorf("%d answered and %d lost of %d", answered.Load(), lost.Load(), clients*each)
	}
	if reached[0].Load() == 0 || reached[1].Load() == 0 || reached[2].Load() == 0 {
		t.Error("a tunnel got nothing; nothing was tested")
	}
}

// TestDrainUnderLoad drains one tunnel of a pool after the other while clients ask without a pause: every
// request is answered.
func TestDrainUnderLoad(t *testing.T) {
	g := newRig(t)
	id := newIdentity(t)
	const clients, each, drains = 20, 100, 5
	sessions := []*session{g.connect(id, echo), g.connect(id, echo)}
	var group sync.WaitGroup
	var sent atomic.Int32
	for i := range clients {
		client := g.client([]string{h2, h1}[i%2])
		group.Go(func() {
			for range each {
				a, err := g.do(client, g.request(t.Context(), id.hash(), strings.NewReader("sealed")))
				if err != nil || a.status != http.StatusOK || a.body != "sealed" {
					t.Errorf("status %d, body %q, %v", a.status, a.body, err)
				}
				sent.Add(1)
			}
		})
	}
	for i := range drains {
		g.eventually("requests pass", func() bool { return int(sent.Load()) > i*clients*each/(drains+1) })
		sessions = append(sessions, g.connect(id, echo))
		sessions[i].drain()
		if err := <-sessions[i].served; err != nil {
			t.Errorf("drain %d: %v", i, err)
		}
	}
	group.Wait()
}

// TestBodyIsNotOfferedTwice has a tunnel go that has asked for some of the body, with another at hand.
func TestBodyIsNotOfferedTwice(t *testing.T) {
	g := newRig(t)
	id := newIdentity(t)
	var second atomic.Int32
	first := g.connect(id, echo)
	g.connect(id, func(w http.ResponseWriter, r *http.Request) { second.Add(1) })
	for i, e := range g.takers(id.hash()) {
		e.inFlight = i
		if i == 0 {
			e.carrier = readingCarrier{}
		}
	}
	got := g.ask(g.client(h2), first.hash(), "sealed")
	if got.problem() != service.TypeExitLost || second.Load() != 0 {
		t.Errorf("problem %q, and the second tunnel got %d requests", got.problem(), second.Load())
	}
}

// readingCarrier is a tunnel that goes when it has a part of the body.
type readingCarrier struct{ standing }

func (readingCarrier) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Body.Read(make([]byte, 1))
	return nil, io.ErrClosedPipe
}

// TestPoolIsOneExit connects three processes with the same signed bytes.
func TestPoolIsOneExit(t *testing.T) {
	g := newRig(t)
	id := newIdentity(t)
	sessions := []*session{g.connect(id, echo), g.connect(id, echo), g.connect(id, echo)}
	client := g.client(h2)
	if diff := cmp.Diff([]service.Hash{id.hash()}, g.hashes(client)); diff != "" {
		t.Errorf("directory (-want +got):\n%s", diff)
	}
	now := time.Now()
	seen := g.relay.registry.observations(now)
	if got := seen.Of(id.hash()).Tunnels; got != 3 {
		t.Errorf("%d tunnels are observed, want 3", got)
	}
	for _, s := range sessions[:2] {
		s.conn.Close()
	}
	g.eventually("one is left", func() bool {
		seen := g.relay.registry.observations(now)
		return seen.Of(id.hash()).Tunnels == 1
	})
	if diff := cmp.Diff([]service.Hash{id.hash()}, g.hashes(client)); diff != "" {
		t.Errorf("directory with one left (-want +got):\n%s", diff)
	}
}
