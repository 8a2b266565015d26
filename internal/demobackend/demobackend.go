// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package demobackend is the built-in AI backend for demos and tests: one HTTP
// handler that natively speaks the OpenAI, Claude, Gemini and Ollama protocols,
// plain and streamed, without a model, a network or a key.
//
// It stands where a real AI service stands, behind an exit, and like that
// service it sees prompts and not who wrote them. It stores nothing, logs
// nothing and calls nobody. Any credential is accepted and ignored.
//
// Its answers cannot be mistaken for a model's: model ids begin with "demo-" by
// default and every answer with [Label]. They come from a small text generator
// that is seeded by a hash of the prompt; [Text] predicts them. These always
// hold:
//
//   - the same prompt has the same answer in every protocol, plain or streamed,
//     and the pieces of a stream concatenated are the plain answer;
//   - of the prompt an answer gives away only the number of words;
//   - a token is a word: usage counts words, and limits on output count words;
//   - each piece of a stream is one write and one flush;
//   - a request that is cancelled ends at once.
//
// Tools, images, sampling parameters and response formats are accepted and have
// no effect.
//
//	backend, err := demobackend.New(demobackend.Config{})
//	if err != nil { ... }
//	server := &http.Server{Handler: backend}
package demobackend

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// DefaultTokenDelay is the pause before each token when Config names none.
const DefaultTokenDelay = 15 * time.Millisecond

// Limits that the model lists announce, in tokens. Nothing enforces them.
const (
	contextTokens = 32768
	outputTokens  = 4096
)

// Config says how a [Backend] behaves. The zero value is ready for use.
type Config struct {
	// TokenDelay is the pause before each token of an answer, streamed or not.
	// Zero means DefaultTokenDelay; a negative value means no pause.
	TokenDelay time.Duration

	// Clock tells the time for timestamps and durations in answers, never for
	// the pace. Nil means time.Now. Requests call it concurrently.
	Clock func() time.Time

	// Seed determines the ids of answers together with the number of answers
	// given so far. It has no influence on their text.
	Seed uint64

	// Models names the models on offer.
	Models Models
}

// Models lists the model ids of each protocol, in the order in which they are
// announced. An id works in its own protocol only, for chat and for embeddings
// alike. A list of length zero means one model: "demo-gpt", "demo-claude",
// "demo-gemini" and "demo-llama" respectively.
type Models struct {
	OpenAI, Claude, Gemini, Ollama []string
}

// Backend is the demo backend, an [http.Handler]. It is safe for concurrent use
// and starts no goroutines.
type Backend struct {
	mux   *http.ServeMux
	fault atomic.Int32 // HTTP status, or 0
}

// New returns a backend. It fails when a configured model id is empty.
func New(cfg Config) (*Backend, error) {
	models := cfg.Models
	for _, m := range []struct {
		ids    *[]string
		preset string
	}{
		{&models.OpenAI, "demo-gpt"},
		{&models.Claude, "demo-claude"},
		{&models.Gemini, "demo-gemini"},
		{&models.Ollama, "demo-llama"},
	} {
		if len(*m.ids) == 0 {
			*m.ids = []string{m.preset}
		}
		if slices.Contains(*m.ids, "") {
			return nil, errors.New("configure the demo backend: a model id is empty")
		}
		*m.ids = slices.Clone(*m.ids)
	}
	return &Backend{mux: routes(newEngine(cfg), models)}, nil
}

// ServeHTTP implements [http.Handler]. Paths are those of the real services:
// /v1 belongs to OpenAI and Claude, /v1beta to Gemini, /api to Ollama. The model
// lists that OpenAI and Claude have in the same place are told apart by the
// anthropic-version field, which only Claude's tools send.
func (b *Backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if status := int(b.fault.Load()); status != 0 && r.Method == http.MethodPost {
		w.WriteHeader(status)
		return
	}
	b.mux.ServeHTTP(w, r)
}

// Fail has the backend fail on purpose: it answers every question that comes from
// now on with an HTTP status, 400 or more, and no text, but still lists its models.
// With 0 it answers again.
func (b *Backend) Fail(status int) { b.fault.Store(int32(status)) }

func routes(e *engine, models Models) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(Label + " the TokenGo demo backend is running\n"))
	})

	openai, claude := newOpenAI(e, models.OpenAI), newClaude(e, models.Claude)
	openai.routes(mux)
	claude.routes(mux)
	mux.HandleFunc("GET /v1/models", forClaude(claude.get(claude.list), openai.get(openai.list)))
	mux.HandleFunc("GET /v1/models/{id...}", forClaude(claude.get(claude.model), openai.get(openai.model)))

	newGemini(e, models.Gemini).routes(mux)
	newOllama(e, models.Ollama).routes(mux)
	return mux
}

// forClaude serves Claude's tools with claude and all others with others.
func forClaude(claude, others http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Anthropic-Version") != "" {
			claude(w, r)
			return
		}
		others(w, r)
	}
}

func newEngine(cfg Config) *engine {
	e := &engine{delay: cfg.TokenDelay, clock: cfg.Clock}
	switch {
	case e.delay == 0:
		e.delay = DefaultTokenDelay
	case e.delay < 0:
		e.delay = 0
	}
	if e.clock == nil {
		e.clock = time.Now
	}
	var count atomic.Uint64
	e.newID = func(prefix string) string {
		raw := binary.BigEndian.AppendUint64(nil, cfg.Seed)
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(raw, count.Add(1)))
		return prefix + "demo" + hex.EncodeToString(sum[:10])
	}
	return e
}
