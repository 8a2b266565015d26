// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
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
	out := jsonText(`{"candidates":[{"content":{"parts":[`)
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

func (w *Writer) answerPart(out *jsonText, p *conversation.AnswerPart) {
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

func writeText(out *jsonText, text, signature string, thought bool) {
	out.open('{')
	out.textMember("text", text)
	if thought {
		out.trueMember("thought")
	}
	out.textIf("thoughtSignature", signature)
	out.close('}')
}

func writeCall(out *jsonText, call conversation.Call, arguments []byte, signature string) {
	out.open('{')
	out.object("functionCall")
	out.textIf("id", call.ID)
	out.textMember("name", call.Name)
	out.rawMember("args", arguments)
	out.close('}')
	out.textIf("thoughtSignature", signature)
	out.close('}')
}

func (h answerHead) write(out *jsonText) {
	out.textIf("modelVersion", h.model)
	out.textIf("responseId", h.id)
}

// writeUsage writes the counts: the candidates' do not hold the thoughts'.
func writeUsage(out *jsonText, u conversation.Usage) {
	if u == (conversation.Usage{}) {
		return
	}
	out.object("usageMetadata")
	out.intMember("promptTokenCount", u.Input)
	if u.CacheRead > 0 {
		out.intMember("cachedContentTokenCount", u.CacheRead)
	}
	out.intMember("candidatesTokenCount", max(0, u.Output-u.Reasoning))
	if u.Reasoning > 0 {
		out.intMember("thoughtsTokenCount", u.Reasoning)
	}
	out.intMember("totalTokenCount", u.Total())
	out.close('}')
}

func writeLogprobs(out *jsonText, probs []conversation.Logprob) {
	if len(probs) == 0 {
		return
	}
	out.object("logprobsResult")
	out.array("topCandidates")
	for i := range probs {
		out.open('{')
		writeTokens(out, "candidates", probs[i].Top)
		out.close('}')
	}
	out.close(']')
	writeTokens(out, "chosenCandidates", probs)
	out.close('}')
}

func writeTokens(out *jsonText, name string, tokens []conversation.Logprob) {
	out.array(name)
	for i := range tokens {
		out.open('{')
		out.textMember("token", tokens[i].Token)
		out.floatIf("logProbability", &tokens[i].Logprob)
		out.close('}')
	}
	out.close(']')
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
