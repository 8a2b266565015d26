// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"strings"
	"testing"

	"github.com/tokengo/tokengo/service"
)

func protocolOf(t *testing.T, name string) service.Protocol {
	t.Helper()
	p, err := service.ParseProtocol(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// replies are a backend's answers, by what is in them: whole and streamed.
type replies map[string][2]string

func (r replies) of(key string, streamed bool) string {
	if streamed {
		return r[key][1]
	}
	return r[key][0]
}

var answers = map[string]replies{
	"openai": openaiAnswers(), "claude": claudeAnswers(), "gemini": geminiAnswers(), "ollama": ollamaAnswers(),
}

// data are events of one line each.
func data(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString("data: " + e + "\n\n")
	}
	return b.String()
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// unended is a stream of which the last line has no end.
func unended(s string) string { return strings.TrimRight(s, "\r\n") }

func openaiAnswers() replies {
	const usage = `"usage":{"prompt_tokens":20,"completion_tokens":9,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":4}}`
	const head = `"id":"chatcmpl-1","created":1700000000,"model":"backend-model-1"`
	answer := func(message, finish string) string {
		return `{` + head + `,"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",` + message + `},"finish_reason":"` + finish + `"}],` + usage + "}\n"
	}
	chunk := func(delta, finish string) string {
		if finish != "null" {
			finish = `"` + finish + `"`
		}
		return data(`{` + head + `,"object":"chat.completion.chunk","choices":[{"index":0,"delta":{` + delta + `},"finish_reason":` + finish + `}]}`)
	}
	stream := func(finish string, deltas ...string) string {
		var b strings.Builder
		for _, d := range deltas {
			b.WriteString(chunk(d, "null"))
		}
		return b.String() + chunk("", finish) + data(`{`+head+`,"object":"chat.completion.chunk","choices":[],`+usage+`}`, "[DONE]")
	}
	call := func(index, id, name, arguments string) string {
		return `{"index":` + index + `,"id":"` + id + `","type":"function","function":{"name":"` + name + `","arguments":"` + arguments + `"}}`
	}
	more := func(index, arguments string) string {
		return `"tool_calls":[{"index":` + index + `,"function":{"arguments":"` + arguments + `"}}]`
	}
	const oslo, rome = `{\"city\":\"Oslo\"}`, `{\"city\":\"Rome\"}`
	return replies{
		"text":       {answer(`"content":"Hello, world"`, "stop"), stream("stop", `"role":"assistant","content":""`, `"content":"Hello"`, `"content":", world"`)},
		"calls":      {answer(`"content":null,"tool_calls":[`+call("0", "call_a", "weather", oslo)+`,`+call("1", "call_b", "weather", rome)+`]`, "tool_calls"), stream("tool_calls", `"tool_calls":[`+call("0", "call_a", "weather", "")+`]`, `"tool_calls":[`+call("1", "call_b", "weather", "")+`]`, more("0", `{\"city\":`), more("1", `{\"city\":`), more("0", `\"Oslo\"}`), more("1", `\"Rome\"}`))},
		"textcall":   {answer(`"content":"Let me look.","tool_calls":[`+call("0", "call_a", "weather", oslo)+`]`, "stop"), stream("stop", `"role":"assistant","content":"Let me look."`, `"tool_calls":[`+call("0", "call_a", "weather", oslo)+`]`)},
		"noargs":     {answer(`"content":null,"tool_calls":[`+call("0", "call_a", "now", "")+`]`, "tool_calls"), stream("tool_calls", `"role":"assistant","content":null,"tool_calls":[`+call("0", "call_a", "now", "")+`]`)},
		"length":     {answer(`"content":"Once upon"`, "length"), stream("length", `"role":"assistant","content":"Once"`, `"content":" upon"`)},
		"lengthcall": {"", stream("length", `"tool_calls":[`+call("0", "call_a", "weather", oslo)+`]`)},
		"filtered":   {answer(`"content":"I"`, "content_filter"), stream("content_filter", `"role":"assistant","content":"I"`)},
		"json":       {answer(`"content":"{\"city\":\"Oslo\"}"`, "stop"), stream("stop", `"role":"assistant","content":"{\"city\":"`, `"content":"\"Oslo\"}"`)},
		"thinking":   {answer(`"reasoning_content":"Hm, so.","content":"Yes."`, "stop"), stream("stop", `"role":"assistant","reasoning_content":"Hm,"`, `"reasoning_content":" so."`, `"content":"Yes."`)},
		"failed":     {`{"error":{"message":"secret","type":"rate_limit_error","code":429}}` + "\n", chunk(`"role":"assistant","content":"Hel"`, "null") + data(`{"error":{"message":"secret","type":"server_error"}}`)},
		"cut":        {`{"id":"chatcmpl-1","choices":[{"index":0,"mess` + "\n", chunk(`"role":"assistant","content":"Hel"`, "null")},
		"split":      {"", unended(crlf(": waiting\n\n" + stream("stop", `"role":"assistant","content":"Grüße, "`, `"content":"世界 🌍"`)))},
	}
}

func claudeAnswers() replies {
	const use = `"input_tokens":13,"cache_creation_input_tokens":2,"cache_read_input_tokens":5`
	answer := func(content, reason string) string {
		return `{"id":"msg_1","type":"message","role":"assistant","model":"backend-model-1","content":[` + content + `],"stop_reason":"` + reason + `","stop_sequence":null,"usage":{` + use + `,"output_tokens":9}}` + "\n"
	}
	events := func(list ...string) string {
		var b strings.Builder
		for _, e := range list {
			kind, _, _ := strings.Cut(strings.TrimPrefix(e, `{"type":"`), `"`)
			b.WriteString("event: " + kind + "\n" + data(e))
		}
		return b.String()
	}
	const start = `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"backend-model-1","content":[],"stop_reason":null,"stop_sequence":null,"usage":{` + use + `,"output_tokens":1}}}`
	block := func(i, b string) string {
		return `{"type":"content_block_start","index":` + i + `,"content_block":` + b + `}`
	}
	delta := func(i, d string) string {
		return `{"type":"content_block_delta","index":` + i + `,"delta":{"type":` + d + `}}`
	}
	text := func(i, s string) string { return delta(i, `"text_delta","text":"`+s+`"`) }
	args := func(i, s string) string { return delta(i, `"input_json_delta","partial_json":"`+s+`"`) }
	stop := func(i string) string { return `{"type":"content_block_stop","index":` + i + `}` }
	stream := func(reason string, list ...string) string {
		return events(append(append([]string{start, `{"type":"ping"}`}, list...), `{"type":"message_delta","delta":{"stop_reason":"`+reason+`","stop_sequence":null},"usage":{`+use+`,"output_tokens":9}}`, `{"type":"message_stop"}`)...)
	}
	call := func(id, name, input string) string {
		return `{"type":"tool_use","id":"` + id + `","name":"` + name + `","input":` + input + `}`
	}
	const empty, oslo, rome = `{"type":"text","text":""}`, `{"city":"Oslo"}`, `{"city":"Rome"}`
	said := func(s string) string { return `{"type":"text","text":"` + s + `"}` }
	return replies{
		"text":       {answer(said("Hello, world"), "end_turn"), stream("end_turn", block("0", empty), text("0", "Hello"), text("0", ", world"), stop("0"))},
		"calls":      {answer(call("toolu_a", "weather", oslo)+","+call("toolu_b", "weather", rome), "tool_use"), stream("tool_use", block("0", call("toolu_a", "weather", "{}")), block("1", call("toolu_b", "weather", "{}")), args("0", `{\"city\":`), args("1", `{\"city\":`), args("0", `\"Oslo\"}`), stop("0"), args("1", `\"Rome\"}`), stop("1"))},
		"textcall":   {answer(said("Let me look.")+","+call("toolu_a", "weather", oslo), "tool_use"), stream("tool_use", block("0", empty), text("0", "Let me look."), stop("0"), block("1", call("toolu_a", "weather", "{}")), args("1", ""), args("1", `{\"city\":\"Oslo\"}`), stop("1"))},
		"noargs":     {answer(call("toolu_a", "now", "{}"), "tool_use"), stream("tool_use", block("0", call("toolu_a", "now", "{}")), args("0", ""), stop("0"))},
		"length":     {answer(said("Once upon"), "max_tokens"), stream("max_tokens", block("0", empty), text("0", "Once"), text("0", " upon"), stop("0"))},
		"lengthcall": {"", stream("max_tokens", block("0", call("toolu_a", "weather", "{}")), args("0", `{\"city\":\"Oslo\"}`), stop("0"))},
		"filtered":   {answer(said("I"), "refusal"), stream("refusal", block("0", empty), text("0", "I"), stop("0"))},
		"json":       {answer(said(`{\"city\":\"Oslo\"}`), "end_turn"), stream("end_turn", block("0", empty), text("0", `{\"city\":`), text("0", `\"Oslo\"}`), stop("0"))},
		"thinking":   {answer(`{"type":"thinking","thinking":"Hm, so.","signature":"c2lnbmVk+/=="},{"type":"redacted_thinking","data":"cmVk+/=="},`+said("Yes."), "end_turn"), stream("end_turn", block("0", `{"type":"thinking","thinking":"","signature":""}`), delta("0", `"thinking_delta","thinking":"Hm,"`), delta("0", `"thinking_delta","thinking":" so."`), delta("0", `"signature_delta","signature":"c2lnbmVk+/=="`), stop("0"), block("1", `{"type":"redacted_thinking","data":"cmVk+/=="}`), stop("1"), block("2", empty), text("2", "Yes."), stop("2"))},
		"failed":     {`{"type":"error","error":{"type":"rate_limit_error","message":"secret"}}` + "\n", events(start, block("0", empty), text("0", "Hel"), `{"type":"error","error":{"type":"overloaded_error","message":"secret"}}`)},
		"cut":        {`{"id":"msg_1","type":"message","content":[{"type":"te` + "\n", events(start, block("0", empty), text("0", "Hel"))},
		"split":      {"", unended(crlf(": waiting\n\n" + stream("end_turn", block("0", empty), text("0", "Grüße, "), text("0", "世界 🌍"), stop("0"))))},
	}
}

func geminiAnswers() replies {
	const usage = `"usageMetadata":{"promptTokenCount":20,"cachedContentTokenCount":5,"candidatesTokenCount":5,"thoughtsTokenCount":4,"totalTokenCount":29}`
	const head = `"modelVersion":"backend-model-1","responseId":"resp-1"`
	answer := func(parts, reason string) string {
		return `{"candidates":[{"content":{"role":"model","parts":[` + parts + `]},"finishReason":"` + reason + `","index":0}],` + usage + `,` + head + "}\n"
	}
	piece := func(parts string) string {
		return data(`{"candidates":[{"content":{"role":"model","parts":[` + parts + `]},"index":0}],"usageMetadata":{"promptTokenCount":20,"totalTokenCount":20},` + head + `}`)
	}
	stream := func(reason string, list ...string) string {
		var b strings.Builder
		for _, parts := range list {
			b.WriteString(piece(parts))
		}
		return b.String() + data(strings.TrimSpace(answer(`{"text":""}`, reason)))
	}
	text := func(s string) string { return `{"text":"` + s + `"}` }
	call := func(city string) string {
		return `{"functionCall":{"name":"weather","args":{"city":"` + city + `"}}}`
	}
	signed := strings.TrimSuffix(call("Oslo"), "}") + `,"thoughtSignature":"c2lnbmVk+/=="}`
	return replies{
		"text":       {answer(text("Hello, world"), "STOP"), stream("STOP", text("Hello"), text(", world"))},
		"calls":      {answer(call("Oslo")+","+call("Rome"), "STOP"), stream("STOP", call("Oslo"), call("Rome"))},
		"textcall":   {answer(text("Let me look.")+","+signed, "STOP"), stream("STOP", text("Let me look."), signed)},
		"noargs":     {answer(`{"functionCall":{"name":"now"}}`, "STOP"), stream("STOP", `{"functionCall":{"name":"now"}}`)},
		"length":     {answer(text("Once upon"), "MAX_TOKENS"), stream("MAX_TOKENS", text("Once"), text(" upon"))},
		"lengthcall": {"", stream("MAX_TOKENS", call("Oslo"))},
		"filtered":   {answer(text("I"), "SAFETY"), stream("SAFETY", text("I"))},
		"json":       {answer(text(`{\"city\":\"Oslo\"}`), "STOP"), stream("STOP", text(`{\"city\":`), text(`\"Oslo\"}`))},
		"thinking":   {answer(`{"text":"Hm, so.","thought":true},{"text":"Yes.","thoughtSignature":"c2lnbmVk+/=="}`, "STOP"), stream("STOP", `{"text":"Hm,","thought":true}`, `{"text":" so.","thought":true}`, `{"text":"Yes.","thoughtSignature":"c2lnbmVk+/=="}`)},
		"failed":     {`{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"secret","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}}` + "\n", piece(text("Hel")) + data(`{"error":{"code":503,"status":"UNAVAILABLE","message":"secret"}}`)},
		"cut":        {`{"candidates":[{"content":{"par` + "\n", piece(text("Hel"))},
		"split":      {"", unended(crlf(": waiting\n\n" + stream("STOP", text("Grüße, "), text("世界 🌍"))))},
	}
}

func ollamaAnswers() replies {
	const head = `"model":"backend-model-1","created_at":"2023-11-14T22:13:20.5Z"`
	const usage = `"total_duration":5000000,"load_duration":1000000,"prompt_eval_count":20,"prompt_eval_duration":2000000,"eval_count":9,"eval_duration":2000000`
	line := func(message string) string {
		return `{` + head + `,"message":{"role":"assistant",` + message + `},"done":false}` + "\n"
	}
	answer := func(message, reason string) string {
		return `{` + head + `,"message":{"role":"assistant",` + message + `},"done":true,"done_reason":"` + reason + `",` + usage + "}\n"
	}
	stream := func(reason string, list ...string) string {
		var b strings.Builder
		for _, m := range list {
			b.WriteString(line(m))
		}
		return b.String() + answer(`"content":""`, reason)
	}
	text := func(s string) string { return `"content":"` + s + `"` }
	call := func(city string) string {
		return `{"function":{"name":"weather","arguments":{"city":"` + city + `"}}}`
	}
	calls := func(list string) string { return `"content":"","tool_calls":[` + list + `]` }
	const now = `"content":"","tool_calls":[{"function":{"name":"now","arguments":{}}}]`
	return replies{
		"text":       {answer(text("Hello, world"), "stop"), stream("stop", text("Hello"), text(", world"))},
		"calls":      {answer(calls(call("Oslo")+","+call("Rome")), "stop"), stream("stop", calls(call("Oslo")), calls(call("Rome")))},
		"textcall":   {answer(`"content":"Let me look.","tool_calls":[`+call("Oslo")+`]`, "stop"), stream("stop", text("Let me look."), calls(call("Oslo")))},
		"noargs":     {answer(now, "stop"), stream("stop", now)},
		"length":     {answer(text("Once upon"), "length"), stream("length", text("Once"), text(" upon"))},
		"lengthcall": {"", stream("length", calls(call("Oslo")))},
		"filtered":   {answer(text("I"), "stop"), stream("stop", text("I"))},
		"json":       {answer(text(`{\"city\":\"Oslo\"}`), "stop"), stream("stop", text(`{\"city\":`), text(`\"Oslo\"}`))},
		"thinking":   {answer(`"content":"Yes.","thinking":"Hm, so."`, "stop"), stream("stop", `"content":"","thinking":"Hm,"`, `"content":"","thinking":" so."`, text("Yes."))},
		"failed":     {`{"error":"secret"}` + "\n", line(text("Hel")) + `{"error":"secret"}` + "\n"},
		"cut":        {`{"model":"backend-model-1","mess` + "\n", line(text("Hel"))},
		"split":      {"", unended(crlf(stream("stop", text("Grüße, "), text("世界 🌍"))))},
	}
}
