// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// modelsPaths are where backends list their models, in as few pages as they allow.
var modelsPaths = map[service.Protocol]string{
	service.OpenAI: "/v1/models",
	service.Claude: "/v1/models?limit=1000",
	service.Gemini: "/v1beta/models?pageSize=1000",
	service.Ollama: "/api/tags",
}

// modelsPage is one page of a list of models, in any of the protocols.
type modelsPage struct {
	Data          []listedModel `json:"data"`   // openai, claude
	Models        []listedModel `json:"models"` // gemini, ollama
	HasMore       bool          `json:"has_more"`
	LastID        string        `json:"last_id"`
	NextPageToken string        `json:"nextPageToken"`
}

// listedModel is a model in such a list. Where protocols agree on a name, it means the same.
type listedModel struct {
	ID   string `json:"id"`   // openai, claude
	Name string `json:"name"` // gemini, with models/ before it; ollama

	MaxModelLen    tokens `json:"max_model_len"`    // openai as vLLM has it
	ContextLength  tokens `json:"context_length"`   // openai as OpenRouter has it
	MaxInputTokens tokens `json:"max_input_tokens"` // claude
	MaxTokens      tokens `json:"max_tokens"`       // claude
	InputLimit     tokens `json:"inputTokenLimit"`  // gemini
	OutputLimit    tokens `json:"outputTokenLimit"` // gemini

	Methods []string `json:"supportedGenerationMethods"` // gemini
	Details struct {
		Quantization string `json:"quantization_level"`
	} `json:"details"` // ollama
}

// tokens is a number of tokens, 0 for whatever is none: one odd value must not hide a list.
type tokens int

// UnmarshalJSON implements [json.Unmarshaler].
func (t *tokens) UnmarshalJSON(p []byte) error {
	var n int32
	if json.Unmarshal(p, &n) == nil {
		*t = tokens(max(n, 0))
	}
	return nil
}

// listModels asks the backend for its models. They come sorted, so that the same ones make the same
// description.
func (b *backend) listModels(ctx context.Context) ([]service.Model, error) {
	ctx, cancel := context.WithTimeout(ctx, modelsTimeout)
	defer cancel()
	var models []service.Model
	path := modelsPaths[b.protocol]
	for range maxModelsPages {
		page, err := b.modelsPage(ctx, path)
		if err != nil {
			return nil, fmt.Errorf("list the models of %s: %w", b.base.host, err)
		}
		for _, m := range append(page.Data, page.Models...) {
			if model, ok := b.model(m); ok {
				models = append(models, model)
			}
		}
		if path = b.nextPage(page); path == "" {
			break
		}
	}
	models = append(models, b.aliased(models)...)
	slices.SortFunc(models, func(x, y service.Model) int { return cmp.Compare(x.ID, y.ID) })
	return slices.CompactFunc(models, func(x, y service.Model) bool { return x.ID == y.ID }), nil
}

// aliased are the aliases of models, under their published names.
func (b *backend) aliased(models []service.Model) []service.Model {
	var more []service.Model
	for published, id := range b.aliases {
		i := slices.IndexFunc(models, func(m service.Model) bool { return dialect.SameModel(b.protocol, m.ID, id) })
		if i >= 0 && publishable(published) {
			m := models[i]
			m.ID = published
			more = append(more, m)
		}
	}
	return more
}

func (b *backend) modelsPage(ctx context.Context, path string) (*modelsPage, error) {
	r, err := b.request(ctx, &asked{op: dialect.Operation{Path: path}, method: http.MethodGet})
	if err != nil {
		return nil, err
	}
	resp, err := b.transport.RoundTrip(r)
	if err != nil {
		b.complaints.about(roundTripCode(ctx, err), err)
		return nil, errors.New("it cannot be reached")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered with status %d", resp.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxModelsBody+1))
	if err != nil || len(raw) > maxModelsBody {
		return nil, errors.New("its list breaks off or is too long")
	}
	var page modelsPage
	if raw = bytes.TrimSpace(raw); bytes.HasPrefix(raw, []byte("[")) { // as some openai-compatible services do
		err = json.Unmarshal(raw, &page.Data)
	} else {
		err = json.Unmarshal(raw, &page)
	}
	if err != nil {
		return nil, errors.New("its list cannot be read")
	}
	return &page, nil
}

// nextPage is the path of the page after one, "" when there is none.
func (b *backend) nextPage(page *modelsPage) string {
	switch {
	case b.protocol == service.Claude && page.HasMore && page.LastID != "":
		return modelsPaths[b.protocol] + "&after_id=" + url.QueryEscape(page.LastID)
	case b.protocol == service.Gemini && page.NextPageToken != "":
		return modelsPaths[b.protocol] + "&pageToken=" + url.QueryEscape(page.NextPageToken)
	default:
		return ""
	}
}

// model is what is published of a listed model; false for one that cannot be asked for.
func (b *backend) model(m listedModel) (service.Model, bool) {
	out := service.Model{ID: m.ID, Protocol: b.protocol}
	switch b.protocol {
	case service.OpenAI:
		out.MaxCtx = int(cmp.Or(m.MaxModelLen, m.ContextLength))
	case service.Claude:
		out.MaxCtx, out.MaxOutput = int(m.MaxInputTokens), int(m.MaxTokens)
	case service.Gemini:
		out.ID = strings.TrimPrefix(m.Name, "models/")
		out.MaxCtx, out.MaxOutput = int(m.InputLimit), int(m.OutputLimit)
		embeds := slices.Contains(m.Methods, "embedContent")
		if embeds {
			out.Features = []string{"embedding"}
		}
		if len(m.Methods) > 0 && !embeds && !slices.Contains(m.Methods, "generateContent") {
			return service.Model{}, false // images, video: other paths than ours
		}
	case service.Ollama:
		out.ID = m.Name
		if publishable(m.Details.Quantization) {
			out.Quantization = strings.ToLower(m.Details.Quantization)
		}
	}
	return out, publishable(out.ID)
}

// publishable reports whether a backend's text can stand in a service description.
func publishable(s string) bool {
	return s != "" && len(s) <= maxText && service.Printable(s, maxText) == s && !strings.ContainsRune(s, utf8.RuneError)
}
