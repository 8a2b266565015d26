// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// randomConversation makes requests that the protocol can express whole.
type randomConversation struct {
	*rand.Rand
	caches, calls int
}

func (r *randomConversation) cache() *conversation.CacheControl {
	if r.caches >= maxCacheControls || r.IntN(8) > 0 {
		return nil
	}
	r.caches++
	return &conversation.CacheControl{TTL: []string{"", "5m", "1h"}[r.IntN(3)]}
}

func (r *randomConversation) text() conversation.TextPart {
	words := []string{"a", "é", "世界 ", "\"<&>\" ", "\n", "\u2028x", "end"}
	s := "t"
	for range r.IntN(5) {
		s += words[r.IntN(len(words))]
	}
	return conversation.TextPart{Text: s + ".", Cache: r.cache()}
}

func (r *randomConversation) userPart() conversation.Part {
	switch r.IntN(6) {
	case 0:
		return conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: "AAAA"}, Cache: r.cache()}
	case 1:
		return conversation.ImagePart{Media: conversation.Media{URL: "https://a/b?c=d&e"}, Cache: r.cache()}
	case 2:
		return conversation.FilePart{Media: conversation.Media{MediaType: "text/plain", Data: "YWJj", Name: "n"}, Cache: r.cache()}
	case 3:
		return conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", Data: "AAAA"}}
	default:
		return r.text()
	}
}

func (r *randomConversation) some(part func() conversation.Part) []conversation.Part {
	var parts []conversation.Part
	for range 1 + r.IntN(3) {
		parts = append(parts, part())
	}
	return parts
}

// turn adds what the user says, perhaps a system message, and the answer with perhaps calls and their results.
func (r *randomConversation) turn(req *conversation.Request) {
	add := func(role conversation.Role, parts []conversation.Part) {
		req.Messages = append(req.Messages, conversation.Message{Role: role, Parts: parts})
	}
	add(conversation.User, r.some(r.userPart))
	if r.IntN(3) == 0 {
		add(conversation.System, r.some(func() conversation.Part { return r.text() }))
	}
	parts := []conversation.Part{conversation.ThinkingPart{
		Text: "hm", Signature: conversation.Signature{By: service.Claude, Value: "S+/="},
	}}
	if r.IntN(2) == 0 {
		parts = append(parts, conversation.ThinkingPart{Redacted: "R"})
	}
	if r.IntN(2) == 0 {
		parts = append(parts, r.text())
	}
	var results []conversation.Part
	for range r.IntN(3) {
		r.calls++
		id, name := fmt.Sprint("call_", r.calls), fmt.Sprint("f", r.IntN(3))
		parts = append(parts, conversation.CallPart{ID: id, Name: name, Arguments: `{"a":[1,"<x>"]}`, Cache: r.cache()})
		result := conversation.ResultPart{CallID: id, Name: name, IsError: r.IntN(4) == 0, Cache: r.cache()}
		if r.IntN(4) > 0 {
			result.Parts = r.some(func() conversation.Part { return r.text() })
		}
		results = append(results, result)
	}
	add(conversation.Assistant, parts)
	if len(results) > 0 {
		add(conversation.ToolResults, results)
	}
}

func (r *randomConversation) request() *conversation.Request {
	req := &conversation.Request{Model: "m", MaxTokens: 5000 + r.IntN(5000), Stream: r.IntN(2) == 0}
	req.StreamUsage = req.Stream
	if r.IntN(2) == 0 {
		req.Messages = append(req.Messages, conversation.Message{
			Role: conversation.System, Parts: r.some(func() conversation.Part { return r.text() }),
		})
	}
	for range 1 + r.IntN(4) {
		r.turn(req)
	}
	req.Messages = append(req.Messages, user("last"))
	for i := range r.IntN(3) {
		req.Tools = append(req.Tools, conversation.Tool{
			Name: fmt.Sprint("f", i), Description: "d", Parameters: json.RawMessage(`{"type":"object","properties":{}}`), Cache: r.cache(),
		})
	}
	if len(req.Tools) > 0 {
		modes := []conversation.ChoiceMode{conversation.ChoiceDefault, conversation.ChoiceAuto, conversation.ChoiceNone, conversation.ChoiceRequired}
		req.Choice.Mode = modes[r.IntN(len(modes))]
		if req.Choice.Mode == conversation.ChoiceAuto {
			req.Parallel = pointer(r.IntN(2) == 0)
		}
	}
	forced := req.Choice.Mode == conversation.ChoiceRequired
	switch r.IntN(4) {
	case 0:
		req.Sampling = conversation.Sampling{Temperature: pointer(0.25), TopP: pointer(0.9), TopK: pointer(7)}
	case 1:
		req.Reasoning.Mode = conversation.ReasoningOff
	case 2:
		if !forced {
			req.Reasoning = conversation.Reasoning{Mode: conversation.ReasoningOn, Budget: 2000, Visible: pointer(true)}
		}
	case 3:
		if !forced {
			req.Reasoning = conversation.Reasoning{Mode: conversation.ReasoningAdaptive, Effort: efforts[r.IntN(len(efforts))]}
		}
	}
	if r.IntN(3) == 0 {
		req.Format = conversation.Format{Kind: conversation.FormatSchema, Schema: json.RawMessage(`{"type":"string"}`)}
	}
	if r.IntN(3) == 0 {
		req.Stop = []string{"END", "\"stop\""}
	}
	return req
}

// TestRequestRoundTrip: what is written for a backend is read back the same, and nothing is dropped.
func TestRequestRoundTrip(t *testing.T) {
	for seed := range uint64(500) {
		r := randomConversation{Rand: rand.New(rand.NewPCG(seed, 7))}
		want := r.request()
		var dropped conversation.Dropped
		_, body, fail := EncodeRequest(want, &dropped)
		if fail != nil {
			t.Fatal(fail)
		}
		got := mustDecode(t, string(body))
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || len(dropped.Names()) > 0 {
			t.Fatalf("seed %d: dropped %v, request (-want +got):\n%s\n%s", seed, dropped.Names(), diff, body)
		}
	}
}

// TestAnswerRoundTrip: a whole answer read and written again says the same.
func TestAnswerRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		want := collect(randomAnswer(random))
		for i := range want.Parts {
			if want.Parts[i].Kind == conversation.PartCall {
				want.Parts[i].Text = `{"a":1}`
			}
		}
		want.Parts = slicesDeleteEmpty(want.Parts)
		if hasCall(want.Parts) {
			want.Reason = conversation.ToolCalls
		}
		events, err := DecodeAnswer(nil, EncodeAnswer(toolOp, nil, want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, collect(events), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("answer (-want +got):\n%s", diff)
		}
	}
}

func slicesDeleteEmpty(parts []conversation.AnswerPart) []conversation.AnswerPart {
	var kept []conversation.AnswerPart
	for _, p := range parts {
		if p.Kind == conversation.PartCall || p.Text != "" || p.Signature.Value != "" {
			kept = append(kept, p)
		}
	}
	return kept
}

func hasCall(parts []conversation.AnswerPart) bool {
	for _, p := range parts {
		if p.Kind == conversation.PartCall {
			return true
		}
	}
	return false
}
