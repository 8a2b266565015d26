// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"strconv"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// EncodeRequest writes a request for a backend: to /api/chat, or to /api/generate if it has a suffix, which only that
// takes. What the protocol cannot say is added to dropped.
//
// Errors have status 400: what would change the meaning if it were left out, which is a call that is demanded (the
// protocol has no tool_choice), and content that is neither text nor an image in the request itself.
func EncodeRequest(req *conversation.Request, dropped *conversation.Dropped) (path string, body []byte, fail *dialect.Error) {
	e := encoder{req: req, dropped: dropped, out: make(wire.JSON, 0, req.SizeHint())}
	path = chatPath
	e.out.Open('{')
	e.out.TextMember("model", req.Model)
	if req.Suffix != "" {
		path = generatePath
		e.writePrompt()
	} else {
		e.writeMessages()
		e.writeTools()
	}
	e.writeFormat()
	e.writeThink()
	e.writeOptions()
	e.writeLogprobs()
	e.out.RawMember("stream", strconv.FormatBool(req.Stream))
	e.out.Close('}')
	if req.Candidates > 1 {
		e.refuse("The request asks for several answers, and this exit's backend gives one. Ask for them one by one.")
	}
	if e.fail != nil {
		return "", nil, e.fail
	}
	return path, e.out, nil
}

// encoder writes one request. The first thing that has to be refused is kept; writing goes on.
type encoder struct {
	req     *conversation.Request
	dropped *conversation.Dropped
	out     wire.JSON
	calls   calls
	fail    *dialect.Error
}

func (e *encoder) refuse(message string) {
	if e.fail == nil {
		e.fail = invalid(message)
	}
}

// writeTools writes the tools, unless none may be called: a model that does not know of them calls none.
func (e *encoder) writeTools() {
	switch e.req.Choice.Mode {
	case conversation.ChoiceRequired, conversation.ChoiceNamed:
		e.refuse("The request demands a tool call, which this exit's backend cannot be made to do. Set tool_choice to auto.")
	case conversation.ChoiceNone:
		return
	}
	written := false
	for i := range e.req.Tools {
		t := &e.req.Tools[i]
		if t.Builtin != "" {
			e.dropped.Add("tools.builtin")
			continue
		}
		if !written {
			e.out.Array("tools")
			written = true
		}
		e.writeTool(t)
	}
	if !written {
		return
	}
	e.out.Close(']')
	if e.req.Parallel != nil && !*e.req.Parallel {
		e.dropped.Add("parallel_tool_calls")
	}
}

func (e *encoder) writeTool(t *conversation.Tool) {
	if t.Strict != nil && *t.Strict {
		e.dropped.Add("tool.strict")
	}
	e.cached(t.Cache)
	j := &e.out
	j.Open('{')
	j.RawMember("type", `"function"`)
	j.Object("function")
	j.TextMember("name", t.Name)
	j.TextIf("description", t.Description)
	j.RawMember("parameters", parametersOf(t.Parameters))
	*j = append(*j, '}', '}')
}

func (e *encoder) writeFormat() {
	f := &e.req.Format
	switch {
	case f.Kind == conversation.FormatText:
	case f.Kind == conversation.FormatSchema && len(f.Schema) > 0:
		e.out.RawMember("format", strings.TrimSpace(string(f.Schema)))
	default:
		e.out.RawMember("format", `"json"`)
	}
}

func (e *encoder) writeThink() {
	if think := e.think(); think != "" {
		e.out.RawMember("think", think)
	}
}

// think says whether to think: true, false, a level, or "" to leave it to the model. Models that can think do so unless
// told otherwise.
//
// Only gpt-oss has levels, and it cannot be told not to think. All other models are refused by the server if they are
// told a level; they think or do not.
func (e *encoder) think() string {
	r := &e.req.Reasoning
	stated := r.Effort != "" || r.Budget > 0
	if strings.Contains(strings.ToLower(e.req.Model), "gpt-oss") {
		switch {
		case r.Mode == conversation.ReasoningOff:
			e.dropped.Add("reasoning")
			return `"low"`
		case stated:
			return levelOf(r)
		case r.Mode == conversation.ReasoningOn:
			return "true"
		}
		return ""
	}
	if r.Mode == conversation.ReasoningOff {
		return "false"
	}
	if stated {
		e.dropped.Add("reasoning") // how much of it
	}
	if r.Mode == conversation.ReasoningOn {
		return "true"
	}
	return ""
}

// Budgets up to which a level of thinking is told, in tokens: between those that Google's API for OpenAI's tools has for
// the levels, 1024, 8192 and 24576.
const (
	lowBudget    = 4096
	mediumBudget = 16384
)

func levelOf(r *conversation.Reasoning) string {
	switch {
	case r.Effort == "minimal", r.Effort == "low":
		return `"low"`
	case r.Effort == "medium":
		return `"medium"`
	case r.Effort != "":
		return `"high"`
	case r.Budget <= lowBudget:
		return `"low"`
	case r.Budget <= mediumBudget:
		return `"medium"`
	default:
		return `"high"`
	}
}

func (e *encoder) writeOptions() {
	r, s, j := e.req, &e.req.Sampling, &e.out
	start := len(*j)
	j.Object("options")
	empty := len(*j)
	if bound := r.Bound(); bound > 0 {
		j.IntMember("num_predict", int64(bound))
	}
	e.number("temperature", s.Temperature)
	if s.TopK != nil {
		j.IntMember("top_k", int64(*s.TopK))
	}
	e.number("top_p", s.TopP)
	e.number("min_p", s.MinP)
	if s.Seed != nil {
		j.IntMember("seed", *s.Seed)
	}
	e.number("repeat_penalty", s.RepeatPenalty)
	e.number("presence_penalty", s.PresencePenalty)
	e.number("frequency_penalty", s.FrequencyPenalty)
	if len(r.Stop) > 0 {
		j.Array("stop")
		for _, stop := range r.Stop {
			j.Text(stop)
		}
		j.Close(']')
	}
	if len(*j) == empty {
		*j = (*j)[:start]
		return
	}
	j.Close('}')
}

func (e *encoder) number(name string, value *float64) {
	if value != nil {
		e.out.FloatMember(name, *value)
	}
}

func (e *encoder) writeLogprobs() {
	if !e.req.Logprobs {
		return
	}
	e.out.RawMember("logprobs", "true")
	n := e.req.TopLogprobs
	if n > maxTopLogprobs {
		e.dropped.Add("top_logprobs")
		n = maxTopLogprobs
	}
	if n > 0 {
		e.out.IntMember("top_logprobs", int64(n))
	}
}

func (e *encoder) cached(c *conversation.CacheControl) {
	if c != nil {
		e.dropped.Add("cache_control")
	}
}
