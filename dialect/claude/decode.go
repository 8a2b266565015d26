// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"slices"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
)

// requestFields are the fields of a request that are translated.
var requestFields = []string{
	"model", "max_tokens", "messages", "system", "tools", "tool_choice", "stop_sequences", "stream", "temperature",
	"top_p", "top_k", "thinking", "output_config", "output_format",
}

// DecodeRequest reads a tool's request. Errors have status 400 and name the field.
func DecodeRequest(_ dialect.Operation, body []byte) (*conversation.Request, *dialect.Error) {
	in, fail := parseRequest(body)
	if fail != nil {
		return nil, fail
	}
	d := decoder{
		req: &conversation.Request{
			Model: in.Model, MaxTokens: in.MaxTokens, Stop: in.StopSequences,
			Stream: in.Stream, StreamUsage: in.Stream, // every stream of the protocol tells the usage
			Sampling: conversation.Sampling{Temperature: in.Temperature, TopP: in.TopP, TopK: in.TopK},
		},
		names: map[string]string{},
	}
	d.unmappedFields(body)
	if fail := d.tools(in, body); fail != nil {
		return nil, fail
	}
	if fail := d.output(in); fail != nil {
		return nil, fail
	}
	if fail := d.messages(in); fail != nil {
		return nil, fail
	}
	return d.req, nil
}

func parseRequest(body []byte) (*request, *dialect.Error) {
	var in request
	err := json.Unmarshal(body, &in)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return &in, nil
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return nil, invalid("The request's field " + wrongType.Field + " has the wrong type of value.")
	case errors.Is(err, errContent):
		return nil, invalid("A content in the request is neither a text nor a list of blocks.")
	default:
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	}
}

// decoder fills in a request.
type decoder struct {
	req   *conversation.Request
	names map[string]string // of tools, by the id of the call
}

func (d *decoder) unmapped(name string) {
	if !slices.Contains(d.req.Unmapped, name) {
		d.req.Unmapped = append(d.req.Unmapped, name)
	}
}

// unmappedIf notes a field that is there.
func (d *decoder) unmappedIf(name string, there present) {
	if there {
		d.unmapped(name)
	}
}

// maxUnknown is how many unknown fields of a request are named; ours, because the names travel in a header field.
const maxUnknown = 16

func (d *decoder) unmappedFields(body []byte) {
	unknown := 0
	for _, name := range slices.Sorted(topNames(body)) {
		switch {
		case slices.Contains(requestFields, name):
		case slices.Contains(Unmapped, name):
			d.unmapped(name)
		case !fieldName(name):
			d.unmapped("unknown")
		case unknown < maxUnknown:
			d.unmapped(name)
			unknown++
		}
	}
}

// topNames are the names of an object's members that are not null. The text is known to be valid JSON, so that it is
// enough to follow quotes and brackets, which is several times as fast as to parse it once more.
func topNames(object []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		depth, named := 0, false
		for i := 0; i < len(object); i++ {
			switch object[i] {
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			case ',':
				named = named && depth > 1
			case '"':
				from := i
				i = closingQuote(object, i)
				if depth != 1 || named {
					continue
				}
				named = true
				var name string
				if json.Unmarshal(object[from:i+1], &name) != nil || isNull(object[i+1:]) {
					continue
				}
				if !yield(name) {
					return
				}
			}
		}
	}
}

// closingQuote returns where the string that begins at i ends.
func closingQuote(text []byte, i int) int {
	for i++; i < len(text)-1 && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return min(i, len(text)-1)
}

// isNull reports whether the value after a name is null.
func isNull(rest []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n:"), []byte("null"))
}

// fieldName reports whether an unknown name may be repeated in a header field.
func fieldName(name string) bool {
	const longest = 64
	for _, c := range []byte(name) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return name != "" && len(name) <= longest
}

func (d *decoder) tools(in *request, body []byte) *dialect.Error {
	var raw []json.RawMessage
	for i := range in.Tools {
		t := &in.Tools[i]
		if t.function() && t.Name == "" {
			return invalid("A tool in the request has no name.")
		}
		d.unmappedIf("tools.defer_loading", t.DeferLoading)
		d.unmappedIf("tools.allowed_callers", t.Callers)
		d.unmappedIf("tools.eager_input_streaming", t.EagerStream)
		d.unmappedIf("tools.input_examples", t.InputExamples)
		out := conversation.Tool{Name: t.Name, Description: t.Description, Strict: t.Strict, Cache: cacheOf(t.CacheControl)}
		switch {
		case !t.function():
			if raw == nil {
				raw = rawTools(body)
			}
			out.Builtin = t.Type
			if i < len(raw) {
				out.Raw = raw[i]
			}
		case len(t.InputSchema) > 0 && !bytes.Equal(t.InputSchema, []byte("null")):
			out.Parameters = t.InputSchema
		}
		d.req.Tools = append(d.req.Tools, out)
	}
	return d.choice(in.ToolChoice)
}

func (d *decoder) choice(c *toolChoice) *dialect.Error {
	if c == nil {
		return nil
	}
	switch c.Type {
	case "auto":
		d.req.Choice.Mode = conversation.ChoiceAuto
	case "any":
		d.req.Choice.Mode = conversation.ChoiceRequired
	case "none":
		d.req.Choice.Mode = conversation.ChoiceNone
	case "tool":
		if c.Name == "" {
			return invalid("The request's tool_choice names no tool.")
		}
		d.req.Choice = conversation.Choice{Mode: conversation.ChoiceNamed, Name: c.Name}
	default:
		return invalid("The request's tool_choice.type is not auto, any, tool or none.")
	}
	if c.DisableParallel != nil {
		parallel := !*c.DisableParallel
		d.req.Parallel = &parallel
	}
	return nil
}

// efforts are those of output_config, the least first.
var efforts = []string{"low", "medium", "high", "xhigh", "max"}

func (d *decoder) output(in *request) *dialect.Error {
	format := in.OutputFormat
	if c := in.OutputConfig; c != nil {
		if c.Effort != "" && !slices.Contains(efforts, c.Effort) {
			return invalid("The request's output_config.effort is not low, medium, high, xhigh or max.")
		}
		d.req.Reasoning.Effort = c.Effort
		d.unmappedIf("output_config.task_budget", c.TaskBudget)
		if c.Format != nil {
			format = c.Format
		}
	}
	if format != nil {
		if format.Type != "json_schema" || len(format.Schema) == 0 {
			return invalid("The request's output_config.format is not a json_schema with its schema.")
		}
		d.req.Format = conversation.Format{Kind: conversation.FormatSchema, Schema: format.Schema}
	}
	return d.thinking(in.Thinking)
}

func (d *decoder) thinking(t *thinking) *dialect.Error {
	if t == nil {
		return nil
	}
	r := &d.req.Reasoning
	switch t.Type {
	case "enabled":
		if t.Budget < minBudget {
			return invalid("The request's thinking.budget_tokens is below 1024.")
		}
		r.Mode, r.Budget = conversation.ReasoningOn, t.Budget
	case "adaptive":
		r.Mode = conversation.ReasoningAdaptive
	case "disabled":
		r.Mode = conversation.ReasoningOff
	case "between_tools":
		d.unmapped("thinking.between_tools")
	default:
		return invalid("The request's thinking.type is not enabled, adaptive or disabled.")
	}
	switch t.Display {
	case "":
	case "summarized", "omitted":
		visible := t.Display == "summarized"
		r.Visible = &visible
	default:
		return invalid("The request's thinking.display is not summarized or omitted.")
	}
	return nil
}

func cacheOf(c *cacheControl) *conversation.CacheControl {
	if c == nil {
		return nil
	}
	return &conversation.CacheControl{TTL: c.TTL}
}
