// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/service"
)

// listing is one relay's directory, verified: nothing that did not verify is in it. It does not change.
type listing struct {
	entries  map[service.Hash]*entry
	dropped  int                   // entries that did not verify, or came twice
	early    bool                  // an entry was dropped that will be valid later
	observed *service.Observations // nil when the relay tells none
	operator string                // who runs the relay
}

// entry is a verified entry of one relay's directory.
type entry struct {
	exit Exit // without paths
	sums sums
}

// have is what a relay knows, from what it is asked for, that its client has: it must be forgotten when
// the client may have moved to another address, or it would link the two.
type have struct {
	etag         string // of the index, or of the directory as one document
	segments     map[service.Digest]*segment
	observedETag string
	observedAt   time.Time // when observations were asked for
}

// segment is a part of a directory, verified.
type segment struct {
	entries []*entry
	dropped int
	early   bool
	size    int64
}

// look is one look at a relay's directory.
type look struct {
	relay *relay
	last  listing // of the look before, whose verified entries are used again
	have  have
	now   time.Time

	bytes   atomic.Int64 // of segments, decompressed
	changed bool         // the outcome is another listing than last
}

// errNoSegments says that a relay has its directory as one document only.
var errNoSegments = errors.New("the relay serves no segments")

// list downloads what has changed of the directory, all of it: what one looks for stays at home. It
// returns last when nothing has.
func (l *look) list(ctx context.Context) (listing, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	next, err := l.bySegments(ctx)
	if errors.Is(err, errNotFound) { // a segment that was replaced just now
		next, err = l.bySegments(ctx)
	}
	if errors.Is(err, errNoSegments) {
		next, err = l.asDocument(ctx)
	}
	if err != nil && !errors.Is(err, errNotModified) {
		return listing{}, err
	}
	if err != nil {
		next = l.last
	}
	if next.early {
		l.have.etag = "" // the same directory will mean more later
	}
	return l.observe(ctx, next), nil
}

// bySegments downloads the index, and of the segments in it those that are not there yet.
func (l *look) bySegments(ctx context.Context) (listing, error) {
	var index *service.Index
	known := l.have.etag
	if l.have.segments == nil { // it is that of a document
		known = ""
	}
	etag, err := l.relay.get(ctx, pathIndex, known, func(body io.Reader) (err error) {
		index, err = service.ParseIndex(body)
		return err
	})
	if errors.Is(err, errNotFound) {
		return listing{}, errNoSegments
	}
	if err != nil {
		return listing{}, err
	}
	segments, err := l.download(ctx, index)
	if err != nil {
		return listing{}, err
	}
	next, err := joinSegments(segments)
	if err != nil {
		return listing{}, err
	}
	next.observed, next.operator = l.last.observed, index.Operator
	l.changed = true
	l.have.etag, l.have.segments = etag, make(map[service.Digest]*segment, len(segments))
	for i, s := range segments {
		if !s.early { // one that was will be verified again
			l.have.segments[index.Segments[i]] = s
		}
	}
	return next, nil
}

// download returns the segments of the index, several at a time.
func (l *look) download(ctx context.Context, index *service.Index) ([]*segment, error) {
	l.bytes.Store(0)
	segments := make([]*segment, len(index.Segments))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fetchAtOnce)
	for i, digest := range index.Segments {
		if s := l.have.segments[digest]; s != nil {
			segments[i] = s
			if err := l.count(s.size); err != nil {
				return nil, errors.Join(err, group.Wait())
			}
			continue
		}
		group.Go(func() (err error) {
			segments[i], err = l.downloadOne(ctx, digest)
			return err
		})
	}
	return segments, group.Wait()
}

// count adds to the size of the directory.
func (l *look) count(n int64) error {
	if l.bytes.Add(n) > service.MaxDirectoryBytes {
		return fmt.Errorf("directory of relay %s: larger than this client takes", l.relay.url.Host)
	}
	return nil
}

var segmentBuffers = sync.Pool{New: func() any { return new([service.MaxSegmentBytes + 1]byte) }}

func (l *look) downloadOne(ctx context.Context, digest service.Digest) (*segment, error) {
	buf := segmentBuffers.Get().(*[service.MaxSegmentBytes + 1]byte) // nothing that is kept refers to it
	defer segmentBuffers.Put(buf)
	n := 0
	_, err := l.relay.get(ctx, pathSegment+string(digest), "", func(body io.Reader) (err error) {
		n, err = io.ReadFull(body, buf[:])
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) { // shorter than a segment may be
			err = nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	raw := buf[:n]
	if err := l.count(int64(len(raw))); err != nil {
		return nil, err
	}
	if service.DigestOf(raw) != digest {
		return nil, fmt.Errorf("segment from relay %s: not the one that was asked for", l.relay.url.Host)
	}
	all, err := service.ParseSegment(raw)
	if err != nil {
		return nil, fmt.Errorf("segment from relay %s: %w", l.relay.url.Host, err)
	}
	s := &segment{size: int64(len(raw))}
	for _, signed := range all {
		s.add(l.verify(signed))
	}
	return s, nil
}

// verify returns the entry of a signed description. One that is as it was at the last look has been
// verified before.
func (l *look) verify(signed *service.Signed) (*entry, error) {
	if len(l.last.entries) > 0 { // else it costs a hash to find that out
		if known := l.last.entries[signed.Hash()]; known != nil && known.sums == sumsOf(signed) {
			return known, nil
		}
	}
	return verifyEntry(signed, l.now)
}

// sums tell whether a signed description is the one that was verified under the same hash of keys. Nobody
// else knows the seed; and were two alike, what is used is the one that was verified.
type sums struct{ info, signature uint64 }

var sumsSeed = maphash.MakeSeed()

func sumsOf(signed *service.Signed) sums {
	return sums{maphash.Bytes(sumsSeed, signed.ServiceInfo), maphash.Bytes(sumsSeed, signed.Signature)}
}

// add takes the outcome of a verification in.
func (s *segment) add(e *entry, err error) {
	if err != nil {
		s.dropped++
		s.early = s.early || errors.Is(err, service.ErrNotYetValid)
		return
	}
	s.entries = append(s.entries, e)
}

// joinSegments makes a listing of segments. Of entries with the same keys the first counts.
func joinSegments(segments []*segment) (listing, error) {
	n := 0
	for _, s := range segments {
		n += len(s.entries) + s.dropped
	}
	if n > service.MaxEntries {
		return listing{}, fmt.Errorf("directory: more than %d exits", service.MaxEntries)
	}
	l := listing{entries: make(map[service.Hash]*entry, n)}
	for _, s := range segments {
		l.dropped += s.dropped
		l.early = l.early || s.early
		for _, e := range s.entries {
			if l.entries[e.exit.Hash] != nil {
				l.dropped++
				continue
			}
			l.entries[e.exit.Hash] = e
		}
	}
	return l, nil
}

// asDocument downloads the directory as one document, from a relay that has no segments.
func (l *look) asDocument(ctx context.Context) (listing, error) {
	var dir *service.Directory
	etag, err := l.relay.get(ctx, pathExits, l.have.etag, func(body io.Reader) (err error) {
		dir, err = service.ParseDirectory(body, service.MaxDirectoryBytes)
		return err
	})
	if err != nil {
		return listing{}, err
	}
	l.changed = true
	l.have.etag, l.have.segments = etag, nil
	next, err := joinSegments(l.verifyAll(dir.Exits))
	next.operator = dir.Operator
	next.observed = &service.Observations{Exits: make(map[string]service.Observed, len(dir.Exits))}
	for i := range dir.Exits {
		next.observed.Exits[service.ObservedName(dir.Exits[i].PubKeyHash)] = dir.Exits[i].Observed
	}
	return next, err
}

// verifyAll verifies the entries of a document, on all processors.
func (l *look) verifyAll(exits []service.Entry) []*segment {
	workers := runtime.GOMAXPROCS(0)
	parts := make([]*segment, workers)
	var group errgroup.Group
	for i := range parts {
		part := exits[i*len(exits)/workers : (i+1)*len(exits)/workers]
		group.Go(func() error {
			parts[i] = &segment{}
			for k := range part {
				if part[k].PubKeyHash != service.HashOf(part[k].KeyConfig) {
					parts[i].dropped++
					continue
				}
				parts[i].add(l.verify(part[k].Signed()))
			}
			return nil
		})
	}
	group.Wait() // nothing fails
	return parts
}

// observe adds what the relay observes, if it is time to ask for that. A relay that does not tell is no
// worse for it: it is its own word.
func (l *look) observe(ctx context.Context, next listing) listing {
	if l.have.segments == nil || l.now.Sub(l.have.observedAt) < observeInterval {
		return next
	}
	l.have.observedAt = l.now
	var observed *service.Observations
	etag, err := l.relay.get(ctx, pathObserved, l.have.observedETag, func(body io.Reader) (err error) {
		observed, err = service.ParseObservations(body)
		return err
	})
	if errors.Is(err, errNotModified) {
		return next
	}
	l.changed = true
	next.observed, l.have.observedETag = observed, etag
	return next
}
