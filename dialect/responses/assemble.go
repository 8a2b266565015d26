// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
)

// assembler makes events of what a backend says, in the order that events have whatever it sends. It keeps what is open,
// and of what has ended only which outputs they were.
type assembler struct {
	names       map[string]string // of functions, back to what the tool calls them
	out         []conversation.Event
	id          string
	began, over bool
	open        []*openItem
	closed      []closedItem
	parts       int
	calls       int
	told        conversation.Usage
}

// openItem is an item of output that has not ended.
type openItem struct {
	output  int
	id      string
	kind    string
	parts   []openPart // a message's contents; one of all others
	source  string     // of reasoning: the events that tell it, when there are two kinds
	summary int        // of reasoning: the part of the summary
}

// closedItem is what is remembered of an item that has ended.
type closedItem struct {
	output int
	id     string
}

// openPart is a part of the answer.
type openPart struct {
	content int // its index in the item
	index   int // its index in the answer
	kind    conversation.PartKind
	some    bool // a piece of it was told
}

func newAssembler(req *conversation.Request) assembler {
	return assembler{names: openaiapi.OriginalNames(req)}
}

func (a *assembler) take() []conversation.Event {
	out := a.out
	a.out = nil
	return out
}

func (a *assembler) add(e conversation.Event) { a.out = append(a.out, e) }

// begin begins the answer, once.
func (a *assembler) begin(b *answerBody) {
	if a.began {
		return
	}
	a.began, a.id = true, b.id
	a.add(conversation.Event{Kind: conversation.Begin, ID: b.id, Model: b.model, Created: int64(b.created)})
}

// event takes an event of a stream.
func (a *assembler) event(c *chunk) {
	a.begin(&c.response)
	switch c.kind {
	case "response.output_item.added":
		a.item(c.output, &c.item)
	case "response.output_item.done":
		a.itemDone(c.output, &c.item)
	case "response.output_text.delta":
		a.text(c, conversation.PartText, c.delta)
	case "response.refusal.delta":
		a.text(c, conversation.PartRefusal, c.delta)
	case "response.output_text.done":
		a.textDone(c, conversation.PartText)
	case "response.refusal.done":
		a.textDone(c, conversation.PartRefusal)
	case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
		a.thought(c)
	case "response.function_call_arguments.delta":
		if it := a.find(c, typeFunctionCall); it != nil {
			a.piece(&it.parts[0], c.delta, nil)
		}
	case "response.function_call_arguments.done":
		if it := a.find(c, typeFunctionCall); it != nil && !it.parts[0].some {
			a.piece(&it.parts[0], c.text, nil)
		}
	case "response.completed", "response.done", "response.incomplete", "response.failed", "response.cancelled":
		if c.response.status == "" {
			c.response.status = strings.TrimPrefix(c.kind, "response.")
		}
		a.finish(&c.response)
	case "error":
		if c.fault == nil {
			c.fault = &c.own
		}
		a.fail(c.fault)
	default:
		if c.fault != nil { // an error without a type
			a.fail(c.fault)
		}
	}
}

// find returns the open item that an event is about: by its id, and else by its place.
func (a *assembler) find(c *chunk, kind string) *openItem {
	for _, it := range a.open {
		if it.kind == kind && c.itemID != "" && it.id == c.itemID {
			return it
		}
	}
	for i := len(a.open) - 1; i >= 0; i-- {
		if it := a.open[i]; it.kind == kind && it.output == c.output {
			return it
		}
	}
	return nil
}

// item begins an item. The parts of messages and reasoning begin with their first text: one without any is none.
func (a *assembler) item(output int, in *answerItem) *openItem {
	it := &openItem{output: output, id: in.id, kind: in.kind}
	switch in.kind {
	case typeMessage, typeReasoning:
	case typeFunctionCall, typeCustomCall:
		a.calls++
		call := conversation.Call{ID: in.callID, Name: in.name}
		if call.ID == "" {
			call.ID = conversation.CallID(a.id+in.id, a.calls)
		}
		if name, ok := a.names[in.name]; ok {
			call.Name = name
		}
		a.add(conversation.Event{Kind: conversation.PartBegin, Index: a.parts, Part: conversation.PartCall, Call: call})
		it.parts = append(it.parts, openPart{index: a.parts, kind: conversation.PartCall})
		a.parts++
	default: // made by the backend's own tools
		return nil
	}
	a.open = append(a.open, it)
	return it
}

// piece tells the next piece of a part.
func (a *assembler) piece(p *openPart, text string, logprobs []conversation.Logprob) {
	if text == "" {
		return
	}
	p.some = true
	a.add(conversation.Event{Kind: conversation.Delta, Index: p.index, Text: text, Logprobs: logprobs})
}

// part finds a part of an item, or begins it.
func (a *assembler) part(it *openItem, content int, kind conversation.PartKind) *openPart {
	for i := range it.parts {
		if p := &it.parts[i]; p.content == content && p.kind == kind {
			return p
		}
	}
	a.add(conversation.Event{Kind: conversation.PartBegin, Index: a.parts, Part: kind})
	it.parts = append(it.parts, openPart{content: content, index: a.parts, kind: kind})
	a.parts++
	return &it.parts[len(it.parts)-1]
}

// message finds the message that an event is about, or begins one: some servers forget to.
func (a *assembler) message(c *chunk, kind string) *openItem {
	if it := a.find(c, kind); it != nil {
		return it
	}
	return a.item(c.output, &answerItem{kind: kind, id: c.itemID})
}

func (a *assembler) text(c *chunk, kind conversation.PartKind, text string) {
	if text == "" {
		return
	}
	it := a.message(c, typeMessage)
	a.piece(a.part(it, c.content, kind), text, c.logprobs)
}

// textDone tells a text that came in one piece.
func (a *assembler) textDone(c *chunk, kind conversation.PartKind) {
	it := a.find(c, typeMessage)
	if c.text == "" || it == nil && a.ended(c.output, c.itemID) {
		return
	}
	if it == nil || !slices.ContainsFunc(it.parts, func(p openPart) bool { return p.content == c.content && p.kind == kind }) {
		a.text(c, kind, c.text)
	}
}

// thought tells a piece of reasoning. Where a server sends both the reasoning and a summary of it, the first to come is
// told.
func (a *assembler) thought(c *chunk) {
	if c.delta == "" {
		return
	}
	it := a.message(c, typeReasoning)
	if it.source == "" {
		it.source, it.summary = c.kind, c.summary
	}
	if it.source != c.kind {
		return
	}
	p := a.part(it, 0, conversation.PartThinking)
	text := c.delta
	if c.summary != it.summary {
		it.summary = c.summary
		text = betweenSummaries + text
	}
	a.piece(p, text, nil)
}

// itemDone tells what of an item has not been told, and ends it.
func (a *assembler) itemDone(output int, in *answerItem) {
	it := a.find(&chunk{output: output, itemID: in.id}, in.kind)
	if it == nil {
		if a.ended(output, in.id) {
			return
		}
		if it = a.item(output, in); it == nil {
			return
		}
	}
	switch in.kind {
	case typeMessage:
		for i := range in.content {
			a.contentDone(it, i, &in.content[i])
		}
	case typeReasoning:
		a.reasoningDone(it, in)
	case typeFunctionCall:
		if !it.parts[0].some {
			a.piece(&it.parts[0], in.arguments, nil)
		}
	case typeCustomCall:
		a.piece(&it.parts[0], customArguments(in.input), nil)
	}
	a.close(it)
}

func (a *assembler) contentDone(it *openItem, content int, in *answerContent) {
	kind := conversation.PartText
	if in.kind == typeRefusal {
		kind = conversation.PartRefusal
	}
	told := slices.ContainsFunc(it.parts, func(p openPart) bool { return p.content == content && p.kind == kind })
	if in.text != "" && !told {
		a.piece(a.part(it, content, kind), in.text, in.logprobs)
	}
}

func (a *assembler) reasoningDone(it *openItem, in *answerItem) {
	if len(it.parts) == 0 {
		texts := in.summary
		if strings.Join(texts, "") == "" {
			texts = nil
			for _, c := range in.content {
				texts = append(texts, c.text)
			}
		}
		if text := strings.Join(texts, betweenSummaries); text != "" {
			a.piece(a.part(it, 0, conversation.PartThinking), text, nil)
		}
	}
	if in.encrypted != "" {
		p := a.part(it, 0, conversation.PartThinking)
		signature := conversation.Signature{By: protocol, Value: in.encrypted}
		a.add(conversation.Event{Kind: conversation.Signed, Index: p.index, Signature: signature})
	}
}

// close ends the parts of an item.
func (a *assembler) close(it *openItem) {
	for i := range it.parts {
		if p := &it.parts[i]; p.kind == conversation.PartCall && !p.some {
			a.piece(p, "{}", nil)
		}
		a.add(conversation.Event{Kind: conversation.PartEnd, Index: it.parts[i].index})
	}
	a.open = slices.DeleteFunc(a.open, func(other *openItem) bool { return other == it })
	a.closed = append(a.closed, closedItem{it.output, it.id})
}

// ended reports whether an item has ended before.
func (a *assembler) ended(output int, id string) bool {
	return slices.Contains(a.closed, closedItem{output, id})
}

// finish takes the response object that ends an answer. Its output counts where the stream had none.
func (a *assembler) finish(b *answerBody) {
	if b.hasUsage && b.usage != a.told {
		a.told = b.usage
		a.add(conversation.Event{Kind: conversation.UsageKnown, Usage: b.usage})
	}
	if b.status == failed || b.status == "cancelled" || b.fault != nil {
		a.fail(b.fault)
		return
	}
	if len(a.closed)+len(a.open) == 0 {
		for i := range b.output {
			a.itemDone(i, &b.output[i])
		}
	}
	for len(a.open) > 0 {
		a.close(a.open[0])
	}
	a.over = true
	a.add(conversation.Event{Kind: conversation.Finish, Reason: a.reason(b)})
}

func (a *assembler) reason(b *answerBody) conversation.Reason {
	switch {
	case b.incomplete == "content_filter":
		return conversation.Filtered
	case b.incomplete != "" || b.status == incomplete:
		return conversation.Length
	case a.calls > 0:
		return conversation.ToolCalls
	}
	return conversation.Stopped
}

// fail ends the answer. What is known of the fault may be nothing, nil.
func (a *assembler) fail(f *openaiapi.Fault) {
	a.over = true
	if f == nil {
		f = new(openaiapi.Fault)
	}
	a.add(conversation.Event{Kind: conversation.Failed, Failure: conversation.Failure{Code: string(f.Code(signs...))}})
}
