// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// showPath is where an Ollama says what one model can do.
const showPath = "/api/show"

// shownModel is what an Ollama says of one model.
type shownModel struct {
	Details      maybe[listedDetails]              `json:"details"`
	Capabilities maybe[[]string]                   `json:"capabilities"`
	ModelInfo    maybe[map[string]json.RawMessage] `json:"model_info"`
}

// showCache is what an Ollama said, so that it is asked once for each model and version of it.
type showCache struct {
	mu sync.Mutex // guards by
	by map[shownKey]*shownModel
}

type shownKey struct{ name, digest string }

// show adds to the models found what the backend says of each that is to be offered, a few at a time. One
// that it says nothing of, or nothing in time, is offered without.
func (b *backend) show(ctx context.Context, found []listedModel) {
	ctx, cancel := context.WithTimeout(ctx, showTimeout)
	defer cancel()
	b.shown.mu.Lock()
	defer b.shown.mu.Unlock()
	room := make(chan struct{}, showsAtOnce)
	var asking sync.WaitGroup
	known := make(map[shownKey]*shownModel)
	for i := range found[:min(len(found), service.MaxModels)] {
		m := &found[i]
		if !b.offers(m.Name) {
			continue
		}
		if m.shown = b.shown.by[shownKey{m.Name, m.Digest}]; m.shown != nil {
			continue
		}
		room <- struct{}{}
		asking.Go(func() {
			defer func() { <-room }()
			m.shown = b.showModel(ctx, m.Name)
		})
	}
	asking.Wait()
	for i := range found {
		if m := &found[i]; m.shown != nil && m.Digest != "" {
			known[shownKey{m.Name, m.Digest}] = m.shown
		}
	}
	b.shown.by = known
}

// offers reports whether a model that the backend lists is one to offer.
func (b *backend) offers(id string) bool {
	return len(b.models) == 0 || slices.ContainsFunc(b.models, func(m service.Model) bool {
		return dialect.SameModel(b.protocol, b.name(m.ID), id)
	})
}

// showModel returns nil when the backend does not say anything that can be read.
func (b *backend) showModel(ctx context.Context, name string) *shownModel {
	body, err := json.Marshal(map[string]string{"model": name})
	if err != nil || ctx.Err() != nil {
		return nil
	}
	q := &asked{op: dialect.Operation{Path: showPath}, method: http.MethodPost, body: body}
	raw, err := b.fetch(ctx, q, maxShowBody)
	if err != nil {
		return nil
	}
	var shown shownModel
	if json.Unmarshal(raw, &shown) != nil {
		return nil
	}
	return &shown
}

// describeOllama reads what an Ollama lists and shows.
func (m *listedModel) describeOllama(model *service.Model, odd *oddities) {
	quantization := m.Details.value.Quantization
	if m.shown != nil {
		if q := m.shown.Details.value.Quantization; q != "" {
			quantization = q
		}
		model.MaxCtx = odd.tokens("context_length", m.shown.contextLength())
		m.shown.abilities(model, odd)
	}
	switch {
	case quantization == "" || strings.EqualFold(quantization, "unknown"):
	case publishable(quantization):
		model.Quantization = strings.ToLower(quantization)
	default:
		*odd = append(*odd, "quantization_level")
	}
}

// contextLength stands under the name of the model's architecture.
func (s *shownModel) contextLength() (n maybe[int32]) {
	var architecture string
	if raw, ok := s.ModelInfo.value["general.architecture"]; !ok || json.Unmarshal(raw, &architecture) != nil {
		return maybe[int32]{}
	}
	if raw, ok := s.ModelInfo.value[architecture+".context_length"]; ok {
		n.odd = json.Unmarshal(raw, &n) != nil || n.odd
	}
	return n
}

// abilities reads capabilities. A model that generates text can be held to a JSON schema by Ollama itself.
func (s *shownModel) abilities(model *service.Model, odd *oddities) {
	capabilities := odd.words("capabilities", s.Capabilities)
	if len(capabilities) == 0 {
		return
	}
	model.Modalities = []string{"text"}
	for _, f := range []struct{ capability, feature, modality string }{
		{"completion", featureJSONSchema, ""},
		{"tools", featureTools, ""},
		{"vision", featureVision, "image"},
		{"audio", "", "audio"},
		{"thinking", featureReasoning, ""},
		{"embedding", featureEmbedding, ""},
	} {
		if !slices.Contains(capabilities, f.capability) {
			continue
		}
		if f.feature != "" {
			model.Features = append(model.Features, f.feature)
		}
		if f.modality != "" {
			model.Modalities = append(model.Modalities, f.modality)
		}
	}
}
