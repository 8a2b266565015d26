// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/dialect/wire"
)

// EncodeRequest returns a request as a Chat Completions backend takes it, and the path to send it to. A stream is always
// asked for its usage. What is left out is named in dropped; a request whose answer would be another without what cannot
// be carried is refused with status 400.
func EncodeRequest(req *conversation.Request, dropped *conversation.Dropped) (path string, body []byte, fail *dialect.Error) {
	e := encoder{req: req, dropped: dropped, family: openaiapi.FamilyOf(req.Model)}
	e.dst = append(make([]byte, 0, req.SizeHint()), `{"model":`...)
	e.dst = wire.AppendString(e.dst, req.Model)
	e.messages()
	e.tools()
	e.limits()
	e.sampling()
	e.format()
	e.reasoning()
	if req.Stream {
		e.dst = append(e.dst, `,"stream":true,"stream_options":{"include_usage":true}`...)
	}
	e.dst = append(e.dst, '}')
	if e.fail != nil {
		return "", nil, e.fail
	}
	return chatPath, e.dst, nil
}

// encoder writes one request.
type encoder struct {
	req     *conversation.Request
	dropped *conversation.Dropped
	family  openaiapi.Family
	dst     []byte
	calls   calls
	moved   []movedMedia // media of tool results, to follow them in a user message
	fail    *dialect.Error
}

// refuse notes the first thing that the backend cannot be asked.
func (e *encoder) refuse(message string) {
	if e.fail == nil {
		e.fail = untranslatable(message)
	}
}

// key begins a member that is not the first.
func (e *encoder) key(name string) {
	e.dst = append(e.dst, ',', '"')
	e.dst = append(e.dst, name...)
	e.dst = append(e.dst, '"', ':')
}

func (e *encoder) text(name, value string) {
	e.key(name)
	e.dst = wire.AppendString(e.dst, value)
}

func (e *encoder) integer(name string, value int64) {
	e.key(name)
	e.dst = strconv.AppendInt(e.dst, value, 10)
}

func (e *encoder) boolean(name string, value bool) {
	e.key(name)
	e.dst = strconv.AppendBool(e.dst, value)
}

func (e *encoder) strings(list []string) {
	e.dst = append(e.dst, '[')
	for i, s := range list {
		if i > 0 {
			e.dst = append(e.dst, ',')
		}
		e.dst = wire.AppendString(e.dst, s)
	}
	e.dst = append(e.dst, ']')
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
			e.dst = append(e.dst, `,"tools":[`...)
		} else {
			e.dst = append(e.dst, ',')
		}
		e.tool(t)
	}
	if functions > 0 {
		e.dst = append(e.dst, ']')
	}
	e.choice(functions > 0)
	if e.req.Parallel == nil || functions == 0 {
		return
	}
	if e.family.Series == "o" { // refused there
		if !*e.req.Parallel {
			e.dropped.Add("parallel_tool_calls")
		}
		return
	}
	e.boolean("parallel_tool_calls", *e.req.Parallel)
}

func (e *encoder) tool(t *conversation.Tool) {
	e.dst = append(e.dst, `{"type":"function","function":{"name":`...)
	e.dst = wire.AppendString(e.dst, openaiapi.WireName(t.Name))
	if t.Description != "" {
		e.text("description", t.Description)
	}
	e.parameters(t.Parameters)
	if t.Strict != nil {
		e.boolean("strict", *t.Strict)
	}
	if t.Cache != nil {
		e.dropped.Add("cache_control")
	}
	e.dst = append(e.dst, '}', '}')
}

// parameters writes a function's schema. Where it leaves out that it is an object, or that it has no properties, which
// other protocols allow and which means the same, it is added: OpenAI refuses such a schema, and templates of open
// models stumble over it.
func (e *encoder) parameters(schema []byte) {
	e.key("parameters")
	var typed, listed, other bool
	p := wire.Parse(schema)
	isObject := p.Object(func(key []byte) {
		switch string(key) {
		case "type":
			typed = true
			other = p.String() != "object"
		case "properties":
			listed = true
		case "$ref", "anyOf", "oneOf", "allOf":
			other = true
		}
	})
	rest := bytes.TrimSpace(schema)
	if other || typed && listed || !isObject && len(rest) > 0 {
		e.dst = append(e.dst, rest...)
		return
	}
	e.dst = append(e.dst, '{')
	if !typed {
		e.dst = append(e.dst, `"type":"object",`...)
	}
	if !listed {
		e.dst = append(e.dst, `"properties":{},`...)
	}
	if rest = bytes.TrimSpace(bytes.TrimPrefix(rest, []byte("{"))); len(rest) <= 1 { // "}", or no schema
		e.dst[len(e.dst)-1] = '}'
		return
	}
	e.dst = append(e.dst, rest...)
}

// choice writes tool_choice, which is an error without tools.
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
		e.text("tool_choice", "required")
	case conversation.ChoiceNamed:
		if !slices.ContainsFunc(e.req.Tools, func(t conversation.Tool) bool { return t.Builtin == "" && t.Name == c.Name }) {
			e.refuse("The tool that the request requires is not among its functions.")
		}
		e.key("tool_choice")
		e.dst = append(e.dst, `{"type":"function","function":{"name":`...)
		e.dst = wire.AppendString(e.dst, openaiapi.WireName(c.Name))
		e.dst = append(e.dst, '}', '}')
	}
}

var choiceNames = [...]string{conversation.ChoiceAuto: "auto", conversation.ChoiceNone: "none", conversation.ChoiceRequired: "required"}

func (e *encoder) limits() {
	r := e.req
	if bound := r.Bound(); bound > 0 {
		e.integer(limitField(e.family), int64(bound))
	}
	if r.Candidates > 1 {
		e.refuse("The field n asks for several answers, and this exit gives one. Ask for them one by one.")
	}
	if r.Suffix != "" {
		e.refuse("The field suffix (text after the gap) cannot be carried to this exit's backend.")
	}
	e.stop()
	e.logprobs()
}

// maxStops is how many stop sequences OpenAI takes. Compatible backends take more.
const maxStops = 4

// stop writes the stop sequences. OpenAI's models that always reason refuse them.
func (e *encoder) stop() {
	stops := e.req.Stop
	switch {
	case len(stops) == 0:
		return
	case e.family.Reasons:
		e.dropped.Add("stop")
		return
	case e.family.Own && len(stops) > maxStops:
		e.dropped.Add("stop")
		stops = stops[:maxStops]
	}
	e.key("stop")
	e.strings(stops)
}

// maxTopLogprobs is how many alternatives to a token the protocol has.
const maxTopLogprobs = 20

// logprobs asks for probabilities, which OpenAI's models that always reason refuse.
func (e *encoder) logprobs() {
	n := e.req.TopLogprobs
	switch {
	case !e.req.Logprobs:
		return
	case e.family.Reasons:
		e.dropped.Add("logprobs")
		return
	case n > maxTopLogprobs:
		e.dropped.Add("top_logprobs")
		n = maxTopLogprobs
	}
	e.boolean("logprobs", true)
	if n > 0 {
		e.integer("top_logprobs", int64(n))
	}
}

func (e *encoder) sampling() {
	s := &e.req.Sampling
	e.number("temperature", s.Temperature, 1)
	e.number("top_p", s.TopP, 1)
	e.number("frequency_penalty", s.FrequencyPenalty, 0)
	e.number("presence_penalty", s.PresencePenalty, 0)
	if s.Seed != nil {
		e.integer("seed", *s.Seed)
	}
	if s.TopK != nil {
		e.dropped.Add("top_k")
	}
	if s.MinP != nil {
		e.dropped.Add("min_p")
	}
	if s.RepeatPenalty != nil {
		e.dropped.Add("repeat_penalty")
	}
}

// number writes a parameter of sampling, if it is set. Models that always reason take no value but the default.
func (e *encoder) number(name string, value *float64, standard float64) {
	switch {
	case value == nil:
	case !e.family.Reasons:
		e.key(name)
		e.dst = wire.AppendFloat(e.dst, *value)
	case *value != standard:
		e.dropped.Add(name)
	}
}

func (e *encoder) format() {
	f := &e.req.Format
	switch {
	case f.Kind == conversation.FormatText:
	case f.Kind == conversation.FormatJSON, len(f.Schema) == 0:
		e.dst = append(e.dst, `,"response_format":{"type":"json_object"}`...)
	default:
		e.dst = append(e.dst, `,"response_format":{"type":"json_schema","json_schema":{"name":`...)
		name := "answer"
		if f.Name != "" {
			name = openaiapi.WireName(f.Name)
		}
		e.dst = wire.AppendString(e.dst, name)
		if f.Description != "" {
			e.text("description", f.Description)
		}
		e.key("schema")
		e.dst = append(e.dst, f.Schema...)
		if f.Strict != nil {
			e.boolean("strict", *f.Strict)
		}
		e.dst = append(e.dst, '}', '}')
	}
}

func (e *encoder) reasoning() {
	effort, ok := e.family.Effort(e.req.Reasoning)
	if !ok {
		e.dropped.Add("reasoning")
	}
	if effort != "" {
		e.text("reasoning_effort", e.family.Nearest(effort))
	}
}
