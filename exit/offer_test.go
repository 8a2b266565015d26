// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/service"
)

// aliasedModel is a model with other names.
func aliasedModel(id string, aliases ...string) service.Model {
	return service.Model{ID: id, Aliases: aliases}
}

func TestFind(t *testing.T) {
	var backends []*backend
	for _, cfg := range []Backend{
		{
			Protocol: service.OpenAI, Models: []service.Model{aliasedModel("big", "nice", "small"), aliasedModel("small", "nice")},
			Aliases: map[string]string{"big": "vendor/big-2"},
		},
		{Protocol: service.Gemini, Models: []service.Model{aliasedModel("g", "fast")}},
		{Protocol: service.Ollama, Models: []service.Model{aliasedModel("l:latest", "little")}},
	} {
		cfg.URL = "http://127.0.0.1:1"
		b, err := newBackend(cfg, discard)
		if err != nil {
			t.Fatal(err)
		}
		backends = append(backends, b)
	}
	o := newOffer(backends)
	for _, tt := range []struct {
		protocol service.Protocol
		asked    string
		model    string // "" for none
		renamed  bool
	}{
		{service.OpenAI, "big", "vendor/big-2", true},
		{service.OpenAI, "nice", "vendor/big-2", true}, // of two that have the alias, the first
		{service.OpenAI, "small", "small", false},      // an id goes before an alias
		{service.OpenAI, "vendor/big-2", "", false},    // what the backend calls it is not published
		{service.OpenAI, "Nice", "", false},
		{service.Gemini, "fast", "g", true},
		{service.Gemini, "models/fast", "g", true},
		{service.Gemini, "models/g", "g", false},
		{service.Ollama, "little", "l:latest", true},
		{service.Ollama, "little:latest", "l:latest", true},
		{service.Ollama, "l", "l:latest", false},
		{service.Claude, "nice", "", false},
	} {
		s, ok := o.find(tt.protocol, tt.asked)
		if ok != (tt.model != "") || s.model != tt.model || s.renamed != tt.renamed {
			t.Errorf("%s %q is served as %q, renamed %v; want %q, %v", tt.protocol, tt.asked, s.model, s.renamed, tt.model, tt.renamed)
		}
	}
}

// A request for an alias reaches the backend under the model's own name, natively and translated, and only
// there is it changed.
func TestAliasIsAnswered(t *testing.T) {
	got := make(chan string, 1)
	url := backendServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"id":"x","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`)
	})
	r := newRig(t, Config{Backends: []Backend{{
		Protocol: service.OpenAI, URL: url, Silent: true, Models: []service.Model{aliasedModel("m", "other/m", "m-2026")},
	}}})
	const body = `{"model":"NAME", "messages":[{"role":"user","content":"NAME"}],"max_tokens":5}`
	for _, name := range []string{"m", "other/m", "m-2026"} {
		sent := strings.Replace(body, "NAME", name, 1)
		if got := r.do(t, chunked, inner{path: "/v1/chat/completions", body: sent}); got.status != 200 {
			t.Errorf("%s: got %+v", name, got)
		}
		if got := <-got; got != strings.Replace(body, "NAME", "m", 1) {
			t.Errorf("%s: the backend got %s", name, got)
		}
		if got := r.do(t, chunked, inner{path: "/v1/messages", body: sent}); got.status != 200 {
			t.Errorf("%s, translated: got %+v", name, got)
		}
		if got := <-got; !strings.Contains(got, `"model":"m"`) {
			t.Errorf("%s, translated: the backend got %s", name, got)
		}
	}
	reg, _ := r.exit.board.current()
	if got := reg.info.Models[0].Aliases; len(got) != 2 {
		t.Errorf("published aliases %v", got)
	}
}
