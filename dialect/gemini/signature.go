// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"encoding/base64"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
	"github.com/tokengo/tokengo/service"
)

// A thoughtSignature is bytes, which the protocol writes in base64: Google's SDKs for Go and Python decode it and encode
// it again, Python in the alphabet for URLs. What other protocols' backends made is therefore written in base64 as well.
//
// It is written at the part that follows the reasoning, a call or a text, as the service does. Tools keep signatures
// there, while some throw reasoning away and the SDK for Go throws answers away that have an empty part.

// carriedMark begins what a tool keeps for more than one part. It is followed by a JSON object, see [carried].
const carriedMark = "tokengo-carried:"

// skipSignature stands in for the signature of a call that the service did not make itself
// (ai.google.dev/gemini-api/docs/thought-signatures): without it the newer models refuse the request.
const skipSignature = "skip_thought_signature_validator"

// carried is what stands at one part of an answer: the part's own signature, and reasoning that came before the part.
type carried struct {
	own    conversation.Signature
	before []conversation.ThinkingPart // Signature or Redacted, without text
}

func (c *carried) empty() bool { return c.own.Value == "" && len(c.before) == 0 }

// String is the value of thoughtSignature.
func (c *carried) String() string {
	if len(c.before) == 0 {
		if c.own.By == protocol && isBase64(c.own.Value) {
			return c.own.Value
		}
		if c.own.By == protocol {
			return base64.StdEncoding.EncodeToString([]byte("tokengo:" + string(protocol) + ":" +
				base64.RawURLEncoding.EncodeToString([]byte(c.own.Value))))
		}
		return base64.StdEncoding.EncodeToString([]byte(c.own.Wrap(protocol)))
	}
	out := wire.JSON(carriedMark)
	out = append(out, '{')
	out.TextIf("by", string(c.own.By))
	out.TextIf("own", c.own.Value)
	out.Array("before")
	for _, t := range c.before {
		out.Open('{')
		out.TextIf("by", string(t.Signature.By))
		out.TextIf("signature", t.Signature.Value)
		out.TextIf("redacted", t.Redacted)
		out.Close('}')
	}
	out.Close(']')
	out.Close('}')
	return base64.StdEncoding.EncodeToString(out)
}

// OwnSignature is what a value of thoughtSignature is to the service itself: the signature that it made, "" where another
// protocol's backend made it. marked is false for values that are as the service made them.
func OwnSignature(value string) (own string, marked bool) {
	text := value
	if raw, ok := fromBase64(value); ok {
		text = raw
	}
	if !conversation.Marked(text) {
		return value, false
	}
	c := readCarried(value)
	return c.own.For(protocol), true
}

// Unsigned is what stands for the signature of a call that the service did not make; "" for models that need none.
func Unsigned(model string) string {
	if familyOf(model).signed {
		return skipSignature
	}
	return ""
}

// readCarried reads the value of a thoughtSignature.
func readCarried(value string) carried {
	if value == "" {
		return carried{}
	}
	text := value
	if raw, ok := fromBase64(value); ok && strings.HasPrefix(raw, "tokengo") {
		text = raw
	}
	rest, ok := strings.CutPrefix(text, carriedMark)
	if !ok {
		return carried{own: conversation.Unwrap(protocol, text)}
	}
	var c carried
	p := wire.Parse([]byte(rest))
	p.Object(func(key []byte) {
		switch string(key) {
		case "by":
			c.own.By = service.Protocol(p.String())
		case "own":
			c.own.Value = p.String()
		case "before":
			p.Array(func(int) { c.before = append(c.before, readReasoning(p)) })
		}
	})
	if p.End() != nil {
		return carried{own: conversation.Signature{By: protocol, Value: value}}
	}
	return c
}

func readReasoning(p *wire.Parser) conversation.ThinkingPart {
	var t conversation.ThinkingPart
	p.Object(func(key []byte) {
		switch string(key) {
		case "by":
			t.Signature.By = service.Protocol(p.String())
		case "signature":
			t.Signature.Value = p.String()
		case "redacted":
			t.Redacted = p.String()
		}
	})
	return t
}

func isBase64(value string) bool {
	_, err := base64.StdEncoding.DecodeString(value)
	return err == nil
}

// fromBase64 decodes either alphabet, with padding or without.
func fromBase64(value string) (string, bool) {
	raw, err := base64.RawStdEncoding.DecodeString(standardAlphabet(strings.TrimRight(value, "=")))
	return string(raw), err == nil
}

var alphabets = strings.NewReplacer("-", "+", "_", "/")

func standardAlphabet(value string) string {
	if strings.ContainsAny(value, "-_") {
		return alphabets.Replace(value)
	}
	return value
}

// standardBase64 is base64 as other protocols have it: Google's SDK for Python writes the alphabet for URLs.
func standardBase64(value string) string {
	value = standardAlphabet(value)
	if missing := -len(value) & 3; missing > 0 && missing < 3 {
		value += "=="[:missing]
	}
	return value
}
