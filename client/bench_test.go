// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/tokengo/tokengo/internal/crowd"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// largeDirectory is the signed descriptions of so many exits.
func largeDirectory(b *testing.B) []*service.Signed {
	all := make([]*service.Signed, crowd.Exits)
	for i := range all {
		var configs []ohttp.KeyConfig
		for id, kem := range []ohttp.KEM{ohttp.KEMXWing, ohttp.KEMX25519} {
			key, err := ohttp.GenerateKey(uint8(id), kem)
			if err != nil {
				b.Fatal(err)
			}
			configs = append(configs, key.Config())
		}
		list, err := ohttp.MarshalKeyConfigs(configs)
		if err != nil {
			b.Fatal(err)
		}
		if all[i], err = service.Sign(newIdentity(b), list, crowd.Info(i, 1)); err != nil {
			b.Fatal(err)
		}
	}
	return all
}

// segmentRelay serves a directory in segments, all of it made beforehand.
func segmentRelay(b *testing.B, all []*service.Signed) *testRelay {
	const each = 9 // as many as fit into a segment on average
	gzipped := map[string][]byte{}
	index := service.Index{}
	observed := service.Observations{Exits: map[string]service.Observed{}}
	for i := 0; i < len(all); i += each {
		var raw []byte
		for _, signed := range all[i:min(i+each, len(all))] {
			raw = service.AppendSigned(raw, signed)
			observed.Exits[service.ObservedName(signed.Hash())] = service.Observed{Since: time.Now(), RTTMillis: 1}
		}
		digest := service.DigestOf(raw)
		index.Segments = append(index.Segments, digest)
		gzipped[pathSegment+string(digest)] = zipped(b, raw)
	}
	for path, document := range map[string]any{pathIndex: index, pathObserved: observed} {
		raw, err := json.Marshal(document)
		if err != nil {
			b.Fatal(err)
		}
		gzipped[path] = zipped(b, raw)
	}
	r := newUnstartedRelay(b)
	r.document = func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(gzipped[req.URL.Path])
	}
	r.start()
	return r
}

func zipped(t testing.TB, raw []byte) []byte {
	var buf bytes.Buffer
	zip := gzip.NewWriter(&buf)
	zip.Write(raw)
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// BenchmarkDirectoryFresh has a client that knows nothing download a large directory, verify every exit in
// it, index all of it, and choose an exit for a request. The relay is in the same process. What the index is
// of the whole is index-ms.
func BenchmarkDirectoryFresh(b *testing.B) {
	r := segmentRelay(b, largeDirectory(b))
	b.ReportAllocs()
	indexing := time.Duration(0)
	for b.Loop() {
		exits, err := fetch(b.Context(), r.url)
		if err != nil || len(exits) != crowd.Exits {
			b.Fatal(len(exits), err)
		}
		fetched := time.Now()
		choosesFrom(b, exits)
		indexing += time.Since(fetched)
	}
	b.ReportMetric(float64(indexing.Microseconds())/1000/float64(b.N), "index-ms")
}

// choosesFrom indexes exits and has one chosen.
func choosesFrom(b *testing.B, exits []Exit) {
	chooser, err := route.New(route.Config{Naming: route.Naming{Normal: normalName}})
	if err != nil {
		b.Fatal(err)
	}
	choices := make([]route.Exit, len(exits))
	for i := range exits {
		choices[i] = exits[i]
	}
	chooser.Update(choices)
	plan := chooser.Plan(&route.Request{Protocols: service.Protocols(), Models: []string{crowd.Model}})
	if _, ok := plan.Next(); !ok {
		b.Fatal("no exit offers the model")
	}
}

// BenchmarkDirectoryMerge makes one list of a large directory, which happens after every change.
func BenchmarkDirectoryMerge(b *testing.B) {
	r := segmentRelay(b, largeDirectory(b))
	relay := newRelay(r.url, nil)
	defer relay.close()
	l, err := (&look{relay: relay, now: time.Now()}).list(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		merge([]reached{{r.url, l}}, nil, time.Now())
	}
}
