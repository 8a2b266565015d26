// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tokengo/tokengo/internal/crowd"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/tunnel"
)

// keyListBytes is how long an exit's list of an X-Wing and an X25519 key is. Keys are random.
const keyListBytes = 1313

// largeRegistrations are what so many exits of the larger kind register. Whoever asks first waits for them.
var largeRegistrations = sync.OnceValue(func() []*tunnel.Registration {
	random := rand.NewChaCha8([32]byte{1})
	all := make([]*tunnel.Registration, crowd.Exits)
	for i := range all {
		all[i] = largeRegistration(random, i, 1)
	}
	return all
})

// largeRegistration is one of the exits with many models, after so many changes. The relay verifies a
// registration before the registry gets it, so the signature here is random like the keys.
func largeRegistration(random *rand.ChaCha8, i int, sequence int64) *tunnel.Registration {
	secret := make([]byte, keyListBytes+ed25519.SignatureSize)
	random.Read(secret)
	keys, signature := secret[:keyListBytes], secret[keyListBytes:]
	info := crowd.Info(i, sequence)
	name := sha256.Sum256(fmt.Append(nil, "exit ", i))
	info.Identity = service.IdentityOf(name[:])
	raw, err := json.Marshal(info)
	if err != nil {
		panic(err)
	}
	signed := &service.Signed{KeyConfig: keys, ServiceInfo: raw, Signature: signature}
	return &tunnel.Registration{Hash: signed.Hash(), Signed: signed, Info: info}
}

// largeRegistry is a registry with all large exits.
func largeRegistry() *registry {
	g := newRegistry(crowd.Exits)
	for _, reg := range largeRegistrations() {
		g.add(reg, standing{})
	}
	return g
}

// size is what it costs to download a snapshot: the index and all segments, compressed.
func (s *snapshot) size() (index, segments int) {
	for _, segment := range s.segments {
		segments += len(segment.gzipped)
	}
	return len(s.index.gzipped), segments
}

// refreshBytes is what a client that has one snapshot downloads for another.
func refreshBytes(from, to *snapshot) int {
	have := map[service.Digest]bool{}
	for _, segment := range from.segments {
		have[segment.digest] = true
	}
	n := len(to.index.gzipped)
	for _, segment := range to.segments {
		if !have[segment.digest] {
			n += len(segment.gzipped)
		}
	}
	return n
}

// TestRefreshIsSmall changes, removes and adds single exits of a large directory.
func TestRefreshIsSmall(t *testing.T) {
	if raceDetector {
		t.Skip("makes 10,000 exits")
	}
	const most = 100_000
	g := largeRegistry()
	p := newPublisher(g, time.Hour)
	now := time.Now()
	last, err := p.directory(now)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{3})
	changes := map[string]func(i int){
		"new keys": func(i int) { g.add(largeRegistration(random, i, 2), standing{}) },
		"gone":     func(i int) { g.leave(g.identities[largeRegistrations()[i].Info.Identity].entries[0]) },
		"come":     func(i int) { g.add(largeRegistration(random, crowd.Exits+i, 1), standing{}) },
	}
	for name, change := range changes {
		for i := range 20 {
			change(100 + i)
			now = now.Add(maxBuildGap)
			next, err := p.directory(now)
			if err != nil {
				t.Fatal(err)
			}
			if n := refreshBytes(last, next); n > most || next == last {
				t.Errorf("%s: a refresh takes %d bytes, want at most %d", name, n, most)
			}
			last = next
		}
	}
}

// BenchmarkDirectoryBuild builds a large directory from nothing.
func BenchmarkDirectoryBuild(b *testing.B) {
	g := largeRegistry()
	var s *snapshot
	var err error
	for b.Loop() {
		if s, err = newPublisher(g, time.Hour).directory(time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	index, segments := s.size()
	b.ReportMetric(float64(index), "index-bytes")
	b.ReportMetric(float64(segments), "segment-bytes")
	b.ReportMetric(float64(len(s.segments)), "segments")
}

// BenchmarkDirectoryChange changes one exit of a large directory: its keys and what it offers.
func BenchmarkDirectoryChange(b *testing.B) {
	g := largeRegistry()
	p := newPublisher(g, time.Hour)
	now := time.Now()
	s, err := p.directory(now)
	if err != nil {
		b.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{2})
	sequence, most := int64(1), 0
	for b.Loop() {
		b.StopTimer()
		sequence++
		g.add(largeRegistration(random, int(sequence)%crowd.Exits, sequence), standing{})
		now = now.Add(maxBuildGap)
		last := s
		b.StartTimer()
		if s, err = p.directory(now); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		most = max(most, refreshBytes(last, s))
		b.StartTimer()
	}
	b.ReportMetric(float64(most), "refresh-bytes")
}

// BenchmarkProbe is what a client that waits asks for, to see whether the relay is there: both ends of it, on as many
// connections as there are processors, all busy.
func BenchmarkProbe(b *testing.B) {
	g := newRig(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		client := g.client(h2)
		for pb.Next() {
			resp, err := client.Head(g.url.Base() + "/healthz")
			if err != nil {
				b.Error(err)
				return
			}
			resp.Body.Close()
		}
	})
}
