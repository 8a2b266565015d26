// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// maker makes conversations that the protocol can express.
type maker struct {
	*rand.Rand
	calls int
}

func (m *maker) word() string {
	words := []string{"a", "Grüße", "你好", "\"q\"\n", "<b>&", "\u2028", "😀", " x "}
	return words[m.IntN(len(words))] + strconv.Itoa(m.IntN(100))
}

func (m *maker) flip() bool { return m.IntN(2) == 0 }

func (m *maker) signature() conversation.Signature {
	if m.flip() {
		return conversation.Signature{}
	}
	return conversation.Signature{By: service.Gemini, Value: "QUJD"}
}

func (m *maker) userPart() conversation.Part {
	switch m.IntN(5) {
	case 0:
		return conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: "AAAA"}}
	case 1:
		return conversation.AudioPart{Media: conversation.Media{MediaType: "audio/wav", Data: "AAAA"}}
	case 2:
		return conversation.FilePart{Media: conversation.Media{MediaType: "application/pdf", URL: "https://x.example/" + strconv.Itoa(m.IntN(9))}}
	default:
		return text(m.word())
	}
}

// turns makes an answer and what follows it.
func (m *maker) turns() []conversation.Message {
	var parts []conversation.Part
	if m.flip() {
		parts = append(parts, conversation.ThinkingPart{Text: m.word(), Signature: conversation.Signature{By: service.Gemini, Value: "MQ=="}})
	}
	if m.flip() {
		parts = append(parts, text(m.word()))
	}
	var results []conversation.Part
	for range m.IntN(4) {
		id, name := "id"+strconv.Itoa(m.calls), "f"+strconv.Itoa(m.IntN(2))
		m.calls++
		parts = append(parts, conversation.CallPart{ID: id, Name: name, Arguments: `{"a":"` + strconv.Itoa(m.calls) + `"}`, Signature: m.signature()})
		r := conversation.ResultPart{CallID: id, Name: name, Parts: []conversation.Part{text(m.word())}, IsError: m.flip()}
		if m.flip() {
			r.Parts = append(r.Parts, conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: "AAAA"}})
		}
		results = append(results, r)
	}
	var list []conversation.Message
	if len(parts) > 0 {
		list = append(list, say(conversation.Assistant, parts...))
	}
	if len(results) > 0 {
		list = append(list, say(conversation.ToolResults, results...))
	}
	return append(list, say(conversation.User, m.userPart(), m.userPart()))
}

func (m *maker) request() *conversation.Request {
	r := &conversation.Request{Model: "m", StreamUsage: true}
	if m.flip() {
		r.Messages = append(r.Messages, say(conversation.System, text(m.word())))
	}
	r.Messages = append(r.Messages, say(conversation.User, m.userPart()))
	for range m.IntN(4) {
		r.Messages = append(r.Messages, m.turns()...)
	}
	if m.flip() {
		r.Tools = []conversation.Tool{{Name: "f0", Description: m.word(), Parameters: json.RawMessage(`{"type":"object"}`)}, {Name: "f1"}}
		r.Choice.Mode = conversation.ChoiceMode(m.IntN(5))
		if r.Choice.Mode == conversation.ChoiceNamed {
			r.Choice.Name = "f1"
		}
	}
	if m.flip() {
		r.MaxTokens, r.Stop, r.Logprobs, r.TopLogprobs = 5000+m.IntN(1000), []string{m.word()}, true, 1+m.IntN(5)
		r.Sampling = conversation.Sampling{Temperature: ptr(m.Float64()), TopP: ptr(0.5), TopK: ptr(m.IntN(9)), Seed: ptr(int64(m.IntN(1e6)))}
	}
	switch m.IntN(3) {
	case 0:
		r.Format.Kind = conversation.FormatJSON
	case 1:
		r.Format = conversation.Format{Kind: conversation.FormatSchema, Schema: json.RawMessage(`{"type":"object","$defs":{}}`)}
	}
	switch m.IntN(4) {
	case 0:
		r.Model = "gemini-3.5-flash"
		r.Reasoning = conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: "high", Visible: ptr(m.flip())}
	case 1:
		r.Reasoning = conversation.Reasoning{Mode: conversation.ReasoningOn, Budget: 2048, Visible: ptr(m.flip())}
	}
	return r
}

func TestRequestsSurvive(t *testing.T) {
	m := &maker{Rand: rand.New(rand.NewPCG(3, 4))}
	for range 500 {
		want := m.request()
		var dropped conversation.Dropped
		_, body, fail := EncodeRequest(want, &dropped)
		if fail != nil || len(dropped.Names()) > 0 {
			t.Fatalf("error %v, dropped %v", fail, dropped.Names())
		}
		got := mustDecode(t, string(body))
		got.Model = want.Model
		for _, msg := range got.Messages { // which a result of another protocol has not
			for i, part := range msg.Parts {
				if p, ok := part.(conversation.ResultPart); ok {
					p.JSON = nil
					msg.Parts[i] = p
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("request (-want +got):\n%s\nas %s", diff, body)
		}
	}
}

func TestAnswersSurvive(t *testing.T) {
	m := &maker{Rand: rand.New(rand.NewPCG(5, 6))}
	for range 300 {
		want := &conversation.Answer{
			ID: "r", Model: "g", Reason: conversation.Stopped,
			Usage: conversation.Usage{Input: m.IntN(100), CacheRead: 0, Output: 10 + m.IntN(100), Reasoning: m.IntN(10)},
		}
		if m.flip() {
			want.Parts = append(want.Parts, conversation.AnswerPart{Kind: conversation.PartThinking, Text: m.word()})
		}
		if m.flip() {
			want.Parts = append(want.Parts, conversation.AnswerPart{Kind: conversation.PartText, Text: m.word()})
		}
		for i := range m.IntN(3) {
			want.Reason = conversation.ToolCalls
			want.Parts = append(want.Parts, conversation.AnswerPart{
				Kind: conversation.PartCall, Call: conversation.Call{ID: strconv.Itoa(i), Name: "f"}, Text: `{"a":[1,"x"]}`, Signature: m.signature(),
			})
		}
		for name, read := range map[string]func() ([]conversation.Event, error){
			"whole": func() ([]conversation.Event, error) {
				return DecodeAnswer(visible(), EncodeAnswer(wholeOp, visible(), want))
			},
			"stream": func() ([]conversation.Event, error) { return readAll(written(streamOp, visible(), eventsOf(want))) },
			"array":  func() ([]conversation.Event, error) { return readAll(written(arrayOp, visible(), eventsOf(want))) },
		} {
			events, err := read()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var c conversation.Collector
			for i := range events {
				c.Add(&events[i])
			}
			if diff := cmp.Diff(want.Parts, c.Answer().Parts); diff != "" || c.Answer().Usage != want.Usage || c.Answer().Reason != want.Reason {
				t.Fatalf("%s: usage %+v, reason %d, parts (-want +got):\n%s", name, c.Answer().Usage, c.Answer().Reason, diff)
			}
		}
	}
}

// eventsOf is an answer as a stream would bring it.
func eventsOf(a *conversation.Answer) []conversation.Event {
	events := []conversation.Event{{Kind: conversation.Begin, ID: a.ID, Model: a.Model}, {Kind: conversation.UsageKnown, Usage: a.Usage}}
	for i, p := range a.Parts {
		events = append(events, conversation.Event{Kind: conversation.PartBegin, Index: i, Part: p.Kind, Call: p.Call})
		for _, r := range p.Text {
			events = append(events, conversation.Event{Kind: conversation.Delta, Index: i, Text: string(r)})
		}
		if p.Signature.Value != "" {
			events = append(events, conversation.Event{Kind: conversation.Signed, Index: i, Signature: p.Signature})
		}
		events = append(events, conversation.Event{Kind: conversation.PartEnd, Index: i})
	}
	return append(events, conversation.Event{Kind: conversation.Finish, Reason: a.Reason})
}

func TestCountTokens(t *testing.T) {
	tests := []struct {
		name, body string
		low, high  int
	}{
		{"a sentence", `{"contents":[{"parts":[{"text":"The quick brown fox jumps over the lazy dog."}]}]}`, 9, 14},
		{"Chinese", `{"contents":[{"parts":[{"text":"为什么天空是蓝色的？"}]}]}`, 8, 14},
		{"a picture", `{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}]}`, 258, 262},
		{"what only Google has", `{"contents":[{"parts":[{"text":"a"}]}],"cachedContent":"x"}`, 1, 4},
		{"nothing", `{}`, 0, 0},
		{
			"a whole request", `{"generateContentRequest":{"model":"models/g","systemInstruction":{"parts":[{"text":"You are a helpful assistant"}]},
			"contents":[{"parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"get_weather","args":{"city":"Rome"}}}]},
			{"parts":[{"functionResponse":{"name":"get_weather","response":{"output":"It is sunny in Rome"}}}]}],
			"tools":[{"functionDeclarations":[{"name":"get_weather","description":"Tells the weather in a city","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}}}}]}]}}`, 60, 110,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, fail := CountTokens([]byte(tt.body))
			if fail != nil || n < tt.low || n > tt.high {
				t.Errorf("got %d, %v; want %d to %d", n, fail, tt.low, tt.high)
			}
		})
	}
	if _, fail := CountTokens([]byte(`[`)); fail == nil || fail.Code != dialect.CodeNotJSON {
		t.Errorf("no JSON: %v", fail)
	}
	sameJSON(t, `{"totalTokens":7,"promptTokensDetails":[{"modality":"TEXT","tokenCount":7}]}`, string(EncodeCount(7)))
}

func TestEmbeddings(t *testing.T) {
	single := dialect.Operation{Protocol: service.Gemini, Kind: dialect.Embedding, Model: "e", Path: "/v1beta/models/e:embedContent"}
	batch := dialect.Operation{Protocol: service.Gemini, Kind: dialect.Embedding, Model: "e", Path: "/v1beta/models/e:batchEmbedContents"}
	tests := []struct {
		name, body string
		op         dialect.Operation
		want       *conversation.EmbeddingRequest
		again      string // written; body if empty
	}{
		{
			"one", `{"model":"models/e","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","title":"t","outputDimensionality":4}`, single,
			&conversation.EmbeddingRequest{Model: "e", Inputs: []string{"a"}, TaskType: "RETRIEVAL_QUERY", Title: "t", Dimensions: 4}, "",
		},
		{
			"several", `{"requests":[{"model":"models/e","content":{"parts":[{"text":"a"}]}},{"model":"models/e","content":{"parts":[{"text":"b"}]}}]}`, batch,
			&conversation.EmbeddingRequest{Model: "e", Inputs: []string{"a", "b"}, Batch: true}, "",
		},
		{
			"a batch of one", `{"requests":[{"content":{"parts":[{"text":"a"},{"text":"b"}]},"later":1}]}`, batch,
			&conversation.EmbeddingRequest{Model: "e", Inputs: []string{"a\nb"}, Batch: true, Unmapped: []string{"later"}},
			`{"requests":[{"model":"models/e","content":{"parts":[{"text":"a\nb"}]}}]}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, fail := DecodeEmbedding(tt.op, []byte(tt.body))
			if fail != nil {
				t.Fatal(fail)
			}
			if diff := cmp.Diff(tt.want, req); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			path, body, fail := EncodeEmbedding(req)
			if fail != nil || path != tt.op.Path {
				t.Errorf("path %q, %v", path, fail)
			}
			if tt.again == "" {
				tt.again = tt.body
			}
			sameJSON(t, tt.again, string(body))
			answer := &conversation.EmbeddingAnswer{Usage: conversation.Usage{Input: 3}}
			for i := range req.Inputs {
				answer.Vectors = append(answer.Vectors, []float64{float64(i) + 0.5, -1e-9})
			}
			back, err := DecodeEmbeddingAnswer(EncodeEmbeddingAnswer(tt.op, req, answer))
			if diff := cmp.Diff(answer, back); diff != "" || err != nil {
				t.Errorf("answer %v (-want +got):\n%s", err, diff)
			}
		})
	}
	for _, body := range []string{
		`[]`, `{}`, `{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}`, `{"content":{"parts":"x"}, "title":1}`,
	} {
		if _, fail := DecodeEmbedding(single, []byte(body)); fail == nil {
			t.Errorf("%s is not refused", body)
		}
	}
	differs := `{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"b"}]},"taskType":"CLUSTERING"}]}`
	if _, fail := DecodeEmbedding(batch, []byte(differs)); fail == nil || !strings.Contains(fail.Message, "different ways") {
		t.Errorf("different kinds in a batch: %v", fail)
	}
	for _, body := range []string{``, `{}`, `{"embedding":{"values":[]}}`, `{"embeddings":[{}]}`} {
		if _, err := DecodeEmbeddingAnswer([]byte(body)); err == nil {
			t.Errorf("%q is read as an answer", body)
		}
	}
}
