// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
)

// Codecs read, and in two forms write, more than the SDKs do. What is here brings such answers into the form that the
// SDK knows, and changes nothing of what they say.

// tidy is the backend's answer without what codecs must read and its SDK need not: comments, CRLF, a last event without
// its end, an array instead of events, and what claudeStream and lastUsageOnly take care of.
func (g golden) tidy() []byte {
	answer := bytes.ReplaceAll(g.backendAnswer, []byte("\r\n"), []byte("\n"))
	answer = bytes.TrimPrefix(answer, []byte(": waiting\n\n"))
	if g.streamed {
		answer = events(answer)
	}
	end := "\n"
	if contentType(answer) == "text/event-stream" {
		end = "\n\n"
	}
	answer = append(bytes.TrimRight(answer, "\n"), end...)
	switch {
	case !g.streamed:
	case g.backend == "claude":
		answer = claudeStream(answer)
	case g.backend == "openai":
		answer = lastUsageOnly(answer)
	}
	return answer
}

var (
	claudeEvent = regexp.MustCompile(`(?m)^data: {"type":"([a-z_]+)".*$`)
	claudeZero  = regexp.MustCompile(`("type":"message_delta".*"usage":{)"input_tokens":0,`)
)

// claudeStream names events that are named in their data alone, and takes out a zero with which services that imitate
// Anthropic follow the count of input at the start.
func claudeStream(stream []byte) []byte {
	if !bytes.Contains(stream, []byte("event: ")) {
		stream = claudeEvent.ReplaceAll(stream, []byte("event: $1\n$0"))
	}
	return claudeZero.ReplaceAll(stream, []byte("$1"))
}

var chunkUsage = regexp.MustCompile(`,"usage":{[^{}]*}`)

// lastUsageOnly takes the usage out of all chunks of Chat Completions but the last one that has any: OpenAI's accumulator
// adds them up.
func lastUsageOnly(stream []byte) []byte {
	found := chunkUsage.FindAllIndex(stream, -1)
	if len(found) < 2 {
		return stream
	}
	last := found[len(found)-1][0]
	return append(chunkUsage.ReplaceAll(stream[:last:last], nil), stream[last:]...)
}

// events is a stream of Gemini's as events. Without alt=sse it is an array, which Google's SDK never asks for and cannot
// read; the elements are the same. An array that breaks off gives those that it has. What is no array stays as it is.
func events(stream []byte) []byte {
	if !bytes.HasPrefix(stream, []byte("[")) {
		return stream
	}
	elements := json.NewDecoder(bytes.NewReader(stream))
	_, _ = elements.Token() // the bracket
	var b bytes.Buffer
	for elements.More() {
		var e json.RawMessage
		if elements.Decode(&e) != nil {
			return stream // for the SDK to refuse
		}
		fmt.Fprintf(&b, "data: %s\n\n", compact(e))
	}
	return b.Bytes()
}

// batch is one embedding of Gemini's as a batch of one. Google's SDK always asks for batches.
func batch(answer []byte) []byte {
	var one struct {
		Embedding json.RawMessage `json:"embedding"`
	}
	if json.Unmarshal(answer, &one) != nil || one.Embedding == nil {
		return answer
	}
	return fmt.Appendf(nil, `{"embeddings":[%s]}`, one.Embedding)
}
