// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokengo/tokengo/service"
)

// snapshot is the directory as it is served, built once for many requests.
type snapshot struct {
	until   time.Time // when observations are renewed or an exit expires
	body    []byte    // ExitKeysResponse, JSON
	gzipped []byte
	etag    string
	listed  []listed
}

// listed is one exit of a snapshot, encoded, with what the filters look at.
type listed struct {
	info *service.Info
	json json.RawMessage
}

// directory returns the current snapshot, building it when an exit came, went or expired, or when the
// observations in it are older than the registry renews them.
func (g *registry) directory(now time.Time) (*snapshot, error) {
	if s, _, _ := g.current(now); s != nil {
		return s, nil
	}
	g.building.Lock() // whoever comes meanwhile waits for what is being built
	defer g.building.Unlock()
	s, list, version := g.current(now)
	if s != nil {
		return s, nil
	}
	s, err := buildSnapshot(list, now.Add(g.observed))
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.version == version {
		g.snapshot = s
	}
	return s, nil
}

// current returns the snapshot that is to be served now, or else what to build one of, in an order that
// does not tell who connected when.
func (g *registry) current(now time.Time) (s *snapshot, list []shown, version uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.snapshot != nil && now.Before(g.snapshot.until) {
		return g.snapshot, nil, 0
	}
	for _, m := range g.identities {
		if g.hashes[m.newest.Hash] != m || !now.Before(m.newest.Info.Expires) {
			continue
		}
		if entry, ok := m.connected(); ok {
			list = append(list, shown{entry, m.newest.Info})
		}
	}
	slices.SortFunc(list, func(a, b shown) int { return cmp.Compare(a.entry.PubKeyHash, b.entry.PubKeyHash) })
	return nil, list, g.version
}

// shown is one exit of a snapshot to be.
type shown struct {
	entry service.Entry
	info  *service.Info
}

func buildSnapshot(list []shown, until time.Time) (*snapshot, error) {
	s := &snapshot{until: until}
	for _, e := range list {
		if e.info.Expires.Before(s.until) {
			s.until = e.info.Expires
		}
		encoded, err := json.Marshal(e.entry)
		if err != nil {
			return nil, err
		}
		s.listed = append(s.listed, listed{e.info, encoded})
	}
	s.body = encodeListed(s.listed)
	sum := sha256.Sum256(s.body)
	s.etag = `W/"` + hex.EncodeToString(sum[:16]) + `"`
	var err error
	s.gzipped, err = compress(s.body)
	return s, err
}

// encodeListed joins already encoded entries into an ExitKeysResponse.
func encodeListed(entries []listed) []byte {
	b := []byte(`{"exits":[`)
	for i, e := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e.json...)
	}
	return append(b, "]}\n"...)
}

func compress(b []byte) ([]byte, error) {
	var buf bytes.Buffer
	zip := gzip.NewWriter(&buf)
	if _, err := zip.Write(b); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// serveDirectory answers GET /exits. A client that filters here tells the relay what it looks for;
// TokenGo's own client downloads the whole and filters at home.
func (r *Relay) serveDirectory(w http.ResponseWriter, req *http.Request) {
	s, err := r.registry.directory(time.Now())
	if err != nil {
		problem(w, service.Problem{Status: http.StatusInternalServerError, Title: "The directory could not be built"})
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	query := req.URL.Query()
	if query.Has("protocol") || query.Has("model") {
		w.Write(encodeListed(filter(s.listed, service.Protocol(query.Get("protocol")), query.Get("model"))))
		return
	}
	h.Set("ETag", s.etag)
	switch {
	case strings.Contains(req.Header.Get("If-None-Match"), s.etag):
		w.WriteHeader(http.StatusNotModified)
	case acceptsGzip(req.Header.Get("Accept-Encoding")):
		h.Set("Content-Encoding", "gzip")
		w.Write(s.gzipped)
	default:
		w.Write(s.body)
	}
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

// filter keeps the exits that speak protocol and offer model; an empty one does not filter.
func filter(entries []listed, protocol service.Protocol, model string) []listed {
	var kept []listed
	for _, e := range entries {
		if protocol != "" && !e.info.Speaks(protocol) {
			continue
		}
		offers := func(m service.Model) bool { return m.ID == model && (protocol == "" || m.Protocol == protocol) }
		if model != "" && !slices.ContainsFunc(e.info.Models, offers) {
			continue
		}
		kept = append(kept, e)
	}
	return kept
}

// serveKeys answers GET /exits/{hash}/keys with the exit's application/ohttp-keys list (RFC 9458 section 3).
func (r *Relay) serveKeys(w http.ResponseWriter, req *http.Request) {
	hash, err := service.ParseHash(req.PathValue("hash"))
	if err == nil {
		if keys, ok := r.registry.keys(hash); ok {
			w.Header().Set("Content-Type", "application/ohttp-keys")
			w.Header().Set("Cache-Control", "no-cache")
			w.Write(keys)
			return
		}
	}
	problem(w, unknownExit)
}
