// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
	"github.com/tokengo/tokengo/dialect/wire"
)

// betweenTexts separates the texts of one message where they become one string. Arrays of texts are in OpenAI's
// protocol, too, but many backends refuse them.
const betweenTexts = "\n\n"

func (e *encoder) messages() {
	e.key("messages")
	e.dst = append(e.dst, '[')
	start := len(e.dst)
	list := e.req.Messages
	if e.family.Own && e.req.Format.Kind == conversation.FormatJSON && !mentionsJSON(list) {
		e.spoken("system", &conversation.Message{Parts: []conversation.Part{conversation.TextPart{Text: "Answer in JSON."}}})
	}
	for i := 0; i < len(list); i++ {
		m := &list[i]
		if m.Role != conversation.ToolResults {
			e.flushMoved()
		}
		switch m.Role {
		case conversation.System, conversation.Developer:
			e.spoken("system", m)
		case conversation.User:
			e.spoken("user", m)
		case conversation.Assistant:
			n := 1
			for i+n < len(list) && list[i+n].Role == conversation.Assistant {
				n++
			}
			e.assistant(list[i : i+n])
			i += n - 1
		case conversation.ToolResults:
			e.results(m)
		}
	}
	e.flushMoved()
	if len(e.dst) == start {
		e.refuse("The request has no message that this exit's backend could answer.")
	}
	e.dst = append(e.dst, ']')
}

// mentionsJSON reports whether a text has the word, without which OpenAI refuses to answer in JSON.
func mentionsJSON(list []conversation.Message) bool {
	for i := range list {
		for _, part := range list[i].Parts {
			text, ok := part.(conversation.TextPart)
			if ok && strings.Contains(strings.ToLower(text.Text), "json") {
				return true
			}
		}
	}
	return false
}

// message begins a message of a role.
func (e *encoder) message(role string) {
	if e.dst[len(e.dst)-1] != '[' {
		e.dst = append(e.dst, ',')
	}
	e.dst = append(e.dst, `{"role":"`...)
	e.dst = append(e.dst, role...)
	e.dst = append(e.dst, '"')
}

// spoken writes a message of the system's or the user's.
func (e *encoder) spoken(role string, m *conversation.Message) {
	if len(m.Parts) == 0 {
		return
	}
	e.message(role)
	e.name(m.Name)
	e.key("content")
	if texts, only := e.texts(m.Parts); only {
		e.joined(texts)
	} else if role == "system" {
		e.refuse("A system message has something else than text, which this exit's backend does not take there.")
	} else {
		e.parts(m.Parts)
	}
	e.dst = append(e.dst, '}')
}

// name writes the name of who speaks.
func (e *encoder) name(name string) {
	switch {
	case name == "":
	case len(name) > openaiapi.MaxName || strings.ContainsAny(name, " \t\r\n<|\\/>"):
		e.dropped.Add("message.name")
	default:
		e.text("name", name)
	}
}

// texts returns the texts of parts, and whether there is nothing else in them.
func (e *encoder) texts(parts []conversation.Part) (texts []string, only bool) {
	for _, part := range parts {
		switch part := part.(type) {
		case conversation.TextPart:
			texts = append(texts, part.Text)
			e.cached(part.Cache)
		case conversation.FilePart:
			text, ok := inlineText(&part)
			if !ok {
				return nil, false
			}
			texts = append(texts, text)
			e.cached(part.Cache)
		default:
			return nil, false
		}
	}
	return texts, true
}

func (e *encoder) cached(c *conversation.CacheControl) {
	if c != nil {
		e.dropped.Add("cache_control")
	}
}

func (e *encoder) joined(texts []string) {
	if len(texts) == 1 {
		e.dst = wire.AppendString(e.dst, texts[0])
		return
	}
	e.dst = wire.AppendString(e.dst, strings.Join(texts, betweenTexts))
}

// parts writes the content of a user's message that is not text alone.
func (e *encoder) parts(parts []conversation.Part) {
	e.dst = append(e.dst, '[')
	for i, part := range parts {
		if i > 0 {
			e.dst = append(e.dst, ',')
		}
		switch part := part.(type) {
		case conversation.TextPart:
			e.cached(part.Cache)
			e.textPart(part.Text)
		case conversation.ImagePart:
			e.cached(part.Cache)
			e.image(&part)
		case conversation.AudioPart:
			e.audio(&part)
		case conversation.FilePart:
			e.cached(part.Cache)
			e.file(&part)
		default:
			e.refuse("A message of the user's has content that this exit's backend does not take there.")
		}
	}
	e.dst = append(e.dst, ']')
}

func (e *encoder) textPart(text string) {
	e.dst = append(e.dst, `{"type":"text","text":`...)
	e.dst = wire.AppendString(e.dst, text)
	e.dst = append(e.dst, '}')
}

// image passes an image on. A URL goes as it is; the backend may fetch it.
func (e *encoder) image(image *conversation.ImagePart) {
	url := image.URL
	switch {
	case image.Data != "":
		url = dataURI(&image.Media, "image/png")
	case !web(url):
		e.refuse("An image is neither in the request nor at a web address, so that this exit's backend cannot take it.")
	}
	e.dst = append(e.dst, `{"type":"image_url","image_url":{"url":`...)
	e.dst = wire.AppendString(e.dst, url)
	if image.Detail != "" {
		e.text("detail", image.Detail)
	}
	e.dst = append(e.dst, '}', '}')
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

// audioFormats are the formats that OpenAI takes, by media type.
var audioFormats = map[string]string{
	"audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/vnd.wave": "wav",
	"audio/mp3": "mp3", "audio/mpeg": "mp3",
}

func (e *encoder) audio(audio *conversation.AudioPart) {
	mediaType, _, _ := strings.Cut(audio.MediaType, ";")
	format := audioFormats[strings.ToLower(strings.TrimSpace(mediaType))]
	if format == "" || audio.Data == "" {
		e.refuse("This exit's backend takes audio in the request itself, as wav or mp3, and in no other form.")
	}
	e.dst = append(e.dst, `{"type":"input_audio","input_audio":{"data":`...)
	e.dst = wire.AppendString(e.dst, audio.Data)
	e.text("format", format)
	e.dst = append(e.dst, '}', '}')
}

// file writes a file: as text if it is, else in the request.
func (e *encoder) file(file *conversation.FilePart) {
	if text, ok := inlineText(file); ok {
		e.textPart(text)
		return
	}
	e.dst = append(e.dst, `{"type":"file","file":{`...)
	switch {
	case file.Data != "":
		name := file.Name
		if name == "" { // OpenAI wants one
			name = "file"
			if file.MediaType == "application/pdf" {
				name = "file.pdf"
			}
		}
		e.dst = append(e.dst, `"filename":`...)
		e.dst = wire.AppendString(e.dst, name)
		e.text("file_data", dataURI(&file.Media, "application/octet-stream"))
	default:
		e.refuse("A file is not in the request itself, so that this exit's backend cannot take it.")
	}
	e.dst = append(e.dst, '}', '}')
}

// inlineText returns the text of a file that is text, with its name. OpenAI takes PDFs as files and nothing else.
func inlineText(file *conversation.FilePart) (string, bool) {
	mediaType, _, _ := strings.Cut(strings.ToLower(file.MediaType), ";")
	mediaType = strings.TrimSpace(mediaType)
	if file.Data == "" || !strings.HasPrefix(mediaType, "text/") && mediaType != "application/json" {
		return "", false
	}
	text, err := base64.StdEncoding.DecodeString(file.Data)
	if err != nil {
		return "", false
	}
	if file.Name == "" {
		return string(text), true
	}
	return file.Name + ":\n" + string(text), true
}

// movedMedia is what a tool returned besides text. A tool's message has text only, so a user's message after all of them
// has the rest.
type movedMedia struct {
	call string
	part conversation.Part
}

func (e *encoder) results(m *conversation.Message) {
	for _, part := range m.Parts {
		result, ok := part.(conversation.ResultPart)
		if !ok {
			e.refuse("A message with results of tools has something else in it.")
			return
		}
		e.result(&result)
	}
}

func (e *encoder) result(r *conversation.ResultPart) {
	e.cached(r.Cache)
	id := e.calls.answer(r.CallID, r.Name)
	var texts []string
	moved := false
	for _, part := range r.Parts {
		if text, ok := e.texts([]conversation.Part{part}); ok {
			texts = append(texts, text...)
			continue
		}
		moved = true
		e.moved = append(e.moved, movedMedia{call: id, part: part})
	}
	text := strings.Join(texts, betweenTexts)
	switch {
	case len(r.Parts) == 0 && len(r.JSON) > 0:
		text = string(r.JSON)
	case text == "" && moved:
		text = "The result is in the next message of the user's."
	}
	if r.IsError {
		text = errorText(text)
	}
	e.message("tool")
	e.text("tool_call_id", id)
	e.text("content", text)
	e.dst = append(e.dst, '}')
}

// errorText says that a result is an error, for which there is no field, unless it says so itself.
func errorText(text string) string {
	if strings.Contains(strings.ToLower(text[:min(len(text), 80)]), "error") {
		return text
	}
	return strings.TrimSuffix("Error: "+text, ": ")
}

// flushMoved writes the media of the tool results before, in their order.
func (e *encoder) flushMoved() {
	if len(e.moved) == 0 {
		return
	}
	var parts []conversation.Part
	last := ""
	for _, m := range e.moved {
		if m.call != last {
			parts = append(parts, conversation.TextPart{Text: "Result of the tool call " + m.call + ":"})
			last = m.call
		}
		parts = append(parts, m.part)
	}
	e.moved = slices.Delete(e.moved, 0, len(e.moved))
	e.message("user")
	e.key("content")
	e.parts(parts)
	e.dst = append(e.dst, '}')
}
