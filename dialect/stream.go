// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// position is where in a stream an error is to be written.
type position uint8

const (
	anywhere     position = iota // perhaps in the middle of an event or line
	betweenItems                 // at the start, or after a whole event or line
)

// framing is how a stream separates what it carries.
type framing uint8

const (
	noFraming framing = iota
	sse               // text/event-stream: events, each ended by an empty line
	ndjson            // one JSON value a line
)

// StreamEvent returns what to append to a stream that broke after its header was sent, so that the tool's SDK raises an
// error with the message instead of taking the answer for complete. It first ends an event or line that may have been
// cut. Nothing may follow it. It is nil where contentType is no stream that could carry an error (a plain JSON answer,
// gemini's JSON array); there the connection must be broken instead of the body being ended.
func (e *Error) StreamEvent(op Operation, contentType string) []byte {
	return e.streamEvent(op, contentType, anywhere)
}

// StreamEventAfter is StreamEvent for callers that know the last bytes of what was sent (4 are enough; none if nothing
// was). Between events it has no leading empty lines, over which some readers of JSON lines stumble.
func (e *Error) StreamEventAfter(op Operation, contentType string, tail []byte) []byte {
	at := anywhere
	if f := framingOf(contentType); len(tail) == 0 || f.endsItem(tail) {
		at = betweenItems
	}
	return e.streamEvent(op, contentType, at)
}

func (e *Error) streamEvent(op Operation, contentType string, at position) []byte {
	var b bytes.Buffer
	switch framingOf(contentType) {
	case sse:
		if at == anywhere {
			b.WriteString(endCutEvent(op.Protocol))
		}
		e.writeSSE(&b, op)
	case ndjson:
		if at == anywhere {
			b.WriteByte('\n')
		}
		b.Write(encode(e.shape(op.Protocol)))
		b.WriteByte('\n')
	default:
		return nil
	}
	return b.Bytes()
}

func framingOf(contentType string) framing {
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "text/event-stream":
		return sse
	case "application/x-ndjson", "application/ndjson", "application/jsonl":
		return ndjson
	default:
		return noFraming
	}
}

// endsItem reports whether a stream that ends in tail is between two items.
func (f framing) endsItem(tail []byte) bool {
	if f == ndjson {
		return bytes.HasSuffix(tail, []byte("\n"))
	}
	for _, end := range []string{"\n\n", "\r\n\r\n", "\r\r"} {
		if bytes.HasSuffix(tail, []byte(end)) {
			return true
		}
	}
	return false
}

// endCutEvent returns what ends an event that may be incomplete. In Claude's streams every event has a name and the
// last one given counts, so half an event becomes a ping, which readers skip; where nothing was cut it is a proper
// ping. In the others half an event reaches the reader, who fails on its JSON: an error too, if not with our message.
func endCutEvent(p service.Protocol) string {
	if p == service.Claude {
		return "\nevent: ping\ndata: {\"type\": \"ping\"}\n\n"
	}
	return "\n\n"
}

func (e *Error) writeSSE(b *bytes.Buffer, op Operation) {
	shape := encode(e.shape(op.Protocol))
	switch {
	case op.Protocol == service.Claude:
		writeEvent(b, "error", shape)
	case op.Protocol == service.Gemini:
		writeEvent(b, "", shape)
		// Readers that do not look for an error in an event (@google/genai to 2.28, Google's for Go) look for one beside
		// the events, as Google's own front end writes it, or fail because the stream ends in a line that is no event.
		b.Write(shape)
	case op.Kind == Responses:
		e.writeResponsesFailure(b)
	default:
		writeEvent(b, "", shape)
	}
}

// writeEvent writes one event of Server-Sent Events. The data is JSON on one line.
func writeEvent(b *bytes.Buffer, name string, data []byte) {
	if name != "" {
		b.WriteString("event: " + name + "\n")
	}
	b.WriteString("data: ")
	b.Write(data)
	b.WriteString("\n\n")
}

// Numbers of the two events that end a failed Responses stream. Which number the stream had reached is not known here,
// because nothing of it was parsed; these are above all that a stream reaches, so the order holds.
const (
	errorSequence  = 1<<31 - 2
	failedSequence = 1<<31 - 1
)

type (
	// responsesError is written in both ways that OpenAI has: flat as its reference says, and with an error object as
	// its service sends it, which is what the SDKs look for.
	responsesError struct {
		Type     string      `json:"type"`
		Code     Code        `json:"code"`
		Message  string      `json:"message"`
		Param    *string     `json:"param"`
		Sequence int         `json:"sequence_number"`
		Error    openAIError `json:"error"`
	}
	responsesFailed struct {
		Type     string         `json:"type"`
		Sequence int            `json:"sequence_number"`
		Response failedResponse `json:"response"`
	}
	failedResponse struct {
		ID         string       `json:"id"`
		Object     string       `json:"object"`
		CreatedAt  int64        `json:"created_at"`
		Status     string       `json:"status"`
		Error      failedReason `json:"error"`
		Incomplete *struct{}    `json:"incomplete_details"`
		Model      string       `json:"model"`
		Output     []struct{}   `json:"output"`
	}
	failedReason struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
)

// writeResponsesFailure writes the error event, on which SDKs raise, and then response.failed, which is what readers
// that follow the life of a response wait for. Only there is OpenAI's set of codes closed.
func (e *Error) writeResponsesFailure(b *bytes.Buffer) {
	inner := e.openAI()
	writeEvent(b, "error", encode(responsesError{
		Type: "error", Code: inner.Code, Message: inner.Message, Param: inner.Param, Sequence: errorSequence, Error: inner,
	}))
	reason := failedReason{Code: "server_error", Message: inner.Message}
	if e.status(service.OpenAI) == http.StatusTooManyRequests {
		reason.Code = "rate_limit_exceeded"
	}
	writeEvent(b, "response.failed", encode(responsesFailed{
		Type: "response.failed", Sequence: failedSequence,
		Response: failedResponse{Object: "response", Status: "failed", Error: reason, Output: []struct{}{}},
	}))
}
