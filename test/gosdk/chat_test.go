// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

// pair is an SDK that asks, and the backend that answers.
type pair struct {
	sdk      sdk
	protocol service.Protocol
	streamed bool
}

// everyPair runs a test for each SDK with a backend of each protocol, its own among them, plain and streamed.
func everyPair(t *testing.T, test func(t *testing.T, p pair)) {
	for _, s := range sdks {
		for _, protocol := range service.Protocols() {
			for how, streamed := range map[string]bool{"plain": false, "streamed": true} {
				t.Run(fmt.Sprintf("%s/%s/%s", s.name, protocol, how), func(t *testing.T) { test(t, pair{s, protocol, streamed}) })
			}
		}
	}
}

// answer asks for the next turn.
func (p pair) answer(t *testing.T, c chat) answer {
	t.Helper()
	a, err := c.next(t.Context(), p.streamed)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// model is the name of a script's model of the pair's protocol.
func (p pair) model(scene string) string { return modelOf(scene, p.protocol) }

// used is what the golden files have backends count, as far as both ends know it.
func (p pair) used(a answer) usage {
	u := usage{Input: 20, Output: 9, Cached: 5, Thinking: a.Usage.Thinking} // services count thinking in different ways
	if p.protocol == service.Ollama || p.sdk.protocol == service.Ollama {
		u.Cached = 0
	}
	return u
}

func TestText(t *testing.T) {
	t.Parallel()
	n := startScripts(t)
	everyPair(t, func(t *testing.T, p pair) {
		got := p.answer(t, p.sdk.start(n.site(), question{model: p.model("text"), prompt: "Greet me: " + t.Name()}))
		if diff := cmp.Diff(answer{Text: "Hello, world", Reason: ended, Usage: p.used(got)}, got); diff != "" {
			t.Errorf("answer (-want +got):\n%s", diff)
		}
		if asked := n.scripts[p.protocol].last(); !asked.contains("Greet me: "+t.Name()) || !asked.contains("Be brief.") || asked.streamed() != p.streamed {
			t.Errorf("the backend got %s %s", asked.path, asked.body)
		}
	})
}

// madeCalls names the calls of the case "calls" as results have to, in each protocol.
var madeCalls = map[service.Protocol][]string{
	service.OpenAI: {"call_a", "call_b"}, service.Claude: {"toolu_a", "toolu_b"},
	service.Gemini: {"weather", "weather"}, service.Ollama: {"weather", "weather"},
}

// TestCalls has two calls made at once, and their results sent back.
func TestCalls(t *testing.T) {
	t.Parallel()
	n := startScripts(t)
	everyPair(t, func(t *testing.T, p pair) {
		c := p.sdk.start(n.site(), question{model: p.model("calls"), prompt: "Weather of Oslo and Rome?", tools: true})
		got := p.answer(t, c)
		calls := []call{{"weather", `{"city":"Oslo"}`}, {"weather", `{"city":"Rome"}`}}
		if diff := cmp.Diff(answer{Calls: calls, Reason: called, Usage: p.used(got)}, got); diff != "" {
			t.Fatalf("first turn (-want +got):\n%s", diff)
		}
		results := []string{"rain — 雨", `sun "all day"`}
		c.results(results...)
		got = p.answer(t, c)
		if diff := cmp.Diff(answer{Text: "Hello, world", Reason: ended, Usage: p.used(got)}, got); diff != "" {
			t.Errorf("second turn (-want +got):\n%s", diff)
		}
		asked := n.scripts[p.protocol].last()
		form := n.scripts[p.protocol].dialect(asked)
		var texts, names []string
		for _, result := range n.scripts[p.protocol].results(asked) {
			texts = append(texts, textOf(result.Get(form.result)))
			names = append(names, result.Get(form.call).String())
		}
		if diff := cmp.Diff(results, texts); diff != "" {
			t.Errorf("results at the backend (-want +got):\n%s\n%s", diff, asked.body)
		}
		if asked.path == "/v1/responses" {
			return // the calls of that golden file have names of their own
		}
		if diff := cmp.Diff(madeCalls[p.protocol], names); diff != "" {
			t.Errorf("whose results (-want +got):\n%s\n%s", diff, asked.body)
		}
	})
}
