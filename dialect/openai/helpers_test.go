// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

var (
	chatOp       = dialect.Operation{Protocol: service.OpenAI, Kind: dialect.Chat, Path: "/v1/chat/completions"}
	completionOp = dialect.Operation{Protocol: service.OpenAI, Kind: dialect.Completion, Path: "/v1/completions"}
	embeddingOp  = dialect.Operation{Protocol: service.OpenAI, Kind: dialect.Embedding, Path: "/v1/embeddings"}
)

// Short names for what every test is made of.
type (
	cv = conversation.Event
	cp = []conversation.Part
	cm = conversation.Message
)

func text(s string) conversation.Part { return conversation.TextPart{Text: s} }

func user(s string) cm { return cm{Role: conversation.User, Parts: cp{text(s)}} }

// jsonOf decodes a text, which must be JSON.
func jsonOf(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, text)
	}
	return v
}

func sameJSON(t testing.TB, want, got string) {
	t.Helper()
	if diff := cmp.Diff(jsonOf(t, want), jsonOf(t, got)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

var emptyIsNil = cmpopts.EquateEmpty()

// events reads a stream in pieces of random sizes.
func events(seed uint64, req *conversation.Request, stream string) ([]cv, error) {
	rng := rand.New(rand.NewPCG(seed, 7))
	r := NewReader(req)
	var out []cv
	for len(stream) > 0 {
		n := len(stream)
		if seed > 0 {
			n = min(n, 1+rng.IntN(1+rng.IntN(64)))
		}
		piece := []byte(stream[:n])
		var err error
		if out, err = r.Feed(out, piece); err != nil {
			return out, err
		}
		clear(piece)
		stream = stream[n:]
	}
	return r.End(out)
}

// written is what a Writer makes of events.
func written(op dialect.Operation, req *conversation.Request, list []cv) string {
	w := NewWriter(op, req)
	var dst []byte
	for i := range list {
		dst = w.Event(dst, &list[i])
	}
	return string(w.End(dst))
}

func collect(list []cv) *conversation.Answer {
	var c conversation.Collector
	for i := range list {
		c.Add(&list[i])
	}
	return c.Answer()
}

// chunks are a stream of chat chunks with these choices' members, then whatever rest is.
func chunks(rest string, members ...string) string {
	var b strings.Builder
	for _, m := range members {
		b.WriteString(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,` + m + "}]}\n\n")
	}
	return b.String() + rest
}

const done = "data: [DONE]\n\n"
