// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// Usage is how many tokens an answer says that it took; 0 where it does not say.
type Usage struct {
	Input  int // all that were read, Cached among them
	Cached int // those that came from a cache
	Output int // those that were written, reasoning among them
}

// usageKeys are where each kind of answer says what it took. Values of one list add up.
type usageKeys struct{ input, cached, output []string }

var (
	chatUsage      = usageKeys{[]string{"prompt_tokens"}, []string{"cached_tokens"}, []string{"completion_tokens"}}
	responsesUsage = usageKeys{[]string{"input_tokens"}, []string{"cached_tokens"}, []string{"output_tokens"}}
	claudeUsage    = usageKeys{
		[]string{"input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"},
		[]string{"cache_read_input_tokens"},
		[]string{"output_tokens"},
	}
	geminiUsage = usageKeys{
		[]string{"promptTokenCount"}, []string{"cachedContentTokenCount"}, []string{"candidatesTokenCount", "thoughtsTokenCount"},
	}
	ollamaUsage = usageKeys{[]string{"prompt_eval_count"}, nil, []string{"eval_count"}}
)

func (op Operation) usageKeys() usageKeys {
	switch {
	case op.Protocol == service.Claude:
		return claudeUsage
	case op.Protocol == service.Gemini:
		return geminiUsage
	case op.Protocol == service.Ollama:
		return ollamaUsage
	case op.Kind == Responses:
		return responsesUsage
	}
	return chatUsage
}

// Usage finds what an answer says of its usage in the first and the last bytes of its body, whether it was streamed or
// not. Where both say something the last counts, as it does in a protocol whose numbers grow. It is an estimate: a number
// that was cut off, or one in a place where no protocol has it, may be missed or taken.
func (op Operation) Usage(head, tail []byte) Usage {
	keys := op.usageKeys()
	sum := func(names []string) (total int) {
		for _, name := range names {
			n, ok := lastNumber(tail, name)
			if !ok {
				n, _ = lastNumber(head, name)
			}
			total += n
		}
		return total
	}
	return Usage{Input: sum(keys.input), Cached: sum(keys.cached), Output: sum(keys.output)}
}

// maxUsage is more tokens than any answer takes.
const maxUsage = 1 << 30

// lastNumber is the number behind the last mention of a key that is not inside a string.
func lastNumber(text []byte, key string) (int, bool) {
	quoted := []byte(`"` + key + `":`)
	i := bytes.LastIndex(text, quoted)
	if i < 0 || i > 0 && text[i-1] == '\\' {
		return 0, false
	}
	digits := bytes.TrimLeft(text[i+len(quoted):], " \t\r\n")
	n, end := 0, 0
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' && n < maxUsage {
		n = 10*n + int(digits[end]-'0')
		end++
	}
	return min(n, maxUsage), end > 0
}

// ErrorCode returns the code in an error that [Error.Response] or [Error.StreamEvent] made for the operation; "" when
// there is none or it is not one of ours.
func (op Operation) ErrorCode(body []byte) Code {
	var code Code
	switch op.Protocol {
	case service.Claude:
		var b claudeBody
		if json.Unmarshal(body, &b) == nil {
			code = b.Error.Details.ErrorCode
		}
	case service.Gemini:
		var b geminiBody
		if json.Unmarshal(body, &b) == nil {
			for _, d := range b.Error.Details {
				if d.Domain == errorDomain {
					code = Code(strings.ToLower(d.Reason))
				}
			}
		}
	case service.Ollama:
		var b ollamaBody
		if json.Unmarshal(body, &b) == nil {
			code = b.Code
		}
	default:
		if op.Kind == Responses {
			return responsesCode(body)
		}
		var b openAIBody
		if json.Unmarshal(body, &b) == nil {
			code = b.Error.Code
		}
	}
	return ours(code)
}

// responsesCode finds a code of ours in an error of the Responses API: in "error", beside the type of an event "error",
// or in the response that failed.
func responsesCode(body []byte) Code {
	type failed struct {
		Error struct {
			Code Code `json:"code"`
		} `json:"error"`
	}
	var b struct {
		failed
		Type     string `json:"type"`
		Code     Code   `json:"code"`
		Response failed `json:"response"`
	}
	if json.Unmarshal(body, &b) != nil {
		return ""
	}
	code := cmp.Or(ours(b.Error.Code), ours(b.Response.Error.Code))
	if b.Type == "error" {
		code = cmp.Or(code, ours(b.Code))
	}
	return code
}

// ours is a code that is in the table, else "".
func ours(code Code) Code {
	if _, known := meanings[code]; !known {
		return ""
	}
	return code
}
