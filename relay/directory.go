// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokengo/tokengo/service"
)

// The largest directory that the relay filters for a client, in exits and in bytes that they signed. Filtering looks
// at every exit and encodes those that fit, which nobody may make a relay do with a directory of any size.
const (
	maxFiltered      = 1000
	maxFilteredBytes = 8 << 20
)

// segmentType is the media type of a segment.
const segmentType = "application/vnd.tokengo.segment"

// What may be kept, by whom: a segment for ever and by anybody, the rest only to be asked about again.
const (
	keepForever = "public, max-age=31536000, immutable"
	askAgain    = "no-cache"
)

var (
	noDirectory     = service.Problem{Status: http.StatusInternalServerError, Title: "The directory could not be built"}
	unknownSegment  = service.Problem{Status: http.StatusNotFound, Title: "The directory has no such segment; get its index again"}
	tooManyToFilter = service.Problem{Status: http.StatusBadRequest, Title: "The directory is too large to be filtered; download it"}
)

// serveIndex answers GET /directory with the digests of the directory's segments.
func (r *Relay) serveIndex(w http.ResponseWriter, req *http.Request) {
	s, err := r.publisher.directory(time.Now())
	if err != nil {
		problem(w, noDirectory)
		return
	}
	s.index.serve(w, req)
}

// serveObservations answers GET /directory/observed.
func (r *Relay) serveObservations(w http.ResponseWriter, req *http.Request) {
	d, err := r.publisher.observations(time.Now())
	if err != nil {
		problem(w, noDirectory)
		return
	}
	d.serve(w, req)
}

func (d *document) serve(w http.ResponseWriter, req *http.Request) {
	whole := &whole{plain: [][]byte{d.plain}, gzipped: [][]byte{d.gzipped}}
	whole.serve(w, req, d.etag)
}

// serve sends what the client does not have yet, compressed if it can be.
func (d *whole) serve(w http.ResponseWriter, req *http.Request, etag string) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", askAgain)
	h.Set("ETag", etag)
	parts := d.plain
	switch {
	case anyMatches(req.Header.Values("If-None-Match"), etag):
		w.WriteHeader(http.StatusNotModified)
		return
	case acceptsGzip(req.Header.Get("Accept-Encoding")):
		h.Set("Content-Encoding", "gzip")
		parts = d.gzipped
	}
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	h.Set("Content-Length", strconv.Itoa(size))
	for _, part := range parts {
		if _, err := w.Write(part); err != nil {
			return // the client is gone
		}
	}
}

// anyMatches reports whether If-None-Match fields name an entity tag, by weak comparison (RFC 9110 sections 8.8.3.2
// and 13.1.2): a cache on the way may have made it a strong one.
func anyMatches(fields []string, etag string) bool {
	for _, field := range fields {
		for tag := range strings.SplitSeq(field, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
				return true
			}
		}
	}
	return false
}

// serveSegment answers GET /directory/segments/{digest}.
func (r *Relay) serveSegment(w http.ResponseWriter, req *http.Request) {
	digest, err := service.ParseDigest(req.PathValue("digest"))
	if err != nil {
		problem(w, unknownSegment)
		return
	}
	s := r.publisher.segment(digest)
	if s == nil {
		problem(w, unknownSegment)
		return
	}
	h := w.Header()
	h.Set("Content-Type", segmentType)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", keepForever)
	if acceptsGzip(req.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(s.gzipped)))
		w.Write(s.gzipped)
		return
	}
	if plain, err := gzip.NewReader(bytes.NewReader(s.gzipped)); err == nil {
		io.Copy(w, plain) // ours, and no larger than a segment
	}
}

// serveDirectory answers GET /exits: the whole directory in JSON, for clients that know no segments. One
// that filters here tells the relay what it looks for; TokenGo's own client downloads the whole and
// filters at home.
func (r *Relay) serveDirectory(w http.ResponseWriter, req *http.Request) {
	s, err := r.publisher.directory(time.Now())
	if err != nil {
		problem(w, noDirectory)
		return
	}
	if query := req.URL.Query(); query.Has("protocol") || query.Has("model") {
		r.serveFiltered(w, s, service.Protocol(query.Get("protocol")), query.Get("model"))
		return
	}
	whole, err := r.publisher.wholeOf(s)
	if err != nil {
		problem(w, noDirectory)
		return
	}
	whole.serve(w, req, s.index.etag)
}

// serveFiltered sends the exits that speak protocol and offer model; an empty one does not filter. It holds one exit at
// a time: a client that reads slowly would else keep a directory of its own in the relay's memory.
func (r *Relay) serveFiltered(w http.ResponseWriter, s *snapshot, protocol service.Protocol, model string) {
	if s.exits > maxFiltered || s.bytes > maxFilteredBytes {
		problem(w, tooManyToFilter)
		return
	}
	end, err := endOf(r.cfg.Operator)
	if err != nil {
		problem(w, noDirectory)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", askAgain)
	before := `{"exits":[`
	for e := range s.all() {
		if !offers(e.registration.Info, protocol, model) {
			continue
		}
		entry, err := encodeEntry(e.registration)
		if err != nil {
			panic(http.ErrAbortHandler) // so that the client sees that this is not the end
		}
		if _, err := w.Write(append([]byte(before), entry...)); err != nil {
			return // the client is gone
		}
		before = ","
	}
	if before != "," {
		end = before + end
	}
	io.WriteString(w, end)
}

// offers reports whether an exit speaks protocol and offers model; an empty one is not asked about.
func offers(info *service.Info, protocol service.Protocol, model string) bool {
	if protocol != "" && !info.Speaks(protocol) {
		return false
	}
	named := func(m service.Model) bool { return m.ID == model && (protocol == "" || m.Protocol == protocol) }
	return model == "" || slices.ContainsFunc(info.Models, named)
}

// acceptsGzip reads an Accept-Encoding field (RFC 9110 section 12.5.3); "*" does not count.
func acceptsGzip(field string) bool {
	for coding := range strings.SplitSeq(field, ",") {
		name, parameter, _ := strings.Cut(strings.ToLower(coding), ";")
		if strings.TrimSpace(name) != "gzip" {
			continue
		}
		weight, weighted := strings.CutPrefix(strings.TrimSpace(parameter), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		return !weighted || err != nil || q > 0
	}
	return false
}

// serveKeys answers GET /exits/{hash}/keys with the exit's application/ohttp-keys list (RFC 9458 section 3).
func (r *Relay) serveKeys(w http.ResponseWriter, req *http.Request) {
	hash, err := service.ParseHash(req.PathValue("hash"))
	if err == nil {
		if keys, ok := r.registry.keys(hash); ok {
			w.Header().Set("Content-Type", "application/ohttp-keys")
			w.Header().Set("Cache-Control", askAgain)
			w.Write(keys)
			return
		}
	}
	problem(w, unknownExit)
}
