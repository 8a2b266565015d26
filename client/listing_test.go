// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

// segmented is a directory in segments, served by a test relay, one segment for each list of exits.
type segmented struct {
	relay *testRelay

	mu       sync.Mutex // guards what follows
	exits    [][]*testExit
	observed service.Observations
	operator string
	change   func(path string, body []byte) []byte // of what is served; nil: nothing
	asked    []string                              // paths
}

func newSegmented(t *testing.T, exits ...[]*testExit) *segmented {
	s := &segmented{relay: newTestRelay(t, slices.Concat(exits...)...), exits: exits}
	s.relay.set(func() { s.relay.document = s.serve })
	return s
}

// segmentOf is the bytes of the segment of these exits.
func segmentOf(exits []*testExit) []byte {
	var raw []byte
	for _, e := range exits {
		raw = service.AppendSigned(raw, e.entry.Signed())
	}
	return raw
}

func (s *segmented) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.Path)
	documents := map[string][]byte{}
	index := service.Index{Operator: s.operator}
	for _, exits := range s.exits {
		raw := segmentOf(exits)
		index.Segments = append(index.Segments, service.DigestOf(raw))
		documents[pathSegment+string(service.DigestOf(raw))] = raw
	}
	documents[pathIndex], _ = json.Marshal(index)
	documents[pathObserved], _ = json.Marshal(s.observed)
	body, ok := documents[r.URL.Path]
	if ok && s.change != nil {
		body = s.change(r.URL.Path, body)
	}
	etag := `"` + string(service.DigestOf(body)) + `"`
	w.Header().Set("ETag", etag)
	switch {
	case !ok || body == nil:
		w.WriteHeader(http.StatusNotFound)
	case r.Header.Get("If-None-Match") == etag:
		w.WriteHeader(http.StatusNotModified)
	default:
		w.Write(body)
	}
}

// set changes what is served, and forgets what was asked.
func (s *segmented) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.asked = nil
}

func (s *segmented) paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// next looks at the directory once more, as the poller does after so much time.
func (l *look) next(t *testing.T, got listing, after time.Duration) (*look, listing) {
	t.Helper()
	next := &look{relay: l.relay, last: got, have: l.have, now: l.now.Add(after)}
	fresh, err := next.list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return next, fresh
}

func (s *segmented) look(t *testing.T) (*look, listing, error) {
	t.Helper()
	r := newRelay(s.relay.url, nil)
	t.Cleanup(r.close)
	l := &look{relay: r, now: time.Now()}
	got, err := l.list(t.Context())
	return l, got, err
}

func offering(t *testing.T) *testExit {
	return newExit(t, newIdentity(t), testInfo(models(service.OpenAI, "m")))
}

// A look fetches what changed and nothing else, and what was verified is not verified again.
func TestLookFetchesWhatChanged(t *testing.T) {
	a, b, c := offering(t), offering(t), offering(t)
	s := newSegmented(t, []*testExit{a, b}, []*testExit{c})
	l, first, err := s.look(t)
	if err != nil || len(first.entries) != 3 || !l.changed {
		t.Fatalf("%d entries, %v", len(first.entries), err)
	}

	s.set(func() {})
	l, same := l.next(t, first, time.Second)
	if diff := cmp.Diff([]string{pathIndex}, s.paths()); diff != "" || l.changed || len(same.entries) != 3 {
		t.Errorf("nothing changed: %d entries, changed %v, asked for (-want +got):\n%s", len(same.entries), l.changed, diff)
	}

	d := offering(t)
	s.set(func() { s.exits[0] = []*testExit{a, d} })
	l, next := l.next(t, same, time.Second)
	want := []string{pathIndex, pathSegment + string(service.DigestOf(segmentOf([]*testExit{a, d})))}
	if diff := cmp.Diff(want, s.paths()); diff != "" || !l.changed {
		t.Errorf("one exit changed: changed %v, asked for (-want +got):\n%s", l.changed, diff)
	}
	if len(next.entries) != 3 || next.entries[d.entry.PubKeyHash] == nil || next.entries[b.entry.PubKeyHash] != nil {
		t.Errorf("%d entries", len(next.entries))
	}
	for _, e := range []*testExit{a, c} {
		if next.entries[e.entry.PubKeyHash] != first.entries[e.entry.PubKeyHash] {
			t.Error("an exit that did not change was verified again")
		}
	}
}

// Observations are asked for once a minute, and change nothing else.
func TestLookObserves(t *testing.T) {
	a := offering(t)
	s := newSegmented(t, []*testExit{a})
	observe := func(rtt float64) {
		s.set(func() {
			s.observed.Exits = map[string]service.Observed{service.ObservedName(a.entry.PubKeyHash): {RTTMillis: rtt}}
		})
	}
	rtt := func(l listing) float64 {
		return merge([]reached{{s.relay.url, l}}, nil, time.Now())[0].Paths[0].Observed.RTTMillis
	}
	observe(5)
	l, got, err := s.look(t)
	if err != nil || rtt(got) != 5 {
		t.Fatalf("round trip %v, %v", rtt(got), err)
	}
	observe(7)
	l, got = l.next(t, got, observeInterval-1)
	if rtt(got) != 5 || l.changed || slices.Contains(s.paths(), pathObserved) {
		t.Errorf("too early: round trip %v, changed %v", rtt(got), l.changed)
	}
	l, got = l.next(t, got, 1)
	if rtt(got) != 7 || !l.changed {
		t.Errorf("after the interval: round trip %v, changed %v", rtt(got), l.changed)
	}
	l, got = l.next(t, got, observeInterval)
	if rtt(got) != 7 || l.changed {
		t.Errorf("the same again: round trip %v, changed %v", rtt(got), l.changed)
	}
	absurd := `{"exits":{"` + service.ObservedName(a.entry.PubKeyHash) + `":{"rtt_ms":-1}}}`
	for name, body := range map[string]string{"not there": "", "garbage": "{", "absurd": absurd} {
		s.set(func() {
			s.change = func(path string, served []byte) []byte {
				switch {
				case path != pathObserved:
					return served
				case body == "":
					return nil
				}
				return []byte(body)
			}
		})
		l, got = l.next(t, got, observeInterval)
		if rtt(got) != 0 || len(got.entries) != 1 {
			t.Errorf("%s: round trip %v of %d entries", name, rtt(got), len(got.entries))
		}
	}
}

// A relay that serves something else than it says is not believed.
func TestHostileSegments(t *testing.T) {
	a, b := offering(t), offering(t)
	onSegments := func(f func([]byte) []byte) func(string, []byte) []byte {
		return func(path string, body []byte) []byte {
			if !strings.HasPrefix(path, pathSegment) {
				return body
			}
			return f(body)
		}
	}
	onIndex := func(text string) func(string, []byte) []byte {
		return func(path string, body []byte) []byte {
			if path != pathIndex {
				return body
			}
			return []byte(strings.ReplaceAll(text, "DIGEST", string(service.DigestOf(segmentOf([]*testExit{a})))))
		}
	}
	many := strings.Repeat(`"`+strings.Repeat("0", 64)+`",`, service.MaxEntries)
	tests := map[string]struct {
		change func(string, []byte) []byte
		want   string // in the error
	}{
		"another segment":      {onSegments(func([]byte) []byte { return segmentOf([]*testExit{b}) }), "not the one"},
		"cut segment":          {onSegments(func(b []byte) []byte { return b[:len(b)-1] }), "not the one"},
		"empty segment":        {onSegments(func([]byte) []byte { return []byte{} }), "not the one"},
		"endless segment":      {onSegments(func([]byte) []byte { return make([]byte, 4<<20) }), "not the one"},
		"no segment":           {onSegments(func([]byte) []byte { return nil }), "not at the relay"},
		"index is garbage":     {onIndex("<html>"), "JSON"},
		"a digest twice":       {onIndex(`{"segments":["DIGEST","DIGEST"]}`), "twice"},
		"digest is a path":     {onIndex(`{"segments":["../../ohttp"]}`), "hexadecimal"},
		"upper-case digest":    {onIndex(`{"segments":["` + strings.Repeat("A", 64) + `"]}`), "hexadecimal"},
		"segments twice":       {onIndex(`{"segments":["DIGEST"],"segments":[]}`), "twice"},
		"more than can be":     {onIndex(`{"segments":[` + many + `"DIGEST"]}`), "more than"},
		"index larger than it": {onIndex(strings.Repeat(" ", 4<<20) + `{"segments":[]}`), "limit"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSegmented(t, []*testExit{a})
			s.change = test.change
			_, got, err := s.look(t)
			if err == nil || !strings.Contains(err.Error(), test.want) || len(got.entries) != 0 {
				t.Errorf("%d entries, error %v, want one with %q", len(got.entries), err, test.want)
			}
		})
	}
}

// A segment of rubbish harms no other, and an exit counts once however often it is listed.
func TestRubbishInSegments(t *testing.T) {
	good, forged := offering(t), offering(t)
	forged.entry.Signature[0] ^= 1
	early := testInfo(models(service.OpenAI, "m"))
	early.NotBefore = time.Now().Add(time.Hour / 2)
	later := newExit(t, newIdentity(t), early)
	s := newSegmented(t, []*testExit{good, forged, good}, []*testExit{good}, []*testExit{later})
	l, got, err := s.look(t)
	if err != nil || len(got.entries) != 1 || got.dropped != 4 || !got.early {
		t.Fatalf("%d entries, %d dropped, early %v, %v", len(got.entries), got.dropped, got.early, err)
	}
	if exits := merge([]reached{{s.relay.url, got}}, nil, time.Now()); len(exits) != 1 || len(exits[0].Paths) != 1 {
		t.Errorf("exits = %+v, want one with one path", exits)
	}
	s.set(func() {})
	_, got = l.next(t, got, 40*time.Minute)
	if len(got.entries) != 2 || got.early {
		t.Errorf("later: %d entries, early %v", len(got.entries), got.early)
	}
	want := []string{pathIndex, pathSegment + string(service.DigestOf(segmentOf([]*testExit{later}))), pathObserved}
	if diff := cmp.Diff(want, s.paths()); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}

// What was verified once vouches for nothing that differs from it, however little.
func TestForgedLater(t *testing.T) {
	forge := map[string]func(*testExit){
		"description": func(e *testExit) { e.entry.ServiceInfo[len(e.entry.ServiceInfo)-2] ^= 1 },
		"signature":   func(e *testExit) { e.entry.Signature[0] ^= 1 },
	}
	for name, change := range forge {
		a, b := offering(t), offering(t)
		s := newSegmented(t, []*testExit{a, b})
		l, first, err := s.look(t)
		if err != nil || len(first.entries) != 2 {
			t.Fatalf("%d entries, %v", len(first.entries), err)
		}
		s.set(func() { change(a) })
		_, next := l.next(t, first, time.Second)
		if len(next.entries) != 1 || next.dropped != 1 || next.entries[a.entry.PubKeyHash] != nil {
			t.Errorf("%s forged: %d entries, %d dropped", name, len(next.entries), next.dropped)
		}
	}
}

// A segment that was replaced between index and download is asked for under its new name.
func TestSegmentReplacedMeanwhile(t *testing.T) {
	a, b := offering(t), offering(t)
	s := newSegmented(t, []*testExit{a})
	s.change = func(path string, body []byte) []byte {
		if path == pathIndex && len(s.asked) == 1 {
			s.exits = [][]*testExit{{b}} // s.mu is held
		}
		return body
	}
	_, got, err := s.look(t)
	if err != nil || len(got.entries) != 1 || got.entries[b.entry.PubKeyHash] == nil {
		t.Errorf("%d entries, %v", len(got.entries), err)
	}
}

// A directory beyond all limits ends the look, however small each segment is.
func TestDirectoryTooLarge(t *testing.T) {
	s := newSegmented(t, []*testExit{offering(t)})
	r := newRelay(s.relay.url, nil)
	defer r.close()
	digest := service.DigestOf(segmentOf(s.exits[0]))
	have := have{segments: map[service.Digest]*segment{digest: {size: service.MaxDirectoryBytes + 1}}}
	if _, err := (&look{relay: r, have: have, now: time.Now()}).list(t.Context()); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("error %v", err)
	}
	if _, err := joinSegments([]*segment{{dropped: service.MaxEntries + 1}}); err == nil {
		t.Error("more entries than can be were taken")
	}
}

// After a failed look everything is downloaded anew: what is not asked for would tell who asks.
func TestFailureForgetsWhatTheRelayKnows(t *testing.T) {
	s := newSegmented(t, []*testExit{offering(t)})
	c := start(t, Config{RefreshInterval: time.Millisecond}, s.relay)
	before := c.directory.view(time.Now())
	s.relay.set(func() {
		s.relay.document = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	})
	eventually(t, "a look fails", func() bool { return c.Relays()[0].Err != nil })
	s.set(func() {})
	s.relay.set(func() { s.relay.document = s.serve })
	eventually(t, "a look succeeds", func() bool { return c.Relays()[0].Err == nil })
	want := []string{pathIndex, pathSegment + string(service.DigestOf(segmentOf(s.exits[0]))), pathObserved}
	if diff := cmp.Diff(want, s.paths()[:3]); diff != "" {
		t.Errorf("asked for first (-want +got):\n%s", diff)
	}
	if after := c.directory.view(time.Now()); after.routes != before.routes || after.exits[0].Info != before.exits[0].Info {
		t.Error("the same directory, downloaded again, was taken for a change")
	}
}

// routes tells a change of exits from one of observations.
func TestRoutesOfAView(t *testing.T) {
	a, b := offering(t), offering(t)
	s := newSegmented(t, []*testExit{a})
	c := start(t, Config{RefreshInterval: time.Millisecond}, s.relay)
	first := c.directory.view(time.Now())
	s.set(func() { s.exits = append(s.exits, []*testExit{b}) })
	eventually(t, "the second exit is there", func() bool { return len(c.Exits()) == 2 })
	second := c.directory.view(time.Now())
	if second.routes == first.routes {
		t.Error("another exit, and the same routes")
	}
	p := c.directory.pollers[0]
	p.mu.Lock()
	p.listing.observed = &service.Observations{Exits: map[string]service.Observed{service.ObservedName(a.entry.PubKeyHash): {InFlight: 8}}}
	p.mu.Unlock()
	c.directory.version.Add(1)
	third := c.directory.view(time.Now())
	inFlight := 0
	for _, e := range third.exits {
		inFlight += e.Paths[0].Observed.InFlight
	}
	if third.routes != second.routes || third.version == second.version || inFlight != 8 {
		t.Errorf("other observations: routes %d after %d, in flight %d", third.routes, second.routes, inFlight)
	}
}

// A relay that has no segments is asked for its directory as one document.
func TestRelayWithoutSegments(t *testing.T) {
	a := offering(t)
	a.entry.Observed = service.Observed{RTTMillis: 3}
	r := newTestRelay(t, a)
	exits, err := fetch(t.Context(), r.url)
	if err != nil || len(exits) != 1 || exits[0].Paths[0].Observed.RTTMillis != 3 {
		t.Errorf("exits %+v, %v", exits, err)
	}
}

// A segment that packs well is read up to the limit of one.
func TestCompressedBomb(t *testing.T) {
	s := newSegmented(t, []*testExit{offering(t)})
	bomb := zipped(t, make([]byte, 64<<20))
	served := s.serve
	s.relay.set(func() {
		s.relay.document = func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, pathSegment) {
				served(w, r)
				return
			}
			w.Header().Set("Content-Encoding", "gzip")
			io.Copy(w, bytes.NewReader(bomb))
		}
	})
	if _, _, err := s.look(t); err == nil || !strings.Contains(err.Error(), "not the one") {
		t.Errorf("error %v", err)
	}
}
