// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// randomEvents makes an answer whose parts interleave. Texts of parts that are shown are never empty.
func randomEvents(rng *rand.Rand) []conversation.Event {
	events := []conversation.Event{begin()}
	var open []int
	kinds := map[int]conversation.PartKind{}
	said := map[int]bool{}
	end := func(k int) {
		i := open[k]
		switch kind := kinds[i]; {
		case !said[i] && kind == conversation.PartCall:
			events = append(events, delta(i, "{}"))
		case !said[i]:
			events = append(events, delta(i, "x"))
		}
		if kinds[i] == conversation.PartThinking && rng.IntN(2) == 0 {
			events = append(events, signed(i, signature(service.OpenAI, fmt.Sprint("enc", i))))
		}
		events = append(events, partEnd(i))
		open = append(open[:k], open[k+1:]...)
	}
	calls := 0
	for n := rng.IntN(6); len(kinds) < n || len(open) > 0; {
		switch r := rng.IntN(4); {
		case r == 0 && len(kinds) < n:
			i := len(kinds)
			kinds[i] = conversation.PartKind(1 + rng.IntN(4))
			if kinds[i] == conversation.PartCall {
				calls++
				events = append(events, callBegin(i, fmt.Sprint("call_", i), "f"))
			} else {
				// Begun with its first text, as the reader does.
				events = append(events, partBegin(i, kinds[i]), delta(i, "x"))
				said[i] = true
			}
			open = append(open, i)
		case r == 1 && len(open) > 0:
			end(rng.IntN(len(open)))
		case len(open) > 0:
			i := open[rng.IntN(len(open))]
			said[i] = true
			events = append(events, delta(i, []string{"a", "é\n", "\u2028", `"`}[rng.IntN(4)]))
		}
	}
	reason := conversation.Stopped
	if calls > 0 {
		reason = conversation.ToolCalls
	}
	if rng.IntN(4) == 0 {
		reason = conversation.Length
	}
	return append(events, usage(conversation.Usage{Input: 1 + rng.IntN(9), Output: 1 + rng.IntN(9)}), finish(reason))
}

// What is written is read as the same answer, streamed or not.
func TestAnswerRoundTrip(t *testing.T) {
	for seed := range uint64(300) {
		events := randomEvents(rand.New(rand.NewPCG(seed, 3)))
		want := collect(events)
		stream := written(nil, events)
		streamOf(t, stream)
		got, err := readStream(nil, stream, seed)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if diff := cmp.Diff(want, collect(got)); diff != "" {
			t.Fatalf("seed %d: streamed (-want +got):\n%s\n%s", seed, diff, stream)
		}
		body := EncodeAnswer(op, nil, want)
		got, err = DecodeAnswer(nil, body)
		if err != nil {
			t.Fatalf("seed %d: %v in %s", seed, err, body)
		}
		if diff := cmp.Diff(want, collect(got)); diff != "" {
			t.Fatalf("seed %d: whole (-want +got):\n%s\n%s", seed, diff, body)
		}
		if want.Reason == conversation.Length { // which item is incomplete is known of a stream only
			continue
		}
		// The last event of the stream is the whole answer.
		all := streamOf(t, stream)
		last, whole := all[len(all)-1].Data["response"], compact(t, body)
		if diff := cmp.Diff(whole, last); diff != "" {
			t.Fatalf("seed %d: streamed and whole answer differ (-whole +streamed):\n%s", seed, diff)
		}
	}
}

func TestEncodeAnswer(t *testing.T) {
	req := &conversation.Request{
		Model: "m", Choice: conversation.Choice{Mode: conversation.ChoiceNamed, Name: "ns__f"}, MaxTokens: 7,
		Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOff}, Parallel: ptr(false),
		Tools:  []conversation.Tool{{Name: "ns__f", Raw: []byte(`{"type":"custom","namespace":"ns","name":"f"}`)}},
		Format: conversation.Format{Kind: conversation.FormatSchema, Name: "n", Schema: []byte(`{}`)},
	}
	a := &conversation.Answer{
		ID: "chatcmpl-1", Created: 5, Reason: conversation.ToolCalls, Usage: conversation.Usage{Input: 2, Output: 3},
		Parts: []conversation.AnswerPart{
			{Kind: conversation.PartText},
			{Kind: conversation.PartCall, Call: conversation.Call{ID: "c", Name: "ns__f"}, Text: `{"input":"x"}`, Signature: signature(service.Gemini, "g")},
		},
	}
	const want = `{"id":"resp_chatcmpl-1","object":"response","created_at":5,"status":"completed","background":false,"error":null,
		"incomplete_details":null,"instructions":null,"max_output_tokens":7,"model":"m","output":[
		{"id":"ctc_chatcmpl-1_0","type":"custom_tool_call","status":"completed","input":"x","call_id":"c","name":"f","namespace":"ns"},
		{"id":"rs_chatcmpl-1_1","type":"reasoning","summary":[],"encrypted_content":"tokengo-call:Yw:gemini:Zw"}],
		"parallel_tool_calls":false,"previous_response_id":null,"reasoning":{"effort":"none","summary":null},"store":false,
		"temperature":1,"text":{"format":{"type":"json_schema","name":"n","schema":{},"strict":false}},
		"tool_choice":{"type":"custom","name":"f"},"tools":[],"top_logprobs":0,"top_p":1,"truncation":"disabled",
		"usage":{"input_tokens":2,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":3,
		"output_tokens_details":{"reasoning_tokens":0},"total_tokens":5},"user":null,"metadata":{}}`
	if diff := cmp.Diff(compact(t, []byte(want)), compact(t, EncodeAnswer(op, req, a))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEncodeAnswerMakesIDs(t *testing.T) {
	first, second := compact(t, EncodeAnswer(op, nil, &conversation.Answer{})), compact(t, EncodeAnswer(op, nil, &conversation.Answer{}))
	a, b := first.(map[string]any), second.(map[string]any)
	if a["id"] == b["id"] || a["created_at"] == float64(0) {
		t.Errorf("answers without an id: %v and %v at %v", a["id"], b["id"], a["created_at"])
	}
	long := compact(t, EncodeAnswer(op, nil, &conversation.Answer{ID: strings.Repeat("x", 200)})).(map[string]any)
	if id := long["id"].(string); len(id) > maxIDLen {
		t.Errorf("id %s", id)
	}
}
