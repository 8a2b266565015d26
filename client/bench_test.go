// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/service"
)

// largeExits and largeModels are the size for which the directory is made.
const (
	largeExits  = 10_000
	largeModels = 20
)

// largeDirectory is the signed descriptions of so many exits.
func largeDirectory(b *testing.B) []*service.Signed {
	all := make([]*service.Signed, largeExits)
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
		if all[i], err = service.Sign(newIdentity(b), list, largeInfo(i)); err != nil {
			b.Fatal(err)
		}
	}
	return all
}

// largeInfo describes an exit with many models, about 4.7 KiB.
func largeInfo(i int) *service.Info {
	info := testInfo(models(service.OpenAI, "m"), models(service.Claude, "m"))
	info.Models = nil
	for m := range largeModels {
		info.Models = append(info.Models, service.Model{
			ID:      fmt.Sprintf("model-%d-%d", (7*i+13*m)%300, m),
			Aliases: []string{fmt.Sprintf("vendor/model-%d", m)}, Protocol: info.Protocols[m%2],
			MaxCtx: 200_000, MaxOutput: 64_000,
			Modalities: []string{"text", "image"}, Features: []string{"tools", "vision", "json_schema"},
			Pricing: &service.Pricing{
				InputPer1M:  service.Decimal(fmt.Sprintf("%d.%d", i%9, m)),
				OutputPer1M: service.Decimal(fmt.Sprintf("%d.5", (i+m)%40)), Currency: "USD",
			},
		})
	}
	return info
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
// it, and filter it by a model. The relay is in the same process.
func BenchmarkDirectoryFresh(b *testing.B) {
	r := segmentRelay(b, largeDirectory(b))
	b.ReportAllocs()
	for b.Loop() {
		exits, err := Fetch(b.Context(), r.url, nil)
		if err != nil || len(exits) != largeExits {
			b.Fatal(len(exits), err)
		}
		n := 0
		for _, e := range exits {
			if e.Info.Offers(service.OpenAI, "model-0-0") {
				n++
			}
		}
		if n == 0 {
			b.Fatal("no exit offers the model")
		}
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
