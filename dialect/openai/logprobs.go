// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"strconv"
	"unicode/utf8"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// appendLogprobs appends the probabilities of a choice, null if there are none.
func (w *Writer) appendLogprobs(dst []byte, list []conversation.Logprob) []byte {
	switch {
	case len(list) == 0:
		return append(dst, "null"...)
	case w.chat():
		dst = append(dst, `{"content":`...)
		return append(appendChatLogprobs(dst, list, true), `,"refusal":null}`...)
	default:
		return w.appendTextLogprobs(dst, list)
	}
}

func appendChatLogprobs(dst []byte, list []conversation.Logprob, withTop bool) []byte {
	dst = append(dst, '[')
	for i := range list {
		l := &list[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"token":`...)
		dst = wire.AppendString(dst, l.Token)
		dst = append(dst, `,"logprob":`...)
		dst = wire.AppendFloat(dst, l.Logprob)
		dst = append(dst, `,"bytes":`...)
		dst = appendBytes(dst, l.Bytes)
		if withTop {
			dst = append(dst, `,"top_logprobs":`...)
			dst = appendChatLogprobs(dst, l.Top, false)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendBytes(dst, list []byte) []byte {
	if list == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i, b := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(b), 10)
	}
	return append(dst, ']')
}

// appendTextLogprobs appends the older form that completions have: lists side by side.
func (w *Writer) appendTextLogprobs(dst []byte, list []conversation.Logprob) []byte {
	between := func(i int) {
		if i > 0 {
			dst = append(dst, ',')
		}
	}
	dst = append(dst, `{"tokens":[`...)
	for i := range list {
		between(i)
		dst = wire.AppendString(dst, list[i].Token)
	}
	dst = append(dst, `],"token_logprobs":[`...)
	for i := range list {
		between(i)
		dst = wire.AppendFloat(dst, list[i].Logprob)
	}
	dst = append(dst, `],"top_logprobs":[`...)
	for i := range list {
		between(i)
		dst = append(dst, '{')
		for j := range list[i].Top {
			between(j)
			dst = wire.AppendString(dst, list[i].Top[j].Token)
			dst = append(dst, ':')
			dst = wire.AppendFloat(dst, list[i].Top[j].Logprob)
		}
		dst = append(dst, '}')
	}
	dst = append(dst, `],"text_offset":[`...)
	for i := range list {
		between(i)
		dst = strconv.AppendInt(dst, int64(w.offset), 10)
		w.offset += utf8.RuneCountInString(list[i].Token)
	}
	return append(dst, "]}"...)
}
