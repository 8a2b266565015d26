// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

func trimRight(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) }

func (e *encoder) writeTurns(turns []turn) *dialect.Error {
	e.out.Name("messages")
	e.out.Open('[')
	for _, t := range turns {
		e.out.Open('{')
		e.out.TextMember("role", t.role)
		e.out.Name("content")
		if fail := e.writeContent(t.parts); fail != nil {
			return fail
		}
		e.out.Close('}')
	}
	e.out.Close(']')
	return nil
}

// writeContent writes a single text as it is, and anything else as blocks.
func (e *encoder) writeContent(parts []conversation.Part) *dialect.Error {
	if len(parts) == 1 {
		if text, ok := parts[0].(conversation.TextPart); ok && text.Cache == nil {
			e.out.Text(text.Text)
			return nil
		}
	}
	e.out.Open('[')
	for _, p := range parts {
		if fail := e.writePart(p); fail != nil {
			return fail
		}
	}
	e.out.Close(']')
	return nil
}

func (e *encoder) writePart(p conversation.Part) *dialect.Error {
	switch p := p.(type) {
	case conversation.TextPart:
		e.writeText(p)
	case conversation.RefusalPart:
		e.writeText(conversation.TextPart{Text: p.Text})
	case conversation.ThinkingPart:
		e.writeThought(p)
	case conversation.CallPart:
		e.writeCall(p)
	case conversation.ResultPart:
		return e.writeResult(p)
	case conversation.ImagePart:
		return e.writeImage(p)
	case conversation.FilePart:
		return e.writeFile(p)
	case conversation.AudioPart:
		return invalid("A message in the request has audio, which the backend does not take.")
	}
	return nil
}

func (e *encoder) writeText(p conversation.TextPart) {
	j := &e.out
	j.Open('{')
	j.TextMember("type", typeText)
	j.TextMember("text", p.Text)
	e.writeCache(p.Cache)
	j.Close('}')
}

func (e *encoder) writeThought(p conversation.ThinkingPart) {
	j := &e.out
	j.Open('{')
	if p.Redacted != "" {
		j.TextMember("type", typeRedactedThinking)
		j.TextMember("data", p.Redacted)
	} else {
		j.TextMember("type", typeThinking)
		j.TextMember("thinking", p.Text)
		j.TextMember("signature", p.Signature.For(protocol))
	}
	j.Close('}')
}

func (e *encoder) writeCall(p conversation.CallPart) {
	if p.Signature.Value != "" {
		e.dropped.Add("thinking.signature")
	}
	j := &e.out
	j.Open('{')
	j.TextMember("type", typeToolUse)
	j.TextMember("id", e.calls.call(p))
	j.TextMember("name", functionNames.Name(p.Name))
	j.RawMember("input", inputOf(p.Arguments))
	e.writeCache(p.Cache)
	j.Close('}')
}

// inputOf makes an object of arguments. Those that a model got wrong were kept by the tool, which may still want the
// conversation to go on, so they are passed on as text within an object.
func inputOf(arguments string) string {
	if blank(arguments) {
		return "{}"
	}
	if input, ok := object(json.RawMessage(arguments)); ok {
		return input
	}
	var j wire.JSON
	j.Open('{')
	j.TextMember("arguments", arguments)
	j.Close('}')
	return string(j)
}

func (e *encoder) writeResult(p conversation.ResultPart) *dialect.Error {
	id, ok := e.calls.result(p)
	if !ok {
		return invalid("The request has a result of a tool, but no call that it answers.")
	}
	j := &e.out
	j.Open('{')
	j.TextMember("type", typeToolResult)
	j.TextMember("tool_use_id", id)
	parts := slices.DeleteFunc(slices.Clone(p.Parts), func(p conversation.Part) bool {
		text, ok := p.(conversation.TextPart)
		return ok && text.Text == ""
	})
	if len(parts) == 0 && len(p.JSON) > 0 {
		parts = []conversation.Part{conversation.TextPart{Text: string(p.JSON)}}
	}
	if len(parts) > 0 {
		j.Name("content")
		if fail := e.writeContent(parts); fail != nil {
			return fail
		}
	}
	if p.IsError {
		j.RawMember("is_error", "true")
	}
	e.writeCache(p.Cache)
	j.Close('}')
	return nil
}

// imageTypes are those that the protocol takes.
var imageTypes = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

// imageHeads are how their base64 begins.
var imageHeads = []string{"/9j/", "iVBORw", "R0lGOD", "UklGR"}

func imageType(m conversation.Media) string {
	media, _, _ := strings.Cut(strings.ToLower(m.MediaType), ";")
	switch media {
	case "image/jpg":
		return imageTypes[0]
	case "", "image/*", "application/octet-stream":
		for i, head := range imageHeads {
			if strings.HasPrefix(m.Data, head) {
				return imageTypes[i]
			}
		}
	}
	return media
}

func (e *encoder) writeImage(p conversation.ImagePart) *dialect.Error {
	if p.Detail != "" && p.Detail != "auto" {
		e.dropped.Add("image.detail")
	}
	media := imageType(p.Media)
	if p.Data != "" && !slices.Contains(imageTypes, media) {
		return invalid("An image in the request is not JPEG, PNG, GIF or WebP, which are all that the backend takes.")
	}
	j := &e.out
	j.Open('{')
	j.TextMember("type", typeImage)
	if fail := e.writeSource(p.Media, media); fail != nil {
		return fail
	}
	e.writeCache(p.Cache)
	j.Close('}')
	return nil
}

// writeSource writes where content is, or itself.
func (e *encoder) writeSource(m conversation.Media, mediaType string) *dialect.Error {
	j := &e.out
	j.Name("source")
	j.Open('{')
	switch {
	case m.Data != "":
		j.TextMember("type", "base64")
		j.TextMember("media_type", mediaType)
		j.TextMember("data", m.Data)
	case m.FileID != "" && m.FileBy != protocol:
		return invalid("A file or image in the request is stored at another service, where the backend cannot read it. Send it inline.")
	case m.FileID != "":
		j.TextMember("type", "file")
		j.TextMember("file_id", m.FileID)
	case strings.HasPrefix(m.URL, "https://"), strings.HasPrefix(m.URL, "http://"):
		j.TextMember("type", "url")
		j.TextMember("url", m.URL)
	default:
		return invalid("A file or image in the request is given by a URL that is not http or https, which the backend does not take.")
	}
	j.Close('}')
	return nil
}

func (e *encoder) writeFile(p conversation.FilePart) *dialect.Error {
	media, _, _ := strings.Cut(strings.ToLower(p.MediaType), ";")
	if slices.Contains(imageTypes, media) {
		return e.writeImage(conversation.ImagePart(p))
	}
	j := &e.out
	j.Open('{')
	j.TextMember("type", typeDocument)
	switch {
	case p.Data == "", media == pdfType, media == "" && strings.HasPrefix(p.Data, "JVBERi"):
		if fail := e.writeSource(p.Media, pdfType); fail != nil {
			return fail
		}
	case textual(media):
		text, err := base64.StdEncoding.DecodeString(p.Data)
		if err != nil {
			return invalid("A file in the request is not valid base64.")
		}
		j.Name("source")
		j.Open('{')
		j.TextMember("type", typeText)
		j.TextMember("media_type", plainType)
		j.TextMember("data", string(text))
		j.Close('}')
	default:
		return invalid("A file in the request is neither PDF nor text, which are all that the backend takes.")
	}
	if p.Name != "" {
		j.TextMember("title", p.Name)
	}
	e.writeCache(p.Cache)
	j.Close('}')
	return nil
}

// textual reports whether a type of media is text, whatever it is called.
func textual(media string) bool {
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml") ||
		slices.Contains([]string{"application/json", "application/xml", "application/yaml", "application/x-yaml"}, media)
}

// writeCache marks what was written last as the end of a prefix to be cached.
func (e *encoder) writeCache(c *conversation.CacheControl) {
	if c == nil {
		return
	}
	if e.skip > 0 {
		e.skip--
		return
	}
	j := &e.out
	j.Name("cache_control")
	j.Open('{')
	j.TextMember("type", "ephemeral")
	if c.TTL != "" {
		j.TextMember("ttl", c.TTL)
	}
	j.Close('}')
}

// caches counts the breakpoints of a request.
func (e *encoder) caches(p plan) int {
	n := 0
	for i := range e.tools {
		if e.tools[i].Cache != nil && e.tools[i].Builtin == "" {
			n++
		}
	}
	for _, text := range p.system {
		if text.Cache != nil {
			n++
		}
	}
	for _, t := range p.turns {
		n += cachesOf(t.parts)
	}
	return n
}

func cachesOf(parts []conversation.Part) int {
	n := 0
	for _, p := range parts {
		var c *conversation.CacheControl
		switch p := p.(type) {
		case conversation.TextPart:
			c = p.Cache
		case conversation.ImagePart:
			c = p.Cache
		case conversation.FilePart:
			c = p.Cache
		case conversation.CallPart:
			c = p.Cache
		case conversation.ResultPart:
			c = p.Cache
			n += cachesOf(p.Parts)
		}
		if c != nil {
			n++
		}
	}
	return n
}
