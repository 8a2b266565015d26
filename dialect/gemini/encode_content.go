// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// messages writes systemInstruction and contents. The protocol has no place for instructions within a conversation: all
// of them go to the one there is, in order.
func (e *encoder) messages() {
	turns, system := e.turns()
	if len(system) > 0 {
		e.out.Object("systemInstruction")
		e.out.Array("parts")
		for _, text := range system {
			e.textPart(text)
		}
		e.out.Close(']')
		e.out.Close('}')
	}
	e.out.Array("contents")
	current := -1 // the turn that the answer is to
	for i, t := range slices.Backward(turns) {
		if t.Role == conversation.User {
			current = i
			break
		}
	}
	empty := len(e.out)
	if len(turns) > 0 && turns[0].Role == conversation.Assistant { // the service refuses calls without a turn before them
		e.content(conversation.Message{Role: conversation.User, Parts: []conversation.Part{conversation.TextPart{Text: silentUser}}}, false)
	}
	for i, t := range turns {
		e.content(t, i > current)
	}
	if len(e.out) == empty { // the service refuses a conversation without contents
		e.out = append(e.out, `{"role":"user","parts":[{"text":" "}]}`...)
	}
	e.out.Close(']')
}

// silentUser stands for what the user said before an answer that begins a conversation. It is what other translators
// write, too.
const silentUser = "."

// turns are the messages as the contents that they become, and the texts of all instructions.
func (e *encoder) turns() (turns []conversation.Message, system []string) {
	results := -1 // where the results of the turn before stand
	for _, m := range e.req.Messages {
		if m.Name != "" {
			e.dropped.Add("message.name")
		}
		last := len(turns) - 1
		switch m.Role {
		case conversation.System, conversation.Developer:
			texts := e.instructions(m)
			if len(texts) > 0 && last >= 0 { // contents have no role for it
				e.dropped.Add("system.position")
			}
			system = append(system, texts...)
			continue
		case conversation.Assistant:
			results = -1
			if last >= 0 && turns[last].Role == conversation.Assistant {
				turns[last].Parts = append(slices.Clip(turns[last].Parts), m.Parts...)
				continue
			}
		case conversation.ToolResults:
			if results >= 0 {
				turns[results].Parts = append(slices.Clip(turns[results].Parts), m.Parts...)
				continue
			}
			results = last + 1
		}
		turns = append(turns, conversation.Message{Role: m.Role, Parts: m.Parts})
	}
	return turns, system
}

func (e *encoder) instructions(m conversation.Message) []string {
	var texts []string
	for _, part := range m.Parts {
		p, ok := part.(conversation.TextPart)
		if !ok {
			e.refuse("The request has a system message with more than text, which this backend cannot take.")
			continue
		}
		e.cache(p.Cache)
		if p.Text != "" {
			texts = append(texts, p.Text)
		}
	}
	return texts
}

// content writes one turn, or nothing if it is empty. Current says that the turn is part of the answer that is being
// worked on.
func (e *encoder) content(t conversation.Message, current bool) {
	before := len(e.out)
	e.out.Open('{')
	role := roleUser
	if t.Role == conversation.Assistant {
		role = roleModel
	}
	e.out.TextMember("role", role)
	e.out.Array("parts")
	empty := len(e.out)
	if t.Role == conversation.Assistant {
		e.assistant(t.Parts, current)
	} else {
		for _, part := range t.Parts {
			e.userPart(part)
		}
	}
	if len(e.out) == empty {
		e.out = e.out[:before]
		return
	}
	e.out.Close(']')
	e.out.Close('}')
}

func (e *encoder) textPart(text string) {
	e.out.Open('{')
	e.out.TextMember("text", text)
	e.out.Close('}')
}

func (e *encoder) assistant(parts []conversation.Part, current bool) {
	e.open = e.open[:0]
	first := true // of the calls
	for _, part := range parts {
		switch p := part.(type) {
		case conversation.CallPart:
			e.call(p, first && current)
			first = false
		case conversation.ThinkingPart:
			e.thinking(p)
		case conversation.RefusalPart:
			if p.Text != "" {
				e.textPart(p.Text)
			}
		default:
			e.userPart(part)
		}
	}
}

// thinking writes reasoning. What has no text is the signature that the service put at a text.
func (e *encoder) thinking(p conversation.ThinkingPart) {
	signature := p.Signature.For(protocol)
	if p.Signature.Value != "" && signature == "" {
		e.dropped.Add("thinking.signature")
	}
	if p.Redacted != "" {
		e.dropped.Add("thinking")
	}
	if p.Text == "" && signature == "" {
		return
	}
	e.out.Open('{')
	e.out.TextMember("text", p.Text)
	if p.Text != "" {
		e.out.BoolMember("thought", true)
	}
	e.out.TextIf("thoughtSignature", signature)
	e.out.Close('}')
}

func (e *encoder) call(p conversation.CallPart, mustBeSigned bool) {
	if e.names == nil {
		e.names = map[string]string{}
	}
	if p.ID == "" {
		e.open = append(e.open, p.Name)
	} else {
		e.names[p.ID] = p.Name
	}
	e.cache(p.Cache)
	e.out.Open('{')
	e.out.Object("functionCall")
	e.out.TextIf("id", p.ID)
	e.out.TextMember("name", functionNames.Name(p.Name))
	e.arguments(p.Arguments)
	e.out.Close('}')
	signature := p.Signature.For(protocol)
	if p.Signature.Value != "" && signature == "" {
		e.dropped.Add("thinking.signature")
	}
	if signature == "" && mustBeSigned && e.family.signed {
		signature = skipSignature
	}
	e.out.TextIf("thoughtSignature", signature)
	e.out.Close('}')
}

// arguments writes args, which must be an object. What a model made instead stays as a text.
func (e *encoder) arguments(arguments string) {
	switch {
	case strings.TrimSpace(arguments) == "":
		e.out.RawMember("args", "{}")
	case wire.IsObject([]byte(arguments)):
		e.out.RawMember("args", arguments)
	default:
		e.out.Object("args")
		e.out.TextMember("arguments", arguments)
		e.out.Close('}')
	}
}

func (e *encoder) userPart(part conversation.Part) {
	switch p := part.(type) {
	case conversation.TextPart:
		e.cache(p.Cache)
		if p.Text != "" {
			e.textPart(p.Text)
		}
	case conversation.ImagePart:
		e.cache(p.Cache)
		if p.Detail != "" && p.Detail != "auto" {
			e.dropped.Add("image.detail")
		}
		e.media(p.Media, "an image")
	case conversation.AudioPart:
		e.media(p.Media, "a sound")
	case conversation.FilePart:
		e.cache(p.Cache)
		e.media(p.Media, "a file")
	case conversation.ResultPart:
		e.result(p)
	}
}

// media writes content that is not text. A URL is the service's to fetch.
func (e *encoder) media(m conversation.Media, what string) {
	mediaType := cmp.Or(m.MediaType, mediaTypeOf(m.Name), mediaTypeOf(m.URL))
	switch {
	case m.Data != "" && mediaType == "":
		e.refuse("The request has " + what + " of unknown type. Say which media type it has.")
		return
	case m.Data == "" && m.URL == "":
		e.refuse("The request has " + what + " that is stored at another service, which this backend cannot read. Send it inline.")
		return
	}
	e.out.Open('{')
	if m.Data != "" {
		e.out.Object("inlineData")
		e.out.TextMember("mimeType", mediaType)
		e.out.TextMember("data", m.Data)
	} else {
		e.out.Object("fileData")
		e.out.TextIf("mimeType", mediaType)
		e.out.TextMember("fileUri", m.URL)
	}
	e.out.Close('}')
	e.out.Close('}')
}

// mediaTypes are those that the service reads (ai.google.dev/gemini-api/docs/file-input-methods), by ending.
var mediaTypes = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif",
	".heic": "image/heic", ".heif": "image/heif", ".pdf": "application/pdf", ".txt": plainType, ".md": "text/markdown",
	".html": "text/html", ".css": "text/css", ".csv": "text/csv", ".xml": "text/xml", ".json": jsonType,
	".wav": "audio/wav", ".mp3": "audio/mp3", ".aac": "audio/aac", ".ogg": "audio/ogg", ".flac": "audio/flac",
	".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime",
}

// mediaTypeOf is the media type that a name or URL ends like, "" if it is not known.
func mediaTypeOf(name string) string {
	name, _, _ = strings.Cut(name, "?")
	name, _, _ = strings.Cut(name, "#")
	return mediaTypes[strings.ToLower(path.Ext(name))]
}

// result writes what a function answered. Media stand in it, or beside it for models that do not know them there.
func (e *encoder) result(p conversation.ResultPart) {
	e.cache(p.Cache)
	var texts []string
	var media []conversation.Part
	for _, part := range p.Parts {
		if t, ok := part.(conversation.TextPart); ok {
			e.cache(t.Cache)
			texts = append(texts, t.Text)
		} else {
			media = append(media, part)
		}
	}
	e.out.Open('{')
	e.out.Object("functionResponse")
	e.out.TextIf("id", p.CallID)
	e.out.TextMember("name", functionNames.Name(e.nameOf(p)))
	e.response(p, strings.Join(texts, "\n"))
	if len(media) > 0 && e.family.nested {
		e.out.Array("parts")
		for _, part := range media {
			e.userPart(part)
		}
		e.out.Close(']')
	}
	e.out.Close('}')
	e.out.Close('}')
	if e.family.nested {
		return
	}
	for _, part := range media {
		e.userPart(part)
	}
}

func (e *encoder) response(p conversation.ResultPart, text string) {
	if wire.IsObject(p.JSON) {
		e.out.RawBytes("response", p.JSON)
		return
	}
	e.out.Object("response")
	if p.IsError {
		e.out.TextMember("error", text)
	} else {
		e.out.TextMember("output", text)
	}
	e.out.Close('}')
}

// nameOf is the name of the function that a result is of, which the protocol needs.
func (e *encoder) nameOf(p conversation.ResultPart) string {
	if name, ok := e.names[p.CallID]; ok && p.CallID != "" {
		return name
	}
	if len(e.open) == 0 {
		if p.Name == "" {
			e.refuse("The request has a result of a tool, but no call that it answers.")
		}
		return p.Name
	}
	i := max(0, slices.Index(e.open, p.Name))
	name := e.open[i]
	e.open = slices.Delete(e.open, i, i+1)
	if p.Name != "" {
		return p.Name
	}
	return name
}
