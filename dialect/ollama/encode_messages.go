// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// betweenTexts separates the texts of a message that become one, as Ollama itself separates messages that it joins.
const betweenTexts = "\n\n"

// spoken is what a message of the protocol holds.
type spoken struct {
	texts    []string
	thoughts []string
	images   []string
	calls    []conversation.CallPart
}

func (e *encoder) writeMessages() {
	e.out.Array("messages")
	start := len(e.out)
	list := e.req.Messages
	for i := 0; i < len(list); i++ {
		m := &list[i]
		switch m.Role {
		case conversation.System, conversation.Developer:
			e.writeSpoken(roleSystem, m)
		case conversation.User:
			e.writeSpoken(roleUser, m)
		case conversation.ToolResults:
			e.writeResults(m)
		case conversation.Assistant:
			n := 1
			for i+n < len(list) && list[i+n].Role == conversation.Assistant {
				n++
			}
			e.writeAnswer(list[i : i+n])
			i += n - 1
		}
	}
	if len(e.out) == start {
		e.refuse("The request has no message that this exit's backend could answer.")
	}
	e.out.Close(']')
}

// said takes the parts of a message.
func (e *encoder) said(s *spoken, m *conversation.Message) {
	if m.Name != "" {
		e.dropped.Add("message.name")
	}
	for _, part := range m.Parts {
		e.part(s, part)
	}
}

func (e *encoder) part(s *spoken, part conversation.Part) {
	switch part := part.(type) {
	case conversation.TextPart:
		e.cached(part.Cache)
		s.addText(part.Text)
	case conversation.RefusalPart:
		s.addText(part.Text)
	case conversation.ThinkingPart:
		e.thought(s, &part)
	case conversation.ImagePart:
		e.cached(part.Cache)
		e.image(s, &part.Media)
	case conversation.FilePart:
		e.cached(part.Cache)
		e.file(s, &part)
	case conversation.AudioPart:
		e.refuse("A message in the request has audio, which this exit's backend does not take.")
	case conversation.CallPart:
		e.cached(part.Cache)
		s.calls = append(s.calls, part)
	default:
		e.refuse("A message in the request has content that this exit's backend does not take there.")
	}
}

func (s *spoken) addText(text string) {
	if text != "" {
		s.texts = append(s.texts, text)
	}
}

// thought takes what was thought in the open. Signatures are other protocols'.
func (e *encoder) thought(s *spoken, part *conversation.ThinkingPart) {
	if part.Text != "" {
		s.thoughts = append(s.thoughts, part.Text)
	}
	if part.Signature.Value != "" || part.Redacted != "" {
		e.dropped.Add("thinking.signature")
	}
}

func (e *encoder) image(s *spoken, m *conversation.Media) {
	if m.Detail != "" && m.Detail != "auto" {
		e.dropped.Add("image.detail")
	}
	text := m.Data
	if text == "" && strings.HasPrefix(m.URL, "data:") {
		media, _ := mediaOf(m.URL)
		text = media.Data
	}
	if text == "" {
		e.refuse("An image is given by a URL or an id, but this exit's backend takes only images that are in the request itself.")
		return
	}
	data, ok := standardBase64(text)
	if !ok {
		e.refuse("An image in the request is not valid base64.")
		return
	}
	s.images = append(s.images, data)
}

func (e *encoder) file(s *spoken, file *conversation.FilePart) {
	if strings.HasPrefix(strings.ToLower(file.MediaType), "image/") {
		e.image(s, &file.Media)
		return
	}
	text, ok := inlineText(file)
	if !ok {
		e.refuse("A message in the request has a file that is neither text nor an image in the request itself, which this " +
			"exit's backend does not take.")
		return
	}
	s.addText(text)
}

func (e *encoder) writeSpoken(role string, m *conversation.Message) {
	var s spoken
	e.said(&s, m)
	if len(s.calls)+len(s.thoughts) > 0 {
		e.refuse("A message that is not the assistant's has a tool call or reasoning.")
	}
	if len(s.texts)+len(s.images) == 0 && role == roleSystem {
		return
	}
	e.out.Open('{')
	e.writeContent(role, &s)
	e.out.Close('}')
}

func (e *encoder) writeContent(role string, s *spoken) {
	e.out.TextMember("role", role)
	e.out.TextMember("content", strings.Join(s.texts, betweenTexts))
	e.writeImages(s.images)
}

func (e *encoder) writeImages(images []string) {
	if len(images) == 0 {
		return
	}
	e.out.Array("images")
	for _, image := range images {
		e.out.Text(image)
	}
	e.out.Close(']')
}

// writeAnswer writes an answer of the assistant's, whose parts other protocols may have in several messages.
func (e *encoder) writeAnswer(list []conversation.Message) {
	var s spoken
	for i := range list {
		e.said(&s, &list[i])
	}
	if len(s.texts)+len(s.thoughts)+len(s.images)+len(s.calls) == 0 {
		return
	}
	j := &e.out
	j.Open('{')
	e.writeContent(roleAssistant, &s)
	j.TextIf("thinking", strings.Join(s.thoughts, betweenTexts))
	e.writeCalls(s.calls)
	j.Close('}')
}

func (e *encoder) writeCalls(list []conversation.CallPart) {
	if len(list) == 0 {
		return
	}
	j := &e.out
	j.Array("tool_calls")
	for i := range list {
		c := &list[i]
		if c.Signature.Value != "" {
			e.dropped.Add("thinking.signature")
		}
		j.Open('{')
		j.TextMember("id", e.calls.call(c.ID, c.Name))
		j.Object("function")
		j.IntMember("index", int64(i))
		j.TextMember("name", c.Name)
		j.RawMember("arguments", argumentsObject([]byte(c.Arguments)))
		*j = append(*j, '}', '}')
	}
	j.Close(']')
}

// writeResults writes results of tools, each as a message of its own.
func (e *encoder) writeResults(m *conversation.Message) {
	for _, part := range m.Parts {
		result, ok := part.(conversation.ResultPart)
		if !ok {
			e.refuse("A message with results of tools has something else in it.")
			return
		}
		e.writeResult(&result)
	}
}

func (e *encoder) writeResult(r *conversation.ResultPart) {
	e.cached(r.Cache)
	var s spoken
	for _, part := range r.Parts {
		e.part(&s, part)
	}
	if len(r.Parts) == 0 && len(r.JSON) > 0 {
		s.addText(string(r.JSON))
	}
	if r.IsError {
		s.texts = []string{errorText(strings.Join(s.texts, betweenTexts))}
	}
	call := e.calls.result(r.CallID, r.Name)
	if call.name == "" {
		call.name = r.Name
	}
	e.out.Open('{')
	e.writeContent(roleTool, &s)
	e.out.TextIf("tool_name", call.name)
	e.out.TextIf("tool_call_id", call.id)
	e.out.Close('}')
}

// errorText says that a result is an error, for which there is no field, unless it says so itself.
func errorText(text string) string {
	const head = 80 // bytes in which an error is looked for
	if strings.Contains(strings.ToLower(text[:min(len(text), head)]), "error") {
		return text
	}
	return strings.TrimSuffix("Error: "+text, ": ")
}

// writePrompt writes a completion with text after the gap, which is one text of the user's.
func (e *encoder) writePrompt() {
	var system, user spoken
	for i := range e.req.Messages {
		m := &e.req.Messages[i]
		switch m.Role {
		case conversation.System, conversation.Developer:
			e.said(&system, m)
		case conversation.User:
			e.said(&user, m)
		default:
			e.refuse("A request with a suffix has a conversation, but this exit's backend takes only one prompt with it.")
		}
	}
	for _, t := range e.req.Tools {
		if t.Builtin == "" && e.req.Choice.Mode != conversation.ChoiceNone {
			e.refuse("A request with a suffix has tools, which this exit's backend does not take together.")
		}
	}
	if len(system.images) > 0 {
		e.refuse("A system message in the request has an image, which this exit's backend does not take with a suffix.")
	}
	e.out.TextIf("system", strings.Join(system.texts, betweenTexts))
	e.out.TextMember("prompt", strings.Join(user.texts, betweenTexts))
	e.out.TextMember("suffix", e.req.Suffix)
	e.writeImages(user.images)
}
