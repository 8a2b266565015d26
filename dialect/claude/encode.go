// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// EncodeRequest writes a request for a backend, and notes in dropped what it leaves out. A missing limit of tokens is
// the model's own: the request's MaxOutput, else what the model's name tells, else [fallbackMaxTokens]. No limit is more
// than the model can give, which would be an error; that it is lowered is not noted, since it is an upper bound.
// Errors have status 400: what would change the meaning if it were left out.
func EncodeRequest(req *conversation.Request, dropped *conversation.Dropped) (path string, body []byte, fail *dialect.Error) {
	e := encoder{req: req, dropped: dropped, model: modelOf(req.Model)}
	e.tools = e.keptTools()
	if fail := cmp.Or(e.checkOthers(), e.checkChoice()); fail != nil {
		return "", nil, fail
	}
	plan, fail := e.plan()
	if fail != nil {
		return "", nil, fail
	}
	e.out = make(wire.JSON, 0, sizeOf(plan.turns)+sizeOfTools(e.tools))
	j := &e.out
	j.Open('{')
	j.TextMember("model", req.Model)
	j.IntMember("max_tokens", int64(plan.maxTokens))
	e.writeTools() // in the order of the prompt, because of the cache breakpoints
	e.writeChoice()
	e.writeSystem(plan)
	if fail := e.writeTurns(plan.turns); fail != nil {
		return "", nil, fail
	}
	e.writeThinking(plan)
	e.writeOutputConfig(plan)
	e.writeSampling(plan)
	if req.Stream {
		j.RawMember("stream", "true")
	}
	j.Close('}')
	return messagesPath, e.out, nil
}

// encoder writes one request.
type encoder struct {
	req     *conversation.Request
	dropped *conversation.Dropped
	model   model
	tools   []conversation.Tool
	out     wire.JSON
	skip    int // so many of the cache breakpoints are left out, from the front
	calls   callIDs
}

// plan is what has to be known before anything is written.
type plan struct {
	maxTokens int
	system    []conversation.TextPart
	turns     []turn
	thinking  thinkingPlan
}

func (e *encoder) plan() (plan, *dialect.Error) {
	p := plan{maxTokens: e.maxTokens()}
	var fail *dialect.Error
	if p.system, p.turns, fail = e.arrange(); fail != nil {
		return p, fail
	}
	if e.req.Format.Kind == conversation.FormatSchema && !json.Valid(e.req.Format.Schema) {
		return p, invalid("The request asks for an answer of a JSON schema, but the schema is not JSON.")
	}
	if e.req.Format.Kind == conversation.FormatJSON {
		// There is no form for JSON without a schema, so the model is asked for it.
		e.dropped.Add("response_format")
		p.system = append(p.system, conversation.TextPart{Text: jsonInstruction})
	}
	p.thinking = e.planThinking(p.maxTokens, p.turns)
	if n := e.caches(p); n > maxCacheControls {
		e.skip = n - maxCacheControls // later breakpoints include what is before earlier ones
		e.dropped.Add("cache_control")
	}
	e.dropOthers()
	return p, nil
}

const jsonInstruction = "Answer with one valid JSON object and nothing else: no prose, no code fence."

func (e *encoder) maxTokens() int {
	r := *e.req
	r.MaxOutput = cmp.Or(r.MaxOutput, e.model.maxOutput())
	if r.MaxTokens <= 0 {
		r.MaxTokens = cmp.Or(r.MaxOutput, fallbackMaxTokens)
	}
	return r.Bound()
}

// dropOthers notes what the protocol does not have.
func (e *encoder) dropOthers() {
	r, s := e.req, e.req.Sampling
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"min_p", s.MinP != nil && *s.MinP != 0},
		{"frequency_penalty", s.FrequencyPenalty != nil && *s.FrequencyPenalty != 0},
		{"presence_penalty", s.PresencePenalty != nil && *s.PresencePenalty != 0},
		{"repeat_penalty", s.RepeatPenalty != nil && *s.RepeatPenalty != 1},
		{"seed", s.Seed != nil},
		{"logprobs", r.Logprobs},
		{"top_logprobs", r.TopLogprobs > 0},
	} {
		if field.set {
			e.dropped.Add(field.name)
		}
	}
}

// claudeBuiltin is the form of the types of tools that Claude's own servers run: web_search_20250305.
var claudeBuiltin = regexp.MustCompile(`^[a-z0-9_]+_20\d{6}$`)

// keptTools are those that a Claude backend knows.
func (e *encoder) keptTools() []conversation.Tool {
	var kept []conversation.Tool
	for _, t := range e.req.Tools {
		if t.Builtin != "" && (!claudeBuiltin.MatchString(t.Builtin) || !json.Valid(t.Raw)) {
			e.dropped.Add("tools.builtin")
			continue
		}
		kept = append(kept, t)
	}
	return kept
}

// checkOthers refuses what the protocol has no counterpart for, and what would be answered wrongly without.
func (e *encoder) checkOthers() *dialect.Error {
	switch {
	case e.req.Suffix != "":
		return invalid("The request's suffix asks for a gap to be filled, which the backend cannot do. Leave it out.")
	case e.req.Candidates > 1:
		return invalid("The request asks for several answers, and the backend gives one. Ask for them one by one.")
	}
	return nil
}

// checkChoice refuses a choice that would force what is not there.
func (e *encoder) checkChoice() *dialect.Error {
	switch c := e.req.Choice; c.Mode {
	case conversation.ChoiceRequired:
		if len(e.tools) == 0 {
			return invalid("The request's tool_choice demands a tool, but there is none that the backend has.")
		}
	case conversation.ChoiceNamed:
		if !slices.ContainsFunc(e.tools, func(t conversation.Tool) bool { return t.Name == c.Name }) {
			return invalid("The request's tool_choice names a tool that the backend does not have.")
		}
	}
	return nil
}

// forced reports whether the model must call a tool.
func (e *encoder) forced() bool {
	return e.req.Choice.Mode == conversation.ChoiceRequired || e.req.Choice.Mode == conversation.ChoiceNamed
}

func (e *encoder) writeSystem(p plan) {
	if len(p.system) == 0 {
		return
	}
	e.out.Name("system")
	e.writeTexts(p.system)
}

// writeTexts writes a text as it is where that says everything, else as blocks.
func (e *encoder) writeTexts(texts []conversation.TextPart) {
	if len(texts) == 1 && texts[0].Cache == nil {
		e.out.Text(texts[0].Text)
		return
	}
	e.out.Open('[')
	for _, t := range texts {
		e.writeText(t)
	}
	e.out.Close(']')
}

func (e *encoder) writeTools() {
	if len(e.tools) == 0 {
		return
	}
	j := &e.out
	j.Name("tools")
	j.Open('[')
	for i := range e.tools {
		t := &e.tools[i]
		if t.Builtin != "" {
			j.Raw(strings.TrimSpace(string(t.Raw)))
			continue
		}
		j.Open('{')
		j.TextMember("name", functionNames.Name(t.Name))
		if t.Description != "" {
			j.TextMember("description", t.Description)
		}
		schema := t.Parameters
		strict := t.Strict != nil && *t.Strict
		if strict && e.model.before(version41) {
			e.dropped.Add("tool.strict")
			strict = false
		}
		if strict {
			schema = closedSchema(schema)
		}
		j.RawMember("input_schema", objectSchema(schema))
		if strict {
			j.RawMember("strict", "true")
		}
		e.writeCache(t.Cache)
		j.Close('}')
	}
	j.Close(']')
}

// objectSchema says that the schema is of an object, which the protocol demands.
func objectSchema(schema json.RawMessage) string {
	var head struct {
		Type json.RawMessage `json:"type"`
	}
	text := strings.TrimSpace(string(schema))
	switch {
	case text == "" || text == "null" || json.Unmarshal(schema, &head) != nil || strings.Trim(text, "{} \t\r\n") == "":
		return `{"type":"object","properties":{}}`
	case len(head.Type) == 0:
		return `{"type":"object",` + text[1:]
	default:
		return text
	}
}

func (e *encoder) writeChoice() {
	if len(e.tools) == 0 {
		return
	}
	serial := e.req.Parallel != nil && !*e.req.Parallel
	kind, named := "auto", ""
	switch c := e.req.Choice; c.Mode {
	case conversation.ChoiceDefault:
		if e.req.Parallel == nil {
			return
		}
	case conversation.ChoiceNone:
		e.out.RawMember("tool_choice", `{"type":"none"}`)
		return
	case conversation.ChoiceRequired:
		kind = "any"
	case conversation.ChoiceNamed:
		kind, named = "tool", e.chosenName()
	}
	j := &e.out
	j.Name("tool_choice")
	j.Open('{')
	j.TextMember("type", kind)
	if named != "" {
		j.TextMember("name", named)
	}
	switch {
	case serial:
		j.RawMember("disable_parallel_tool_use", "true")
	case e.req.Parallel != nil:
		j.RawMember("disable_parallel_tool_use", "false")
	}
	j.Close('}')
}

// chosenName is the name of the tool that must be called. Those that Claude's own servers run keep theirs.
func (e *encoder) chosenName() string {
	name := e.req.Choice.Name
	if slices.ContainsFunc(e.tools, func(t conversation.Tool) bool { return t.Builtin != "" && t.Name == name }) {
		return name
	}
	return functionNames.Name(name)
}

func (e *encoder) writeSampling(p plan) {
	temperature, topP, topK := e.sampling(p.thinking.on())
	if temperature != nil {
		e.out.FloatMember("temperature", *temperature)
	}
	if topP != nil {
		e.out.FloatMember("top_p", *topP)
	}
	if topK != nil {
		e.out.IntMember("top_k", int64(*topK))
	}
	stops := e.req.Stop
	if slices.ContainsFunc(stops, blank) {
		e.dropped.Add("stop") // the protocol refuses white space alone
		stops = slices.DeleteFunc(slices.Clone(stops), blank)
	}
	if len(stops) == 0 {
		return
	}
	e.out.Name("stop_sequences")
	e.out.Open('[')
	for _, s := range stops {
		e.out.Text(s)
	}
	e.out.Close(']')
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// sampling leaves out what the model refuses: newer models everything but the defaults, others what does not go with
// thinking, and some one of temperature and top_p.
func (e *encoder) sampling(thinking bool) (temperature, topP *float64, topK *int) {
	s := e.req.Sampling
	temperature, topP, topK = s.Temperature, s.TopP, s.TopK
	fixed := e.model.since(version47)
	if temperature != nil && *temperature > maxTemperature {
		e.dropped.Add("temperature")
		limit := maxTemperature
		temperature = &limit
	}
	if (fixed || thinking) && temperature != nil && *temperature != maxTemperature {
		e.dropped.Add("temperature")
		temperature = nil
	}
	if (fixed || thinking) && topK != nil {
		e.dropped.Add("top_k")
		topK = nil
	}
	either := e.model.since(version41) && temperature != nil
	if topP != nil && (fixed || either || thinking && *topP < minTopPOfThinking) {
		if *topP != 1 { // which is all tokens anyway
			e.dropped.Add("top_p")
		}
		topP = nil
	}
	if topK != nil && *topK <= 0 {
		topK = nil // no limit
	}
	return temperature, topP, topK
}
