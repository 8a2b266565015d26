// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

// EncodeAnswer writes a whole answer.
func EncodeAnswer(_ dialect.Operation, req *conversation.Request, a *conversation.Answer) []byte {
	r := newResponse(req)
	r.begin(&conversation.Event{ID: a.ID, Model: a.Model, Created: a.Created})
	r.usage, r.reason = a.Usage, a.Reason
	for i := range a.Parts {
		p := &a.Parts[i]
		it := &outputItem{kind: p.Kind, logprobs: p.Logprobs, signature: p.Signature, redacted: p.Redacted, status: completed}
		it.text.WriteString(p.Text)
		if p.Kind == conversation.PartCall {
			it.callID, it.origin = p.Call.ID, r.originOf(p.Call.Name)
		}
		if it.empty() {
			continue
		}
		r.add(it)
		if c := it.carrier(); c != nil {
			r.add(c)
		}
	}
	status := r.status()
	if a.Failure.Code != "" {
		status, r.failure = failed, &dialect.Error{Code: dialect.Code(a.Failure.Code)}
	}
	if last := len(r.items) - 1; status == incomplete && last >= 0 {
		r.items[last].status = incomplete
	}
	var j jsonText
	r.write(&j, status)
	return j
}

// response is what is known of an answer.
type response struct {
	req     *conversation.Request
	origins map[string]origin
	id      string // without its prefix
	model   string
	created int64
	items   []*outputItem
	usage   conversation.Usage
	reason  conversation.Reason
	failure *dialect.Error
}

const responsePrefix = "resp_"

func newResponse(req *conversation.Request) response {
	r := response{req: req, origins: origins(req)}
	if req == nil {
		r.req = &conversation.Request{}
	}
	r.model = r.req.Model
	return r
}

// begin takes what the backend says; what it does not say stays as it was asked for, or is made up.
func (r *response) begin(e *conversation.Event) {
	const longest = maxNameLen - 16 // what comes before and after it in ids of items
	r.id = strings.TrimPrefix(e.ID, responsePrefix)
	switch {
	case r.id == "": // tools tell answers apart by their ids
		r.id = rand.Text()
	case len(r.id) > longest:
		r.id = digest(r.id, longest)
	}
	if e.Model != "" {
		r.model = e.Model
	}
	if r.created = e.Created; r.created == 0 {
		r.created = time.Now().Unix()
	}
}

func (r *response) originOf(name string) origin {
	if o, ok := r.origins[name]; ok {
		return o
	}
	return origin{kind: typeFunction, name: name}
}

// add gives an item its place.
func (r *response) add(it *outputItem) {
	it.output = len(r.items)
	it.id = it.idPrefix() + r.id + "_" + strconv.Itoa(it.output)
	r.items = append(r.items, it)
}

// status is how an answer that did not fail has ended.
func (r *response) status() string {
	if r.incompleteReason() != "" {
		return incomplete
	}
	return completed
}

func (r *response) incompleteReason() string {
	switch r.reason {
	case conversation.Length:
		return "max_output_tokens"
	case conversation.Filtered:
		return "content_filter"
	case conversation.Refused:
		for _, it := range r.items {
			if it.kind == conversation.PartRefusal {
				return ""
			}
		}
		return "content_filter"
	}
	return ""
}

// write writes the response object: the answer so far and what was asked for. It does not repeat instructions and tools,
// which tools have themselves.
func (r *response) write(j *jsonText, status string) {
	j.open('{')
	j.text("id", responsePrefix+r.id)
	j.text("object", "response")
	j.integer("created_at", r.created)
	j.text("status", status)
	j.raw("background", "false")
	r.writeError(j)
	j.name("incomplete_details")
	if reason := r.incompleteReason(); status == incomplete && reason != "" {
		j.open('{')
		j.text("reason", reason)
		j.close('}')
	} else {
		j.element("null")
	}
	j.raw("instructions", "null")
	j.name("max_output_tokens")
	j.element(number(r.req.MaxTokens))
	j.text("model", r.model)
	j.array("output")
	if status != inProgress {
		for _, it := range r.items {
			it.write(j, true)
		}
	}
	j.close(']')
	r.writeAsked(j)
	j.name("usage")
	if status == inProgress {
		j.element("null")
	} else {
		writeUsage(j, r.usage)
	}
	j.raw("user", "null")
	j.raw("metadata", "{}")
	j.close('}')
}

func number(n int) string {
	if n == 0 {
		return "null"
	}
	return strconv.Itoa(n)
}

// writeAsked repeats the settings of the request.
func (r *response) writeAsked(j *jsonText) {
	q := r.req
	j.boolean("parallel_tool_calls", q.Parallel == nil || *q.Parallel)
	j.raw("previous_response_id", "null")
	j.object("reasoning")
	effort := q.Reasoning.Effort
	if q.Reasoning.Mode == conversation.ReasoningOff {
		effort = "none"
	}
	nullable(j, "effort", effort)
	nullable(j, "summary", q.Reasoning.Summary)
	j.close('}')
	j.raw("store", "false")
	writeFloat(j, "temperature", q.Sampling.Temperature)
	j.object("text")
	j.object("format")
	switch q.Format.Kind {
	case conversation.FormatJSON:
		j.text("type", "json_object")
	case conversation.FormatSchema:
		j.text("type", "json_schema")
		j.text("name", q.Format.Name)
		j.raw("schema", string(q.Format.Schema))
		j.boolean("strict", q.Format.Strict != nil && *q.Format.Strict)
	default:
		j.text("type", "text")
	}
	j.close('}')
	j.close('}')
	r.writeChoice(j)
	j.raw("tools", "[]")
	j.integer("top_logprobs", int64(q.TopLogprobs))
	writeFloat(j, "top_p", q.Sampling.TopP)
	j.text("truncation", "disabled")
}

func (r *response) writeChoice(j *jsonText) {
	switch c := r.req.Choice; c.Mode {
	case conversation.ChoiceNamed:
		o := r.originOf(c.Name)
		j.object("tool_choice")
		j.text("type", o.kind)
		j.text("name", o.name)
		j.close('}')
	case conversation.ChoiceNone, conversation.ChoiceRequired:
		j.text("tool_choice", choiceNames[c.Mode])
	default:
		j.text("tool_choice", "auto")
	}
}

func nullable(j *jsonText, name, value string) {
	if value == "" {
		j.raw(name, "null")
		return
	}
	j.text(name, value)
}

// writeFloat writes a setting whose default is 1.
func writeFloat(j *jsonText, name string, value *float64) {
	f := 1.0
	if value != nil {
		f = *value
	}
	j.float(name, f)
}

func writeUsage(j *jsonText, u conversation.Usage) {
	j.open('{')
	j.integer("input_tokens", int64(u.Input))
	j.object("input_tokens_details")
	j.integer("cached_tokens", int64(u.CacheRead))
	j.integer("cache_write_tokens", int64(u.CacheWrite))
	j.close('}')
	j.integer("output_tokens", int64(u.Output))
	j.object("output_tokens_details")
	j.integer("reasoning_tokens", int64(u.Reasoning))
	j.close('}')
	j.integer("total_tokens", int64(u.Total()))
	j.close('}')
}

// writeError writes why the answer failed. OpenAI's set of codes is closed here.
func (r *response) writeError(j *jsonText) {
	if r.failure == nil {
		j.raw("error", "null")
		return
	}
	code := "server_error"
	if status, _, _ := r.failure.Response(dialect.Operation{Protocol: service.OpenAI}); status == http.StatusTooManyRequests {
		code = "rate_limit_exceeded"
	}
	j.object("error")
	j.text("code", code)
	j.text("message", r.failure.Code.Message())
	j.close('}')
}

func appendByte(dst []byte, b byte) []byte { return strconv.AppendUint(dst, uint64(b), 10) }
