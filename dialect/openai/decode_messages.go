// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// said is one message as it is read.
type said struct {
	role, name string
	callID     string
	parts      []conversation.Part
	refusal    string
	reasoning  string
	mark       string
	details    []detail
	calls      []conversation.Part
	cache      *conversation.CacheControl
}

func (d *decoder) message(i int) {
	d.within, d.list, d.part = "messages", i, -1
	var s said
	d.object("", func(key []byte) {
		switch field := string(key); field {
		case "role":
			s.role = d.text(field)
		case "name":
			s.name = d.text(field)
		case "content":
			s.parts = append(s.parts, d.content()...)
		case "refusal":
			s.refusal = d.text(field)
		case "reasoning_content", "reasoning":
			if text := d.p.String(); text != "" && (s.mark == "" || field == "reasoning_content") {
				s.reasoning, s.mark = text, markPrefix+field
			}
		case "reasoning_details":
			d.p.Array(func(int) {
				if el, known := readDetail(d.p); known {
					s.details = append(s.details, el)
				}
			})
		case "tool_calls":
			d.array(field, func(int) { s.calls = append(s.calls, d.call()) })
		case "function_call":
			if d.p.Kind() == wire.ObjectValue {
				s.calls = append(s.calls, d.functionCall(""))
			}
		case "tool_call_id":
			s.callID = d.text(field)
		case "cache_control":
			s.cache = d.cache()
		case "audio":
			if !d.p.Null() {
				d.wrong(field, "refers to speech that only its own backend has.")
			}
		}
	})
	if d.fail == nil && d.p.Err() == nil {
		d.take(&s)
	}
}

// take adds a message to the conversation.
func (d *decoder) take(s *said) {
	cacheLast(s)
	switch s.role {
	case "system":
		d.speak(conversation.System, s)
	case "developer":
		d.speak(conversation.Developer, s)
	case "user":
		d.speak(conversation.User, s)
	case "assistant":
		d.assistant(s)
	case "tool", "function":
		d.result(s)
	case "":
		d.wrong("role", "is missing.")
	default:
		d.wrong("role", "is none of system, developer, user, assistant and tool.")
	}
}

// cacheLast gives a message's mark to its last part.
func cacheLast(s *said) {
	if s.cache == nil || len(s.parts) == 0 {
		return
	}
	if last, ok := s.parts[len(s.parts)-1].(conversation.TextPart); ok && s.role != "tool" {
		last.Cache = s.cache
		s.parts[len(s.parts)-1] = last
	}
}

func (d *decoder) speak(role conversation.Role, s *said) {
	if len(s.parts) == 0 {
		if role != conversation.User {
			return
		}
		s.parts = []conversation.Part{conversation.TextPart{}} // a turn all the same
	}
	d.req.Messages = append(d.req.Messages, conversation.Message{Role: role, Parts: s.parts, Name: s.name})
}

func (d *decoder) assistant(s *said) {
	parts := thinking(s.details, s.reasoning)
	if len(parts) == 0 && s.reasoning != "" {
		signature := conversation.Signature{By: own, Value: s.mark}
		parts = []conversation.Part{conversation.ThinkingPart{Text: s.reasoning, Signature: signature}}
	}
	parts = append(parts, s.parts...)
	if s.refusal != "" {
		parts = append(parts, conversation.RefusalPart{Text: s.refusal})
	}
	parts = append(parts, s.calls...)
	if len(parts) == 0 {
		return
	}
	d.req.Messages = append(d.req.Messages, conversation.Message{Role: conversation.Assistant, Parts: parts, Name: s.name})
}

// result adds what a tool answered. Results that follow each other are one turn.
func (d *decoder) result(s *said) {
	part := conversation.ResultPart{CallID: s.callID, Parts: s.parts, Cache: s.cache}
	if s.role == "function" {
		part.Name = s.name
	} else if s.callID == "" {
		d.wrong("tool_call_id", "is missing.")
		return
	}
	list := d.req.Messages
	if n := len(list); n > 0 && list[n-1].Role == conversation.ToolResults {
		list[n-1].Parts = append(list[n-1].Parts, part)
		return
	}
	turn := conversation.Message{Role: conversation.ToolResults, Parts: []conversation.Part{part}}
	d.req.Messages = append(list, turn)
}

// nameResults gives results the names of their tools, which their calls have. The call before counts if ids repeat.
func (d *decoder) nameResults() {
	names := map[string]string{}
	for i := range d.req.Messages {
		parts := d.req.Messages[i].Parts
		for j := range parts {
			switch part := parts[j].(type) {
			case conversation.CallPart:
				names[part.ID] = part.Name
			case conversation.ResultPart:
				if part.Name == "" {
					part.Name = names[part.CallID]
					parts[j] = part
				}
			}
		}
	}
}

func (d *decoder) call() conversation.Part {
	var c conversation.CallPart
	kind := "function"
	var signature string
	d.object("tool_calls", func(key []byte) {
		switch string(key) {
		case "id":
			c.ID = d.text("tool_calls.id")
		case "type":
			if t := d.text("tool_calls.type"); t != "" {
				kind = t
			}
		case "function":
			c = d.functionCall(c.ID)
		case "custom":
			c = d.customCall(c.ID)
		case "extra_content":
			d.p.Object(func([]byte) { // by the name of the service: google
				d.p.Object(func(key []byte) {
					if string(key) == "thought_signature" {
						signature = d.p.String()
					}
				})
			})
		}
	})
	if d.fail == nil && (c.Name == "" || kind != "function" && kind != "custom") {
		d.wrong("tool_calls", "has a call of no known type, or without a name.")
	}
	if signature != "" {
		c.Signature = conversation.Unwrap(own, signature)
	}
	return c
}

func (d *decoder) functionCall(id string) conversation.CallPart {
	c := conversation.CallPart{ID: id, Arguments: "{}"}
	d.object("tool_calls.function", func(key []byte) {
		switch string(key) {
		case "name":
			c.Name = d.text("tool_calls.function.name")
		case "arguments":
			if d.p.Kind() == wire.ObjectValue {
				c.Arguments = string(d.p.Raw())
				return
			}
			c.Arguments = arguments(d.text("tool_calls.function.arguments"))
		}
	})
	return c
}

// customCall reads a call of a tool that takes text instead of arguments.
func (d *decoder) customCall(id string) conversation.CallPart {
	c := conversation.CallPart{ID: id, Arguments: "{}"}
	d.object("tool_calls.custom", func(key []byte) {
		switch string(key) {
		case "name":
			c.Name = d.text("tool_calls.custom.name")
		case "input":
			input := wire.AppendString([]byte(`{"input":`), d.text("tool_calls.custom.input"))
			c.Arguments = string(append(input, '}'))
		}
	})
	return c
}

// content reads a message's content: a string, or an array of parts. Empty texts are left out.
func (d *decoder) content() []conversation.Part {
	if d.p.Kind() != wire.ArrayValue {
		if text := d.text("content"); text != "" {
			return []conversation.Part{conversation.TextPart{Text: text}}
		}
		return nil
	}
	var parts []conversation.Part
	d.p.Array(func(i int) {
		d.part = i
		parts = d.contentPart(parts)
	})
	d.part = -1
	return parts
}

// piece is one part of a content as it is read.
type piece struct {
	kind, text, refusal string
	media               conversation.Media
	format              string
	cache               *conversation.CacheControl
}

func (d *decoder) contentPart(parts []conversation.Part) []conversation.Part {
	var c piece
	d.object("", func(key []byte) {
		switch field := string(key); field {
		case "type":
			c.kind = d.text(field)
		case "text":
			c.text = d.text(field)
		case "refusal":
			c.refusal = d.text(field)
		case "image_url":
			d.imageURL(&c)
		case "input_audio":
			d.object(field, func(key []byte) {
				switch string(key) {
				case "data":
					c.media.Data = d.text("input_audio.data")
				case "format":
					c.format = d.text("input_audio.format")
				}
			})
		case "file":
			d.file(&c)
		case "cache_control":
			c.cache = d.cache()
		}
	})
	switch c.kind {
	case "text":
		if c.text == "" {
			return parts
		}
		return append(parts, conversation.TextPart{Text: c.text, Cache: c.cache})
	case "refusal":
		return append(parts, conversation.RefusalPart{Text: c.refusal})
	case "image_url":
		return append(parts, conversation.ImagePart{Media: c.media, Cache: c.cache})
	case "input_audio":
		if c.media.MediaType = "audio/" + c.format; c.format == "mp3" {
			c.media.MediaType = "audio/mpeg"
		}
		return append(parts, conversation.AudioPart{Media: c.media})
	case "file":
		return append(parts, conversation.FilePart{Media: c.media, Cache: c.cache})
	}
	d.wrong("type", "is none of text, image_url, input_audio, file and refusal.")
	return parts
}

func (d *decoder) imageURL(c *piece) {
	read := func() {
		if url := d.text("image_url.url"); url != "" {
			d.location(&c.media, url, "image_url.url")
		} else if d.fail == nil {
			d.wrong("image_url.url", "is empty.")
		}
	}
	if d.p.Kind() == wire.StringValue {
		read()
		return
	}
	d.object("image_url", func(key []byte) {
		switch string(key) {
		case "url":
			read()
		case "detail":
			c.media.Detail = d.text("image_url.detail")
		}
	})
}

func (d *decoder) file(c *piece) {
	d.object("file", func(key []byte) {
		switch string(key) {
		case "file_data":
			data := d.text("file.file_data")
			if strings.HasPrefix(data, "data:") {
				d.location(&c.media, data, "file.file_data")
			} else {
				c.media.Data = data
			}
		case "file_id":
			if c.media.FileID = d.text("file.file_id"); c.media.FileID != "" {
				c.media.FileBy = own
			}
		case "filename":
			c.media.Name = d.text("file.filename")
		}
	})
	if c.media.Data != "" && c.media.MediaType == "" && strings.HasSuffix(strings.ToLower(c.media.Name), ".pdf") {
		c.media.MediaType = "application/pdf"
	}
}

// location takes a URL apart if the content is in it (RFC 2397), and else keeps it.
func (d *decoder) location(m *conversation.Media, url, field string) {
	rest, isData := cutScheme(url)
	if !isData {
		m.URL = url
		return
	}
	kind, data, ok := strings.Cut(rest, ",")
	kind, encoded := strings.CutSuffix(kind, ";base64")
	if !ok || !encoded || data == "" {
		d.wrong(field, "is a data URL that is not in base64.")
		return
	}
	m.MediaType, _, _ = strings.Cut(kind, ";")
	m.Data = data
}

func cutScheme(url string) (rest string, isData bool) {
	if len(url) >= 5 && strings.EqualFold(url[:5], "data:") {
		return url[5:], true
	}
	return url, false
}
