// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"math"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// field is what a field of a request means.
type field struct {
	parameter string          // what Demand.Parameters calls it; "" when it is no parameter
	read      func(*demander) // what else it says, nil for nothing
}

// fields are those of all protocols but gemini, by their names at the top of a body. One that is not here is a parameter
// under its own name.
var fields = map[string]field{
	// What is said.
	"messages":     {read: func(r *demander) { r.array(r.message) }},
	"input":        {read: (*demander).input},
	"system":       {read: (*demander).system},
	"instructions": {read: (*demander).system},
	"prompt":       {read: (*demander).prompt},
	"images":       {read: (*demander).images},

	// What the model must be able to do.
	"tools":               {read: func(r *demander) { r.array(r.tool) }},
	"functions":           {read: func(r *demander) { r.array(func() { r.needs(FeatureTools) }) }},
	"mcp_servers":         {read: func(r *demander) { r.array(r.server) }},
	"tool_choice":         {},
	"function_call":       {},
	"parallel_tool_calls": {read: (*demander).parallel},
	"response_format":     {read: (*demander).format},
	"output_format":       {read: (*demander).format},
	"format":              {read: (*demander).format},
	"text":                {read: (*demander).wordedFormat},
	"output_config":       {read: (*demander).wordedFormat},
	"reasoning":           {read: (*demander).reasoning},
	"thinking":            {read: (*demander).reasoning},
	"reasoning_effort":    {read: (*demander).effort},
	"think":               {read: (*demander).effort},
	"enable_thinking":     {read: (*demander).effort},

	// How long and in what form the answer is.
	"max_tokens":            {"max_tokens", (*demander).limit},
	"max_completion_tokens": {"max_tokens", (*demander).limit},
	"max_output_tokens":     {"max_tokens", (*demander).limit},
	"stop_sequences":        {parameter: "stop"},
	"options":               {read: (*demander).options},
	"stream":                {read: func(r *demander) { r.demand.Stream = r.truth() }},
	"stream_options":        {},

	// What the answer does not depend on.
	"user": {}, "usage": {}, "metadata": {}, "client_metadata": {}, "safety_identifier": {}, "diagnostics": {}, "store": {},
	"prompt_cache_key": {}, "prompt_cache_retention": {}, "prompt_cache_options": {}, "cache_control": {}, "keep_alive": {},
}

// options are those of ollama that have another name than the same setting elsewhere.
var options = map[string]field{
	"num_predict":    {"max_tokens", (*demander).limit},
	"repeat_penalty": {parameter: "repetition_penalty"},
}

func (r *demander) options() {
	if r.op.Protocol != service.Ollama {
		r.parameter("options") // of nobody's that is known here
		return
	}
	r.object(func(name []byte) {
		if r.s.peek() != 'n' {
			f, known := options[string(name)]
			r.setting(f, known, name)
		}
	})
}

// limit reads the longest answer that is allowed.
func (r *demander) limit() {
	n := int(min(max(r.number(), 0), math.MaxInt32))
	r.demand.MaxOutput = max(r.demand.MaxOutput, n)
}

func (r *demander) parallel() {
	if r.truth() {
		r.wishes(FeatureParallelTools)
	}
}

// effort reads whether to think, or how much, in a word.
func (r *demander) effort() {
	if r.truth() || isEffort(r.word()) {
		r.wishes(FeatureReasoning)
	}
}

// isEffort reports whether a word asks for more than a model does that cannot think.
func isEffort(word []byte) bool {
	switch strings.ToLower(string(word)) {
	case "", "none", "minimal", "off", "false", "disabled", "thinking_level_unspecified":
		return false
	}
	return true
}

// reasoning reads an object that says whether to think: of Responses, of Claude, of services like OpenRouter. What is
// only about showing it ("summary") asks for nothing.
func (r *demander) reasoning() {
	wanted := false
	r.object(func(name []byte) {
		switch string(name) {
		case "effort":
			wanted = isEffort(r.word()) || wanted
		case "enabled":
			wanted = r.truth() || wanted
		case "max_tokens":
			wanted = r.number() > 0 || wanted
		case "type":
			switch string(r.word()) {
			case "enabled", "adaptive", "auto":
				wanted = true
			}
		}
	})
	if wanted {
		r.wishes(FeatureReasoning)
	}
}

// wordedFormat reads an object that has the answer's form among other things.
func (r *demander) wordedFormat() {
	r.object(func(name []byte) {
		switch string(name) {
		case "format":
			r.format()
		case "verbosity":
			r.parameter("verbosity")
		}
	})
}

// format reads the form that the answer must have: an object with its type, ollama's "json", or ollama's bare schema.
func (r *demander) format() {
	kind, schema, bare := r.word(), false, r.op.Protocol == service.Ollama
	r.object(func(name []byte) {
		switch {
		case bare:
			schema = true
		case string(name) == "type":
			kind = r.word()
		case string(name) == "schema", string(name) == "json_schema":
			schema = r.s.peek() == '{'
		}
	})
	switch {
	case bare && schema, string(kind) == "json_schema", schema && bytes.HasPrefix(kind, []byte("json")):
		r.needs(FeatureJSONSchema)
	case len(kind) > 0 && string(kind) != "text", bare && kind == nil:
		r.parameter(responseFormat)
	}
}
