// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
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
		delta = "data: {\"choices\":[{\"delta\":{\"content\":\"four\"}}]}\n\n"
	)
	chat := dialect.Operation{Protocol: service.OpenAI, Kind: dialect.Chat}
	kind := func(k dialect.Kind) dialect.Operation { return dialect.Operation{Protocol: service.OpenAI, Kind: k} }
	claude := dialect.Operation{Protocol: service.Claude, Kind: dialect.Chat}
	start := "event: message_start\ndata: {\"usage\":{\"input_tokens\":7,\"output_tokens\":1}}\n\n"
	word := "event: content_block_delta\ndata: {\"delta\":{\"text\":\"four\"}}\n\n"
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
		{"it broke off", claude, sse, start + strings.Repeat(word, 20), route.Interrupted, route.Usage{InputTokens: 7, OutputTokens: 20}},
		{"it broke off before it began", chat, sse, "", route.Interrupted, route.Usage{}},
		{"signs of life", chat, sse, strings.Repeat(": ping\n\n", 1000), route.Interrupted, route.Usage{}},
		{"signs of life to the end", chat, sse, strings.Repeat(": ping\n\n", 1000), route.Failed, route.Usage{}},
		{"signs of life among words", chat, sse, strings.Repeat(": ping\n\n", 1000) + delta, route.Interrupted, route.Usage{InputTokens: 50, OutputTokens: 1}},
		{"taken up", chat, sse, strings.ReplaceAll(delta, "four", ""), route.Inconclusive, route.Usage{InputTokens: 50}},
		{"an error in a stream", chat, sse, "data: {\"error\":{\"code\":503}}\n\n", route.Interrupted, route.Usage{}},
		{"vectors are no tokens", kind(dialect.Embedding), json, strings.Repeat("0.1,", 400), route.Succeeded, route.Usage{InputTokens: 50}},
		{"to count costs nothing", kind(dialect.CountTokens), json, `{"input_tokens":50}`, route.Succeeded, route.Usage{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMeter(time.Now(), tt.op, tt.kind)
			m.add([]byte(tt.body))
			got := m.outcome(tt.op, &route.Request{InputTokens: 50}, tt.result)
			if diff := cmp.Diff(tt.want, got.Usage); diff != "" {
				t.Errorf("usage (-want +got):\n%s", diff)
			}
			if measured := got.TTFT > 0; measured != (tt.kind == sse && strings.Contains(tt.body, "four") && tt.result != route.Inconclusive) {
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

// Nor does it matter that the tool had not seen anything of it yet, if the backend had taken the request up.
func TestHeldBackAnswersAreBilled(t *testing.T) {
	exit := newExit(t, newIdentity(t), testInfo([]service.Model{priced(service.OpenAI, "m", "1000000")}))
	exit.answer = saying("text/event-stream", hang, forms[0].accepted)
	cfg := Config{
		Patience: Patience{FirstByte: time.Hour},
		Tiers:    []route.Tier{{Name: "paid", Budget: &route.Budget{Amount: 1e6, Period: route.Day}}},
	}
	c := start(t, cfg, newTestRelay(t, exit))
	eventually(t, "what was answered is counted", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), maxAccepted/10) // mostly enough for the answer's beginning to come
		defer cancel()
		if resp, err := c.send(ctx, "POST", "/v1/chat/completions", strings.NewReader(streamBody)); err == nil {
			t.Fatalf("the tool got an answer of status %d", resp.StatusCode)
		}
		return c.Inspector().Status().Tiers[0].Spent > 1
	})
}

func TestPlausibleUsage(t *testing.T) {
	const lie = 1 << 30
	tests := []struct {
		name string
		said dialect.Usage
		r    route.Request
		want dialect.Usage
	}{
		{"true", dialect.Usage{Input: 90, Cached: 50, Output: 10}, route.Request{InputTokens: 100}, dialect.Usage{Input: 90, Cached: 50, Output: 10}},
		{"a lie", dialect.Usage{Input: lie, Cached: lie, Output: lie}, route.Request{InputTokens: 100, MaxOutput: 50}, dialect.Usage{Input: 1424, Cached: 1424, Output: 50}},
		{"of an answer of any length", dialect.Usage{Output: lie}, route.Request{}, dialect.Usage{Output: mostOutput}},
		{"of several answers", dialect.Usage{Output: 99}, route.Request{MaxOutput: 50, Parameters: []string{"n"}}, dialect.Usage{Output: 99}},
		{"of tools", dialect.Usage{Input: lie}, route.Request{Features: []string{route.Tools}}, dialect.Usage{Input: mostInput}},
		{"of images", dialect.Usage{Input: 5000}, route.Request{Modalities: []string{"image"}}, dialect.Usage{Input: 5000}},
		{"more from the cache than was read", dialect.Usage{Input: 5, Cached: 9}, route.Request{}, dialect.Usage{Input: 5, Cached: 5}},
	}
	for _, tt := range tests {
		if got := plausible(tt.said, &tt.r); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// An exit that claims absurd amounts of tokens does not use up the budget of a tier.
func TestClaimedUsageDoesNotSpendABudget(t *testing.T) {
	offer := models(service.OpenAI, "m")
	offer[0].Pricing = &service.Pricing{InputPer1M: "1", OutputPer1M: "1", Currency: "USD"}
	exit := newExit(t, newIdentity(t), testInfo(offer))
	exit.answer = plainAnswer(`{"usage":{"prompt_tokens":999999999,"completion_tokens":999999999}}`)
	c := start(t, Config{Tiers: []route.Tier{{Name: "paid", Budget: &route.Budget{Amount: 1, Period: route.Month}}}}, newTestRelay(t, exit))
	for range 3 {
		resp := c.do("POST", "/v1/chat/completions", chatBody)
		if read(t, resp); resp.StatusCode != 200 {
			t.Fatalf("status %d: the budget is spent: %+v", resp.StatusCode, c.Inspector().Status().Tiers)
		}
	}
}

// A stream without end is no stream of tokens without end.
func TestEstimateIsPlausible(t *testing.T) {
	op := dialect.Operation{Protocol: service.OpenAI, Kind: dialect.Chat, Stream: true}
	m := newMeter(time.Now(), op, "text/event-stream")
	for range 100 {
		m.add([]byte(`data: {"choices":[{"delta":{"content":"` + strings.Repeat("x", 1<<16) + `"}}]}` + "\n\n"))
	}
	if u := m.usage(op, &route.Request{InputTokens: 10, MaxOutput: 100}, true); u.OutputTokens != 100 {
		t.Errorf("%+v, want no more than the request allows", u)
	}
}

// An exit gains nothing by what it claims to have written, nor by sending what no tool takes for text: it is as fast as
// what it delivers.
func TestClaimsMakeNobodyFaster(t *testing.T) {
	const text = "data: {\"choices\":[{\"delta\":{\"content\":\"four\"}}]}\n\n"
	rate := func(each string, end string) (rate float64) {
		synctest.Test(t, func(t *testing.T) {
			op := dialect.Operation{Protocol: service.OpenAI, Kind: dialect.Chat}
			m := newMeter(time.Now(), op, "text/event-stream")
			for range 100 {
				m.add([]byte(each))
				time.Sleep(10 * time.Millisecond) // virtual
			}
			m.add([]byte(end + "data: [DONE]\n\n"))
			rate = m.outcome(op, &route.Request{InputTokens: 50}, route.Succeeded).TokensPerSecond
		})
		return rate
	}
	honest := rate(text, `data: {"usage":{"completion_tokens":100}}`+"\n\n")
	if honest < 90 || honest > 110 {
		t.Errorf("100 tokens in a second are %v tokens per second", honest)
	}
	for name, got := range map[string]float64{
		"claims":               rate(text, `data: {"usage":{"completion_tokens":200000}}`+"\n\n"),
		"claims in each event": rate(strings.Replace(text, "}\n\n", `,"usage":{"completion_tokens":200000}}`+"\n\n", 1), ""),
		"says nothing":         rate(text, ""),
		"empty lines":          rate(text+strings.Repeat("\n", 1000), ""),
		"comments":             rate(text+": {\"content\":\""+strings.Repeat("x", 1000)+"\"}\n\n", ""),
		"empty events":         rate(text+strings.Repeat("data: {\"choices\":[{\"delta\":{\"content\":\"\"}}]}\n\n", 100), ""),
	} {
		if got > honest {
			t.Errorf("%s: %v tokens per second, want %v", name, got, honest)
		}
	}
}

// What comes after the last word, whenever it does, makes nobody slower.
func TestOnlyWordsTakeTime(t *testing.T) {
	for name, end := range map[string]string{
		"a comment": ": ping\n\n", "usage": `data: {"choices":[],"usage":{"completion_tokens":100}}` + "\n\n", "the end": "data: [DONE]\n\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			op := dialect.Operation{Protocol: service.OpenAI, Kind: dialect.Chat}
			m := newMeter(time.Now(), op, "text/event-stream")
			for range 100 {
				m.add([]byte(`data: {"choices":[{"delta":{"content":"four"}}]}` + "\n\n"))
				time.Sleep(10 * time.Millisecond) // virtual
			}
			want := m.rate()
			time.Sleep(9 * time.Second)
			if m.add([]byte(end)); m.rate() != want || want < 90 {
				t.Errorf("%s: %v tokens per second, %v before", name, m.rate(), want)
			}
		})
	}
}

// The time to the first token ends with content, not with a ping.
func TestPingsAreNoTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := dialect.Operation{Protocol: service.Claude, Kind: dialect.Chat}
		m := newMeter(time.Now(), op, "text/event-stream")
		for range 5 {
			m.add([]byte("event: ping\ndata: {\"type\": \"ping\"}\n\n"))
			time.Sleep(time.Second) // virtual
		}
		m.add([]byte("data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"a\"}}\n\n"))
		if got := m.outcome(op, &route.Request{}, route.Succeeded).TTFT; got != 5*time.Second {
			t.Errorf("%v, want 5 s", got)
		}
	})
}
