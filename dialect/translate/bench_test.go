// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/translate"
	"github.com/tokengo/tokengo/service"
)

// identified splits a request into its operation and body.
func identified(b testing.TB, request, backend string) (dialect.Operation, []byte) {
	b.Helper()
	head, body, _ := strings.Cut(request, "\n")
	_, target, _ := strings.Cut(head, " ")
	path, query, _ := strings.Cut(target, "?")
	op, fail := dialect.Identify(http.MethodPost, path, query, http.Header{})
	if fail != nil {
		b.Fatal(fail)
	}
	if string(op.Protocol) == backend {
		op.Protocol = "" // see TestResponsesToChat
	}
	return op, []byte(body)
}

// textChunk is a chunk in the middle of a backend's text, and what comes before it.
func textChunk(backend string) (before, chunk string) {
	parts := strings.SplitAfter(answers[backend].of("text", true), "\n\n")
	if backend == "ollama" {
		parts = strings.SplitAfter(answers[backend].of("text", true), "\n")
	}
	for i, p := range parts {
		if strings.Contains(p, ", world") {
			return strings.Join(parts[:i], ""), p
		}
	}
	panic("no chunk")
}

func BenchmarkPairs(b *testing.B) {
	pairs(func(tool tool, backend string) {
		b.Run(tool.name+"-"+backend+"/chunk", func(b *testing.B) {
			request, _ := tool.request("text", true)
			op, body := identified(b, request, backend)
			x, fail := translate.New(op, body, translate.Target{Protocol: service.Protocol(backend), Model: "m"})
			if fail != nil {
				b.Fatal(fail)
			}
			before, chunk := textChunk(backend)
			dst, err := x.Feed(nil, []byte(before))
			if err != nil {
				b.Fatal(err)
			}
			piece := []byte(chunk)
			b.ReportAllocs()
			for b.Loop() {
				if dst, err = x.Feed(dst[:0], piece); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(tool.name+"-"+backend+"/request100KiB", func(b *testing.B) {
			op, body := identified(b, large(tool), backend)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, fail := translate.New(op, body, translate.Target{Protocol: service.Protocol(backend), Model: "m"}); fail != nil {
					b.Fatal(fail)
				}
			}
		})
	})
}

// large is a request of 100 KiB with 26 tools.
func large(t tool) string {
	ask := t.asks["history"]
	var defs []string
	open, list, _ := strings.Cut(ask[1], "[")
	closing := "]"
	if t.name == "gemini" {
		_, list, _ = strings.Cut(list, "[")
		open, closing = `"tools":[{"functionDeclarations":`, "]}]"
		list = strings.TrimSuffix(list, "]}]")
	}
	list = strings.TrimSuffix(list, "]")
	for i := range 13 {
		def := strings.ReplaceAll(list, `"weather"`, fmt.Sprintf(`"weather%d"`, i))
		defs = append(defs, strings.ReplaceAll(def, `"now"`, fmt.Sprintf(`"now%d"`, i)))
	}
	more := strings.ReplaceAll(t.user, "Hi", strings.Repeat("word ü ", 1650))
	turns := ask[0] + "," + strings.TrimSuffix(strings.Repeat(more+",", 8), ",")
	return t.plain + "\n{" + joined(t.head, t.streamOff, `"`+t.turns+`":[`+turns+`]`, open+"["+strings.Join(defs, ",")+closing) + "}"
}
