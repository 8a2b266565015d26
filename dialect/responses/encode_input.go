// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
)

// betweenTexts separates the texts of a tool's result where they become one string. Lists are in OpenAI's protocol, too,
// but other backends (Ollama) refuse them there.
const betweenTexts = "\n\n"

// input writes the conversation. A system message that begins it and is one text are the instructions; others stay in
// their place.
func (e *encoder) input() {
	list := e.req.Messages
	if len(list) > 1 && list[0].Role == conversation.System && len(list[0].Parts) == 1 && list[0].Name == "" {
		if text, ok := list[0].Parts[0].(conversation.TextPart); ok {
			e.TextMember("instructions", text.Text)
			e.cached(text.Cache)
			list = list[1:]
		}
	}
	e.Array("input")
	start := len(e.JSON)
	for i := range list {
		e.message(&list[i])
	}
	if len(e.JSON) == start {
		e.refuse("The request has no message that this exit's backend could answer.")
	}
	e.Close(']')
}

func (e *encoder) message(m *conversation.Message) {
	if m.Name != "" {
		e.dropped.Add("message.name")
	}
	switch m.Role {
	case conversation.System:
		e.spoken("system", m.Parts)
	case conversation.Developer:
		e.spoken("developer", m.Parts)
	case conversation.User:
		e.spoken("user", m.Parts)
	case conversation.Assistant:
		e.assistant(m.Parts)
	case conversation.ToolResults:
		for _, part := range m.Parts {
			if result, ok := part.(conversation.ResultPart); ok {
				e.result(&result)
			} else {
				e.refuse("A message with results of tools has something else in it.")
			}
		}
	}
}

func (e *encoder) cached(c *conversation.CacheControl) {
	if c != nil {
		e.dropped.Add("cache_control")
	}
}

// item begins an item of input.
func (e *encoder) item(kind string) {
	e.Open('{')
	e.TextMember("type", kind)
}

// spoken writes a message of the system's or the user's.
func (e *encoder) spoken(role string, parts []conversation.Part) {
	if len(parts) == 0 {
		return
	}
	e.item(typeMessage)
	e.TextMember("role", role)
	if text, ok := parts[0].(conversation.TextPart); ok && len(parts) == 1 {
		e.TextMember("content", text.Text)
		e.cached(text.Cache)
	} else {
		e.Array("content")
		e.contents(parts)
		e.Close(']')
	}
	e.Close('}')
}

func (e *encoder) contents(parts []conversation.Part) {
	for _, part := range parts {
		switch part := part.(type) {
		case conversation.TextPart:
			e.cached(part.Cache)
			e.item(typeInputText)
			e.TextMember("text", part.Text)
			e.Close('}')
		case conversation.ImagePart:
			e.cached(part.Cache)
			e.image(&part.Media)
		case conversation.FilePart:
			e.cached(part.Cache)
			e.file(&part.Media)
		case conversation.AudioPart:
			e.refuse("The request has audio, which this exit's backend does not take.")
		default:
			e.refuse("A message has content that this exit's backend does not take there.")
		}
	}
}

func web(url string) bool {
	return strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://")
}

func dataURI(m *conversation.Media, otherwise string) string {
	mediaType := m.MediaType
	if mediaType == "" {
		mediaType = otherwise
	}
	return "data:" + mediaType + ";base64," + m.Data
}

// ownFile reports whether a file is stored at the service of this protocol.
func ownFile(m *conversation.Media) bool { return m.FileID != "" && m.FileBy == protocol }

// image passes an image on. A URL goes as it is; the backend may fetch it.
func (e *encoder) image(m *conversation.Media) {
	e.item(typeInputImage)
	switch {
	case m.Data != "":
		e.TextMember("image_url", dataURI(m, "image/png"))
	case web(m.URL):
		e.TextMember("image_url", m.URL)
	case ownFile(m):
		e.TextMember("file_id", m.FileID)
	default:
		e.refuse("An image is neither in the request nor at a web address, so that this exit's backend cannot take it.")
	}
	detail := m.Detail
	if detail == "" {
		detail = "auto" // optional to OpenAI, but not to others
	}
	e.TextMember("detail", detail)
	e.Close('}')
}

func (e *encoder) file(m *conversation.Media) {
	e.item(typeInputFile)
	switch {
	case m.Data != "":
		name := m.Name
		if name == "" { // OpenAI wants one
			name = "file" + extensionOf(m.MediaType)
		}
		e.TextMember("filename", name)
		e.TextMember("file_data", dataURI(m, "application/octet-stream"))
	case web(m.URL):
		e.TextMember("file_url", m.URL)
	case ownFile(m):
		e.TextMember("file_id", m.FileID)
	default:
		e.refuse("A file is neither in the request nor at a web address, so that this exit's backend cannot take it.")
	}
	e.Close('}')
}

func extensionOf(mediaType string) string {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	for extension, known := range mediaTypes {
		if known == mediaType {
			return extension
		}
	}
	return ""
}

// assistant writes what the assistant said, thought and called: its texts in messages, all else in items of its own.
func (e *encoder) assistant(parts []conversation.Part) {
	open := false
	for i, part := range parts {
		switch part := part.(type) {
		case conversation.TextPart:
			e.cached(part.Cache)
			open = e.said(open, typeOutputText, "text", part.Text)
		case conversation.RefusalPart:
			open = e.said(open, typeRefusal, "refusal", part.Text)
		case conversation.CallPart:
			open = e.endSaid(open)
			e.call(&part)
		case conversation.ThinkingPart:
			open = e.endSaid(open)
			e.thinking(&part, parts[i+1:])
		default:
			e.refuse("A message of the assistant's has an image, a sound or a file, which this exit's backend does not take there.")
		}
	}
	e.endSaid(open)
}

func (e *encoder) said(open bool, kind, member, text string) bool {
	if text == "" {
		return open
	}
	if !open {
		e.item(typeMessage)
		e.TextMember("role", "assistant")
		e.Array("content")
	}
	e.item(kind)
	e.TextMember(member, text)
	e.Close('}')
	return true
}

func (e *encoder) endSaid(open bool) bool {
	if open {
		e.Close(']')
		e.Close('}')
	}
	return false
}

func (e *encoder) call(c *conversation.CallPart) {
	e.cached(c.Cache)
	if c.Signature.Value != "" {
		e.dropped.Add("thinking.signature")
	}
	arguments := c.Arguments
	if arguments == "" {
		arguments = "{}"
	}
	e.item(typeFunctionCall)
	e.TextMember("call_id", e.calls.add(c.ID, c.Name))
	e.TextMember("name", openaiapi.WireName(c.Name))
	e.TextMember("arguments", arguments)
	e.Close('}')
}

// thinking writes a reasoning item of a Responses backend. OpenAI takes none without its encrypted content, and none that
// nothing follows.
func (e *encoder) thinking(t *conversation.ThinkingPart, rest []conversation.Part) {
	encrypted := encryptedContent(t.Signature)
	if encrypted == "" || !leadsSomewhere(rest) {
		if t.Text != "" || t.Redacted != "" {
			e.dropped.Add("thinking")
		}
		if t.Signature.Value != "" {
			e.dropped.Add("thinking.signature")
		}
		return
	}
	e.item(typeReasoning)
	e.Array("summary")
	if t.Text != "" {
		e.item(typeSummaryText)
		e.TextMember("text", t.Text)
		e.Close('}')
	}
	e.Close(']')
	e.TextMember("encrypted_content", encrypted)
	e.Close('}')
}

func leadsSomewhere(rest []conversation.Part) bool {
	for _, part := range rest {
		switch part := part.(type) {
		case conversation.TextPart:
			if part.Text != "" {
				return true
			}
		case conversation.CallPart, conversation.RefusalPart:
			return true
		}
	}
	return false
}

func (e *encoder) result(r *conversation.ResultPart) {
	e.cached(r.Cache)
	parts := r.Parts
	if len(parts) == 0 && len(r.JSON) > 0 {
		parts = []conversation.Part{conversation.TextPart{Text: string(r.JSON)}}
	}
	texts := make([]string, 0, len(parts))
	for _, part := range parts {
		if text, ok := part.(conversation.TextPart); ok {
			texts = append(texts, text.Text)
			e.cached(text.Cache)
		}
	}
	text := strings.Join(texts, betweenTexts)
	failed := r.IsError && !strings.Contains(strings.ToLower(text[:min(len(text), 80)]), "error")
	e.item(typeFunctionOutput)
	e.TextMember("call_id", e.calls.answer(r.CallID, r.Name))
	if len(texts) == len(parts) {
		if failed { // there is no field for it
			text = strings.TrimSuffix("Error: "+text, ": ")
		}
		e.TextMember("output", text)
	} else {
		e.Array("output")
		if failed {
			e.Raw(`{"type":"input_text","text":"Error:"}`)
		}
		e.contents(parts)
		e.Close(']')
	}
	e.Close('}')
}
