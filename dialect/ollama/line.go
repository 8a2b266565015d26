// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"bytes"
	"time"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/dialect/wire"
)

// line is one line of a stream, or a whole answer. The answers to /api/chat and to /api/generate differ in where the
// text is.
type line struct {
	model    string
	created  time.Time
	known    bool // it has a field that answers have
	thinking string
	content  string
	calls    []lineCall
	logprobs []conversation.Logprob
	done     bool
	more     bool // it says that more is to come
	reason   string
	usage    conversation.Usage
	failed   bool
	status   int // of an error
}

type lineCall struct {
	id, name  string
	arguments []byte // within the line
}

// parse reads a line. What all lines repeat is read only if it is the first.
func (l *line) parse(data []byte, first bool) error {
	*l = line{}
	p := wire.Parse(data)
	isObject := p.Object(func(key []byte) {
		switch string(key) {
		case "model", "created_at":
			if first {
				l.headMember(p, key)
			}
		default:
			l.member(p, key)
		}
	})
	if err := p.End(); err != nil {
		return err
	}
	if !isObject {
		return wire.ErrJSON
	}
	return nil
}

func (l *line) headMember(p *wire.Parser, key []byte) {
	if string(key) == "model" {
		l.model = p.String()
		return
	}
	if t, err := time.Parse(time.RFC3339Nano, p.String()); err == nil {
		l.created = t
	}
}

func (l *line) member(p *wire.Parser, key []byte) {
	switch string(key) {
	case "message":
		l.known = p.Object(func(key []byte) { l.messageMember(p, key) }) || l.known
	case "response":
		l.known = true
		l.content = p.String()
	case "thinking", "tool_calls":
		l.messageMember(p, key)
	case "logprobs":
		l.logprobs = openaiapi.ReadLogprobs(p)
	case "done":
		l.known = true
		l.done = p.Bool()
		l.more = !l.done
	case "done_reason":
		l.reason = p.String()
	case "prompt_eval_count":
		l.usage.Input = p.Int()
	case "eval_count":
		l.usage.Output = p.Int()
	case "error":
		l.failed = p.Kind() != wire.NullValue && (p.Kind() != wire.StringValue || p.String() != "")
	case "status", "status_code":
		l.status = p.Int()
	}
}

func (l *line) messageMember(p *wire.Parser, key []byte) {
	switch string(key) {
	case "content":
		l.content = p.String()
	case "thinking":
		l.thinking = p.String()
	case "tool_calls":
		p.Array(func(int) { l.call(p) })
	}
}

func (l *line) call(p *wire.Parser) {
	var c lineCall
	p.Object(func(key []byte) {
		switch string(key) {
		case "id":
			c.id = p.String()
		case "function":
			p.Object(func(key []byte) {
				switch string(key) {
				case "name":
					c.name = p.String()
				case "arguments":
					c.arguments = readArguments(p)
				}
			})
		}
	})
	if c.name != "" {
		l.calls = append(l.calls, c)
	}
}

// readArguments reads the arguments of a call. Some servers write the object as a text.
func readArguments(p *wire.Parser) []byte {
	if p.Kind() == wire.StringValue {
		return []byte(p.String())
	}
	return p.Raw()
}

// head is how every line of an answer begins.
type head struct {
	generate bool
	model    string
	created  time.Time
}

func (h *head) begin(dst []byte) wire.JSON {
	j := wire.JSON(append(dst, '{'))
	j.TextMember("model", h.model)
	j.Name("created_at")
	j = append(j, '"')
	j = h.created.UTC().AppendFormat(j, time.RFC3339Nano)
	return append(j, '"')
}

// content writes a whole message that has only text.
func (h *head) content(j *wire.JSON, role, text string) {
	if h.generate {
		j.TextMember("response", text)
		return
	}
	j.Object("message")
	j.TextMember("role", role)
	j.TextMember("content", text)
	j.Close('}')
}

// writeLogprobs writes the probabilities of tokens, if there are any.
func writeLogprobs(j *wire.JSON, list []conversation.Logprob) {
	if len(list) == 0 {
		return
	}
	j.Array("logprobs")
	for i := range list {
		j.Open('{')
		writeLogprob(j, &list[i])
		if len(list[i].Top) > 0 {
			j.Array("top_logprobs")
			for k := range list[i].Top {
				j.Open('{')
				writeLogprob(j, &list[i].Top[k])
				j.Close('}')
			}
			j.Close(']')
		}
		j.Close('}')
	}
	j.Close(']')
}

func writeLogprob(j *wire.JSON, l *conversation.Logprob) {
	j.TextMember("token", l.Token)
	j.FloatMember("logprob", l.Logprob)
	text := l.Bytes
	if text == nil {
		text = []byte(l.Token)
	}
	if len(text) == 0 {
		return
	}
	j.Array("bytes")
	for i, b := range text {
		if i > 0 {
			*j = append(*j, ',')
		}
		*j = appendUint8(*j, b)
	}
	j.Close(']')
}

// compact is an object without line ends, so that it can be part of a line.
func compact(arguments []byte) string {
	if bytes.ContainsAny(arguments, "\r\n") || len(arguments) == 0 || arguments[0] != '{' {
		return argumentsObject(arguments)
	}
	return string(arguments)
}
