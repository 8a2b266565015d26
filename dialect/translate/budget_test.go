// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/dialect/translate"
	"github.com/tokengo/tokengo/service"
)

// begin is a streamed exchange of a pair.
func begin(t testing.TB, tool tool, backend string) *translate.Exchange {
	t.Helper()
	request, _ := tool.request("text", true)
	op, body := identified(t, request, backend)
	x, fail := translate.New(op, body, translate.Target{Protocol: service.Protocol(backend), Model: "m"})
	if fail != nil {
		t.Fatal(fail)
	}
	return x
}

// eventsOf cuts a backend's stream into its events.
func eventsOf(backend, stream string) []string {
	end := "\n\n"
	if backend == "ollama" {
		end = "\n"
	}
	return strings.SplitAfter(stream, end)
}

// TestAllocationsPerChunk bounds what an event of a stream costs in every pair: of text, reasoning and calls.
func TestAllocationsPerChunk(t *testing.T) {
	const most = 20
	pairs(func(tool tool, backend string) {
		for _, reply := range []string{"text", "thinking", "calls"} {
			events := eventsOf(backend, answers[backend].of(reply, true))
			var dst []byte
			run := func(events []string) func() {
				return func() {
					x := begin(t, tool, backend)
					var err error
					for _, e := range events {
						if dst, err = x.Feed(dst[:0], []byte(e)); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			got := (testing.AllocsPerRun(20, run(events)) - testing.AllocsPerRun(20, run(nil))) / float64(len(events))
			if got > most {
				t.Errorf("%s-%s, %s: %.1f allocations an event, want at most %d", tool.name, backend, reply, got, most)
			}
		}
	})
}

// TestMemoryOfAStream feeds long streams: what is held must not grow with them. Only Responses says the whole text again at
// its end, so that a tool's writer has to hold that, and no more.
func TestMemoryOfAStream(t *testing.T) {
	const chunks, slack = 20_000, 64 << 10
	pairs(func(tool tool, backend string) {
		before, chunk := textChunk(backend)
		x := begin(t, tool, backend)
		dst, err := x.Feed(nil, []byte(before))
		if err != nil {
			t.Fatal(err)
		}
		piece := []byte(chunk)
		feed := func(n int) {
			for range n {
				if dst, err = x.Feed(dst[:0], piece); err != nil {
					t.Fatal(err)
				}
			}
		}
		feed(100)
		held := heap()
		feed(chunks)
		grown := heap() - held
		runtime.KeepAlive(x)
		limit := slack
		if tool.name == "responses" {
			limit += 3 * chunks * len(", world") // the text, in a buffer that doubles
		}
		if grown > limit {
			t.Errorf("%s-%s: %d bytes more are held after %d chunks, want at most %d", tool.name, backend, grown, chunks, limit)
		}
	})
}

// heap is how many bytes are in use.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
