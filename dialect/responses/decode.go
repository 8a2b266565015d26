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

// DecodeRequest reads a tool's request, parts of which stay in the body. Errors have status 400 and name the field;
// what is no JSON is CodeNotJSON.
func DecodeRequest(_ dialect.Operation, body []byte) (*conversation.Request, *dialect.Error) {
	d := decoder{Parser: wire.Parse(body), req: &conversation.Request{}}
	if d.Kind() != wire.ObjectValue {
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	}
	d.Object(d.field)
	if d.End() != nil {
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	}
	d.within(d.rawTools, func() { d.Array(func(int) { d.tool("") }) })
	d.instruct()
	d.input()
	d.sign()
	d.choose()
	d.req.StreamUsage = d.req.Stream // every stream of the protocol tells the usage
	d.req.Logprobs = d.req.Logprobs || d.req.TopLogprobs > 0
	if d.fail != nil {
		return nil, d.fail
	}
	return d.req, nil
}

// decoder fills in a request. Its parser is of the part that is read.
type decoder struct {
	*wire.Parser
	req          *conversation.Request
	fail         *dialect.Error
	unknown      int // fields that nobody knows, named so far
	instructions string

	rawTools, rawInput, rawChoice []byte

	functions map[origin]string                 // the name of the function that stands for a tool
	taken     map[string]origin                 // by that name
	callNames map[string]string                 // of functions, by the id of the call
	signed    map[string]conversation.Signature // of calls, by their ids
	added     []string                          // names of functions, each time that a tool is met
}

// refuse notes the first thing that is wrong.
func (d *decoder) refuse(message string) {
	if d.fail == nil {
		d.fail = invalid(message)
	}
}

func (d *decoder) wrongType(field, want string) {
	d.refuse("The request's field " + field + " is not " + want + ".")
}

// within reads a part that was put aside. It was valid when it was.
func (d *decoder) within(raw []byte, read func()) {
	if len(raw) == 0 {
		return
	}
	outer := d.Parser
	d.Parser = wire.Parse(raw)
	read()
	d.Parser = outer
}

// text takes a text; null is "".
func (d *decoder) text(field string) string {
	switch d.Kind() {
	case wire.StringValue:
		return d.String()
	case wire.NullValue:
	default:
		d.wrongType(field, "a text")
	}
	d.Skip()
	return ""
}

// number takes a number; null is nil.
func (d *decoder) number(field string) *float64 {
	switch d.Kind() {
	case wire.NumberValue:
		f := d.Float()
		return &f
	case wire.NullValue:
	default:
		d.wrongType(field, "a number")
	}
	d.Skip()
	return nil
}

// count takes a number of something; null is 0.
func (d *decoder) count(field string) int {
	n := d.number(field)
	if n == nil {
		return 0
	}
	if *n < 0 || *n > 1<<31 || *n != float64(int(*n)) {
		d.wrongType(field, "a whole number of zero or more")
		return 0
	}
	return int(*n)
}

// boolean takes a boolean; null is nil.
func (d *decoder) boolean(field string) *bool {
	switch d.Kind() {
	case wire.BoolValue:
		b := d.Bool()
		return &b
	case wire.NullValue:
	default:
		d.wrongType(field, "true or false")
	}
	d.Skip()
	return nil
}

// raw takes an object or array as it is; null is nil.
func (d *decoder) raw(field string, kind byte) []byte {
	switch d.Kind() {
	case kind:
		return d.Raw()
	case wire.NullValue:
	case wire.ArrayValue, wire.ObjectValue:
		d.wrongType(field, "of the right form")
	default:
		d.wrongType(field, "a list or an object")
	}
	d.Skip()
	return nil
}

// set takes any value and reports whether it is there and not null.
func (d *decoder) set() bool {
	null := d.Kind() == wire.NullValue
	d.Skip()
	return !null
}

func (d *decoder) unmapped(name string) {
	if !slices.Contains(d.req.Unmapped, name) {
		d.req.Unmapped = append(d.req.Unmapped, name)
	}
}

// noted takes a value of a field that is not translated. Where it has none, nothing is left out.
func (d *decoder) noted(name string) {
	if d.set() {
		d.unmapped(name)
	}
}

// other takes the value of a field that is not read: one from the list, or one that nobody knows.
func (d *decoder) other(prefix string, key []byte) {
	if !d.set() {
		return
	}
	name := prefix + string(key)
	switch {
	case slices.Contains(Unmapped, name):
		d.unmapped(name)
	case !fieldName(key):
		d.unmapped("unknown")
	case d.unknown < maxUnknown:
		if !slices.Contains(d.req.Unmapped, name) {
			d.unknown++
		}
		d.unmapped(name)
	}
}

// fieldName reports whether an unknown name may be repeated in a header field.
func fieldName(name []byte) bool {
	const longest = 64
	for _, c := range name {
		if !openaiapi.NameByte(c) {
			return false
		}
	}
	return len(name) > 0 && len(name) <= longest
}

// field reads a field of the request. Those whose meaning hangs on others are put aside.
func (d *decoder) field(key []byte) {
	r := d.req
	switch string(key) {
	case "model":
		r.Model = d.text("model")
	case "input":
		d.rawInput = d.Raw()
	case "instructions":
		d.instructions = d.text("instructions")
	case "tools":
		d.rawTools = d.raw("tools", wire.ArrayValue)
	case "tool_choice":
		d.rawChoice = d.Raw()
	case "parallel_tool_calls":
		r.Parallel = d.boolean("parallel_tool_calls")
	case "max_output_tokens", "max_completion_tokens", "max_tokens": // the others by mistake
		r.MaxTokens = max(r.MaxTokens, d.count(string(key)))
	case "stream":
		stream := d.boolean("stream")
		r.Stream = stream != nil && *stream
	case "text":
		d.Object(d.textField)
	case "reasoning":
		d.Object(d.reasoningField)
	case "include":
		d.include()
	default:
		if !d.sampling(key) && !d.server(key) {
			d.other("", key)
		}
	}
}

func (d *decoder) sampling(key []byte) bool {
	s := &d.req.Sampling
	switch string(key) {
	case "temperature":
		s.Temperature = d.number("temperature")
	case "top_p":
		s.TopP = d.number("top_p")
	case "top_logprobs":
		d.req.TopLogprobs = d.count("top_logprobs")
	case "frequency_penalty": // not OpenAI's, but of the open specification (openresponses.org)
		s.FrequencyPenalty = d.number("frequency_penalty")
	case "presence_penalty":
		s.PresencePenalty = d.number("presence_penalty")
	default:
		return false
	}
	return true
}

// server reads the fields about what OpenAI's servers keep and do besides. It reports whether the field is one of them.
func (d *decoder) server(key []byte) bool {
	switch string(key) {
	case "previous_response_id", "conversation", "prompt":
		if d.set() {
			d.refuse("The request's field " + string(key) + " refers to something stored on a server, and TokenGo stores " +
				"nothing. Send the whole conversation in input.")
		}
	case "background":
		if b := d.boolean("background"); b != nil && *b {
			d.refuse("The request's field background asks for an answer to be stored and fetched later, and TokenGo stores " +
				"nothing. Leave it out.")
		}
	case "store":
		if b := d.boolean("store"); b != nil && *b {
			d.unmapped("store")
		}
	case "truncation":
		if how := d.text("truncation"); how != "" && how != "disabled" {
			d.unmapped("truncation")
		}
	case "stream_options":
		d.Object(func(key []byte) {
			if string(key) != "include_obfuscation" || d.Kind() == wire.BoolValue && d.Bool() {
				d.unmapped("stream_options")
			}
		})
	default:
		return false
	}
	return true
}

func (d *decoder) include() {
	d.Array(func(int) {
		switch d.text("include") {
		case includeReasoning: // always sent
		case includeLogprobs:
			d.req.Logprobs = true
		default: // about tools that OpenAI's servers run
			d.unmapped("include")
		}
	})
}

// efforts are those of reasoning, the least first.
var efforts = []string{"minimal", "low", "medium", "high", "xhigh", "max"}

func (d *decoder) reasoningField(key []byte) {
	r := &d.req.Reasoning
	switch string(key) {
	case "effort":
		switch effort := d.text("reasoning.effort"); {
		case effort == "":
		case effort == "none":
			r.Mode = conversation.ReasoningOff
		case slices.Contains(efforts, effort):
			r.Mode, r.Effort = conversation.ReasoningOn, effort
		default:
			d.refuse("The request's reasoning.effort is not none, minimal, low, medium, high, xhigh or max.")
		}
	case "summary", "generate_summary":
		switch summary := d.text("reasoning.summary"); summary {
		case "", "none":
		case "auto", "concise", "detailed":
			visible := true
			r.Summary, r.Visible = summary, &visible
		default:
			d.refuse("The request's reasoning.summary is not auto, concise or detailed.")
		}
	default:
		d.other("reasoning.", key)
	}
}

func (d *decoder) textField(key []byte) {
	if string(key) != "format" {
		d.other("text.", key)
		return
	}
	f := &d.req.Format
	kind := ""
	d.Object(func(key []byte) {
		switch string(key) {
		case "type":
			kind = d.text("text.format.type")
		case "name":
			f.Name = d.text("text.format.name")
		case "description":
			f.Description = d.text("text.format.description")
		case "schema":
			f.Schema = d.raw("text.format.schema", wire.ObjectValue)
		case "strict":
			f.Strict = d.boolean("text.format.strict")
		default:
			d.other("text.format.", key)
		}
	})
	switch {
	case kind == "" || kind == "text":
		*f = conversation.Format{}
	case kind == "json_object":
		*f = conversation.Format{Kind: conversation.FormatJSON}
	case kind == "json_schema" && len(f.Schema) > 0:
		f.Kind = conversation.FormatSchema
	default:
		d.refuse("The request's text.format is not text, json_object or a json_schema with its schema.")
	}
}

// instruct puts the instructions before the conversation.
func (d *decoder) instruct() {
	if d.instructions != "" {
		d.req.Messages = append(d.req.Messages, conversation.Message{
			Role: conversation.System, Parts: []conversation.Part{conversation.TextPart{Text: d.instructions}},
		})
	}
}
