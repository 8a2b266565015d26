// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"math"
	"slices"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// EncodeRequest writes a request for a Gemini backend, and the path and query to send it to. What the protocol cannot
// say is added to dropped, by its canonical name.
//
// Errors have status 400: the request has a file that only another service holds, wants a tool to be called that is not
// there, a gap filled, or several answers.
func EncodeRequest(req *conversation.Request, dropped *conversation.Dropped) (path string, body []byte, fail *dialect.Error) {
	e := encoder{req: req, dropped: dropped, family: familyOf(req.Model), out: make(wire.JSON, 0, req.SizeHint())}
	e.refuseOthers()
	e.out.Open('{')
	e.messages()
	e.tools()
	e.choice()
	e.generationConfig()
	e.out.Close('}')
	if e.fail != nil {
		return "", nil, e.fail
	}
	verb := verbGenerate
	if req.Stream {
		verb = verbStream
	}
	return pathOf(req.Model, verb), e.out, nil
}

// encoder writes one request. The first thing that has to be refused is kept; writing goes on.
type encoder struct {
	req     *conversation.Request
	dropped *conversation.Dropped
	family  family
	out     wire.JSON
	fail    *dialect.Error
	names   map[string]string // of functions, by the ids of their calls so far
	open    []string          // names of the calls without an id in the turn before
}

func (e *encoder) refuse(message string) {
	if e.fail == nil {
		e.fail = untranslatable(message)
	}
}

// refuseOthers refuses what the protocol has no counterpart for, and what would be answered wrongly without.
func (e *encoder) refuseOthers() {
	switch {
	case e.req.Suffix != "":
		e.refuse("The request's suffix asks for a gap to be filled, which this exit's backend cannot do. Leave it out.")
	case e.req.Candidates > 1:
		e.refuse("The request asks for several answers, and this exit's backend gives one. Ask for them one by one.")
	}
}

func (e *encoder) generationConfig() {
	before := len(e.out)
	e.out.Object("generationConfig")
	empty := len(e.out)
	e.limits()
	e.sampling()
	e.format()
	thinkingOf(e.req, e.family, e.dropped).write(&e.out)
	if len(e.out) == empty {
		e.out = e.out[:before]
		return
	}
	e.out.Close('}')
}

func (e *encoder) limits() {
	r := e.req
	if bound := r.Bound(); bound > 0 {
		e.out.IntMember("maxOutputTokens", int64(bound))
	}
	if stops := slices.DeleteFunc(slices.Clone(r.Stop), func(s string) bool { return s == "" }); len(stops) > 0 {
		if len(stops) > maxStops {
			e.dropped.Add("stop")
			stops = stops[:maxStops]
		}
		e.out.Array("stopSequences")
		for _, s := range stops {
			e.out.Text(s)
		}
		e.out.Close(']')
	}
	if r.Logprobs {
		e.out.BoolMember("responseLogprobs", true)
		if r.TopLogprobs > maxTopLogs {
			e.dropped.Add("top_logprobs")
		}
		if r.TopLogprobs > 0 {
			e.out.IntMember("logprobs", int64(min(r.TopLogprobs, maxTopLogs)))
		}
	}
}

func (e *encoder) sampling() {
	s := &e.req.Sampling
	e.out.FloatIf("temperature", s.Temperature)
	e.out.FloatIf("topP", s.TopP)
	if s.TopK != nil {
		e.out.IntMember("topK", int64(*s.TopK))
	}
	e.out.FloatIf("frequencyPenalty", s.FrequencyPenalty)
	e.out.FloatIf("presencePenalty", s.PresencePenalty)
	if s.Seed != nil {
		e.out.IntMember("seed", int64(int(seedOf(*s.Seed))))
	}
	if s.MinP != nil && *s.MinP != 0 {
		e.dropped.Add("min_p")
	}
	if s.RepeatPenalty != nil && *s.RepeatPenalty != 1 {
		e.dropped.Add("repeat_penalty")
	}
}

// seedOf makes a seed of 32 bits: what matters is that the same one gives the same answer.
func seedOf(seed int64) int32 {
	if seed >= math.MinInt32 && seed <= math.MaxInt32 {
		return int32(seed)
	}
	return int32(uint32(seed) ^ uint32(seed>>32))
}

func (e *encoder) format() {
	f := &e.req.Format
	switch f.Kind {
	case conversation.FormatJSON:
		e.out.TextMember("responseMimeType", jsonType)
	case conversation.FormatSchema:
		e.out.TextMember("responseMimeType", jsonType)
		if len(f.Schema) > 0 {
			e.out.RawBytes("responseJsonSchema", loneReferences(f.Schema))
		}
	}
}

// tools writes the functions as one tool, and each builtin as one.
func (e *encoder) tools() {
	var functions, own []*conversation.Tool
	for i := range e.req.Tools {
		switch t := &e.req.Tools[i]; {
		case t.Builtin == "":
			functions = append(functions, t)
		case slices.Contains(builtins, t.Builtin) && wire.IsObject(t.Raw):
			own = append(own, t)
		default:
			e.dropped.Add("tools.builtin")
		}
	}
	if len(functions)+len(own) == 0 {
		return
	}
	e.out.Array("tools")
	if len(functions) > 0 {
		e.out.Open('{')
		e.out.Array("functionDeclarations")
		for _, t := range functions {
			e.function(t)
		}
		e.out.Close(']')
		e.out.Close('}')
	}
	for _, t := range own {
		e.out.Open('{')
		e.out.RawBytes(t.Builtin, t.Raw)
		e.out.Close('}')
	}
	e.out.Close(']')
}

func (e *encoder) function(t *conversation.Tool) {
	e.out.Open('{')
	e.out.TextMember("name", functionNames.Name(t.Name))
	e.out.TextIf("description", t.Description)
	if len(t.Parameters) > 0 && wire.IsObject(t.Parameters) {
		e.out.RawBytes("parametersJsonSchema", loneReferences(t.Parameters))
	}
	e.out.Close('}')
	if t.Strict != nil && *t.Strict {
		e.dropped.Add("tool.strict")
	}
	e.cache(t.Cache)
}

func (e *encoder) cache(c *conversation.CacheControl) {
	if c != nil {
		e.dropped.Add("cache_control")
	}
}

// choice writes which functions are to be called. Without functions the member is an error.
func (e *encoder) choice() {
	if e.req.Parallel != nil && !*e.req.Parallel {
		e.dropped.Add("parallel_tool_calls")
	}
	c := e.req.Choice
	isFunction := func(t conversation.Tool) bool {
		return t.Builtin == "" && (c.Mode != conversation.ChoiceNamed || t.Name == c.Name)
	}
	there := slices.ContainsFunc(e.req.Tools, isFunction)
	mode := ""
	switch c.Mode {
	case conversation.ChoiceAuto:
		mode = "AUTO"
	case conversation.ChoiceNone:
		mode = "NONE"
	case conversation.ChoiceRequired, conversation.ChoiceNamed:
		mode = "ANY"
		if !there {
			e.refuse("The request wants a tool to be called that this backend has not. Leave tool_choice out.")
		}
	}
	if mode == "" || !there {
		return
	}
	e.out.Object("toolConfig")
	e.out.Object("functionCallingConfig")
	e.out.TextMember("mode", mode)
	if c.Mode == conversation.ChoiceNamed {
		e.out.Array("allowedFunctionNames")
		e.out.Text(functionNames.Name(c.Name))
		e.out.Close(']')
	}
	e.out.Close('}')
	e.out.Close('}')
}
