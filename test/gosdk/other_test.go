// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/ollama/ollama/api"

	"github.com/tokengo/tokengo/service"
)

// TestModels has each SDK list models. Those of every protocol must be there, each once.
func TestModels(t *testing.T) {
	t.Parallel()
	n := startScripts(t)
	var want []string
	for _, p := range service.Protocols() {
		for _, scene := range cases {
			want = append(want, modelOf(scene, p))
		}
	}
	slices.Sort(want)
	for _, s := range sdks {
		got, err := s.models(t.Context(), n.site())
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		for i, id := range got {
			got[i] = strings.TrimSuffix(id, ":latest")
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s lists other models (-want +got):\n%s", s.name, diff)
		}
	}
}

// demoModels are the demo backend's, by the protocol over which they are offered.
var demoModels = map[service.Protocol]string{
	service.OpenAI: "demo-gpt", service.Claude: "demo-claude", service.Gemini: "demo-gemini", service.Ollama: "demo-llama",
}

// TestEmbeddings has each SDK ask each backend that has embeddings. The demo backend gives the same in every protocol.
func TestEmbeddings(t *testing.T) {
	t.Parallel()
	url := startDemo(t)
	texts := []string{"the quick fox", "世界"}
	var want [][]float32
	for _, s := range sdks {
		for _, p := range []service.Protocol{service.OpenAI, service.Gemini, service.Ollama} {
			if s.embed == nil {
				continue
			}
			got, err := s.embed(t.Context(), &site{url: url}, demoModels[p], texts)
			if err != nil {
				t.Errorf("%s over %s: %v", s.name, p, err)
				continue
			}
			if len(got) != len(texts) || len(got[0]) < 2 || cmp.Equal(got[0], got[1]) {
				t.Errorf("%s over %s: two texts give %v", s.name, p, got)
			}
			if want == nil {
				want = got
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-6)); diff != "" {
				t.Errorf("%s over %s gives other vectors (-want +got):\n%s", s.name, p, diff)
			}
		}
	}
}

// TestOllamaShow has models of every protocol shown as Ollama's own command line does before it runs one: by the older
// name of the field, with the newer one empty.
func TestOllamaShow(t *testing.T) {
	t.Parallel()
	url := startDemo(t)
	for p, model := range demoModels {
		shown, err := ollamaClient(&site{url: url}).Show(t.Context(), &api.ShowRequest{Name: model})
		if err != nil || !slices.Contains(shown.Capabilities, "completion") {
			t.Errorf("%s over %s: %+v, %v", model, p, shown, err)
		}
	}
}

// TestOllamaLoaded asks what is loaded, as tools do before they choose.
func TestOllamaLoaded(t *testing.T) {
	t.Parallel()
	loaded, err := ollamaClient(&site{url: startDemo(t)}).ListRunning(t.Context())
	if err != nil || len(loaded.Models) != 0 {
		t.Errorf("%+v, %v", loaded, err)
	}
}

// TestCounts has tokens counted for models of every protocol: more for more text.
func TestCounts(t *testing.T) {
	t.Parallel()
	url := startDemo(t)
	for _, s := range sdks {
		for _, p := range service.Protocols() {
			if s.count == nil {
				continue
			}
			short, err := s.count(t.Context(), &site{url: url}, question{model: demoModels[p], prompt: "a few words"})
			if err != nil {
				t.Errorf("%s over %s: %v", s.name, p, err)
				continue
			}
			long, err := s.count(t.Context(), &site{url: url}, question{model: demoModels[p], prompt: strings.Repeat("a few words ", 100)})
			if err != nil || short < 3 || long < short+200 {
				t.Errorf("%s over %s: %d tokens, and %d for a hundred times as many words, %v", s.name, p, short, long, err)
			}
		}
	}
}
