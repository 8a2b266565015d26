// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/service"
)

// How often the directory is built, and for how long what it no longer contains is there.
const (
	fewExits    = 100             // a directory of so many is built at every change
	buildShare  = 20              // after any other, nothing is built for so many times as long as that took,
	maxBuildGap = time.Second     // but no longer than this
	retireAfter = 5 * time.Minute // how long a segment is there after it left the index
	maxRetired  = 1024            // how many such segments are kept, the newest
)

// publisher keeps the directory in the forms in which it is served. All are made at most once for each
// change of the registry and at most at the rate that the constants above allow, whoever asks and how
// often: a request costs no more than what it is sent.
type publisher struct {
	registry *registry
	interval time.Duration // at which observations are renewed
	operator string        // who runs the relay

	building sync.Mutex // held while something is built; before mu. Guards pieces.
	pieces   map[service.Digest]*piece

	mu       sync.Mutex // guards what follows
	snapshot *snapshot
	notUntil time.Time // before which no other snapshot is built
	segments map[service.Digest]*segment
	retired  []retired // oldest first; their segments are in segments
	observed *document
	renew    time.Time // when observed is too old
}

// snapshot is the directory at one moment.
type snapshot struct {
	version  uint64    // of the registry
	until    time.Time // when an exit expires
	segments []*segment
	exits    int
	bytes    int // that they signed
	index    *document

	once  sync.Once // guards whole and err
	whole *whole
	err   error
}

// all are the exits of the snapshot.
func (s *snapshot) all() iter.Seq[listed] {
	return func(yield func(listed) bool) {
		for _, segment := range s.segments {
			for _, e := range segment.exits {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// document is a short text as it is served.
type document struct {
	plain, gzipped []byte
	etag           string
}

// whole is the directory in JSON, in parts that are sent one after the other.
type whole struct {
	plain, gzipped [][]byte
}

// retired is a segment that the index no longer lists.
type retired struct {
	digest service.Digest
	at     time.Time
}

func newPublisher(g *registry, interval time.Duration) *publisher {
	return &publisher{
		registry: g,
		interval: interval,
		pieces:   make(map[service.Digest]*piece),
		segments: make(map[service.Digest]*segment),
	}
}

func newDocument(content any) (*document, error) {
	plain, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	plain = append(plain, '\n')
	gzipped, err := compress(plain)
	sum := sha256.Sum256(plain)
	return &document{plain: plain, gzipped: gzipped, etag: `W/"` + hex.EncodeToString(sum[:16]) + `"`}, err
}

// directory returns the snapshot to serve, after building it when an exit came, went or expired. Whoever
// comes while one is being built waits for it.
func (p *publisher) directory(now time.Time) (*snapshot, error) {
	if s := p.current(now); s != nil {
		return s, nil
	}
	p.building.Lock()
	defer p.building.Unlock()
	if s := p.current(now); s != nil {
		return s, nil
	}
	begin := time.Now()
	s, err := p.build(now)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.publish(s, now)
	p.rest(s, now, time.Since(begin))
	return s, nil
}

// current returns the snapshot when it may still be served.
func (p *publisher) current(now time.Time) *snapshot {
	version := p.registry.currentVersion()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.snapshot
	if s == nil || !now.Before(s.until) || (s.version != version && !now.Before(p.notUntil)) {
		return nil
	}
	return s
}

// rest puts off the next build after one that cost some work. Expiry, in whole seconds, does not wait.
// p.mu is held.
func (p *publisher) rest(s *snapshot, now time.Time, took time.Duration) {
	if s.exits > fewExits {
		p.notUntil = now.Add(min(buildShare*took, maxBuildGap))
	}
}

// build makes a snapshot, out of segments that there are wherever nothing has changed. p.building is held.
func (p *publisher) build(now time.Time) (*snapshot, error) {
	exits, version := p.registry.list(now)
	s := &snapshot{version: version, until: now.Add(service.MaxLifetime), exits: len(exits)}
	for _, e := range exits {
		s.bytes += service.SignedSize(e.registration.Signed)
		if expires := e.registration.Info.Expires; expires.Before(s.until) {
			s.until = expires
		}
	}
	slices.SortFunc(exits, func(a, b listed) int { return bytes.Compare(a.place[:], b.place[:]) })
	var err error
	if s.segments, err = p.encode(cut(exits, 0)); err != nil {
		return nil, err
	}
	index := service.Index{Segments: make([]service.Digest, 0, len(s.segments)), Operator: p.operator}
	for _, segment := range s.segments {
		index.Segments = append(index.Segments, segment.digest)
	}
	s.index, err = newDocument(index)
	return s, err
}

// encode makes a segment of each run, on all processors.
func (p *publisher) encode(runs [][]listed) ([]*segment, error) {
	last := p.lastSegments()
	segments := make([]*segment, len(runs))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, run := range runs {
		if s := last[run[0].place]; s != nil && s.has(run) {
			segments[i] = s
			continue
		}
		group.Go(func() (err error) {
			segments[i], err = newSegment(run)
			return err
		})
	}
	return segments, group.Wait()
}

// lastSegments are the segments of the last snapshot by their first exit.
func (p *publisher) lastSegments() map[place]*segment {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.snapshot == nil {
		return nil
	}
	last := make(map[place]*segment, len(p.snapshot.segments))
	for _, s := range p.snapshot.segments {
		last[s.exits[0].place] = s
	}
	return last
}

// publish serves s from now on, and what s no longer contains for a while. p.mu is held.
func (p *publisher) publish(s *snapshot, now time.Time) {
	listed := make(map[service.Digest]bool, len(s.segments))
	for _, segment := range s.segments {
		p.segments[segment.digest] = segment
		listed[segment.digest] = true
	}
	p.retired = slices.DeleteFunc(p.retired, func(r retired) bool { return listed[r.digest] })
	if p.snapshot != nil {
		for _, segment := range p.snapshot.segments {
			if !listed[segment.digest] {
				p.retired = append(p.retired, retired{segment.digest, now})
				delete(p.pieces, segment.digest)
			}
		}
	}
	for len(p.retired) > maxRetired || (len(p.retired) > 0 && now.Sub(p.retired[0].at) > retireAfter) {
		delete(p.segments, p.retired[0].digest)
		p.retired = p.retired[1:]
	}
	p.snapshot = s
}

// segment returns a segment of the directory or of one a little older, nil when there is none.
func (p *publisher) segment(digest service.Digest) *segment {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.segments[digest]
}

// wholeOf returns a snapshot in JSON. What an earlier one had of it is used again.
func (p *publisher) wholeOf(s *snapshot) (*whole, error) {
	s.once.Do(func() {
		p.building.Lock()
		defer p.building.Unlock()
		begin := time.Now()
		s.whole, s.err = p.join(s)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.rest(s, begin, time.Since(begin))
	})
	return s.whole, s.err
}

// join puts the pieces of a snapshot together. p.building is held.
func (p *publisher) join(s *snapshot) (*whole, error) {
	pieces, err := p.encodePieces(s)
	if err != nil {
		return nil, err
	}
	const begin, comma = `{"exits":[`, `,`
	end, err := endOf(p.operator)
	if err != nil {
		return nil, err
	}
	w := &whole{plain: [][]byte{[]byte(begin)}, gzipped: [][]byte{gzipHead, stored(begin, 0)}}
	for i, piece := range pieces {
		if i > 0 {
			w.plain = append(w.plain, []byte(comma))
			w.gzipped = append(w.gzipped, stored(comma, 0))
		}
		w.plain = append(w.plain, piece.plain)
		w.gzipped = append(w.gzipped, piece.deflated)
	}
	w.plain = append(w.plain, []byte(end))
	w.gzipped = append(w.gzipped, stored(end, 1), gzipTail(w.plain))
	return w, nil
}

// endOf is what follows the exits in the directory as one document.
func endOf(operator string) (string, error) {
	if operator == "" {
		return "]}\n", nil
	}
	name, err := json.Marshal(operator)
	return `],"operator":` + string(name) + "}\n", err
}

// encodePieces makes the pieces that there are not yet, on all processors. p.building is held.
func (p *publisher) encodePieces(s *snapshot) ([]*piece, error) {
	pieces := make([]*piece, len(s.segments))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, segment := range s.segments {
		if pieces[i] = p.pieces[segment.digest]; pieces[i] != nil {
			continue
		}
		group.Go(func() (err error) {
			pieces[i], err = newPiece(segment.exits)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	clear(p.pieces) // of segments that are no longer listed
	for i, segment := range s.segments {
		p.pieces[segment.digest] = pieces[i]
	}
	return pieces, nil
}

// observations returns what the relay observes, as it was at the last renewal.
func (p *publisher) observations(now time.Time) (*document, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.observed != nil && now.Before(p.renew) {
		return p.observed, nil
	}
	fresh, err := newDocument(p.registry.observations(now))
	if err != nil {
		return nil, err
	}
	p.observed, p.renew = fresh, now.Add(p.interval)
	return fresh, nil
}
