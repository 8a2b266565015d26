// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demobackend

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// ollamaVersion is the version of Ollama whose protocol this is.
const ollamaVersion = "0.17.4"

// ollamaAPI speaks Ollama's own protocol.
// https://github.com/ollama/ollama/blob/main/docs/api.md
type ollamaAPI struct {
	*engine
	protocol
	since time.Time // what models say they were modified at
}

func newOllama(e *engine, models []string) *ollamaAPI {
	return &ollamaAPI{
		engine:   e,
		protocol: protocol{models: models, errorBody: ollamaError},
		since:    e.clock().UTC(),
	}
}

func (o *ollamaAPI) routes(mux *http.ServeMux) {
	mux.Handle("POST /api/chat", post(&o.protocol, o.chat))
	mux.Handle("POST /api/generate", post(&o.protocol, o.generate))
	mux.Handle("POST /api/embed", post(&o.protocol, o.embed))
	mux.Handle("POST /api/embeddings", post(&o.protocol, o.embedOne))
	mux.Handle("POST /api/show", post(&o.protocol, o.show))
	mux.HandleFunc("GET /api/tags", o.get(o.tags))
	mux.HandleFunc("GET /api/version", o.get(o.version))
}

func ollamaError(e *apiError) any {
	return struct {
		Error string `json:"error"`
	}{e.Error()}
}

// check reports a model that is not on offer. A model is also known with
// Ollama's default tag.
func (o *ollamaAPI) check(model string) error {
	if o.protocol.check(strings.TrimSuffix(model, ":latest")) == nil {
		return nil
	}
	return o.protocol.check(model)
}

func (o *ollamaAPI) version(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, struct {
		Version string `json:"version"`
	}{ollamaVersion})
}

type ollamaDetails struct {
	ParentModel       string   `json:"parent_model"`
	Format            string   `json:"format"`
	Family            string   `json:"family"`
	Families          []string `json:"families"`
	ParameterSize     string   `json:"parameter_size"`
	QuantizationLevel string   `json:"quantization_level"`
}

var ollamaDemoDetails = ollamaDetails{Format: "demo", Family: "demo", Families: []string{"demo"}, ParameterSize: "0"}

func (o *ollamaAPI) tags(w http.ResponseWriter, _ *http.Request) error {
	type tag struct {
		Name       string        `json:"name"`
		Model      string        `json:"model"`
		ModifiedAt time.Time     `json:"modified_at"`
		Size       int64         `json:"size"`
		Digest     string        `json:"digest"`
		Details    ollamaDetails `json:"details"`
	}
	digest := sha256.Sum256([]byte(corpus))
	var page struct {
		Models []tag `json:"models"`
	}
	for _, id := range o.models {
		page.Models = append(page.Models, tag{
			Name: id, Model: id, ModifiedAt: o.since, Size: int64(len(corpus)),
			Digest: hex.EncodeToString(digest[:]), Details: ollamaDemoDetails,
		})
	}
	return writeJSON(w, http.StatusOK, page)
}

func (o *ollamaAPI) show(w http.ResponseWriter, _ *http.Request, req *struct {
	Model string `json:"model"`
	Name  string `json:"name"` // what older tools call it
},
) error {
	if err := o.check(cmp.Or(req.Model, req.Name)); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, struct {
		Modelfile    string         `json:"modelfile"`
		Template     string         `json:"template"`
		Details      ollamaDetails  `json:"details"`
		ModelInfo    map[string]any `json:"model_info"`
		Capabilities []string       `json:"capabilities"`
		ModifiedAt   time.Time      `json:"modified_at"`
	}{
		Modelfile: "# " + Label + " A small text generator for demonstrations. Not an AI model.\n",
		Template:  "{{ .Prompt }}",
		Details:   ollamaDemoDetails,
		ModelInfo: map[string]any{
			"general.architecture":    "demo",
			"general.parameter_count": 0,
			"demo.context_length":     contextTokens,
			"demo.embedding_length":   defaultDimensions,
		},
		Capabilities: []string{"completion", "embedding"},
		ModifiedAt:   o.since,
	})
}

// ollamaRequest is the part of a request that chat and generate have in common.
type ollamaRequest struct {
	Model   string `json:"model"`
	Stream  *bool  `json:"stream"` // true when absent
	Options struct {
		NumPredict int `json:"num_predict"`
	} `json:"options"`
}

// ollamaLine is an answer, or one line of a streamed answer. Chat has a message
// where generate has a response.
type ollamaLine struct {
	Model      string         `json:"model"`
	CreatedAt  time.Time      `json:"created_at"`
	Message    *ollamaMessage `json:"message,omitempty"`
	Response   *string        `json:"response,omitempty"`
	Done       bool           `json:"done"`
	DoneReason string         `json:"done_reason,omitempty"`
	*ollamaCounters
}

type ollamaMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// ollamaCounters are tokens, and durations in nanoseconds.
type ollamaCounters struct {
	TotalDuration      time.Duration `json:"total_duration"`
	LoadDuration       time.Duration `json:"load_duration"`
	PromptEvalCount    int           `json:"prompt_eval_count"`
	PromptEvalDuration time.Duration `json:"prompt_eval_duration"`
	EvalCount          int           `json:"eval_count"`
	EvalDuration       time.Duration `json:"eval_duration"`
}

// ollamaTask is a prompt to answer and how to give the answer.
type ollamaTask struct {
	ollamaRequest
	load   bool // nothing was asked: how a tool has Ollama load a model
	prompt string
	set    func(*ollamaLine, string)
}

func setMessage(l *ollamaLine, text string)  { l.Message = &ollamaMessage{"assistant", text} }
func setResponse(l *ollamaLine, text string) { l.Response = &text }

func (o *ollamaAPI) chat(w http.ResponseWriter, r *http.Request, req *struct {
	ollamaRequest
	Messages []message `json:"messages"`
},
) error {
	return o.reply(w, r, ollamaTask{
		ollamaRequest: req.ollamaRequest, load: len(req.Messages) == 0,
		prompt: conversationPrompt("", req.Messages), set: setMessage,
	})
}

func (o *ollamaAPI) generate(w http.ResponseWriter, r *http.Request, req *struct {
	ollamaRequest
	System string `json:"system"`
	Prompt string `json:"prompt"`
},
) error {
	return o.reply(w, r, ollamaTask{
		ollamaRequest: req.ollamaRequest, load: req.Prompt == "",
		prompt: joinPrompt(req.System, req.Prompt), set: setResponse,
	})
}

func (o *ollamaAPI) reply(w http.ResponseWriter, r *http.Request, t ollamaTask) error {
	begun := o.clock()
	if err := o.check(t.Model); err != nil {
		return err
	}
	line := func(text string) ollamaLine {
		l := ollamaLine{Model: t.Model, CreatedAt: o.clock().UTC()}
		t.set(&l, text)
		return l
	}
	if t.load {
		l := line("")
		l.Done, l.DoneReason = true, "load"
		return writeJSON(w, http.StatusOK, l)
	}
	a := newAnswer(t.prompt, t.Options.NumPredict)
	read := o.clock()
	last := func(text string) ollamaLine {
		l := line(text)
		l.Done, l.DoneReason = true, a.finish("stop", "length")
		l.ollamaCounters = &ollamaCounters{
			TotalDuration:   max(l.CreatedAt.Sub(begun), 1),
			PromptEvalCount: a.promptTokens, PromptEvalDuration: max(read.Sub(begun), 1),
			EvalCount: a.outputTokens(), EvalDuration: max(l.CreatedAt.Sub(read), 1), // tools divide by it
		}
		return l
	}
	if t.Stream != nil && !*t.Stream {
		if err := o.ponder(r.Context(), a); err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, last(a.text()))
	}
	s := newStream(w, ndjsonFraming)
	if err := o.speak(r.Context(), a, func(_ int, piece string) error { return s.send(line(piece)) }); err != nil {
		return err
	}
	return s.send(last(""))
}

func (o *ollamaAPI) embed(w http.ResponseWriter, _ *http.Request, req *struct {
	Model      string `json:"model"`
	Input      inputs `json:"input"`
	Dimensions int    `json:"dimensions"`
},
) error {
	begun := o.clock()
	if err := o.check(req.Model); err != nil {
		return err
	}
	vectors, words, err := embeddings(req.Input, req.Dimensions)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, struct {
		Model           string        `json:"model"`
		Embeddings      [][]float32   `json:"embeddings"`
		TotalDuration   time.Duration `json:"total_duration"`
		LoadDuration    time.Duration `json:"load_duration"`
		PromptEvalCount int           `json:"prompt_eval_count"`
	}{req.Model, vectors, max(o.clock().Sub(begun), 1), 0, words})
}

// embedOne answers the older form of embed: one text, one vector.
func (o *ollamaAPI) embedOne(w http.ResponseWriter, _ *http.Request, req *struct {
	Model  string `json:"model"`
	Prompt string `json:"prompt"`
},
) error {
	if err := o.check(req.Model); err != nil {
		return err
	}
	vectors, _, err := embeddings(inputs{req.Prompt}, 0)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, struct {
		Embedding []float32 `json:"embedding"`
	}{vectors[0]})
}
