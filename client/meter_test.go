// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// What was billed is what the answer says, and where it does not an estimate, also of an answer that has not come to its
// end.
func TestUsage(t *testing.T) {
	const (
		json  = "application/json"
		sse   = "text/event-stream"
		delta = "data: {\"choices\":[]}\n\n"
	)
	chat := dialect.Operation{Protocol: service.OpenAI, Kind: dialect.Chat}
	kind := func(k dialect.Kind) dialect.Operation { return dialect.Operation{Protocol: service.OpenAI, Kind: k} }
	claude := dialect.Operation{Protocol: service.Claude, Kind: dialect.Chat}
	start := "event: message_start\ndata: {\"usage\":{\"input_tokens\":7,\"output_tokens\":1}}\n\n"
	word := "event: content_block_delta\ndata: {}\n\n"
	tests := []struct {
		name   string
		op     dialect.Operation
		kind   string
		body   string
		result route.Result
		want   route.Usage
	}{
		{"said", chat, json, `{"usage":{"prompt_tokens":9,"completion_tokens":3}}`, route.Succeeded, route.Usage{InputTokens: 9, OutputTokens: 3}},
		{"said at the end of a stream", chat, sse, delta + `data: {"usage":{"prompt_tokens":9,"completion_tokens":3}}` + "\n\n", route.Succeeded, route.Usage{InputTokens: 9, OutputTokens: 3}},
		{"not said", chat, json, strings.Repeat("x", 400), route.Succeeded, route.Usage{InputTokens: 50, OutputTokens: 100}},
		{"not said in a stream", chat, sse, strings.Repeat(delta, 20), route.Succeeded, route.Usage{InputTokens: 50, OutputTokens: 20}},
		{"the tool went away", chat, sse, strings.Repeat(delta, 20), route.Inconclusive, route.Usage{InputTokens: 50, OutputTokens: 20}},
		{"it broke off", claude, sse, start + strings.Repeat(word, 20), route.Interrupted, route.Usage{InputTokens: 7, OutputTokens: 21}},
		{"it broke off before it began", chat, sse, "", route.Interrupted, route.Usage{}},
		{"vectors are no tokens", kind(dialect.Embedding), json, strings.Repeat("0.1,", 400), route.Succeeded, route.Usage{InputTokens: 50}},
		{"to count costs nothing", kind(dialect.CountTokens), json, `{"input_tokens":50}`, route.Succeeded, route.Usage{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMeter(time.Now(), tt.kind)
			m.add([]byte(tt.body))
			got := m.outcome(tt.op, &route.Request{InputTokens: 50}, tt.result)
			if diff := cmp.Diff(tt.want, got.Usage); diff != "" {
				t.Errorf("usage (-want +got):\n%s", diff)
			}
			if measured := got.TTFT > 0; measured != (tt.kind == sse && tt.body != "" && tt.result != route.Inconclusive) {
				t.Errorf("time to the first token %v", got.TTFT)
			}
		})
	}
}

// A tool that goes away in the middle of each answer spends the budget of a tier nevertheless.
func TestCancelledAnswersAreBilled(t *testing.T) {
	offer := priced(service.OpenAI, "m", "1000000")
	exit := newExit(t, newIdentity(t), testInfo([]service.Model{offer}))
	exit.answer = func(x *exchange) {
		x.head(200, eventStream)
		x.check(x.chunk("data: 1\n\n"))
		hang(x)
	}
	cfg := Config{Tiers: []route.Tier{{Name: "paid", Budget: &route.Budget{Amount: 1e6, Period: route.Day}}}}
	c := start(t, cfg, newTestRelay(t, exit))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resp, err := c.send(ctx, "POST", "/v1/chat/completions", strings.NewReader(streamBody))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, len("data: 1\n\n"))); err != nil {
		t.Fatal(err)
	}
	cancel()
	eventually(t, "what was answered is counted", func() bool { return c.Inspector().Status().Tiers[0].Spent > 1 })
}
