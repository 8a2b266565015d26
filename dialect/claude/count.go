// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"encoding/base64"
	"image"
	_ "image/gif"  // for the size of images
	_ "image/jpeg" // likewise
	_ "image/png"  // likewise
	"strings"
	"unicode"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/wire"
)

// What the estimate counts for what is no text. The costs of tools and of images are those of the documentation
// (platform.claude.com/docs, "Tool use", "Vision"); the others are our own, from requests of the usual kind.
const (
	tokensOfRequest = 3   // around everything
	tokensOfMessage = 4   // a role and what separates messages
	tokensOfBlock   = 2   // any block that is not text
	tokensOfTools   = 346 // the system prompt that tools bring with them, with tool_choice auto or none
	tokensOfForced  = 313 // likewise with any or tool
	tokensOfTool    = 8   // around the definition of each
	tokensOfBuiltin = 500 // the definition of one that Anthropic has made, between 245 and 735

	pixelsOfToken   = 750
	maxTokensImage  = 1600
	bytesOfPDFToken = 40 // of the file: a page of 60 KB is about 1,500 tokens
	tokensOfURL     = 1600
)

// CountTokens estimates the input tokens of a count_tokens request: its system prompt, messages and tools. It asks
// nobody and takes about a millisecond for 100 KiB.
//
// The estimate follows how tokenizers cut text: a word is one token for each seven letters, a number one for each three
// digits, punctuation one for each two signs, a line break or an indentation one, and characters of other scripts
// between a half and two each. It is meant to be on the high side of what current models count, by about a tenth,
// because it is used to stay below limits. Images cost by their size, other files by their length.
//
// Errors are as those of [DecodeRequest], except that what is translated is not looked at.
func CountTokens(body []byte) (int, *dialect.Error) {
	in, fail := parseRequest(body)
	if fail != nil {
		return 0, fail
	}
	n := tokensOfRequest + countContent(in.System)
	for i := range in.Messages {
		n += tokensOfMessage + countContent(in.Messages[i].Content)
	}
	if len(in.Tools) > 0 {
		n += tokensOfTools
		if c := in.ToolChoice; c != nil && (c.Type == "any" || c.Type == "tool") {
			n += tokensOfForced - tokensOfTools
		}
	}
	for i := range in.Tools {
		t := &in.Tools[i]
		n += tokensOfTool + countText(t.Name) + countText(t.Description) + countText(string(t.InputSchema))
		if !t.function() {
			n += tokensOfBuiltin
		}
	}
	if c := in.OutputConfig; c != nil && c.Format != nil {
		n += countText(string(c.Format.Schema))
	}
	return n, nil
}

// EncodeCount writes the answer to a count_tokens request.
func EncodeCount(n int) []byte {
	var j wire.JSON
	j.Open('{')
	j.IntMember("input_tokens", int64(n))
	j.Close('}')
	return j
}

func countContent(c content) int {
	n := 0
	for i := range c {
		b := &c[i]
		if b.Type != typeText {
			n += tokensOfBlock
		}
		n += countText(b.Text) + countText(b.Thinking) + countText(b.Title) + countText(b.Name) + countContent(b.Content)
		if b.Type == typeToolUse {
			n += countText(string(b.Input))
		}
		if b.Source != nil {
			n += countSource(b.Type, b.Source)
		}
	}
	return n
}

func countSource(blockType string, s *source) int {
	switch {
	case s.Type == typeText:
		return countText(s.Data)
	case s.Type == "content":
		return countContent(s.Content)
	case s.Data == "" && blockType == typeSearchResult:
		return countText(s.URL)
	case s.Data == "":
		return tokensOfURL
	case blockType == typeImage:
		return countImage(s.Data)
	default:
		return base64.StdEncoding.DecodedLen(len(s.Data)) / bytesOfPDFToken
	}
}

// countImage reads an image's size from its head.
func countImage(data string) int {
	head, _, err := image.DecodeConfig(base64.NewDecoder(base64.StdEncoding, strings.NewReader(data)))
	if err != nil || head.Width <= 0 || head.Height <= 0 {
		return maxTokensImage // of WebP, and of what is no image
	}
	return int(min(int64(head.Width)*int64(head.Height)/pixelsOfToken+1, maxTokensImage))
}

// Cuts of a text, in characters a token, or in quarters of a token a character.
const (
	lettersOfToken = 7
	digitsOfToken  = 3
	signsOfToken   = 2  // that differ: brackets and quotes of JSON
	repeatsOfToken = 8  // of one sign
	spacesOfToken  = 16 // after the first, which belongs to the word after it

	quartersLatin  = 2 // accented letters
	quartersOther  = 3 // letters of other alphabets
	quartersHan    = 5 // Chinese, Japanese and Korean
	quartersSymbol = 8 // emoji and the like
)

// textClass is what a character is to the estimate.
type textClass uint8

const (
	classWide textClass = iota // not ASCII; the zero value also is what is before a text
	classLetter
	classDigit
	classSpace
	classSign
)

// textRun is a run of characters of one class.
type textRun struct {
	class   textClass
	last    rune
	length  int
	changes int // characters that are not the same as the one before
}

func countText(s string) int {
	tokens, quarters := 0, 0
	var run textRun
	for _, r := range s {
		class := classOf(r)
		if class == classWide {
			quarters += quartersOf(r)
		}
		if class != run.class {
			tokens += run.tokens()
			run = textRun{class: class}
		}
		if r != run.last {
			run.changes++
		}
		run.last = r
		run.length++
	}
	return tokens + run.tokens() + (quarters+3)/4
}

func classOf(r rune) textClass {
	if r >= 0 && int(r) < len(asciiClasses) {
		return asciiClasses[r]
	}
	return classWide
}

var asciiClasses = func() (classes [unicode.MaxASCII + 1]textClass) {
	for i := range classes {
		classes[i] = asciiClass(byte(i))
	}
	return classes
}()

func asciiClass(r byte) textClass {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		return classLetter
	case r >= '0' && r <= '9':
		return classDigit
	case r == ' ':
		return classSpace
	default:
		return classSign // line breaks too
	}
}

func (r textRun) tokens() int {
	switch r.class {
	case classLetter:
		return (r.length + lettersOfToken - 1) / lettersOfToken
	case classDigit:
		return (r.length + digitsOfToken - 1) / digitsOfToken
	case classSpace:
		return (r.length - 1 + spacesOfToken - 1) / spacesOfToken
	case classSign:
		return (r.changes+signsOfToken-1)/signsOfToken + (r.length-r.changes)/repeatsOfToken
	default:
		return 0
	}
}

func quartersOf(r rune) int {
	switch {
	case r < 0x250:
		return quartersLatin
	case r >= 0x1F000:
		return quartersSymbol
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
		return quartersHan
	default:
		return quartersOther
	}
}
