// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
)

// Tokens of what is not text (ai.google.dev/gemini-api/docs/tokens), and our guesses of how long files are.
const (
	tokensPerImage   = 258
	tokensPerPage    = 258
	bytesPerPage     = 50_000
	tokensPerSecond  = 32 // of sound
	bytesPerSecond   = 16_000
	tokensPerMessage = 2 // who speaks
	tokensPerTool    = 8 // what stands around a declaration
)

// CountTokens counts the tokens of the body of a countTokens request, about as the service does: instructions, contents,
// results of functions and declarations of tools. Errors are those of [DecodeRequest], save that what only Google's
// service has is not refused.
func CountTokens(body []byte) (int, *dialect.Error) {
	d, fail := decode(dialect.Operation{Protocol: protocol, Kind: dialect.CountTokens}, body)
	if fail != nil {
		return 0, fail
	}
	return CountRequest(d.req), nil
}

// CountRequest counts the tokens of a request of any protocol that has been read, as [CountTokens] does.
func CountRequest(req *conversation.Request) int {
	n := 0
	for _, m := range req.Messages {
		n += tokensPerMessage
		for _, p := range m.Parts {
			n += countPart(p)
		}
	}
	for i := range req.Tools {
		t := &req.Tools[i]
		n += tokensPerTool + countText(t.Name) + countText(t.Description) + countText(string(t.Parameters)) + countText(string(t.Raw))
	}
	return n + countText(string(req.Format.Schema))
}

// EncodeCount is the answer to a countTokens request.
func EncodeCount(n int) []byte {
	count := strconv.Itoa(n)
	return []byte(`{"totalTokens":` + count + `,"promptTokensDetails":[{"modality":"TEXT","tokenCount":` + count + `}]}`)
}

func countPart(part conversation.Part) int {
	switch p := part.(type) {
	case conversation.TextPart:
		return countText(p.Text)
	case conversation.ThinkingPart:
		return countText(p.Text)
	case conversation.CallPart:
		return tokensPerMessage + countText(p.Name) + countText(p.Arguments)
	case conversation.ResultPart:
		n := tokensPerMessage + countText(p.Name)
		for _, inner := range p.Parts {
			n += countPart(inner)
		}
		return n
	case conversation.ImagePart:
		return tokensPerImage
	case conversation.AudioPart:
		return tokensPerSecond * pieces(len(p.Data)*3/4, bytesPerSecond)
	case conversation.FilePart:
		return tokensPerPage * pieces(len(p.Data)*3/4, bytesPerPage)
	default:
		return 0
	}
}

func pieces(size, piece int) int { return max(1, (size+piece-1)/piece) }

// Lengths of what tokenizers make one token of, on average.
const (
	lettersPerToken = 6
	digitsPerToken  = 1
	marksPerToken   = 2
	otherPerToken   = 3 // runes of alphabets other than the Latin one
)

// runeClass is what runes have in common that stand in one token.
type runeClass uint8

const (
	space runeClass = iota
	letter
	digit
	mark
	other
	ideograph
)

// countText estimates the tokens of a text. A word is one token for each few letters, with the space before it; each
// ideograph is one.
func countText(text string) int {
	tokens, run, class := 0, 0, space
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		i += size
		if c := classOf(r); c != class {
			tokens += class.tokens(run)
			run, class = 0, c
		}
		run++
	}
	return tokens + class.tokens(run)
}

func classOf(r rune) runeClass {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
		return letter
	case r == ' ', r == '\t', r == '\r':
		return space
	case '0' <= r && r <= '9':
		return digit
	case r < utf8.RuneSelf:
		return mark
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul), r > 0xffff:
		return ideograph
	default:
		return other
	}
}

// tokens is how many a run of runes of a class has.
func (c runeClass) tokens(run int) int {
	switch c {
	case letter:
		return (run + lettersPerToken - 1) / lettersPerToken
	case digit:
		return run / digitsPerToken
	case mark:
		return (run + marksPerToken - 1) / marksPerToken
	case other:
		return (run + otherPerToken - 1) / otherPerToken
	case ideograph:
		return run
	default: // a space belongs to the word after it; more are indentation
		return (run + 6) / 8
	}
}
