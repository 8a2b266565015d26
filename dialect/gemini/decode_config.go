// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

const (
	inConfig = "generationConfig."

	enumType        = "text/x.enum"
	plainType       = "text/plain"
	modalityText    = "TEXT"
	modeUnspecified = "MODE_UNSPECIFIED"

	notText = "The request wants an answer that is not text, which this backend cannot give."
)

// generationConfig reads the member of that name.
func (d *decoder) generationConfig() {
	var f answerFormat
	d.members("generationConfig", func(key string) {
		if !d.sampling(key) && !f.read(d, key) {
			d.config(key)
		}
	})
	f.apply(d)
}

// sampling reads a field of generationConfig that says how tokens are chosen, if key is one.
func (d *decoder) sampling(key string) bool {
	s := &d.req.Sampling
	switch key {
	case "temperature":
		s.Temperature = d.number(inConfig + key)
	case "topP":
		s.TopP = d.number(inConfig + key)
	case "topK":
		if k := d.number(inConfig + key); k != nil {
			n := int(*k)
			s.TopK = &n
		}
	case "frequencyPenalty":
		s.FrequencyPenalty = d.number(inConfig + key)
	case "presencePenalty":
		s.PresencePenalty = d.number(inConfig + key)
	case "seed":
		if d.Null() {
			break
		}
		n := int64(d.integer(inConfig + key))
		s.Seed = &n
	default:
		return false
	}
	return true
}

func (d *decoder) config(key string) {
	r := d.req
	switch key {
	case "maxOutputTokens":
		r.MaxTokens = max(0, d.integer(inConfig+key))
	case "stopSequences":
		r.Stop = d.texts(inConfig + key)
	case "candidateCount":
		r.Candidates = d.integer(inConfig + key)
	case "responseLogprobs":
		r.Logprobs = d.flag(inConfig + key)
	case "logprobs":
		r.TopLogprobs = d.integer(inConfig + key)
	case "thinkingConfig":
		d.thinkingConfig()
	case "responseModalities":
		for _, m := range d.texts(inConfig + key) {
			if !strings.EqualFold(m, modalityText) && m != "MODALITY_UNSPECIFIED" {
				d.refuse(notText)
			}
		}
	default:
		d.unmapped([]byte(key))
	}
}

func (d *decoder) thinkingConfig() {
	if d.Null() {
		return
	}
	const field = inConfig + "thinkingConfig"
	var c thinkingConfig
	d.members(field, func(key string) {
		switch key {
		case "includeThoughts":
			c.visible = d.flag(field + "." + key)
		case "thinkingLevel":
			c.level = d.text(field + "." + key)
		case "thinkingBudget":
			if !d.Null() {
				c.budget, c.hasBudget = d.integer(field+"."+key), true
			}
		default:
			d.unmapped([]byte(key))
		}
	})
	d.req.Reasoning = c.reasoning()
}

// answerFormat is what generationConfig says about the form of the answer.
type answerFormat struct {
	mimeType string
	schema   []byte
}

// read reads a field about it, if key is one.
func (f *answerFormat) read(d *decoder, key string) bool {
	switch key {
	case "responseMimeType":
		f.mimeType = d.text(inConfig + key)
	case "responseSchema":
		f.setSchema(d.openSchema())
	case "responseJsonSchema":
		f.setSchema(d.rawObject(inConfig + key))
	case "responseFormat":
		d.each(func() { f.responseFormat(d) })
	default:
		return false
	}
	return true
}

func (f *answerFormat) setSchema(schema []byte) {
	if schema != nil {
		f.schema = schema
	}
}

// responseFormat reads an element of the newer field.
func (f *answerFormat) responseFormat(d *decoder) {
	const field = inConfig + "responseFormat"
	d.members(field, func(key string) {
		if key != "text" {
			if !d.Null() {
				d.refuse(notText)
			}
			return
		}
		d.members(field+".text", func(key string) {
			switch key {
			case "mimeType":
				f.mimeType = d.text(field + ".text.mimeType")
			case "schema":
				f.setSchema(d.rawObject(field + ".text.schema"))
			default:
				d.unmapped([]byte(key))
			}
		})
	})
}

func (f *answerFormat) apply(d *decoder) {
	format := &d.req.Format
	switch {
	case f.mimeType == enumType:
		d.refuse("The request wants one word of an enumeration (text/x.enum), which this backend cannot be told. Ask for " +
			"application/json.")
	case f.schema != nil && f.mimeType != plainType:
		format.Kind, format.Schema = conversation.FormatSchema, f.schema
	case f.mimeType == jsonType, f.mimeType == "APPLICATION_JSON":
		format.Kind = conversation.FormatJSON
	}
}

// rawObject reads an object as it is written; null is nil.
func (d *decoder) rawObject(field string) []byte {
	switch {
	case d.Null():
		return nil
	case d.Kind() != wire.ObjectValue:
		d.isNot(field, "an object")
		return nil
	}
	return d.Raw()
}
