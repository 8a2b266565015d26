// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

// index downloads the directory's index.
func (g *rig) index(c *http.Client) *service.Index {
	g.t.Helper()
	index, err := service.ParseIndex(strings.NewReader(g.get(c, "/directory").body))
	if err != nil {
		g.t.Fatal(err)
	}
	return index
}

// inSegments downloads the directory by its segments.
func (g *rig) inSegments(c *http.Client) []service.Hash {
	g.t.Helper()
	hashes := []service.Hash{}
	for _, digest := range g.index(c).Segments {
		got := g.get(c, "/directory/segments/"+string(digest))
		if got.status != http.StatusOK || service.DigestOf([]byte(got.body)) != digest {
			g.t.Fatalf("segment %s: status %d, %d other bytes", digest, got.status, len(got.body))
		}
		all, err := service.ParseSegment([]byte(got.body))
		if err != nil {
			g.t.Fatal(err)
		}
		for _, signed := range all {
			if _, err := signed.Verify(time.Now()); err != nil {
				g.t.Errorf("a client cannot verify an exit: %v", err)
			}
			hashes = append(hashes, signed.Hash())
		}
	}
	return hashes
}

func TestSegments(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol string) {
		g := newRig(t)
		client := g.client(protocol)
		if got := g.index(client).Segments; len(got) != 0 {
			t.Errorf("an empty relay has segments %v", got)
		}
		var want []service.Hash
		for range 3 {
			want = append(want, g.connect(newIdentity(t), echo).hash())
		}
		slices.Sort(want)
		got := g.inSegments(client)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("exits (-want +got):\n%s", diff)
		}
		old := g.index(client).Segments[0]
		g.connect(newIdentity(t), echo)
		if slices.Contains(g.index(client).Segments, old) {
			t.Error("the index still lists a segment that has changed")
		}
		if got := g.get(client, "/directory/segments/"+string(old)); got.status != http.StatusOK {
			t.Errorf("a segment that has just changed: status %d", got.status)
		}
	})
}

func TestSegmentHeaders(t *testing.T) {
	g := newRig(t)
	client := g.client(h2)
	g.connect(newIdentity(t), echo)
	path := "/directory/segments/" + string(g.index(client).Segments[0])
	plain, zipped := g.get(client, path), g.get(client, path, "Accept-Encoding", "gzip")
	if unzip(t, zipped.body) != plain.body || zipped.header.Get("Content-Encoding") != "gzip" {
		t.Error("compressed it is another segment")
	}
	for name, want := range map[string]string{
		"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding", "Content-Type": segmentType,
	} {
		if got := plain.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, digest := range []string{strings.Repeat("0", 64), "x", "%2e%2e"} {
		if got := g.get(client, "/directory/segments/"+digest); got.status != http.StatusNotFound {
			t.Errorf("segment %s: status %d", digest, got.status)
		}
	}
	for _, path := range []string{"/directory", "/directory/observed"} {
		tag := g.get(client, path).header.Get("ETag")
		if got := g.get(client, path, "If-None-Match", tag); tag == "" || got.status != http.StatusNotModified {
			t.Errorf("%s again: status %d", path, got.status)
		}
		if got := g.get(client, path, "Accept-Encoding", "gzip"); unzip(t, got.body) != g.get(client, path).body {
			t.Errorf("%s compressed is another one", path)
		}
	}
}

// manyListed are exits of all sizes, sorted by place.
func manyListed(n int) []listed {
	random := rand.NewChaCha8([32]byte{4})
	all := make([]listed, n)
	for i := range all {
		reg := largeRegistration(random, i, 1)
		reg.Signed.ServiceInfo = append(reg.Signed.ServiceInfo, bytes.Repeat([]byte(" "), int(random.Uint64()%60_000))...)
		all[i] = listed{placeOf(reg.Info.Identity), reg}
	}
	slices.SortFunc(all, func(a, b listed) int { return bytes.Compare(a.place[:], b.place[:]) })
	return all
}

// TestCut holds that no exit is lost, no segment too large, and a change stays where it is.
func TestCut(t *testing.T) {
	all := manyListed(500)
	runs := cut(all, 0)
	if diff := cmp.Diff(len(all), len(slices.Concat(runs...))); diff != "" {
		t.Errorf("exits in all runs (-want +got):\n%s", diff)
	}
	for _, run := range runs {
		s, err := newSegment(run)
		if err != nil {
			t.Fatal(err)
		}
		raw := unzip(t, string(s.gzipped))
		if signed, err := service.ParseSegment([]byte(raw)); err != nil || len(signed) != len(run) {
			t.Errorf("a segment of %d exits has %d: %v", len(run), len(signed), err)
		}
	}
	for _, i := range []int{0, 77, len(all) - 1} {
		without := slices.Delete(slices.Clone(all), i, i+1)
		changed := 0
		for _, run := range cut(without, 0) {
			if !slices.ContainsFunc(runs, func(old []listed) bool { return slices.Equal(old, run) }) {
				changed++
			}
		}
		if changed > 1 {
			t.Errorf("without one exit %d segments are new, want at most one", changed)
		}
	}
	if got := cut(nil, 0); got != nil {
		t.Errorf("nothing was cut into %v", got)
	}
}

// TestRetiredSegments keeps what the index no longer lists for a while, and not without bounds.
func TestRetiredSegments(t *testing.T) {
	g := newRegistry(10)
	p := newPublisher(g, time.Hour)
	now := time.Now()
	id := newIdentity(t)
	var digests []service.Digest
	build := func() {
		t.Helper()
		s, err := p.directory(now)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, s.segments[0].digest)
	}
	for i := range maxRetired + 3 {
		g.add(id.sign(t, fmt.Sprint("keys ", i), int64(i)).registration(t), standing{})
		build()
	}
	for i, want := range map[int]bool{0: false, 1: false, 2: true, len(digests) - 1: true} {
		if got := p.segment(digests[i]) != nil; got != want {
			t.Errorf("segment %d of %d is there: %v, want %v", i, len(digests), got, want)
		}
	}
	now = now.Add(retireAfter + 1)
	g.add(id.sign(t, "last keys", maxRetired+3).registration(t), standing{})
	build()
	if n := len(p.segments); n != 2 {
		t.Errorf("%d segments are kept, want the listed one and the one before", n)
	}
}

// TestWholeIsOneGzipFile joins pieces, and uses those that have not changed again.
func TestWholeIsOneGzipFile(t *testing.T) {
	g := newRegistry(1000)
	p := newPublisher(g, time.Hour)
	now := time.Now()
	for n := range 3 {
		for range 20 * n {
			g.add(newIdentity(t, func(in *service.Info) { in.Tags = map[string]string{"x": strings.Repeat("y", 250)} }).registration(t), standing{})
		}
		for range n {
			g.add(manyListed(1)[0].registration, standing{})
		}
		s, err := p.directory(now)
		if err != nil {
			t.Fatal(err)
		}
		w, err := p.wholeOf(s)
		if err != nil {
			t.Fatal(err)
		}
		plain := bytes.Join(w.plain, nil)
		if got := unzip(t, string(bytes.Join(w.gzipped, nil))); got != string(plain) {
			t.Error("compressed it is another directory")
		}
		d, err := service.ParseDirectory(bytes.NewReader(plain), service.MaxDirectoryBytes)
		if err != nil || len(d.Exits) != s.exits {
			t.Errorf("%d exits of %d, %v", len(d.Exits), s.exits, err)
		}
		if len(p.pieces) != len(s.segments) {
			t.Errorf("%d pieces are kept for %d segments", len(p.pieces), len(s.segments))
		}
	}
}

// TestLargeDirectoryIsBuiltRarely asks for a directory that changes all the time.
func TestLargeDirectoryIsBuiltRarely(t *testing.T) {
	g := newRegistry(1000)
	p := newPublisher(g, time.Hour)
	now := time.Now()
	add := func() { g.add(newIdentity(t).registration(t), standing{}) }
	for range fewExits + 1 {
		add()
	}
	first, err := p.directory(now)
	if err != nil {
		t.Fatal(err)
	}
	add()
	if again, err := p.directory(now); again != first || err != nil {
		t.Errorf("it was built again at once: %v", err)
	}
	if later, err := p.directory(now.Add(maxBuildGap)); later == first || err != nil {
		t.Errorf("it was not built again: %v", err)
	}
}

// TestLargeDirectoryIsNotFiltered refuses what would cost work with a large directory.
func TestLargeDirectoryIsNotFiltered(t *testing.T) {
	g := newRig(t)
	client := g.client(h2)
	random := rand.NewChaCha8([32]byte{5})
	for i := range maxFiltered + 1 {
		g.relay.registry.add(largeRegistration(random, i, 1), standing{})
	}
	if got := g.get(client, "/exits?model=m"); got.status != http.StatusBadRequest {
		t.Errorf("status %d", got.status)
	}
}

// TestFilteredDirectoryIsNotHeld asks for all of a directory by a filter: no more than an exit at a time may be in
// memory for the one who asks, and a directory of few exits that say much is large, too.
func TestFilteredDirectoryIsNotHeld(t *testing.T) {
	const tags, most = 40, 64 << 10
	const size = tags * 490 // of a description, at least
	g := newRig(t)
	long := func(in *service.Info) {
		in.Tags = map[string]string{}
		for n := range tags {
			in.Tags[fmt.Sprintf("%03d%s", n, strings.Repeat("k", 240))] = strings.Repeat("v", 250)
		}
	}
	add := func(n int) {
		for range n {
			g.relay.registry.add(newIdentity(t, long).registration(t), standing{})
		}
	}
	add(50)
	w := &largestWrite{header: http.Header{}}
	g.relay.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/exits?protocol=openai", nil))
	if w.total < 50*size || w.largest > most {
		t.Errorf("%d bytes, at most %d at a time", w.total, w.largest)
	}
	add(maxFilteredBytes/size + 1 - 50)
	if got := g.get(g.client(h2), "/exits?protocol=openai"); got.status != http.StatusBadRequest {
		t.Errorf("a large directory: status %d", got.status)
	}
}

// largestWrite is an [http.ResponseWriter] that counts.
type largestWrite struct {
	header         http.Header
	total, largest int
}

func (w *largestWrite) Header() http.Header { return w.header }
func (w *largestWrite) WriteHeader(int)     {}
func (w *largestWrite) Write(p []byte) (int, error) {
	w.total += len(p)
	w.largest = max(w.largest, len(p))
	return len(p), nil
}

// TestDirectoryHasRoom refuses descriptions that would make the directory larger than clients read.
func TestDirectoryHasRoom(t *testing.T) {
	g := newRegistry(10)
	reg := newIdentity(t).registration(t)
	g.add(reg, standing{})
	if g.bytes != service.SignedSize(reg.Signed) {
		t.Errorf("%d bytes of %d are counted", g.bytes, service.SignedSize(reg.Signed))
	}
	g.bytes = maxSignedBytes
	if err := g.admit(reg); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if code := refusedWith(g.admit(newIdentity(t).registration(t))); code != "full" {
		t.Errorf("another: refused with %q", code)
	}
}

// TestEntryIsWhatServiceReads holds that the JSON of an exit has no observations.
func TestEntryIsWhatServiceReads(t *testing.T) {
	raw, err := encodeEntry(newIdentity(t).registration(t))
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	if _, ok := fields["observed"]; ok || len(fields) != 4 {
		t.Errorf("fields %v", fields)
	}
}
