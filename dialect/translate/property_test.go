// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/claude"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/gemini"
	"github.com/tokengo/tokengo/dialect/ollama"
	"github.com/tokengo/tokengo/dialect/openai"
	"github.com/tokengo/tokengo/dialect/responses"
	"github.com/tokengo/tokengo/dialect/translate"
)

// streamWriter writes an answer as a backend of a protocol streams it; streamReader reads it as an SDK does.
type (
	streamWriter interface {
		Event(dst []byte, e *conversation.Event) []byte
		End(dst []byte) []byte
	}
	streamReader interface {
		Feed(dst []conversation.Event, p []byte) ([]conversation.Event, error)
		End(dst []conversation.Event) ([]conversation.Event, error)
	}
)

// sides are both halves of a codec.
type sides struct {
	encode func(*conversation.Request, *conversation.Dropped) (string, []byte, *dialect.Error)
	writer func(dialect.Operation) streamWriter
	reader func(*conversation.Request) streamReader
}

// shown is a request that wants to see all there is.
func shown() *conversation.Request {
	visible := true
	return &conversation.Request{StreamUsage: true, Reasoning: conversation.Reasoning{Mode: conversation.ReasoningOn, Visible: &visible}}
}

var bothSides = map[string]sides{
	"openai": {
		openai.EncodeRequest, func(op dialect.Operation) streamWriter { return openai.NewWriter(op, shown()) },
		func(r *conversation.Request) streamReader { return openai.NewReader(r) },
	},
	"responses": {
		responses.EncodeRequest, func(op dialect.Operation) streamWriter { return responses.NewWriter(op, shown()) },
		func(r *conversation.Request) streamReader { return responses.NewReader(r) },
	},
	"claude": {
		claude.EncodeRequest, func(op dialect.Operation) streamWriter { return claude.NewWriter(op, shown()) },
		func(r *conversation.Request) streamReader { return claude.NewReader(r) },
	},
	"gemini": {
		gemini.EncodeRequest, func(op dialect.Operation) streamWriter { return gemini.NewWriter(op, shown()) },
		func(r *conversation.Request) streamReader { return gemini.NewReader(r) },
	},
	"ollama": {
		ollama.EncodeRequest, func(op dialect.Operation) streamWriter { return ollama.NewWriter(op, shown()) },
		func(r *conversation.Request) streamReader { return ollama.NewReader(r) },
	},
}

// random makes conversations and answers that every protocol can express.
type random struct {
	*rand.Rand
	calls int
}

func (r *random) text() string {
	words := []string{"a", " b", "é", "世界", "😀", "\n", `"`, `\`, "<b>&", "\u2028", "data: x", "{}"}
	var b strings.Builder
	for range 1 + r.IntN(5) {
		b.WriteString(words[r.IntN(len(words))])
	}
	return b.String() + "."
}

func (r *random) parts() []conversation.Part {
	parts := []conversation.Part{conversation.TextPart{Text: r.text()}}
	if r.IntN(3) == 0 {
		parts = append([]conversation.Part{conversation.ImagePart{Media: conversation.Media{MediaType: "image/png", Data: pixel}}}, parts...)
	}
	return parts
}

// arguments are nested, and have what JSON can have.
func (r *random) arguments() string {
	raw, err := json.Marshal(map[string]any{"text": r.text(), "list": []any{1, nil, map[string]any{"deep": true}}, "number": r.IntN(9)})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func (r *random) request() *conversation.Request {
	req := &conversation.Request{Model: "m", MaxTokens: 100 + r.IntN(100)}
	add := func(role conversation.Role, parts ...conversation.Part) {
		req.Messages = append(req.Messages, conversation.Message{Role: role, Parts: parts})
	}
	if r.IntN(2) == 0 {
		add(conversation.System, conversation.TextPart{Text: r.text()})
	}
	for range 1 + r.IntN(3) {
		add(conversation.User, r.parts()...)
		var said, results []conversation.Part
		calls := r.IntN(4)
		if calls > 0 && r.IntN(2) == 0 {
			said = append(said, conversation.TextPart{Text: r.text()})
		}
		for range calls {
			id, name := fmt.Sprint("call_", r.calls), fmt.Sprint("f", r.IntN(2))
			r.calls++
			said = append(said, conversation.CallPart{ID: id, Name: name, Arguments: r.arguments()})
			results = append(results, conversation.ResultPart{CallID: id, Name: name, Parts: []conversation.Part{conversation.TextPart{Text: r.text()}}})
		}
		if calls > 0 {
			add(conversation.Assistant, said...)
			add(conversation.ToolResults, results...)
		}
		add(conversation.Assistant, conversation.TextPart{Text: r.text()})
	}
	add(conversation.User, r.parts()...)
	for i := range r.IntN(3) {
		req.Tools = append(req.Tools, conversation.Tool{Name: fmt.Sprint("f", i), Description: r.text(), Parameters: json.RawMessage(nested)})
	}
	if r.IntN(2) == 0 {
		temperature := float64(r.IntN(4)) / 4
		req.Sampling.Temperature = &temperature
	}
	if r.IntN(3) == 0 {
		req.Format = conversation.Format{Kind: conversation.FormatSchema, Schema: json.RawMessage(closed)}
	}
	return req
}

const (
	nested = `{"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{"b":{"type":["string","null"],"enum":["x",null]}}}}},"required":["a"]}`
	closed = `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`
)

// compared leaves out what a protocol adds of its own.
func compared(r *conversation.Request) *conversation.Request {
	out := conversation.Request{Messages: r.Messages, Tools: r.Tools, MaxTokens: r.MaxTokens, Sampling: r.Sampling, Format: r.Format}
	out.Format.Name = ""
	for i := range out.Tools {
		out.Tools[i].Strict, out.Tools[i].Raw = nil, nil
	}
	for _, m := range out.Messages {
		for i, part := range m.Parts {
			switch part := part.(type) {
			case conversation.ResultPart:
				part.JSON = nil
				m.Parts[i] = part
			case conversation.ImagePart:
				part.Detail = ""
				m.Parts[i] = part
			}
		}
	}
	return &out
}

// TestRequestsSurvive: what all protocols can express is read as it was written, in each of them.
func TestRequestsSurvive(t *testing.T) {
	for _, c := range codecs {
		for seed := range uint64(200) {
			r := &random{Rand: rand.New(rand.NewPCG(seed, 1))}
			want := r.request()
			var dropped conversation.Dropped
			_, body, fail := bothSides[c.name].encode(want, &dropped)
			if fail != nil || len(dropped.Names()) > 0 {
				t.Fatalf("%s, seed %d: %v, dropped %v", c.name, seed, fail, dropped.Names())
			}
			got, fail := c.decode(dialect.Operation{Kind: dialect.Chat, Model: "m"}, body)
			if fail != nil {
				t.Fatalf("%s, seed %d: %v in %s", c.name, seed, fail, body)
			}
			if diff := gocmp.Diff(compared(want), compared(got), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s, seed %d (-want +got):\n%s\n%s", c.name, seed, diff, body)
			}
		}
	}
}

// answer makes the events of an answer: reasoning, text and calls, in this order, as all protocols have them.
func (r *random) answer() []conversation.Event {
	events := []conversation.Event{{Kind: conversation.Begin, ID: "id", Model: "m", Created: exitCreated}}
	index, calls := 0, r.IntN(3)
	part := func(kind conversation.PartKind, call conversation.Call, pieces ...string) {
		events = append(events, conversation.Event{Kind: conversation.PartBegin, Index: index, Part: kind, Call: call})
		for _, p := range pieces {
			events = append(events, conversation.Event{Kind: conversation.Delta, Index: index, Text: p})
		}
		events = append(events, conversation.Event{Kind: conversation.PartEnd, Index: index})
		index++
	}
	if r.IntN(2) == 0 {
		part(conversation.PartThinking, conversation.Call{}, r.text(), r.text())
	}
	if r.IntN(3) > 0 || calls == 0 {
		part(conversation.PartText, conversation.Call{}, r.text(), r.text(), r.text())
	}
	reason := conversation.Stopped
	for i := range calls {
		arguments := []rune(r.arguments())
		cut := r.IntN(len(arguments))
		part(conversation.PartCall, conversation.Call{ID: fmt.Sprint("call_", i), Name: "f"}, string(arguments[:cut]), string(arguments[cut:]))
		reason = conversation.ToolCalls
	}
	if r.IntN(4) == 0 {
		reason = conversation.Length
	}
	usage := conversation.Usage{Input: 10 + r.IntN(9), Output: 10 + r.IntN(9)}
	return append(events, conversation.Event{Kind: conversation.UsageKnown, Usage: usage}, conversation.Event{Kind: conversation.Finish, Reason: reason})
}

func collected(events []conversation.Event) *conversation.Answer {
	var c conversation.Collector
	for i := range events {
		c.Add(&events[i])
	}
	a := c.Answer()
	a.ID, a.Model, a.Created = "", "", 0
	var parts []conversation.AnswerPart
	for _, p := range a.Parts {
		p.Signature = conversation.Signature{} // it says where the reasoning was, and may stand within a text
		switch last := len(parts) - 1; {
		case p.Kind == conversation.PartThinking && p.Text == "":
		case last >= 0 && parts[last].Kind == p.Kind && p.Kind == conversation.PartText:
			parts[last].Text += p.Text
		default:
			parts = append(parts, p)
		}
	}
	a.Parts = parts
	return a
}

// TestStreamsSurvive: for every pair, what a backend streams reaches the tool, read as the tool's SDK does, and in whatever
// pieces it came.
func TestStreamsSurvive(t *testing.T) {
	pairs(func(tool tool, backend string) {
		t.Run(tool.name+"-"+backend, func(t *testing.T) {
			for seed := range uint64(40) {
				r := &random{Rand: rand.New(rand.NewPCG(seed, 2))}
				testStream(t, r, tool, backend)
			}
		})
	})
}

func testStream(t *testing.T, r *random, tool tool, backend string) {
	t.Helper()
	events := r.answer()
	w := bothSides[backend].writer(operationOf(t, toolNamed(backend).stream))
	var stream []byte
	for i := range events {
		stream = w.Event(stream, &events[i])
	}
	stream = w.End(stream)
	request, _ := tool.request("thinking", true)
	whole := exchanged(t, request, backend, whole(stream))
	pieces := exchanged(t, request, backend, atRandom(r.Rand, 1+r.IntN(60))(stream))
	if tool.name != "ollama" && tool.name != "responses" && string(whole) != string(pieces) { // which have times and made ids
		t.Fatalf("in pieces:\n%s\nwhole:\n%s", pieces, whole)
	}
	reader := bothSides[tool.name].reader(&conversation.Request{})
	got, err := reader.Feed(nil, pieces)
	if err != nil {
		t.Fatalf("%v in %s", err, pieces)
	}
	if got, err = reader.End(got); err != nil {
		t.Fatalf("%v in %s", err, pieces)
	}
	if diff := gocmp.Diff(collected(events), collected(got), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("answer (-want +got):\n%s\n%s", diff, pieces)
	}
}

// exchanged is what the tool gets of a stream that arrives in pieces.
func exchanged(t *testing.T, request, backend string, pieces [][]byte) []byte {
	t.Helper()
	head, body, _ := strings.Cut(request, "\n")
	op := operationOf(t, head)
	x, fail := translate.New(op, []byte(body), translate.Target{Protocol: protocolOf(t, backend), Model: "m", ID: exitID, Created: exitCreated})
	if fail != nil {
		t.Fatal(fail)
	}
	answer, err := feed(x, pieces)
	if err != nil {
		t.Fatalf("%v after %s", err, answer)
	}
	return answer
}

func operationOf(t *testing.T, head string) dialect.Operation {
	t.Helper()
	method, target, _ := strings.Cut(head, " ")
	path, query, _ := strings.Cut(target, "?")
	op, fail := dialect.Identify(method, path, query, http.Header{})
	if fail != nil {
		t.Fatal(fail)
	}
	return op
}

func toolNamed(name string) tool {
	for _, t := range tools {
		if t.name == name {
			return t
		}
	}
	panic("no tool of protocol " + name)
}
