// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// maker makes random values in the form that a round trip keeps.
type maker struct {
	*rand.Rand
	ids int
}

func (m *maker) chance() bool { return m.IntN(2) == 0 }

func (m *maker) text() string {
	words := []string{"a", "你好", "🙂", "\"", "\\", "\n", "<b>", "\u2028", " ", "data: x\n\n", "é", "\x01"}
	var b strings.Builder
	for range 1 + m.IntN(5) {
		b.WriteString(words[m.IntN(len(words))])
	}
	return b.String()
}

func (m *maker) arguments() string {
	raw, err := json.Marshal(map[string]any{m.text(): m.text(), "n": m.IntN(9)})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func (m *maker) call() conversation.CallPart {
	m.ids++
	call := conversation.CallPart{ID: fmt.Sprint("call_", m.ids), Name: "f" + fmt.Sprint(m.IntN(3)), Arguments: m.arguments()}
	if m.chance() {
		call.Signature = conversation.Signature{By: service.OpenAI, Value: m.text()}
	}
	return call
}

func (m *maker) thought() conversation.Part {
	marks := []string{markContent, markPlain, markDetail + `{"type":"reasoning.text","signature":"s","format":"x","index":0}`, markDetail + `{"type":"reasoning.summary"}`}
	return conversation.ThinkingPart{Text: m.text(), Signature: conversation.Signature{By: service.OpenAI, Value: marks[m.IntN(len(marks))]}}
}

// turn is an assistant's message and, if it calls tools, their results.
func (m *maker) turn() []cm {
	a := cm{Role: conversation.Assistant}
	if m.chance() {
		a.Parts = append(a.Parts, m.thought())
	}
	results := cm{Role: conversation.ToolResults}
	if m.chance() {
		for range 1 + m.IntN(3) {
			call := m.call()
			a.Parts = append(a.Parts, call)
			results.Parts = append(results.Parts, conversation.ResultPart{CallID: call.ID, Name: call.Name, Parts: cp{text(m.text())}})
		}
	}
	if len(results.Parts) == 0 {
		a.Parts = append(a.Parts, text(m.text()))
		return []cm{a, user(m.text())}
	}
	return []cm{a, results}
}

func (m *maker) request() *conversation.Request {
	r := &conversation.Request{Model: "m", MaxTokens: m.IntN(3), Stream: m.chance()}
	r.StreamUsage = r.Stream
	if m.chance() {
		r.Messages = append(r.Messages, cm{Role: conversation.System, Parts: cp{text(m.text())}})
	}
	r.Messages = append(r.Messages, user(m.text()), cm{Role: conversation.User, Name: "bob", Parts: cp{
		text(m.text()),
		conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: "AAAA", Detail: "low"}},
		conversation.ImagePart{Media: conversation.Media{URL: "https://x/" + m.text()}},
	}})
	for range m.IntN(4) {
		r.Messages = append(r.Messages, m.turn()...)
		if m.chance() {
			r.Messages = append(r.Messages, cm{Role: conversation.System, Parts: cp{text(m.text())}})
		}
	}
	for i := range m.IntN(3) {
		tool := conversation.Tool{Name: "f" + fmt.Sprint(i), Description: m.text(), Parameters: json.RawMessage(`{"type":"object","properties":{}}`)}
		if m.chance() {
			tool.Strict = new(m.chance())
		}
		r.Tools = append(r.Tools, tool)
		r.Choice = conversation.Choice{Mode: conversation.ChoiceMode(m.IntN(4))}
		r.Parallel = new(m.chance())
	}
	r.Sampling.Temperature, r.Sampling.Seed = new(m.Float64()), new(m.Int64())
	r.Stop = []string{m.text()}
	efforts := []string{"", "low", "medium", "high"}
	r.Reasoning = reasoningOf(efforts[m.IntN(len(efforts))])
	if m.chance() {
		r.Format = conversation.Format{Kind: conversation.FormatSchema, Name: "x", Schema: json.RawMessage(`{"type":"object"}`), Strict: new(m.chance())}
	}
	if r.Logprobs = m.chance(); r.Logprobs {
		r.TopLogprobs = m.IntN(3)
	}
	return r
}

func TestRequestsSurvive(t *testing.T) {
	for seed := range uint64(300) {
		m := maker{Rand: rand.New(rand.NewPCG(seed, 3))}
		want := m.request()
		var dropped conversation.Dropped
		_, body, fail := EncodeRequest(want, &dropped)
		if fail != nil || len(dropped.Names()) > 0 {
			t.Fatalf("seed %d: %v, dropped %v", seed, fail, dropped.Names())
		}
		if !json.Valid(body) {
			t.Fatalf("seed %d: not JSON: %s", seed, body)
		}
		got, fail := DecodeRequest(chatOp, body)
		if fail != nil {
			t.Fatalf("seed %d: %v", seed, fail)
		}
		if diff := cmp.Diff(want, got, emptyIsNil); diff != "" {
			t.Fatalf("seed %d: request (-sent +read):\n%s", seed, diff)
		}
	}
}

// answer makes events whose parts interleave as they may.
func (m *maker) answer() []cv {
	list := []cv{begin}
	open := []cv{} // the end of each open call
	index, last := 0, conversation.PartKind(0)
	for range m.IntN(6) {
		kind := conversation.PartKind(1 + m.IntN(4))
		if kind == last && kind != conversation.PartCall {
			continue
		}
		last = kind
		e := partBegin(index, kind)
		if kind == conversation.PartCall {
			call := m.call()
			e.Call = conversation.Call{ID: call.ID, Name: call.Name}
			list = append(list, e, delta(index, call.Arguments[:1]))
			open = append(open, delta(index, call.Arguments[1:]), partEnd(index))
		} else {
			list = append(list, e)
			for range 1 + m.IntN(3) {
				list = append(list, delta(index, m.text()))
			}
			list = append(list, partEnd(index))
		}
		index++
	}
	list = append(list, usage(conversation.Usage{Input: 9, Output: 5, Reasoning: 2, CacheRead: 1, CacheWrite: 3}))
	list = append(list, open...)
	reason := conversation.Stopped
	if len(open) > 0 {
		reason = conversation.ToolCalls
	}
	if m.chance() {
		reason = conversation.Length
	}
	return append(list, finish(reason))
}

// bare is an answer without what only a round trip through this protocol adds, and with texts together: Chat Completions
// has one text, one refusal and one reasoning.
func bare(a *conversation.Answer) *conversation.Answer {
	out := *a
	var texts [conversation.PartRefusal + 1]string
	out.Parts = nil
	for _, p := range a.Parts {
		if p.Kind == conversation.PartCall {
			out.Parts = append(out.Parts, p)
		} else {
			texts[p.Kind] += p.Text
		}
	}
	for kind, text := range texts {
		if text != "" {
			out.Parts = append(out.Parts, conversation.AnswerPart{Kind: conversation.PartKind(kind), Text: text})
		}
	}
	if out.Reason == conversation.Refused {
		out.Reason = conversation.Stopped
	}
	return &out
}

func TestAnswersSurvive(t *testing.T) {
	req := &conversation.Request{StreamUsage: true}
	for seed := range uint64(300) {
		m := maker{Rand: rand.New(rand.NewPCG(seed, 4))}
		list := m.answer()
		want := bare(collect(list))
		got, err := events(seed, req, written(chatOp, req, list))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if diff := cmp.Diff(want, bare(collect(got)), emptyIsNil); diff != "" {
			t.Fatalf("seed %d: streamed answer (-sent +read):\n%s", seed, diff)
		}
		body := EncodeAnswer(chatOp, req, collect(list))
		got, err = DecodeAnswer(req, body)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, body)
		}
		if diff := cmp.Diff(want, bare(collect(got)), emptyIsNil); diff != "" {
			t.Fatalf("seed %d: answer (-sent +read):\n%s", seed, diff)
		}
	}
}

// wellFormed checks the order of events that package conversation promises.
func wellFormed(list []cv, complete bool) error {
	open := map[int]bool{}
	for i, e := range list {
		switch {
		case (i == 0) != (e.Kind == conversation.Begin):
			return errors.New("Begin is not the first event, or not the only one")
		case (e.Kind == conversation.Delta || e.Kind == conversation.Signed || e.Kind == conversation.PartEnd) && !open[e.Index]:
			return fmt.Errorf("event %d is of a part that is not open", i)
		case (e.Kind == conversation.Finish || e.Kind == conversation.Failed) && i != len(list)-1:
			return errors.New("something follows the end")
		}
		switch e.Kind {
		case conversation.PartBegin:
			if e.Part == conversation.PartCall && (e.Call.ID == "" || e.Call.Name == "") {
				return errors.New("a call has no id or no name")
			}
			open[e.Index] = true
		case conversation.PartEnd:
			delete(open, e.Index)
		case conversation.Finish:
			if len(open) > 0 || e.Reason == 0 {
				return errors.New("it finishes without a reason, or with open parts")
			}
		}
	}
	if complete && (len(list) == 0 || list[len(list)-1].Kind < conversation.Finish) {
		return errors.New("it does not end")
	}
	return nil
}

func FuzzReader(f *testing.F) {
	f.Add(chunks(done, `"delta":{"content":"hi"}`, `"delta":{},"finish_reason":"stop"`), uint64(1))
	f.Fuzz(func(t *testing.T, stream string, seed uint64) {
		req := &conversation.Request{}
		whole, wholeErr := events(0, req, stream)
		split, splitErr := events(seed|1, req, stream)
		if diff := cmp.Diff(whole, split, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); diff != "" || (wholeErr == nil) != (splitErr == nil) {
			t.Errorf("events depend on the pieces: %v, %v\n%s", wholeErr, splitErr, diff)
		}
		if err := wellFormed(whole, wholeErr == nil); err != nil {
			t.Errorf("%v: %+v", err, whole)
		}
		for _, event := range strings.Split(written(chatOp, req, whole), "\n\n") {
			data, ok := strings.CutPrefix(event, "data: ")
			if ok && data != "[DONE]" && !json.Valid([]byte(data)) {
				t.Errorf("wrote %q", data)
			}
		}
	})
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add(`{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		req, fail := DecodeRequest(chatOp, []byte(body))
		if fail != nil {
			return
		}
		var dropped conversation.Dropped
		_, out, fail := EncodeRequest(req, &dropped)
		if fail == nil && !json.Valid(out) {
			t.Errorf("encoded %q", out)
		}
		if fail == nil {
			if _, fail := DecodeRequest(chatOp, out); fail != nil {
				t.Errorf("what was encoded is refused: %v\n%s", fail, out)
			}
		}
	})
}
