// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"maps"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// Answers that only some backends give, or that are worth a case for one field. The keys are those of replies.

func init() {
	for backend, more := range map[string]replies{
		"openai": openaiCases(), "claude": claudeCases(), "gemini": geminiCases(), "ollama": ollamaCases(),
	} {
		maps.Copy(answers[backend], more)
		if _, fills := more["fill"]; !fills { // which is refused
			answers[backend]["fill"] = answers[backend]["text"]
		}
	}
}

// wireName is the name of the function [dotted] as a backend knows it that takes names of at most so many characters.
func wireName(longest int) string { return conversation.NameRule{Longest: longest}.Name(dotted) }

const tokens = `[{"token":"Hi","logprob":-0.25,"bytes":[72,105],"top_logprobs":[{"token":"Hi","logprob":-0.25,"bytes":[72,105]}]}]`

func openaiCases() replies {
	const head = `{"id":"chatcmpl-1","created":1700000000,"model":"backend-model-1",`
	usage := func(n string) string {
		return `"usage":{"prompt_tokens":20,"completion_tokens":` + n + `,"total_tokens":20}`
	}
	answer := func(choice string) string {
		return head + `"object":"chat.completion","choices":[{"index":0,` + choice + `}],` + usage("9") + "}\n"
	}
	chunk := func(choice, more string) string {
		return head + `"object":"chat.completion.chunk","choices":[{"index":0,` + choice + `}]` + more + "}"
	}
	stream := func(deltas ...string) string {
		var list []string
		for _, d := range deltas {
			list = append(list, chunk(d, ""))
		}
		return data(append(list, head+`"object":"chat.completion.chunk","choices":[],`+usage("9")+"}", "[DONE]")...)
	}
	const hi, stop = `"content":"Hi"`, `"finish_reason":"stop"`
	call := func(name string) string {
		return `"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"` + name + `","arguments":"{}"}}]`
	}
	return replies{
		"stopseq":  {answer(`"message":{"role":"assistant",` + hi + `},` + stop + `,"stop_reason":"END"`), stream(`"delta":{`+hi+`}`, `"delta":{},`+stop+`,"stop_reason":"END"`)},
		"logprobs": {answer(`"message":{"role":"assistant",` + hi + `},` + stop + `,"logprobs":{"content":` + tokens + `,"refusal":null}`), stream(`"delta":{`+hi+`},"logprobs":{"content":`+tokens+`,"refusal":null}`, `"delta":{},"logprobs":null,`+stop)},
		"refusal":  {answer(`"message":{"role":"assistant","content":null,"refusal":"I cannot."},` + stop), stream(`"delta":{"role":"assistant","refusal":"I can"}`, `"delta":{"refusal":"not."}`, `"delta":{},`+stop)},
		"thinkcall": {
			answer(`"message":{"role":"assistant","reasoning_content":"Hm.","content":"Let me see.",` + call("now") + `},"finish_reason":"tool_calls"`),
			stream(`"delta":{"reasoning_content":"Hm."}`, `"delta":{"content":"Let me see."}`, `"delta":{`+call("now")+`}`, `"delta":{},"finish_reason":"tool_calls"`),
		},
		"counts": {"", data(chunk(`"delta":{"content":"a"}`, ","+usage("1")), chunk(`"delta":{"content":"b"}`, ","+usage("2")), chunk(`"delta":{},`+stop, ","+usage("2")), "[DONE]")},
		"empty":  {answer(`"message":{"role":"assistant","content":""},` + stop), stream(`"delta":{"role":"assistant","content":""}`, `"delta":{},`+stop)},
		"dotted": {answer(`"message":{"content":null,` + call(wireName(64)) + `},"finish_reason":"tool_calls"`), stream(`"delta":{`+call(wireName(64))+`}`, `"delta":{},"finish_reason":"tool_calls"`)},
	}
}

func claudeCases() replies {
	const use = `"usage":{"input_tokens":20,"output_tokens":9}`
	answer := func(content, end string) string {
		return `{"id":"msg_1","type":"message","role":"assistant","model":"backend-model-1","content":[` + content + `],` + end + `,` + use + "}\n"
	}
	start := `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"backend-model-1","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":20,"output_tokens":1}}}`
	stream := func(end, usage string, events ...string) string {
		return data(append(append([]string{start}, events...), `{"type":"message_delta","delta":{`+end+`},`+usage+`}`, `{"type":"message_stop"}`)...)
	}
	block := func(i, b string, deltas ...string) string {
		list := []string{`{"type":"content_block_start","index":` + i + `,"content_block":` + b + `}`}
		for _, d := range deltas {
			list = append(list, `{"type":"content_block_delta","index":`+i+`,"delta":`+d+`}`)
		}
		return strings.Join(append(list, `{"type":"content_block_stop","index":`+i+`}`), "\n\ndata: ")
	}
	text := func(s string) string { return `{"type":"text","text":"` + s + `"}` }
	said := func(i, s string) string { return block(i, text(""), `{"type":"text_delta","text":"`+s+`"}`) }
	call := func(name string) string {
		return `{"type":"tool_use","id":"toolu_a","name":"` + name + `","input":{}}`
	}
	const met, used = `"stop_reason":"stop_sequence","stop_sequence":"END"`, `"stop_reason":"tool_use","stop_sequence":null`
	const no = `"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":"cyber","explanation":"secret"}`
	const signed = `"signature":"c2lnbmVk+/=="`
	return replies{
		"stopseq": {answer(text("Hi"), met), stream(met, use, said("0", "Hi"))},
		"refusal": {answer("", no), stream(no, use)},
		"thinkcall": {
			answer(`{"type":"thinking","thinking":"Hm.",`+signed+`},`+text("Let me see.")+","+call("now"), used),
			stream(used, use, block("0", `{"type":"thinking","thinking":"","signature":""}`, `{"type":"thinking_delta","thinking":"Hm."}`, `{"type":"signature_delta",`+signed+`}`), said("1", "Let me see."), block("2", call("now"), `{"type":"input_json_delta","partial_json":""}`)),
		},
		"counts": {"", stream(`"stop_reason":"end_turn"`, `"usage":{"input_tokens":0,"output_tokens":2}`, said("0", "ab"))},
		"empty":  {answer("", `"stop_reason":"end_turn"`), stream(`"stop_reason":"end_turn"`, use)},
		"dotted": {answer(call(wireName(128)), used), stream(used, use, block("0", call(wireName(128))))},
	}
}

func geminiCases() replies {
	const head = `"modelVersion":"backend-model-1","responseId":"resp-1"`
	usage := func(n string) string {
		return `"usageMetadata":{"promptTokenCount":20,"candidatesTokenCount":` + n + `,"totalTokenCount":29}`
	}
	answer := func(parts, more string) string {
		return `{"candidates":[{"content":{"role":"model","parts":[` + parts + `]},"index":0` + more + `}],` + usage("9") + "," + head + "}\n"
	}
	piece := func(parts, more, n string) string {
		return `{"candidates":[{"content":{"role":"model","parts":[` + parts + `]},"index":0` + more + `}],` + usage(n) + "," + head + "}"
	}
	const stop = `,"finishReason":"STOP"`
	stream := func(parts ...string) string {
		var list []string
		for _, p := range parts {
			list = append(list, piece(p, "", "1"))
		}
		return data(append(list, piece(`{"text":""}`, stop, "9"))...)
	}
	const probs = `,"avgLogprobs":-0.25,"logprobsResult":{"topCandidates":[{"candidates":[{"token":"Hi","tokenId":1,"logProbability":-0.25}]}],"chosenCandidates":[{"token":"Hi","tokenId":1,"logProbability":-0.25}]}`
	const blocked = `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":20,"totalTokenCount":20},` + head + "}"
	const thought, hi = `{"text":"Hm.","thought":true}`, `{"text":"Hi"}`
	call := `{"functionCall":{"id":"fc_1","name":"now","args":{}},"thoughtSignature":"c2lnbmVk+/=="}`
	return replies{
		"stopseq":   {answer(hi, stop), stream(hi)},
		"logprobs":  {answer(hi, probs+stop), data(piece(hi, probs, "1"), piece(`{"text":""}`, stop, "9"))},
		"refusal":   {blocked + "\n", data(blocked)},
		"thinkcall": {answer(thought+`,{"text":"Let me see."},`+call, stop), stream(thought, `{"text":"Let me see."}`, call)},
		"counts":    {"", data(piece(`{"text":"a"}`, "", "1"), piece(`{"text":"b"}`, "", "2"), piece(`{"text":"c"}`, stop, "3"))},
		"empty":     {answer("", stop), data(`{"candidates":[{"finishReason":"STOP","index":0}],` + usage("0") + "," + head + "}")},
		"dotted":    {answer(`{"functionCall":{"name":"`+dotted+`","args":{}}}`, stop), stream(`{"functionCall":{"name":"` + dotted + `","args":{}}}`)},
	}
}

func ollamaCases() replies {
	const head = `{"model":"backend-model-1","created_at":"2023-11-14T22:13:20.5Z",`
	const end = `"done":true,"done_reason":"stop","total_duration":5000000,"prompt_eval_count":20,"eval_count":9}` + "\n"
	line := func(message, more string) string {
		return head + `"message":{"role":"assistant",` + message + `}` + more + `,"done":false}` + "\n"
	}
	answer := func(message, more string) string {
		return head + `"message":{"role":"assistant",` + message + `}` + more + "," + end
	}
	last := answer(`"content":""`, "")
	const hi, probs = `"content":"Hi"`, `,"logprobs":` + tokens
	call := func(name string) string {
		return `"tool_calls":[{"function":{"name":"` + name + `","arguments":{}}}]`
	}
	return replies{
		"stopseq":   {answer(hi, ""), line(hi, "") + last},
		"logprobs":  {answer(hi, probs), line(hi, probs) + last},
		"thinkcall": {answer(`"thinking":"Hm.","content":"Let me see.",`+call("now"), ""), line(`"content":"","thinking":"Hm."`, "") + line(`"content":"Let me see."`, "") + line(`"content":"",`+call("now"), "") + last},
		"counts":    {"", line(`"content":"a"`, "") + last},
		"empty":     {last, last},
		"dotted":    {answer(`"content":"",`+call(dotted), ""), line(`"content":"",`+call(dotted), "") + last},
		"fill":      {head + `"response":"upon a time",` + end, head + `"response":"upon","done":false}` + "\n" + head + `"response":"",` + end},
	}
}
