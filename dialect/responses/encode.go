// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"slices"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/dialect/wire"
)

// EncodeRequest returns a request as a Responses backend takes it, and the path to send it to. The backend is told to
// store nothing, and asked for what it wants back of its reasoning. What is left out is named in dropped; a request whose
// answer would be another without what cannot be carried is refused with status 400.
func EncodeRequest(req *conversation.Request, dropped *conversation.Dropped) (path string, body []byte, fail *dialect.Error) {
	e := encoder{req: req, dropped: dropped, family: openaiapi.FamilyOf(req.Model)}
	e.JSON = make(wire.JSON, 0, req.SizeHint())
	e.Open('{')
	e.TextMember("model", req.Model)
	e.input()
	e.tools()
	e.limits()
	e.sampling()
	e.format()
	e.reasoning()
	e.BoolMember("store", false)
	if req.Stream {
		e.BoolMember("stream", true)
	}
	e.Close('}')
	if e.fail != nil {
		return "", nil, e.fail
	}
	return responsesPath, e.JSON, nil
}

// encoder writes one request.
type encoder struct {
	wire.JSON
	req     *conversation.Request
	dropped *conversation.Dropped
	family  openaiapi.Family
	calls   calls
	fail    *dialect.Error
}

// refuse notes the first thing that the backend cannot be asked.
func (e *encoder) refuse(message string) {
	if e.fail == nil {
		e.fail = invalid(message)
	}
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
			e.Array("tools")
		}
		e.tool(t)
	}
	if functions > 0 {
		e.Close(']')
	}
	e.choice(functions > 0)
	if e.req.Parallel != nil && functions > 0 {
		e.BoolMember("parallel_tool_calls", *e.req.Parallel)
	}
}

func (e *encoder) tool(t *conversation.Tool) {
	e.Open('{')
	e.TextMember("type", typeFunction)
	e.TextMember("name", openaiapi.WireName(t.Name))
	e.TextIf("description", t.Description)
	if len(t.Parameters) > 0 {
		e.RawMember("parameters", string(t.Parameters))
	} else {
		e.RawMember("parameters", `{"type":"object","properties":{}}`)
	}
	// Responses is strict unless told not to be, and then refuses most schemas; every other protocol is not.
	e.BoolMember("strict", t.Strict != nil && *t.Strict)
	e.cached(t.Cache)
	e.Close('}')
}

func (e *encoder) choice(tools bool) {
	switch c := e.req.Choice; c.Mode {
	case conversation.ChoiceAuto, conversation.ChoiceNone:
		if tools {
			e.TextMember("tool_choice", choiceNames[c.Mode])
		}
	case conversation.ChoiceRequired:
		if !tools {
			e.refuse("The request requires a tool call, but has no function that this exit's backend can call.")
		}
		e.TextMember("tool_choice", choiceNames[c.Mode])
	case conversation.ChoiceNamed:
		if !slices.ContainsFunc(e.req.Tools, func(t conversation.Tool) bool { return t.Builtin == "" && t.Name == c.Name }) {
			e.refuse("The tool that the request requires is not among its functions.")
		}
		e.Object("tool_choice")
		e.TextMember("type", typeFunction)
		e.TextMember("name", openaiapi.WireName(c.Name))
		e.Close('}')
	}
}

var choiceNames = [...]string{
	conversation.ChoiceAuto: "auto", conversation.ChoiceNone: "none", conversation.ChoiceRequired: "required",
}

func (e *encoder) limits() {
	r := e.req
	if limit := r.Bound(); limit > 0 {
		if limit < minOutputTokens {
			limit = minOutputTokens
			e.dropped.Add("max_tokens")
		}
		e.IntMember("max_output_tokens", int64(limit))
	}
	if r.Suffix != "" {
		e.refuse("The field suffix (text after the gap) cannot be carried to this exit's backend.")
	}
	if r.Candidates > 1 {
		e.refuse("The request asks for several answers, and this exit's backend gives one. Ask for them one by one.")
	}
	if len(r.Stop) > 0 {
		e.dropped.Add("stop")
	}
	if r.Logprobs && r.TopLogprobs > 0 {
		e.IntMember("top_logprobs", int64(r.TopLogprobs))
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
	case !e.family.Reasons:
		e.FloatMember(name, *value)
	case *value != 1:
		e.dropped.Add(name)
	}
}

func (e *encoder) format() {
	f := &e.req.Format
	if f.Kind == conversation.FormatText {
		return
	}
	e.Object("text")
	e.Object("format")
	if f.Kind == conversation.FormatJSON || len(f.Schema) == 0 {
		e.TextMember("type", "json_object")
	} else {
		e.TextMember("type", "json_schema")
		name := "answer"
		if f.Name != "" {
			name = openaiapi.WireName(f.Name)
		}
		e.TextMember("name", name)
		e.TextIf("description", f.Description)
		e.RawMember("schema", string(f.Schema))
		if f.Strict != nil {
			e.BoolMember("strict", *f.Strict)
		}
	}
	e.Close('}')
	e.Close('}')
}

// reasoning says how much to think, and asks for what is wanted back of it and for probabilities. Models that do not
// reason refuse to be asked for encrypted reasoning.
func (e *encoder) reasoning() {
	r := e.req.Reasoning
	effort, ok := e.family.Effort(r)
	if e.family.Own {
		effort = e.family.Nearest(effort)
	}
	if !ok {
		e.dropped.Add("reasoning")
	}
	summary := r.Summary
	if summary == "" && r.Visible != nil && *r.Visible {
		summary = "auto"
	}
	if e.family.Own && !e.family.Reasons {
		summary = ""
	}
	if effort != "" || summary != "" {
		e.Object("reasoning")
		e.TextIf("effort", effort)
		e.TextIf("summary", summary)
		e.Close('}')
	}
	encrypted := e.family.Reasons || !e.family.Own && effort != "" && effort != "none"
	if !encrypted && !e.req.Logprobs {
		return
	}
	e.Array("include")
	if encrypted {
		e.Raw(`"` + includeReasoning + `"`)
	}
	if e.req.Logprobs {
		e.Raw(`"` + includeLogprobs + `"`)
	}
	e.Close(']')
}
