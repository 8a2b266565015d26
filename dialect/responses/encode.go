// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"slices"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
)

// EncodeRequest returns a request as a Responses backend takes it, and the path to send it to. The backend is told to
// store nothing, and asked for what it wants back of its reasoning. What is left out is named in dropped; a request whose
// answer would be another without what cannot be carried is refused with status 400.
func EncodeRequest(req *conversation.Request, dropped *conversation.Dropped) (path string, body []byte, fail *dialect.Error) {
	e := encoder{req: req, dropped: dropped, family: familyOf(req.Model)}
	e.jsonText = make(jsonText, 0, sizeHint(req))
	e.open('{')
	e.text("model", req.Model)
	e.input()
	e.tools()
	e.limits()
	e.sampling()
	e.format()
	e.reasoning()
	e.boolean("store", false)
	if req.Stream {
		e.boolean("stream", true)
	}
	e.close('}')
	if e.fail != nil {
		return "", nil, e.fail
	}
	return responsesPath, e.jsonText, nil
}

// encoder writes one request.
type encoder struct {
	jsonText
	req     *conversation.Request
	dropped *conversation.Dropped
	family  family
	calls   calls
	fail    *dialect.Error
}

// refuse notes the first thing that the backend cannot be asked.
func (e *encoder) refuse(message string) {
	if e.fail == nil {
		e.fail = invalid(message)
	}
}

// sizeHint is about as long as the request will be.
func sizeHint(req *conversation.Request) int {
	n := 1024
	for i := range req.Tools {
		n += 128 + len(req.Tools[i].Description) + len(req.Tools[i].Parameters)
	}
	for i := range req.Messages {
		n += 64
		for _, part := range req.Messages[i].Parts {
			switch part := part.(type) {
			case conversation.TextPart:
				n += len(part.Text) + len(part.Text)/16 + 64
			case conversation.ImagePart:
				n += len(part.Data) + 64
			case conversation.FilePart:
				n += len(part.Data) + 64
			case conversation.CallPart:
				n += len(part.Arguments) + len(part.Arguments)/4 + 128
			default:
				n += 256
			}
		}
	}
	return n
}

func (e *encoder) tools() {
	functions := 0
	for i := range e.req.Tools {
		t := &e.req.Tools[i]
		if t.Builtin != "" {
			e.dropped.Add("tools.builtin")
			continue
		}
		if functions++; functions == 1 {
			e.array("tools")
		}
		e.tool(t)
	}
	if functions > 0 {
		e.close(']')
	}
	e.choice(functions > 0)
	if e.req.Parallel != nil && functions > 0 {
		e.boolean("parallel_tool_calls", *e.req.Parallel)
	}
}

func (e *encoder) tool(t *conversation.Tool) {
	e.open('{')
	e.text("type", typeFunction)
	e.text("name", wireName(t.Name))
	e.textIf("description", t.Description)
	if len(t.Parameters) > 0 {
		e.raw("parameters", string(t.Parameters))
	} else {
		e.raw("parameters", `{"type":"object","properties":{}}`)
	}
	// Responses is strict unless told not to be, and then refuses most schemas; every other protocol is not.
	e.boolean("strict", t.Strict != nil && *t.Strict)
	e.cached(t.Cache)
	e.close('}')
}

func (e *encoder) choice(tools bool) {
	switch c := e.req.Choice; c.Mode {
	case conversation.ChoiceAuto, conversation.ChoiceNone:
		if tools {
			e.text("tool_choice", choiceNames[c.Mode])
		}
	case conversation.ChoiceRequired:
		if !tools {
			e.refuse("The request requires a tool call, but has no function that this exit's backend can call.")
		}
		e.text("tool_choice", choiceNames[c.Mode])
	case conversation.ChoiceNamed:
		if !slices.ContainsFunc(e.req.Tools, func(t conversation.Tool) bool { return t.Builtin == "" && t.Name == c.Name }) {
			e.refuse("The tool that the request requires is not among its functions.")
		}
		e.object("tool_choice")
		e.text("type", typeFunction)
		e.text("name", wireName(c.Name))
		e.close('}')
	}
}

var choiceNames = [...]string{
	conversation.ChoiceAuto: "auto", conversation.ChoiceNone: "none", conversation.ChoiceRequired: "required",
}

func (e *encoder) limits() {
	r := e.req
	if r.MaxTokens > 0 {
		limit := r.MaxTokens
		if limit < minOutputTokens {
			limit = minOutputTokens
			e.dropped.Add("max_tokens")
		}
		e.integer("max_output_tokens", int64(limit))
	}
	if r.Suffix != "" {
		e.refuse("The field suffix (text after the gap) cannot be carried to this exit's backend.")
	}
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"n", r.Candidates > 1},
		{"stop", len(r.Stop) > 0},
	} {
		if field.set {
			e.dropped.Add(field.name)
		}
	}
	if r.Logprobs && r.TopLogprobs > 0 {
		e.integer("top_logprobs", int64(r.TopLogprobs))
	}
}

func (e *encoder) sampling() {
	s := &e.req.Sampling
	e.number("temperature", s.Temperature)
	e.number("top_p", s.TopP)
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"top_k", s.TopK != nil},
		{"min_p", s.MinP != nil && *s.MinP != 0},
		{"frequency_penalty", s.FrequencyPenalty != nil && *s.FrequencyPenalty != 0},
		{"presence_penalty", s.PresencePenalty != nil && *s.PresencePenalty != 0},
		{"repeat_penalty", s.RepeatPenalty != nil && *s.RepeatPenalty != 1},
		{"seed", s.Seed != nil},
	} {
		if field.set {
			e.dropped.Add(field.name)
		}
	}
}

// number writes a parameter of sampling, if it is set. Models that always reason take no value but the default, 1.
func (e *encoder) number(name string, value *float64) {
	switch {
	case value == nil:
	case !e.family.reasons:
		e.float(name, *value)
	case *value != 1:
		e.dropped.Add(name)
	}
}

func (e *encoder) format() {
	f := &e.req.Format
	if f.Kind == conversation.FormatText {
		return
	}
	e.object("text")
	e.object("format")
	if f.Kind == conversation.FormatJSON || len(f.Schema) == 0 {
		e.text("type", "json_object")
	} else {
		e.text("type", "json_schema")
		name := "answer"
		if f.Name != "" {
			name = wireName(f.Name)
		}
		e.text("name", name)
		e.textIf("description", f.Description)
		e.raw("schema", string(f.Schema))
		if f.Strict != nil {
			e.boolean("strict", *f.Strict)
		}
	}
	e.close('}')
	e.close('}')
}

// reasoning says how much to think, and asks for what is wanted back of it and for probabilities. Models that do not
// reason refuse to be asked for encrypted reasoning.
func (e *encoder) reasoning() {
	r := e.req.Reasoning
	effort, ok := e.family.effort(r)
	if !ok {
		e.dropped.Add("reasoning")
	}
	summary := r.Summary
	if summary == "" && r.Visible != nil && *r.Visible {
		summary = "auto"
	}
	if e.family.openAI && !e.family.reasons {
		summary = ""
	}
	if effort != "" || summary != "" {
		e.object("reasoning")
		e.textIf("effort", effort)
		e.textIf("summary", summary)
		e.close('}')
	}
	encrypted := e.family.reasons || !e.family.openAI && effort != "" && effort != "none"
	if !encrypted && !e.req.Logprobs {
		return
	}
	e.array("include")
	if encrypted {
		e.element(`"` + includeReasoning + `"`)
	}
	if e.req.Logprobs {
		e.element(`"` + includeLogprobs + `"`)
	}
	e.close(']')
}
