// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// Reasons to end (ai.google.dev/api/generate-content#FinishReason).
const (
	finishStop      = "STOP"
	finishLength    = "MAX_TOKENS"
	finishFiltered  = "SAFETY"
	finishMalformed = "MALFORMED_FUNCTION_CALL"
)

// EncodeAnswer writes a whole answer.
func EncodeAnswer(op dialect.Operation, req *conversation.Request, a *conversation.Answer) []byte {
	w := NewWriter(op, req)
	w.id, w.usage = a.ID, a.Usage
	if a.Model != "" {
		w.model = a.Model
	}
	out := wire.JSON(`{"candidates":[{"content":{"parts":[`)
	empty := len(out)
	var probs []conversation.Logprob
	for i := range a.Parts {
		w.answerPart(&out, &a.Parts[i])
		probs = append(probs, a.Parts[i].Logprobs...)
	}
	if len(out) == empty || len(w.before) > 0 {
		writeText(&out, "", w.carry(conversation.Signature{}), false)
	}
	w.array = true // no framing
	return w.close(out, probs, finishReason(a.Reason, w.broken))
}

func (w *Writer) answerPart(out *wire.JSON, p *conversation.AnswerPart) {
	switch p.Kind {
	case conversation.PartThinking:
		if w.visible && p.Text != "" {
			writeText(out, p.Text, "", true)
		}
		if p.Signature.Value != "" || p.Redacted != "" {
			w.before = append(w.before, conversation.ThinkingPart{Signature: p.Signature, Redacted: p.Redacted})
		}
	case conversation.PartCall:
		arguments, ok := argumentsOf([]byte(p.Text))
		if !ok {
			w.broken = true
			return
		}
		writeCall(out, p.Call, arguments, w.carry(p.Signature))
	case conversation.PartText, conversation.PartRefusal:
		if p.Text != "" {
			writeText(out, p.Text, w.carry(conversation.Signature{}), false)
		}
	}
}

func writeText(out *wire.JSON, text, signature string, thought bool) {
	out.Open('{')
	out.TextMember("text", text)
	if thought {
		out.BoolMember("thought", true)
	}
	out.TextIf("thoughtSignature", signature)
	out.Close('}')
}

func writeCall(out *wire.JSON, call conversation.Call, arguments []byte, signature string) {
	out.Open('{')
	out.Object("functionCall")
	out.TextIf("id", call.ID)
	out.TextMember("name", call.Name)
	out.RawBytes("args", arguments)
	out.Close('}')
	out.TextIf("thoughtSignature", signature)
	out.Close('}')
}

func (h answerHead) write(out *wire.JSON) {
	out.TextIf("modelVersion", h.model)
	out.TextIf("responseId", h.id)
}

// writeUsage writes the counts: the candidates' do not hold the thoughts'.
func writeUsage(out *wire.JSON, u conversation.Usage) {
	if u == (conversation.Usage{}) {
		return
	}
	out.Object("usageMetadata")
	out.IntMember("promptTokenCount", int64(u.Input))
	if u.CacheRead > 0 {
		out.IntMember("cachedContentTokenCount", int64(u.CacheRead))
	}
	out.IntMember("candidatesTokenCount", int64(max(0, u.Output-u.Reasoning)))
	if u.Reasoning > 0 {
		out.IntMember("thoughtsTokenCount", int64(u.Reasoning))
	}
	out.IntMember("totalTokenCount", int64(u.Total()))
	out.Close('}')
}

func writeLogprobs(out *wire.JSON, probs []conversation.Logprob) {
	if len(probs) == 0 {
		return
	}
	out.Object("logprobsResult")
	out.Array("topCandidates")
	for i := range probs {
		out.Open('{')
		writeTokens(out, "candidates", probs[i].Top)
		out.Close('}')
	}
	out.Close(']')
	writeTokens(out, "chosenCandidates", probs)
	out.Close('}')
}

func writeTokens(out *wire.JSON, name string, tokens []conversation.Logprob) {
	out.Array(name)
	for i := range tokens {
		out.Open('{')
		out.TextMember("token", tokens[i].Token)
		out.FloatIf("logProbability", &tokens[i].Logprob)
		out.Close('}')
	}
	out.Close(']')
}

func finishReason(r conversation.Reason, broken bool) string {
	switch {
	case r == conversation.Length:
		return finishLength
	case r == conversation.Filtered, r == conversation.Refused:
		return finishFiltered
	case broken:
		return finishMalformed
	default:
		return finishStop
	}
}
