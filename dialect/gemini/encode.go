// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"math"
	"slices"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
)

// EncodeRequest writes a request for a Gemini backend, and the path and query to send it to. What the protocol cannot
// say is added to dropped, by its canonical name.
//
// Errors have status 400: the request has a file that only another backend holds, or wants a tool to be called that is
// not there.
func EncodeRequest(req *conversation.Request, dropped *conversation.Dropped) (path string, body []byte, fail *dialect.Error) {
	e := encoder{req: req, dropped: dropped, family: familyOf(req.Model), out: make(jsonText, 0, sizeOf(req))}
	e.out.open('{')
	e.messages()
	e.tools()
	e.choice()
	e.generationConfig()
	e.out.close('}')
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
	out     jsonText
	fail    *dialect.Error
	names   map[string]string // of functions, by the ids of their calls so far
	open    []string          // names of the calls without an id in the turn before
}

func (e *encoder) refuse(message string) {
	if e.fail == nil {
		e.fail = untranslatable(message)
	}
}

// sizeOf is about how long the body will be.
func sizeOf(req *conversation.Request) int {
	n := 1024
	for _, m := range req.Messages {
		for _, p := range m.Parts {
			switch p := p.(type) {
			case conversation.TextPart:
				n += len(p.Text) + len(p.Text)/16 + 32
			case conversation.ImagePart:
				n += len(p.Data) + 128
			case conversation.FilePart:
				n += len(p.Data) + 128
			case conversation.AudioPart:
				n += len(p.Data) + 128
			default:
				n += 512
			}
		}
	}
	for i := range req.Tools {
		n += len(req.Tools[i].Parameters) + len(req.Tools[i].Description) + 128
	}
	return n
}

func (e *encoder) generationConfig() {
	before := len(e.out)
	e.out.object("generationConfig")
	empty := len(e.out)
	e.limits()
	e.sampling()
	e.format()
	thinkingOf(&e.req.Reasoning, e.family, e.dropped).write(&e.out)
	if len(e.out) == empty {
		e.out = e.out[:before]
		return
	}
	e.out.close('}')
}

func (e *encoder) limits() {
	r := e.req
	if r.MaxTokens > 0 {
		e.out.intMember("maxOutputTokens", r.MaxTokens)
	}
	if stops := slices.DeleteFunc(slices.Clone(r.Stop), func(s string) bool { return s == "" }); len(stops) > 0 {
		if len(stops) > maxStops {
			e.dropped.Add("stop")
			stops = stops[:maxStops]
		}
		e.out.array("stopSequences")
		for _, s := range stops {
			e.out.text(s)
		}
		e.out.close(']')
	}
	if r.Candidates > 1 {
		e.dropped.Add("n")
	}
	if r.Suffix != "" {
		e.dropped.Add("suffix")
	}
	if r.Logprobs {
		e.out.trueMember("responseLogprobs")
		if r.TopLogprobs > 0 {
			e.out.intMember("logprobs", min(r.TopLogprobs, maxTopLogs))
		}
	}
}

func (e *encoder) sampling() {
	s := &e.req.Sampling
	e.out.floatIf("temperature", s.Temperature)
	e.out.floatIf("topP", s.TopP)
	if s.TopK != nil {
		e.out.intMember("topK", *s.TopK)
	}
	e.out.floatIf("frequencyPenalty", s.FrequencyPenalty)
	e.out.floatIf("presencePenalty", s.PresencePenalty)
	if s.Seed != nil {
		e.out.intMember("seed", int(seedOf(*s.Seed)))
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
		e.out.textMember("responseMimeType", jsonType)
	case conversation.FormatSchema:
		e.out.textMember("responseMimeType", jsonType)
		if len(f.Schema) > 0 {
			e.out.rawMember("responseJsonSchema", f.Schema)
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
		case slices.Contains(builtins, t.Builtin) && isObject(t.Raw):
			own = append(own, t)
		default:
			e.dropped.Add("tools.builtin")
		}
	}
	if len(functions)+len(own) == 0 {
		return
	}
	e.out.array("tools")
	if len(functions) > 0 {
		e.out.open('{')
		e.out.array("functionDeclarations")
		for _, t := range functions {
			e.function(t)
		}
		e.out.close(']')
		e.out.close('}')
	}
	for _, t := range own {
		e.out.open('{')
		e.out.rawMember(t.Builtin, t.Raw)
		e.out.close('}')
	}
	e.out.close(']')
}

func (e *encoder) function(t *conversation.Tool) {
	e.out.open('{')
	e.out.textMember("name", t.Name)
	e.out.textIf("description", t.Description)
	if len(t.Parameters) > 0 && isObject(t.Parameters) {
		e.out.rawMember("parametersJsonSchema", t.Parameters)
	}
	e.out.close('}')
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
	e.out.object("toolConfig")
	e.out.object("functionCallingConfig")
	e.out.textMember("mode", mode)
	if c.Mode == conversation.ChoiceNamed {
		e.out.array("allowedFunctionNames")
		e.out.text(c.Name)
		e.out.close(']')
	}
	e.out.close('}')
	e.out.close('}')
}
