// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// anyText is a text that may be awkward.
func anyText(rng *rand.Rand) string {
	pieces := []string{"a", " b", "é", "世界", "😀", "\n", "\r\n", "\"", "\\", "{", "}", "<b>", "\u2028", "\u0085", "\x00", "data: ", "</think>"}
	var b strings.Builder
	for range 1 + rng.IntN(6) {
		b.WriteString(pieces[rng.IntN(len(pieces))])
	}
	return b.String()
}

func anyNumber(rng *rand.Rand) *float64 {
	if rng.IntN(2) == 0 {
		return nil
	}
	return pointer(float64(rng.IntN(200)) / 100)
}

// anyRequest is a conversation that the protocol can express.
func anyRequest(rng *rand.Rand) *conversation.Request {
	req := &conversation.Request{
		Model: anyText(rng), MaxTokens: rng.IntN(3), Stream: rng.IntN(2) == 0, Logprobs: rng.IntN(2) == 0,
		Sampling: conversation.Sampling{
			Temperature: anyNumber(rng), TopP: anyNumber(rng), MinP: anyNumber(rng), RepeatPenalty: anyNumber(rng),
			PresencePenalty: anyNumber(rng), FrequencyPenalty: anyNumber(rng),
		},
	}
	req.StreamUsage = req.Stream
	if req.Logprobs {
		req.TopLogprobs = rng.IntN(21)
	}
	if rng.IntN(2) == 0 {
		req.Sampling.Seed, req.Sampling.TopK = pointer(rng.Int64N(1<<40)), pointer(rng.IntN(100))
		req.Stop = []string{anyText(rng), anyText(rng)}
	}
	for i := range rng.IntN(3) {
		req.Tools = append(req.Tools, conversation.Tool{
			Name: fmt.Sprint("tool", i), Description: anyText(rng), Parameters: []byte(`{"type":"object","properties":{"a":{"type":"string"}}}`),
		})
	}
	switch rng.IntN(3) {
	case 0:
		req.Format.Kind = conversation.FormatJSON
	case 1:
		req.Format = conversation.Format{Kind: conversation.FormatSchema, Schema: []byte(`{"type":"object"}`)}
	}
	switch rng.IntN(3) {
	case 0:
		req.Reasoning.Mode = conversation.ReasoningOff
	case 1:
		req.Reasoning = conversation.Reasoning{Mode: conversation.ReasoningOn, Visible: pointer(true)}
	}
	for i := range 1 + rng.IntN(5) {
		addTurn(rng, req, i)
	}
	return req
}

func addTurn(rng *rand.Rand, req *conversation.Request, n int) {
	if rng.IntN(3) == 0 {
		req.Messages = append(req.Messages, said(conversation.System, text(anyText(rng))))
	}
	parts := []conversation.Part{text(anyText(rng))}
	for range rng.IntN(3) {
		parts = append([]conversation.Part{image}, parts...)
	}
	req.Messages = append(req.Messages, said(conversation.User, parts...))
	answer := []conversation.Part{text(anyText(rng))}
	if rng.IntN(2) == 0 {
		answer = append([]conversation.Part{conversation.ThinkingPart{Text: anyText(rng)}}, answer...)
	}
	var results []conversation.Part
	for i := range rng.IntN(3) {
		id, name := fmt.Sprintf("call_%d_%d", n, i), fmt.Sprint("tool", i)
		answer = append(answer, conversation.CallPart{ID: id, Name: name, Arguments: `{"a":[1,{"b":null}]}`})
		results = append(results, conversation.ResultPart{CallID: id, Name: name, Parts: []conversation.Part{text(anyText(rng)), image}})
	}
	req.Messages = append(req.Messages, said(conversation.Assistant, answer...))
	if len(results) > 0 {
		rng.Shuffle(len(results), func(i, k int) { results[i], results[k] = results[k], results[i] })
		req.Messages = append(req.Messages, said(conversation.ToolResults, results...))
	}
}

func TestRequestsSurvive(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		want := anyRequest(rng)
		var dropped conversation.Dropped
		_, body, fail := EncodeRequest(want, &dropped)
		if fail != nil || len(dropped.Names()) > 0 {
			t.Fatalf("%v, dropped %v", fail, dropped.Names())
		}
		got, fail := DecodeRequest(chatOp, body)
		if fail != nil {
			t.Fatalf("%v: %s", fail, body)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	}
}

// anyAnswer is the events of an answer, in the order in which the protocol has the kinds of parts.
func anyAnswer(rng *rand.Rand) []conversation.Event {
	events := []conversation.Event{begin("m", 1+rng.Int64N(1<<32))}
	n := 0
	for _, kind := range []conversation.PartKind{conversation.PartThinking, conversation.PartText} {
		if rng.IntN(2) == 0 {
			continue
		}
		events = append(events, partBegin(n, kind))
		for range 1 + rng.IntN(3) {
			events = append(events, delta(n, anyText(rng)))
		}
		events = append(events, partEnd(n))
		n++
	}
	reason := []conversation.Reason{conversation.Stopped, conversation.Length, conversation.Filtered}[rng.IntN(3)]
	for range rng.IntN(3) {
		events = append(events, callBegin(n, fmt.Sprint("id", n), "f"), delta(n, `{"a":"`+fmt.Sprint(n)+`"}`), partEnd(n))
		n++
		if reason == conversation.Stopped {
			reason = conversation.ToolCalls
		}
	}
	return append(events, usage(1+rng.IntN(9), 1+rng.IntN(9)), finish(reason))
}

func TestAnswersSurvive(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		want := anyAnswer(rng)
		var c conversation.Collector
		w := NewWriter(chatOp, nil)
		var stream []byte
		for i := range want {
			c.Add(&want[i])
			stream = w.Event(stream, &want[i])
		}
		stream = w.End(stream)
		got, err := readPieces(rng, string(stream))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("stream: %s\n%s", diff, stream)
		}
		whole := collected(t, EncodeAnswer(chatOp, nil, c.Answer()))
		if diff := cmp.Diff(c.Answer(), whole, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal("whole answer:", diff)
		}
	}
}

func collected(t *testing.T, body []byte) *conversation.Answer {
	t.Helper()
	events, err := DecodeAnswer(nil, body)
	if err != nil {
		t.Fatal(err)
	}
	var c conversation.Collector
	for i := range events {
		c.Add(&events[i])
	}
	return c.Answer()
}
