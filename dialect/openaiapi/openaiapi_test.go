// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openaiapi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

func TestFamilyOf(t *testing.T) {
	for model, want := range map[string]Family{
		"o3-mini":           {Own: true, Reasons: true, Series: "o"},
		"codex-mini-latest": {Own: true, Reasons: true, Series: "o"},
		"openai/GPT-5-mini": {Own: true, Reasons: true, Series: "5"},
		"gpt-5.1-codex":     {Own: true, Reasons: true, Series: "5.1"},
		"gpt-5-chat-latest": {Own: true, Series: "5"},
		"gpt-4o":            {Own: true, Series: "4o"},
		"chatgpt-4o-latest": {Own: true},
		"gpt-oss:20b":       {},
		"gpt-":              {},
		"olmo":              {},
		"o":                 {},
		"":                  {},
	} {
		if diff := cmp.Diff(want, FamilyOf(model)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", model, diff)
		}
	}
}

func TestEffort(t *testing.T) {
	on := func(effort string) conversation.Reasoning {
		return conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: effort}
	}
	budget := func(n int) conversation.Reasoning {
		return conversation.Reasoning{Mode: conversation.ReasoningOn, Budget: n}
	}
	off := conversation.Reasoning{Mode: conversation.ReasoningOff}
	for _, tt := range []struct {
		model string
		in    conversation.Reasoning
		want  string
		ok    bool
	}{
		{"gpt-5", conversation.Reasoning{}, "", true},
		{"gpt-5", on("minimal"), "minimal", true},
		{"gpt-5.1-codex", on("minimal"), "low", true},
		{"gpt-5.1", on("max"), "high", true},
		{"gpt-5.2", on("max"), "xhigh", true},
		{"o3", on("xhigh"), "high", true},
		{"gpt-4o", on("high"), "", false},
		{"gpt-oss:20b", on(""), "", true},
		{"gpt-oss:20b", on("max"), "high", true},
		{"openai/gpt-5-mini", on(""), "medium", true},
		{"gpt-5", off, "minimal", true},
		{"o3", off, "low", false},
		{"gpt-5.1", off, "none", true},
		{"gpt-4o", off, "", true},
		{"qwen3", off, "none", true},
		{"gpt-5", conversation.Reasoning{Mode: conversation.ReasoningAdaptive}, "", true},
		{"gpt-4o", conversation.Reasoning{Mode: conversation.ReasoningAdaptive}, "", true},
		{"gpt-5", budget(1024), "low", true},
		{"gpt-5", budget(10000), "medium", true},
		{"gpt-5", budget(32000), "high", true},
	} {
		f := FamilyOf(tt.model)
		effort, ok := f.Effort(tt.in)
		if got := f.Nearest(effort); got != tt.want || ok != tt.ok {
			t.Errorf("%s %+v: %q %v, want %q %v", tt.model, tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func TestNames(t *testing.T) {
	long := "mcp__server__" + strings.Repeat("x", 60)
	if got := WireName("get_weather-2"); got != "get_weather-2" {
		t.Errorf("a name that fits became %q", got)
	}
	for _, name := range []string{long, "a.b", "é", ""} {
		got := WireName(name)
		if got == name || got != WireName(name) {
			t.Errorf("%q became %q", name, got)
		}
	}
	if n := len(WireName(long)); n != MaxName {
		t.Errorf("the long name has %d characters on the wire, want %d", n, MaxName)
	}
	req := &conversation.Request{Tools: []conversation.Tool{{Name: long}, {Name: "a.b"}, {Name: "plain"}}}
	want := map[string]string{WireName(long): long, WireName("a.b"): "a.b"}
	if diff := cmp.Diff(want, OriginalNames(req)); diff != "" {
		t.Errorf("original names (-want +got):\n%s", diff)
	}
	if OriginalNames(nil) != nil || OriginalNames(&conversation.Request{Tools: req.Tools[2:]}) != nil {
		t.Error("there are original names where all fit")
	}
}

func TestWireID(t *testing.T) {
	id := strings.Repeat("i", 41)
	if got := WireID(id, 41); got != id {
		t.Errorf("an id that fits became %q", got)
	}
	if got := WireID(id, 40); len(got) > 40 || got != WireID(id, 40) || got == WireID(id+"i", 40) {
		t.Errorf("an id that is too long became %q", got)
	}
}

func TestErrorCode(t *testing.T) {
	special := Sign{"slow_down", dialect.CodeBackendOverloaded}
	for _, tt := range []struct {
		status int
		body   string
		want   dialect.Code
	}{
		{401, "", dialect.CodeBackendAuth},
		{402, "", dialect.CodeBackendAuth},
		{403, "", dialect.CodeBackendAuth},
		{429, `{"error":{"type":"x"}}`, dialect.CodeBackendRateLimited},
		{503, "", dialect.CodeBackendOverloaded},
		{529, "", dialect.CodeBackendOverloaded},
		{408, "", dialect.CodeBackendTimeout},
		{504, "", dialect.CodeBackendTimeout},
		{500, "", dialect.CodeBackendError},
		{400, "", dialect.CodeBackendRejected},
		{404, "", dialect.CodeBackendRejected},
		{200, `{"error":{"type":"insufficient_quota"}}`, dialect.CodeBackendRateLimited},
		{0, `{"error":{"code":"context_length_exceeded"}}`, dialect.CodeContextLength},
		{0, `{"error":{"code":"503"}}`, dialect.CodeBackendOverloaded},
		{200, `{"error":{"code":401}}`, dialect.CodeBackendAuth},
		{200, `{"error":{"code":"SLOW_DOWN"}}`, dialect.CodeBackendOverloaded},
		{200, `{"error":"x"}`, dialect.CodeBackendError},
		{200, `{"error":null}`, dialect.CodeBackendError},
		{200, `<html>`, dialect.CodeBackendError},
	} {
		if got := ErrorCode(tt.status, []byte(tt.body), special); got != tt.want {
			t.Errorf("ErrorCode(%d, %s) = %s, want %s", tt.status, tt.body, got, tt.want)
		}
	}
}

func TestReadLogprobs(t *testing.T) {
	p := wire.Parse([]byte(`[{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[{"token":"b","logprob":-1,"bytes":null}],"x":{}}]`))
	want := []conversation.Logprob{{Token: "a", Logprob: -0.5, Bytes: []byte("a"), Top: []conversation.Logprob{{Token: "b", Logprob: -1}}}}
	if diff := cmp.Diff(want, ReadLogprobs(p)); diff != "" || p.End() != nil {
		t.Errorf("%v (-want +got):\n%s", p.End(), diff)
	}
	if p := wire.Parse([]byte(`"x"`)); ReadLogprobs(p) != nil || p.End() != nil {
		t.Error("a text was not skipped")
	}
}
