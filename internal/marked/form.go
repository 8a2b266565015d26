// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package marked is for tests of what happens to answers when something fails: backends that write into each piece of
// an answer which one it belongs to, tools that ask for them, and an oracle that judges what the tools were told.
//
// [Backend] speaks every protocol, enough of each for client, exit and tool. Its pieces are [Mark]s: the number of the
// request, the backend, the attempt, the place. All backends of a network share a [Ledger] of what they were asked. A
// [Crowd] asks many requests at once, in all protocols. [Request.Wrongs] is the oracle: an answer is complete, broken or
// refused in a way that its protocol's tools understand; it never looks complete when it is not; it is not mixed of two;
// it is asked for nowhere else once it has begun, and answered to its end at most once.
//
// Everything is in memory and grows with the number of requests. It is not for anything but tests.
package marked

// Form is how a protocol's answers look.
type Form struct {
	Name, Path  string
	body        string // with a verb for the prompt
	contentType string
	begin       string
	piece       string // with a verb for text
	end         string
	whole       string // what only a complete answer has, once
	broken      string // what an answer has that is reported as broken; "" when only the connection can say so
}

// Forms are the four protocols and the Responses API, streamed, and a plain answer at the end.
func Forms() []*Form { return forms }

// Streamed are those of [Forms] that arrive piece by piece. Exits hold a plain answer until they have all of it.
func Streamed() []*Form { return forms[:len(forms)-1] }

var forms = []*Form{
	{
		Name: "openai", Path: "/v1/chat/completions", contentType: "text/event-stream",
		body:  `{"model":"m","stream":true,"messages":[{"role":"user","content":%q}]}`,
		piece: `data: {"id":"x","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":%q}}]}` + "\n\n",
		end:   `data: {"id":"x","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n",
		whole: "data: [DONE]", broken: `data: {"error":`,
	},
	{
		Name: "responses", Path: "/v1/responses", contentType: "text/event-stream",
		body: `{"model":"m","stream":true,"input":%q}`,
		begin: "event: response.created\n" +
			`data: {"type":"response.created","sequence_number":0,"response":{"id":"r","object":"response","status":"in_progress","model":"m","output":[]}}` + "\n\n",
		piece: "event: response.output_text.delta\n" +
			`data: {"type":"response.output_text.delta","sequence_number":1,"item_id":"i","output_index":0,"content_index":0,"delta":%q}` + "\n\n",
		end: "event: response.completed\n" +
			`data: {"type":"response.completed","sequence_number":2,"response":{"id":"r","object":"response","status":"completed","model":"m","output":[]}}` + "\n\n",
		whole: "event: response.completed", broken: `"type":"response.failed"`,
	},
	{
		Name: "claude", Path: "/v1/messages", contentType: "text/event-stream",
		body: `{"model":"m","max_tokens":100,"stream":true,"messages":[{"role":"user","content":%q}]}`,
		begin: "event: message_start\n" +
			`data: {"type":"message_start","message":{"id":"x","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}` + "\n\n" +
			"event: content_block_start\n" + `data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n",
		piece: "event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%q}}` + "\n\n",
		end:   "event: message_stop\n" + `data: {"type":"message_stop"}` + "\n\n",
		whole: "event: message_stop", broken: "event: error\n",
	},
	{
		Name: "gemini", Path: "/v1beta/models/m:streamGenerateContent?alt=sse", contentType: "text/event-stream",
		body:  `{"contents":[{"role":"user","parts":[{"text":%q}]}]}`,
		piece: `data: {"candidates":[{"content":{"role":"model","parts":[{"text":%q}]},"index":0}],"modelVersion":"m"}` + "\n\n",
		end:   `data: {"candidates":[{"content":{"role":"model","parts":[]},"index":0,"finishReason":"STOP"}],"modelVersion":"m"}` + "\n\n",
		whole: `"finishReason":"STOP"`, broken: `data: {"error":`,
	},
	{
		Name: "ollama", Path: "/api/chat", contentType: "application/x-ndjson",
		body:  `{"model":"m","messages":[{"role":"user","content":%q}]}`,
		piece: `{"model":"m","message":{"role":"assistant","content":%q},"done":false}` + "\n",
		end:   `{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}` + "\n",
		whole: `"done":true`, broken: `{"error":`,
	},
	{
		Name: "plain", Path: "/v1/completions", contentType: "application/json",
		body:  `{"model":"m","prompt":%q}`,
		begin: `{"id":"x","object":"text_completion","model":"m","choices":[{"index":0,"logprobs":[""`,
		piece: `,%q`,
		end:   `],"finish_reason":"stop","text":""}]}`,
		whole: `"finish_reason":"stop"`,
	},
}
