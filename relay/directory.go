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
	"strings"
	"time"

	"github.com/tokengo/tokengo/service"
)

// snapshot is the directory as it is served, built once for many requests.
type snapshot struct {
	built   time.Time
	body    []byte // ExitKeysResponse, JSON
	gzipped []byte
	etag    string
	listed  []listed
}

// listed is one exit of a snapshot, encoded, with what the filters look at.
type listed struct {
	info *service.Info
	json json.RawMessage
}

// directory returns the current snapshot, building it when an exit came or went, or when the
// observations in it are older than the registry renews them.
func (g *registry) directory(now time.Time) (*snapshot, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.snapshot; s != nil && now.Sub(s.built) < g.observed {
		return s, nil
	}
	s, err := buildSnapshot(g.list(), now)
	if err != nil {
		return nil, err
	}
	g.snapshot = s
	return s, nil
}

// list returns what the directory shows, in an order that does not tell who connected when. g.mu is held.
func (g *registry) list() []*member {
	var members []*member
	for _, m := range g.identities {
		if len(m.entries) > 0 {
			members = append(members, m)
		}
	}
	slices.SortFunc(members, func(a, b *member) int { return cmp.Compare(a.newest.Hash, b.newest.Hash) })
	return members
}

func buildSnapshot(members []*member, now time.Time) (*snapshot, error) {
	s := &snapshot{built: now}
	for _, m := range members {
		entry, ok := m.connected()
		if !ok || !now.Before(m.newest.Info.Expires) {
			continue
		}
		encoded, err := json.Marshal(entry)
		if err != nil {
			return nil, err
		}
		s.listed = append(s.listed, listed{m.newest.Info, encoded})
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
	case strings.Contains(req.Header.Get("Accept-Encoding"), "gzip"):
		h.Set("Content-Encoding", "gzip")
		w.Write(s.gzipped)
	default:
		w.Write(s.body)
	}
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
