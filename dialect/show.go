// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import "slices"

// architecture begins the names of what Ollama's /api/show says about a model's architecture. Tools look up the context
// length under the architecture that is named beside it.
const architecture = "tokengo"

// shownModel is the answer to /api/show (docs.ollama.com/api), in the order of Ollama's own.
type shownModel struct {
	License      string         `json:"license"`
	Modelfile    string         `json:"modelfile"`
	Parameters   string         `json:"parameters"`
	Template     string         `json:"template"`
	Details      ollamaDetails  `json:"details"`
	ModelInfo    map[string]any `json:"model_info"`
	Capabilities []string       `json:"capabilities"`
	ModifiedAt   string         `json:"modified_at"`
}

// ShowBody returns the answer to ShowModel for a model that no Ollama serves, from what its exit says about it. What only
// Ollama has (license, template, parameters) is empty.
func ShowBody(m ListedModel) []byte {
	info := map[string]any{"general.architecture": architecture, "general.basename": m.ID}
	if m.MaxCtx > 0 {
		info[architecture+".context_length"] = m.MaxCtx
	}
	return encode(shownModel{
		Details: ollamaDetails{Families: []string{}}, ModelInfo: info,
		Capabilities: m.capabilities(), ModifiedAt: stamp(m.since()),
	})
}

// capabilities are Ollama's words for the features. Of a model whose features are not described it says what nearly all
// models can, because tools hide those that cannot call tools; a backend that cannot says so itself.
func (m ListedModel) capabilities() []string {
	if slices.Contains(m.Features, "embedding") {
		return []string{"embedding"}
	}
	list := []string{"completion"}
	if len(m.Features) == 0 {
		return append(list, "tools")
	}
	for _, c := range []struct{ feature, capability string }{
		{"tools", "tools"}, {"vision", "vision"}, {"reasoning", "thinking"},
	} {
		if slices.Contains(m.Features, c.feature) {
			list = append(list, c.capability)
		}
	}
	return list
}
