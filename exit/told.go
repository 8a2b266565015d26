// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tokengo/tokengo/service"
)

// listedModel is a model as a backend describes it. Where protocols and services agree on a name, it means
// the same. Nothing of it is believed further than that it can be published; numbers are in tokens.
type listedModel struct {
	ID     string `json:"id"`     // openai, claude
	Name   string `json:"name"`   // gemini, with models/ before it; ollama
	Digest string `json:"digest"` // ollama: of the weights

	MaxModelLen      maybe[int32] `json:"max_model_len"`         // vLLM
	ContextLength    maybe[int32] `json:"context_length"`        // OpenRouter, Together
	ContextWindow    maybe[int32] `json:"context_window"`        // Groq
	MaxContextLength maybe[int32] `json:"max_context_length"`    // Mistral
	MaxInputTokens   maybe[int32] `json:"max_input_tokens"`      // claude, LiteLLM
	MaxTokens        maybe[int32] `json:"max_tokens"`            // claude: of an answer
	MaxOutputTokens  maybe[int32] `json:"max_output_tokens"`     // LiteLLM
	MaxCompletion    maybe[int32] `json:"max_completion_tokens"` // Groq
	InputLimit       maybe[int32] `json:"inputTokenLimit"`       // gemini
	OutputLimit      maybe[int32] `json:"outputTokenLimit"`      // gemini

	Methods      maybe[[]string]                        `json:"supportedGenerationMethods"` // gemini
	Parameters   maybe[[]string]                        `json:"supported_parameters"`       // OpenRouter
	Architecture maybe[listedArchitecture]              `json:"architecture"`               // OpenRouter
	TopProvider  maybe[listedProvider]                  `json:"top_provider"`               // OpenRouter
	Pricing      maybe[map[string]json.RawMessage]      `json:"pricing"`                    // OpenRouter: strings, US dollars a token
	Capabilities maybe[map[string]maybe[listedAbility]] `json:"capabilities"`               // claude, Mistral
	Details      maybe[listedDetails]                   `json:"details"`                    // ollama

	shown *shownModel // ollama: what /api/show says; nil when it is not known
}

type listedArchitecture struct {
	Input []string `json:"input_modalities"`
}

type listedProvider struct {
	MaxCompletion maybe[int32] `json:"max_completion_tokens"`
}

type listedDetails struct {
	Quantization string `json:"quantization_level"`
}

// listedAbility is whether a model can do something: true, or an object that says so.
type listedAbility bool

// UnmarshalJSON implements [json.Unmarshaler].
func (a *listedAbility) UnmarshalJSON(p []byte) error {
	var object struct {
		Supported bool `json:"supported"`
	}
	if json.Unmarshal(p, (*bool)(a)) == nil {
		return nil
	}
	err := json.Unmarshal(p, &object)
	*a = listedAbility(object.Supported)
	return err
}

// maybe is a value that is left out when it is of another kind: one odd value must not hide a list.
type maybe[T any] struct {
	value T
	odd   bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (m *maybe[T]) UnmarshalJSON(p []byte) error {
	var value T
	if json.Unmarshal(p, &value) != nil {
		*m = maybe[T]{odd: true}
		return nil
	}
	*m = maybe[T]{value: value}
	return nil
}

// oddities collects the names of fields whose values were left out.
type oddities []string

// tokens is the first number of tokens that is given, 0 for none.
func (o *oddities) tokens(field string, numbers ...maybe[int32]) int {
	for _, n := range numbers {
		if n.odd || n.value < 0 {
			*o = append(*o, field)
		} else if n.value > 0 {
			return int(n.value)
		}
	}
	return 0
}

// words are those that can stand in a description, as many as it may have.
func (o *oddities) words(field string, in maybe[[]string]) []string {
	odd := in.odd
	var out []string
	for _, word := range in.value {
		switch {
		case slices.Contains(out, word):
		case !publishable(word) || len(out) == maxWords:
			odd = true
		default:
			out = append(out, word)
		}
	}
	if odd {
		*o = append(*o, field)
	}
	return out
}

// model is what is published of a listed model, and the fields of which it is not; false for one that
// cannot be asked for.
func (b *backend) model(m *listedModel) (model service.Model, odd oddities, ok bool) {
	model = service.Model{ID: m.ID, Protocol: b.protocol}
	switch b.protocol {
	case service.OpenAI:
		m.describeOpenAI(&model, &odd)
	case service.Claude:
		model.MaxCtx = odd.tokens("max_input_tokens", m.MaxInputTokens)
		model.MaxOutput = odd.tokens("max_tokens", m.MaxTokens)
		m.describeClaude(&model)
	case service.Gemini:
		model.ID = strings.TrimPrefix(m.Name, "models/")
		model.MaxCtx = odd.tokens("inputTokenLimit", m.InputLimit)
		model.MaxOutput = odd.tokens("outputTokenLimit", m.OutputLimit)
		methods := m.Methods.value
		embeds, generates := slices.Contains(methods, "embedContent"), slices.Contains(methods, "generateContent")
		if embeds && !generates { // of one that does both it is not told what else it can do, such as to call tools
			model.Features = []string{featureEmbedding}
		}
		if len(methods) > 0 && !embeds && !generates {
			return service.Model{}, nil, false // images, video: other paths than ours
		}
	case service.Ollama:
		model.ID = m.Name
		m.describeOllama(&model, &odd)
	}
	return model, odd, publishable(model.ID)
}

// describeOpenAI reads what services of OpenAI's protocol say in their several ways.
func (m *listedModel) describeOpenAI(model *service.Model, odd *oddities) {
	model.MaxCtx = odd.tokens("context length", m.MaxModelLen, m.ContextLength, m.ContextWindow, m.MaxContextLength, m.MaxInputTokens)
	model.MaxOutput = odd.tokens("longest answer", m.TopProvider.value.MaxCompletion, m.MaxCompletion, m.MaxOutputTokens)
	model.Modalities = odd.words("input_modalities", maybe[[]string]{value: m.Architecture.value.Input, odd: m.Architecture.odd})
	var ok bool
	if model.Pricing, ok = dollars(m.Pricing.value); !ok || m.Pricing.odd {
		*odd = append(*odd, "pricing")
	}
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool {
			return slices.Contains(m.Parameters.value, w) || bool(m.Capabilities.value[w].value)
		})
	}
	for _, f := range []struct {
		name string
		has  bool
	}{
		{featureTools, says("tools", "function_calling")},
		{featureParallelTools, says("parallel_tool_calls")},
		{featureVision, says("vision") || slices.Contains(model.Modalities, "image")},
		{featureJSONSchema, says("structured_outputs")},
		{featureReasoning, says("reasoning", "include_reasoning")},
		{featureCachedInput, model.Pricing != nil && model.Pricing.CachedInputPer1M != ""},
	} {
		if f.has {
			model.Features = append(model.Features, f.name)
		}
	}
	if !m.tellsOfTools() {
		model.Features = nil // a list without tools would say that it has none; pictures are among the modalities
	}
}

// tellsOfTools reports whether it is told whether the model can call tools.
func (m *listedModel) tellsOfTools() bool {
	if len(m.Parameters.value) > 0 {
		return true
	}
	for _, word := range []string{"tools", "function_calling"} {
		if _, told := m.Capabilities.value[word]; told {
			return true
		}
	}
	return false
}

// describeClaude reads what Claude's own service says. It has no word for tools, because every model takes them.
func (m *listedModel) describeClaude(model *service.Model) {
	can := func(ability string) bool { return bool(m.Capabilities.value[ability].value) }
	if len(m.Capabilities.value) == 0 {
		return
	}
	model.Modalities = []string{"text"}
	model.Features = []string{featureTools, featureParallelTools}
	if can("image_input") {
		model.Modalities = append(model.Modalities, "image")
		model.Features = append(model.Features, featureVision)
	}
	if can("pdf_input") {
		model.Modalities = append(model.Modalities, "file")
	}
	if can("structured_outputs") {
		model.Features = append(model.Features, featureJSONSchema)
	}
	if can("thinking") {
		model.Features = append(model.Features, featureReasoning)
	}
}

// publishable reports whether a backend's text can stand in a service description.
func publishable(s string) bool {
	return s != "" && len(s) <= maxText && service.Printable(s, maxText) == s && !strings.ContainsRune(s, utf8.RuneError)
}
