// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"math"
	"slices"
	"strconv"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// DecodeRequest reads the body of a generateContent or streamGenerateContent request; op names the model. Calls that
// have no id get one, "call_" and their number in the conversation, and results the id of the call that they answer, by
// name and order.
//
// Errors have status 400: the body is no JSON object, a field is of the wrong type, or the request depends on what only
// Google's service has (cached content, uploaded files).
func DecodeRequest(op dialect.Operation, body []byte) (*conversation.Request, *dialect.Error) {
	d, fail := decode(op, body)
	switch {
	case fail != nil:
		return nil, fail
	case d.refusal != nil:
		return nil, d.refusal
	case len(d.req.Messages) == 0:
		return nil, invalid("The request has no contents. Set contents to the conversation.")
	}
	return d.req, nil
}

// decoder reads one request. The first thing that is wrong, or cannot be translated, is kept; reading goes on.
type decoder struct {
	*wire.Parser
	req     *conversation.Request
	wrong   string // field of the wrong type
	want    string // its right type
	refusal *dialect.Error
	allowed []string // names of functions that may be called; nil is all
	ids     callIDs
}

func decode(op dialect.Operation, body []byte) (*decoder, *dialect.Error) {
	d := &decoder{Parser: wire.Parse(body), req: &conversation.Request{
		Model: op.Model, Stream: op.Stream, StreamUsage: true,
	}}
	if d.Kind() != wire.ObjectValue {
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	}
	d.request()
	if d.End() != nil {
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	}
	if d.wrong != "" {
		return nil, invalid("The request's field " + d.wrong + " is not " + d.want + ". Correct it and send it again.")
	}
	d.ids.assign(d.req.Messages)
	d.restrictTools()
	return d, nil
}

// request reads the members of a request. System instructions come first, wherever they stand.
func (d *decoder) request() {
	var system []conversation.Message
	d.Object(func(key []byte) {
		switch string(camel(key)) {
		case "model", "contents", "systemInstruction", "generateContentRequest":
			d.conversation(string(camel(key)), &system)
		case "tools":
			d.each(d.tool)
		case "toolConfig":
			d.toolConfig()
		case "generationConfig":
			d.generationConfig()
		case "cachedContent":
			if !d.Null() && d.String() != "" {
				d.refuse("The request continues content that is cached at Google, which this backend has not. Send the " +
					"whole conversation.")
			}
		case "continuationToken":
			if !d.Null() {
				d.refuse("The request continues an answer of Google's, which this backend cannot.")
			}
		default:
			d.unmapped(key)
		}
	})
	d.req.Messages = append(system, d.req.Messages...)
}

func (d *decoder) conversation(key string, system *[]conversation.Message) {
	switch key {
	case "model":
		d.Skip()
	case "contents":
		d.each(d.content)
	case "systemInstruction":
		if m, ok := d.systemInstruction(); ok {
			*system = append(*system, m)
		}
	case "generateContentRequest": // of countTokens
		d.request()
	}
}

// each reads the elements of an array. The service takes a single element without one, too.
func (d *decoder) each(element func()) {
	switch {
	case d.Null():
	case d.Kind() == wire.ArrayValue:
		d.Array(func(int) { element() })
	default:
		element()
	}
}

// unmapped notes a field that no other protocol has.
func (d *decoder) unmapped(key []byte) {
	if d.Null() {
		return
	}
	d.Skip()
	d.note(string(camel(key)))
}

func (d *decoder) note(name string) {
	if !slices.Contains(d.req.Unmapped, name) {
		d.req.Unmapped = append(d.req.Unmapped, name)
	}
}

// refuse notes that the request cannot be translated.
func (d *decoder) refuse(message string) {
	if d.refusal == nil {
		d.refusal = untranslatable(message)
	}
}

// isNot notes that a field has the wrong type.
func (d *decoder) isNot(field, want string) {
	d.Skip()
	if d.wrong == "" {
		d.wrong, d.want = field, want
	}
}

// members reads an object; null is one without members.
func (d *decoder) members(field string, each func(key string)) {
	switch {
	case d.Null():
	case d.Kind() != wire.ObjectValue:
		d.isNot(field, "an object")
	default:
		d.Object(func(key []byte) { each(string(camel(key))) })
	}
}

func (d *decoder) text(field string) string {
	switch {
	case d.Null():
		return ""
	case d.Kind() != wire.StringValue:
		d.isNot(field, "a text")
		return ""
	}
	return d.String()
}

func (d *decoder) texts(field string) []string {
	var list []string
	d.each(func() { list = append(list, d.text(field)) })
	return list
}

func (d *decoder) flag(field string) bool {
	switch {
	case d.Null():
		return false
	case d.Kind() != wire.BoolValue:
		d.isNot(field, "true or false")
		return false
	}
	return d.Bool()
}

// number reads a number, which may stand in quotes (protobuf.dev/programming-guides/json).
func (d *decoder) number(field string) *float64 {
	switch d.Kind() {
	case wire.NullValue:
		d.Skip()
		return nil
	case wire.NumberValue:
		f := d.Float()
		return &f
	case wire.StringValue:
		if f, err := strconv.ParseFloat(d.String(), 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return &f
		}
	default:
		d.Skip()
	}
	if d.wrong == "" {
		d.wrong, d.want = field, "a number"
	}
	return nil
}

// integer reads a whole number; null is 0.
func (d *decoder) integer(field string) int {
	f := d.number(field)
	if f == nil {
		return 0
	}
	if *f != math.Trunc(*f) || math.Abs(*f) > 1<<53 {
		if d.wrong == "" {
			d.wrong, d.want = field, "a whole number"
		}
		return 0
	}
	return int(*f)
}
