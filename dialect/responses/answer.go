// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/dialect/wire"
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
	var j wire.JSON
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
	const longest = maxIDLen - 16 // what comes before and after it in ids of items
	r.id = strings.TrimPrefix(e.ID, responsePrefix)
	switch {
	case r.id == "": // tools tell answers apart by their ids
		r.id = rand.Text()
	case len(r.id) > longest:
		r.id = openaiapi.Digest(r.id, longest)
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
func (r *response) write(j *wire.JSON, status string) {
	j.Open('{')
	j.TextMember("id", responsePrefix+r.id)
	j.TextMember("object", "response")
	j.IntMember("created_at", r.created)
	j.TextMember("status", status)
	j.RawMember("background", "false")
	r.writeError(j)
	j.Name("incomplete_details")
	if reason := r.incompleteReason(); status == incomplete && reason != "" {
		j.Open('{')
		j.TextMember("reason", reason)
		j.Close('}')
	} else {
		j.Raw("null")
	}
	j.RawMember("instructions", "null")
	j.Name("max_output_tokens")
	j.Raw(number(r.req.MaxTokens))
	j.TextMember("model", r.model)
	j.Array("output")
	if status != inProgress {
		for _, it := range r.items {
			it.write(j, true)
		}
	}
	j.Close(']')
	r.writeAsked(j)
	j.Name("usage")
	if status == inProgress {
		j.Raw("null")
	} else {
		writeUsage(j, r.usage)
	}
	j.RawMember("user", "null")
	j.RawMember("metadata", "{}")
	j.Close('}')
}

func number(n int) string {
	if n == 0 {
		return "null"
	}
	return strconv.Itoa(n)
}

// writeAsked repeats the settings of the request.
func (r *response) writeAsked(j *wire.JSON) {
	q := r.req
	j.BoolMember("parallel_tool_calls", q.Parallel == nil || *q.Parallel)
	j.RawMember("previous_response_id", "null")
	j.Object("reasoning")
	effort := q.Reasoning.Effort
	if q.Reasoning.Mode == conversation.ReasoningOff {
		effort = "none"
	}
	nullable(j, "effort", effort)
	nullable(j, "summary", q.Reasoning.Summary)
	j.Close('}')
	j.RawMember("store", "false")
	writeFloat(j, "temperature", q.Sampling.Temperature)
	j.Object("text")
	j.Object("format")
	switch q.Format.Kind {
	case conversation.FormatJSON:
		j.TextMember("type", "json_object")
	case conversation.FormatSchema:
		j.TextMember("type", "json_schema")
		j.TextMember("name", q.Format.Name)
		j.RawMember("schema", oneLine(q.Format.Schema))
		j.BoolMember("strict", q.Format.Strict != nil && *q.Format.Strict)
	default:
		j.TextMember("type", "text")
	}
	j.Close('}')
	j.Close('}')
	r.writeChoice(j)
	j.RawMember("tools", "[]")
	j.IntMember("top_logprobs", int64(q.TopLogprobs))
	writeFloat(j, "top_p", q.Sampling.TopP)
	j.TextMember("truncation", "disabled")
}

func (r *response) writeChoice(j *wire.JSON) {
	switch c := r.req.Choice; c.Mode {
	case conversation.ChoiceNamed:
		o := r.originOf(c.Name)
		j.Object("tool_choice")
		j.TextMember("type", o.kind)
		j.TextMember("name", o.name)
		j.Close('}')
	case conversation.ChoiceNone, conversation.ChoiceRequired:
		j.TextMember("tool_choice", choiceNames[c.Mode])
	default:
		j.TextMember("tool_choice", "auto")
	}
}

func nullable(j *wire.JSON, name, value string) {
	if value == "" {
		j.RawMember(name, "null")
		return
	}
	j.TextMember(name, value)
}

// writeFloat writes a setting whose default is 1.
func writeFloat(j *wire.JSON, name string, value *float64) {
	f := 1.0
	if value != nil {
		f = *value
	}
	j.FloatMember(name, f)
}

func writeUsage(j *wire.JSON, u conversation.Usage) {
	j.Open('{')
	j.IntMember("input_tokens", int64(u.Input))
	j.Object("input_tokens_details")
	j.IntMember("cached_tokens", int64(u.CacheRead))
	j.IntMember("cache_write_tokens", int64(u.CacheWrite))
	j.Close('}')
	j.IntMember("output_tokens", int64(u.Output))
	j.Object("output_tokens_details")
	j.IntMember("reasoning_tokens", int64(u.Reasoning))
	j.Close('}')
	j.IntMember("total_tokens", int64(u.Total()))
	j.Close('}')
}

// writeError writes why the answer failed. OpenAI's set of codes is closed here.
func (r *response) writeError(j *wire.JSON) {
	if r.failure == nil {
		j.RawMember("error", "null")
		return
	}
	code := "server_error"
	if status, _, _ := r.failure.Response(dialect.Operation{Protocol: service.OpenAI}); status == http.StatusTooManyRequests {
		code = "rate_limit_exceeded"
	}
	j.Object("error")
	j.TextMember("code", code)
	j.TextMember("message", r.failure.Code.Message())
	j.Close('}')
}

func appendByte(dst []byte, b byte) []byte { return strconv.AppendUint(dst, uint64(b), 10) }

// oneLine is JSON as the data of an event can hold it.
func oneLine(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return "null"
	}
	return b.String()
}
