// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import "bytes"

// geminiFields are gemini's fields, of a request and of those within one.
var geminiFields = map[string]field{
	"contents":          {read: func(r *demander) { r.array(r.geminiContent) }},
	"content":           {read: (*demander).geminiContent},
	"systemInstruction": {read: (*demander).geminiSystem},
	"tools":             {read: func(r *demander) { r.array(r.geminiTool) }},
	"toolConfig":        {},
	"generationConfig":  {read: (*demander).geminiConfig},
	"labels":            {},
}

// geminiConfigs are the fields of generationConfig that have another name elsewhere, or say more than that.
var geminiConfigs = map[string]field{
	"maxOutputTokens":    {"max_tokens", (*demander).limit},
	"stopSequences":      {parameter: "stop"},
	"topP":               {parameter: "top_p"},
	"topK":               {parameter: "top_k"},
	"frequencyPenalty":   {parameter: "frequency_penalty"},
	"presencePenalty":    {parameter: "presence_penalty"},
	"responseLogprobs":   {parameter: "logprobs"},
	"logprobs":           {parameter: "top_logprobs"},
	"candidateCount":     {parameter: "n"},
	"responseMimeType":   {read: (*demander).geminiType},
	"responseSchema":     {read: (*demander).geminiSchema},
	"responseJsonSchema": {read: (*demander).geminiSchema},
	"responseFormat":     {read: (*demander).geminiFormat},
	"thinkingConfig":     {read: (*demander).geminiThinking},
}

// geminiMember reads a field of the request, which may hold others.
func (r *demander) geminiMember(name []byte) {
	switch string(name) {
	case "requests":
		r.array(r.geminiRequest)
	case "generateContentRequest", "generate_content_request":
		r.geminiRequest()
	default:
		r.geminiField(name, geminiFields)
	}
}

// geminiRequest reads a request within a request, which may name the model again.
func (r *demander) geminiRequest() {
	r.object(func(name []byte) {
		if isModel(name) {
			r.err = r.s.named(string(name) == "model", &r.s.found.inner)
			return
		}
		r.geminiField(name, geminiFields)
	})
}

func (r *demander) geminiField(name []byte, in map[string]field) {
	if r.s.peek() == 'n' {
		return
	}
	name = r.camel(name)
	f, known := in[string(name)]
	r.setting(f, known, name)
}

func (r *demander) geminiConfig() {
	r.object(func(name []byte) { r.geminiField(name, geminiConfigs) })
}

// geminiType reads the media type of the answer.
func (r *demander) geminiType() {
	if kind := r.word(); len(kind) > 0 && string(kind) != "text/plain" {
		r.parameter(responseFormat)
	}
}

func (r *demander) geminiSchema() {
	if r.s.peek() == '{' {
		r.needs(FeatureJSONSchema)
	}
}

// geminiFormat reads the newer form of the answer's form: an object, or a list of them.
func (r *demander) geminiFormat() {
	one := func() {
		r.object(func([]byte) {
			r.object(func(name []byte) {
				if string(name) == "schema" {
					r.geminiSchema()
				}
			})
		})
	}
	one()
	r.array(one)
}

// geminiThinking reads how much to think. Whether to show it asks for nothing.
func (r *demander) geminiThinking() {
	wanted := false
	r.object(func(name []byte) {
		switch string(r.camel(name)) {
		case "thinkingBudget":
			wanted = r.number() != 0 || wanted
		case "thinkingLevel":
			wanted = isEffort(r.word()) || wanted
		}
	})
	if wanted {
		r.wishes(FeatureReasoning)
	}
}

func (r *demander) geminiSystem() {
	r.said = r.said[:0]
	r.geminiParts()
	r.begin.system(r.said)
}

// geminiContent reads a turn. One that does not say whose it is, is the user's.
func (r *demander) geminiContent() {
	r.said = r.said[:0]
	role := r.geminiParts()
	if len(role) == 0 {
		role = []byte("user")
	}
	r.begin.message(role, r.said)
}

// geminiParts reads the parts of a content and returns its role.
func (r *demander) geminiParts() (role []byte) {
	r.say()
	r.object(func(name []byte) {
		switch string(name) {
		case "role":
			role = r.word()
		case "parts":
			r.array(r.geminiPart)
		}
	})
	return role
}

func (r *demander) geminiPart() {
	r.object(func(name []byte) {
		switch string(r.camel(name)) {
		case "text":
			r.say()
		case "inlineData", "fileData":
			r.geminiData()
		case "functionResponse":
			r.object(func(name []byte) {
				if string(name) == "parts" {
					r.array(r.geminiPart)
				}
			})
		}
	})
}

// geminiData reads data, or where it is.
func (r *demander) geminiData() {
	var media []byte
	r.object(func(name []byte) {
		switch string(r.camel(name)) {
		case "mimeType":
			media = r.word()
		case "data", "fileUri":
			r.data()
		}
	})
	kind, _, _ := bytes.Cut(media, []byte("/"))
	switch string(kind) {
	case ModalityImage, ModalityAudio, ModalityVideo:
		r.contains(string(kind))
	case "text":
	default:
		r.contains(ModalityFile)
	}
}

// camel is a field's name as it is written in camelCase: the service takes snake_case as well. It is good until the next
// call.
func (r *demander) camel(name []byte) []byte {
	if bytes.IndexByte(name, '_') < 0 || len(name) > len(r.camelID) {
		return name
	}
	short, upper := r.camelID[:0], false
	for _, c := range name {
		switch {
		case c == '_':
			upper = len(short) > 0
			continue
		case upper && 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		short, upper = append(short, c), false
	}
	return short
}
