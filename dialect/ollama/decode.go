// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"math"
	"slices"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// DecodeRequest reads the body of a request to /api/chat or, if op is a Completion, to /api/generate. Calls that have no
// id get one, "call_" and their number in the conversation, and results the id and name of the call that they answer.
//
// Errors have status 400: the body is no JSON object, a field is of the wrong type, or the request depends on what only
// Ollama has (raw prompts, contexts).
func DecodeRequest(op dialect.Operation, body []byte) (*conversation.Request, *dialect.Error) {
	d, fail := decode(op, body)
	if fail != nil {
		return nil, fail
	}
	if d.empty {
		return nil, invalid("The request has no message and no prompt, so there is nothing to answer.")
	}
	return d.req, nil
}

// Load answers a request that only wants a model to be loaded, or unloaded: one without a message or a prompt. Tools send
// it before the first question. Backends of other protocols have nothing like it, so the answer is always that it was
// done. It reports false for all other requests.
func Load(op dialect.Operation, body []byte) (answer []byte, ok bool) {
	d, fail := decode(op, body)
	if fail != nil || !d.empty {
		return nil, false
	}
	reason := reasonLoad
	if d.unload {
		reason = reasonUnload
	}
	h := headOf(op, d.req)
	j := h.begin(nil)
	h.content(&j, roleAssistant, "")
	j.RawMember("done", "true")
	j.TextMember("done_reason", reason)
	j.Close('}')
	return j, true
}

// decoder reads one request. The first thing that is wrong, or cannot be translated, is kept; reading goes on.
type decoder struct {
	*wire.Parser
	req *conversation.Request
	generate
	fail   *dialect.Error
	calls  calls
	empty  bool // there is nothing to answer
	unload bool // keep_alive is 0
}

// generate is what /api/generate has in place of messages.
type generate struct {
	system, prompt string
	images         []conversation.Part
}

func decode(op dialect.Operation, body []byte) (*decoder, *dialect.Error) {
	d := &decoder{Parser: wire.Parse(body), req: &conversation.Request{Stream: true, StreamUsage: true}}
	if d.Kind() != wire.ObjectValue {
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	}
	member := d.chatMember
	if op.Kind == dialect.Completion {
		member = d.generateMember
	}
	d.Object(func(key []byte) {
		if !d.Null() && !member(string(key)) {
			d.unmapped(string(key))
		}
	})
	if d.End() != nil {
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	}
	if d.fail != nil {
		return nil, d.fail
	}
	if op.Kind == dialect.Completion {
		d.prompted()
	}
	d.empty = len(d.req.Messages) == 0
	return d, nil
}

// chatMember reads a member of a request to /api/chat and reports whether it is one.
func (d *decoder) chatMember(key string) bool {
	switch key {
	case "messages":
		d.req.Messages, d.calls = nil, calls{}
		d.each(key, d.message)
	case "tools":
		d.req.Tools = nil
		d.each(key, d.tool)
	default:
		return d.commonMember(key)
	}
	return true
}

// generateMember reads a member of a request to /api/generate and reports whether it is one.
func (d *decoder) generateMember(key string) bool {
	switch key {
	case "prompt":
		d.prompt = d.text(key)
	case "system":
		d.system = d.text(key)
	case "suffix":
		d.req.Suffix = d.text(key)
	case "images":
		d.images = d.media()
	case "raw":
		if d.flag(key) {
			d.refuse("The request's prompt is raw, in a form that only the model itself knows, which this backend cannot " +
				"take. Send it without raw, or use a model of an exit with an Ollama backend.")
		}
	case "context":
		if d.Kind() != wire.ArrayValue || !d.emptyArray() {
			d.refuse("The request goes on from a context, which only the Ollama server that made it understands. Send the " +
				"whole conversation to /api/chat.")
		}
	case "template":
		if d.text(key) != "" {
			d.note(key)
		}
	default:
		return d.commonMember(key)
	}
	return true
}

func (d *decoder) emptyArray() bool {
	empty := true
	d.Array(func(int) { empty = false })
	return empty
}

// prompted makes messages of a prompt.
func (d *decoder) prompted() {
	if d.prompt == "" && len(d.images) == 0 && d.req.Suffix == "" {
		return
	}
	if d.system != "" {
		d.add(conversation.System, conversation.TextPart{Text: d.system})
	}
	parts := d.images
	if d.prompt != "" || len(parts) == 0 {
		parts = append(parts, conversation.TextPart{Text: d.prompt})
	}
	d.add(conversation.User, parts...)
}

func (d *decoder) add(role conversation.Role, parts ...conversation.Part) {
	d.req.Messages = append(d.req.Messages, conversation.Message{Role: role, Parts: parts})
}

// commonMember reads a member that both kinds of request have.
func (d *decoder) commonMember(key string) bool {
	switch key {
	case "model":
		d.req.Model = d.text(key)
	case "stream":
		d.req.Stream = d.flag(key)
		d.req.StreamUsage = d.req.Stream // every stream of the protocol tells the usage
	case "format":
		d.format()
	case "think":
		d.think()
	case "options":
		d.options()
	case "logprobs":
		d.req.Logprobs = d.flag(key)
	case "top_logprobs":
		d.req.TopLogprobs = d.integer(key)
		if n := d.req.TopLogprobs; n < 0 || n > maxTopLogprobs {
			d.isNot(key, "a number from 0 to 20")
		}
	case "keep_alive":
		keep := string(d.Raw())
		d.unload = keep == "0" || keep == `"0"` || keep == `"0s"` || keep == `"0m"`
		d.note(key)
	default:
		return false
	}
	return true
}

// unmapped notes a field that no other protocol has. One that is false or empty says nothing.
func (d *decoder) unmapped(key string) {
	if kind := d.Kind(); kind == wire.BoolValue && !d.Bool() && key != "truncate" && key != "shift" {
		return
	}
	d.note(key)
}

func (d *decoder) note(name string) { d.req.Unmapped = noted(d.req.Unmapped, name) }

// noted adds the name of a field that is not mapped. Of names that nobody knows only plain ones are repeated, and not
// more than a header holds.
func noted(list []string, name string) []string {
	if slices.Contains(list, name) || len(list) >= maxUnmapped || !plainName(name) {
		return list
	}
	return append(list, name)
}

// plainName reports whether a name can be a field's.
func plainName(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

func (d *decoder) refuse(message string) {
	if d.fail == nil {
		d.fail = invalid(message)
	}
}

// isNot notes that a field is not what it must be. Its value has been read, or is passed over.
func (d *decoder) isNot(field, want string) {
	if d.fail == nil {
		d.fail = invalid("The request's field " + field + " is not " + want + ". Correct it and send it again.")
	}
}

// each reads the elements of an array.
func (d *decoder) each(field string, element func()) {
	if d.Kind() != wire.ArrayValue {
		d.isNot(field, "a list")
		return
	}
	d.Array(func(int) { element() })
}

// members reads an object. Members that are null are as if they were not there.
func (d *decoder) members(field string, each func(key string)) {
	if d.Kind() != wire.ObjectValue {
		d.isNot(field, "an object")
		d.Skip()
		return
	}
	d.Object(func(key []byte) {
		if !d.Null() {
			each(string(key))
		}
	})
}

func (d *decoder) text(field string) string {
	if d.Kind() != wire.StringValue {
		d.isNot(field, "a text")
	}
	return d.String()
}

func (d *decoder) flag(field string) bool {
	if d.Kind() != wire.BoolValue {
		d.isNot(field, "true or false")
	}
	return d.Bool()
}

func (d *decoder) number(field string) *float64 {
	if d.Kind() != wire.NumberValue {
		d.isNot(field, "a number")
	}
	f := d.Float()
	return &f
}

// integer reads a whole number. As Ollama does, it cuts off a fraction.
func (d *decoder) integer(field string) int {
	f := *d.number(field)
	if math.Abs(f) > 1<<53 {
		d.isNot(field, "a number of that size")
		return 0
	}
	return int(f)
}
