// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/dialect/wire"
)

// DecodeRequest reads a tool's request: a chat completion, or a completion, whose prompt becomes one message of the
// user's. The body has been checked by [dialect.Operation.RequestModel]. Errors have status 400 and name the field that
// is wrong or that no other protocol can carry.
//
// Besides OpenAI's own fields it reads those that compatible services added and that other protocols have, too:
// reasoning, thinking, enable_thinking, top_k, min_p, repetition_penalty and cache_control.
func DecodeRequest(op dialect.Operation, body []byte) (*conversation.Request, *dialect.Error) {
	d := decoder{p: wire.Parse(body), req: &conversation.Request{}, list: -1}
	d.completion = op.Kind == dialect.Completion
	if !d.p.Object(d.member) {
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	}
	err := d.p.End()
	switch {
	case d.fail != nil:
		return nil, d.fail
	case err != nil:
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	case len(d.req.Messages) == 0 && d.completion:
		return nil, untranslatable("The field prompt is missing.")
	case len(d.req.Messages) == 0:
		return nil, untranslatable("The field messages is missing or empty.")
	}
	d.allow()
	d.nameResults()
	return d.req, d.fail
}

// decoder reads one request.
type decoder struct {
	p          *wire.Parser
	req        *conversation.Request
	completion bool
	within     string // the list that is read, "" at the top
	list, part int    // indexes of the element, and of a part of its content; -1 is none
	unknown    int
	allowed    []string // tools that may be called, if not all
	fail       *dialect.Error
}

// refuse ends reading with the first error.
func (d *decoder) refuse(message string) {
	if d.fail == nil {
		d.fail = untranslatable(message)
	}
	d.p.Fail(errRefused)
}

// wrong refuses a field of the element that is being read.
func (d *decoder) wrong(field, what string) {
	d.refuse("The field " + d.where(field) + " " + what)
}

func (d *decoder) where(field string) string {
	if d.within == "" {
		return field
	}
	where := d.within + "[" + strconv.Itoa(d.list) + "]"
	if d.part >= 0 {
		where += ".content[" + strconv.Itoa(d.part) + "]"
	}
	if field == "" {
		return where
	}
	return where + "." + field
}

func (d *decoder) text(field string) string {
	switch d.p.Kind() {
	case wire.StringValue:
		return d.p.String()
	case wire.NullValue:
		d.p.Null()
	default:
		d.wrong(field, "is not a string.")
	}
	return ""
}

func (d *decoder) boolean(field string) *bool {
	switch d.p.Kind() {
	case wire.BoolValue:
		b := d.p.Bool()
		return &b
	case wire.NullValue:
		d.p.Null()
	default:
		d.wrong(field, "is neither true nor false.")
	}
	return nil
}

func (d *decoder) number(field string) *float64 {
	switch d.p.Kind() {
	case wire.NumberValue:
		f := d.p.Float()
		return &f
	case wire.NullValue:
		d.p.Null()
	default:
		d.wrong(field, "is not a number.")
	}
	return nil
}

func (d *decoder) integer(field string) *int {
	if d.p.Kind() == wire.NumberValue {
		n := d.p.Int()
		return &n
	}
	d.number(field)
	return nil
}

func (d *decoder) count(field string) int {
	n := d.integer(field)
	if n == nil {
		return 0
	}
	return *n
}

// object reads the members of an object; null is none.
func (d *decoder) object(field string, each func(key []byte)) {
	if !d.p.Null() && !d.p.Object(each) {
		d.wrong(field, "is not an object.")
	}
}

// array reads the elements of an array; null is none.
func (d *decoder) array(field string, each func(i int)) {
	if !d.p.Null() && !d.p.Array(each) {
		d.wrong(field, "is not an array.")
	}
}

// member reads one of the request's own members.
func (d *decoder) member(key []byte) {
	r := d.req
	switch field := string(key); field {
	case "model":
		r.Model = d.text(field)
	case "messages":
		d.array(field, d.message)
		d.within = ""
	case "tools":
		d.array(field, d.tool)
		d.within = ""
	case "tool_choice":
		d.choice()
	case "parallel_tool_calls":
		r.Parallel = d.boolean(field)
	case "max_tokens", "max_completion_tokens":
		r.MaxTokens = max(r.MaxTokens, d.count(field))
	case "stop":
		r.Stop = d.texts(field)
	case "n":
		r.Candidates = d.count(field)
	case "logprobs":
		d.logprobs()
	case "top_logprobs":
		r.TopLogprobs = d.count(field)
	case "response_format":
		d.format()
	case "stream":
		if b := d.boolean(field); b != nil {
			r.Stream = *b
		}
	case "stream_options":
		d.object(field, func(key []byte) {
			if string(key) == "include_usage" {
				r.StreamUsage = d.p.Bool()
			}
		})
	case "prompt":
		d.prompt()
	case "suffix":
		r.Suffix = d.text(field)
	default:
		if !d.sampling(field) && !d.reasoning(field) {
			d.other(field)
		}
	}
}

func (d *decoder) sampling(field string) bool {
	s := &d.req.Sampling
	switch field {
	case "temperature":
		s.Temperature = d.number(field)
	case "top_p":
		s.TopP = d.number(field)
	case "frequency_penalty":
		s.FrequencyPenalty = d.number(field)
	case "presence_penalty":
		s.PresencePenalty = d.number(field)
	case "seed":
		if n := d.integer(field); n != nil {
			seed := int64(*n)
			s.Seed = &seed
		}
	case "top_k":
		s.TopK = d.integer(field)
	case "min_p":
		s.MinP = d.number(field)
	case "repetition_penalty":
		s.RepeatPenalty = d.number(field)
	default:
		return false
	}
	return true
}

// other notes fields that no other protocol has, and refuses those without which the answer would be another.
func (d *decoder) other(field string) {
	switch {
	case d.p.Null():
	case field == "modalities":
		d.p.Array(func(int) {
			if d.p.String() != "text" {
				d.refuse("The field modalities asks for something else than text, which this exit's backend does not make.")
			}
		})
	case field == "audio":
		d.refuse("The field audio asks for speech, which this exit's backend does not make.")
	case field == "functions", field == "function_call":
		d.refuse("The field " + field + " is deprecated; use tools and tool_choice.")
	case slices.Contains(Unmapped, field):
		if field == "echo" && d.p.Kind() == wire.BoolValue && !d.p.Bool() {
			return
		}
		d.req.Unmapped = append(d.req.Unmapped, field)
	case d.unknown < maxUnmapped:
		d.unknown++
		d.req.Unmapped = append(d.req.Unmapped, fieldName(field))
	}
}

// fieldName is an unknown field's name as a header can have it.
func fieldName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x80 && (openaiapi.NameByte(byte(r)) || r == '.') {
			return r
		}
		return '?'
	}, name)
	return name[:min(len(name), openaiapi.MaxName)]
}

// texts reads a string or an array of them.
func (d *decoder) texts(field string) []string {
	if d.p.Kind() != wire.ArrayValue {
		if s := d.text(field); s != "" {
			return []string{s}
		}
		return nil
	}
	var list []string
	d.p.Array(func(int) {
		if s := d.text(field); s != "" {
			list = append(list, s)
		}
	})
	return list
}

// logprobs is a boolean, or in completions the number of alternatives.
func (d *decoder) logprobs() {
	if d.p.Kind() == wire.NumberValue {
		d.req.Logprobs, d.req.TopLogprobs = true, d.p.Int()
		return
	}
	if b := d.boolean("logprobs"); b != nil {
		d.req.Logprobs = *b
	}
}

func (d *decoder) prompt() {
	if !d.completion {
		d.other("prompt")
		return
	}
	text := ""
	switch d.p.Kind() {
	case wire.ArrayValue:
		d.p.Array(func(i int) {
			if d.p.Kind() != wire.StringValue {
				d.refuse("The field prompt has tokens, which mean something to their own model only; send text.")
			} else if i > 0 {
				d.refuse("The field prompt has several texts; send them one by one.")
			}
			text = d.text("prompt")
		})
	default:
		text = d.text("prompt")
	}
	if text == "" {
		return
	}
	d.req.Messages = []conversation.Message{{Role: conversation.User, Parts: []conversation.Part{conversation.TextPart{Text: text}}}}
}
