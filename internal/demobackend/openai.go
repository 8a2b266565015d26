// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demobackend

import (
	"cmp"
	"encoding/json"
	"net/http"
)

// openaiAPI speaks the OpenAI protocol: models, chat completions, completions
// and embeddings here, responses in responses.go.
// https://platform.openai.com/docs/api-reference
type openaiAPI struct {
	*engine
	protocol
	since int64 // Unix seconds; what models say they were created at
}

func newOpenAI(e *engine, models []string) *openaiAPI {
	return &openaiAPI{
		engine:   e,
		protocol: protocol{models: models, errorBody: openaiError},
		since:    e.clock().Unix(),
	}
}

func (o *openaiAPI) routes(mux *http.ServeMux) {
	mux.Handle("POST /v1/chat/completions", post(&o.protocol, o.chat))
	mux.Handle("POST /v1/completions", post(&o.protocol, o.complete))
	mux.Handle("POST /v1/embeddings", post(&o.protocol, o.embed))
	mux.Handle("POST /v1/responses", post(&o.protocol, o.respond))
}

func openaiError(e *apiError) any {
	type detail struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	d := detail{Message: e.Error(), Type: "invalid_request_error"}
	switch e.reason {
	case unknownModel:
		d.Message = "The model `" + e.subject + "` does not exist or you do not have access to it."
		d.Code = new("model_not_found")
	case missingField:
		d.Message = "Missing required parameter: '" + e.subject + "'."
		d.Param, d.Code = new(e.subject), new("missing_required_parameter")
	case badField:
		d.Param = new(e.subject)
	}
	return struct {
		Error detail `json:"error"`
	}{d}
}

type openaiModel struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func (o *openaiAPI) describe(id string) openaiModel {
	return openaiModel{ID: id, Object: "model", Created: o.since, OwnedBy: "tokengo-demo"}
}

func (o *openaiAPI) list(w http.ResponseWriter, _ *http.Request) error {
	page := struct {
		Object string        `json:"object"`
		Data   []openaiModel `json:"data"`
	}{Object: "list"}
	for _, id := range o.models {
		page.Data = append(page.Data, o.describe(id))
	}
	return writeJSON(w, http.StatusOK, page)
}

func (o *openaiAPI) model(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := o.check(id); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, o.describe(id))
}

// completionRequest is the part of a request that chat completions and
// completions have in common.
type completionRequest struct {
	Model         string `json:"model"`
	MaxTokens     int    `json:"max_tokens"`
	Stream        bool   `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

type chatRequest struct {
	completionRequest
	Messages            []message `json:"messages"`
	MaxCompletionTokens int       `json:"max_completion_tokens"`
}

func (o *openaiAPI) chat(w http.ResponseWriter, r *http.Request, req *chatRequest) error {
	if err := o.check(req.Model); err != nil {
		return err
	}
	if len(req.Messages) == 0 {
		return &apiError{reason: missingField, subject: "messages"}
	}
	limit := cmp.Or(req.MaxCompletionTokens, req.MaxTokens)
	a := newAnswer(conversationPrompt("", req.Messages), limit)
	return o.reply(w, r, completionTask{req.completionRequest, chatForm, a})
}

func (o *openaiAPI) complete(w http.ResponseWriter, r *http.Request, req *struct {
	completionRequest
	Prompt inputs `json:"prompt"`
},
) error {
	if err := o.check(req.Model); err != nil {
		return err
	}
	a := newAnswer(joinPrompt(req.Prompt...), req.MaxTokens)
	return o.reply(w, r, completionTask{req.completionRequest, textForm, a})
}

// completion is an answer, or one chunk of a streamed answer.
type completion struct {
	ID                string          `json:"id"`
	Object            string          `json:"object"`
	Created           int64           `json:"created"`
	Model             string          `json:"model"`
	SystemFingerprint string          `json:"system_fingerprint"`
	Choices           []choice        `json:"choices"`
	Usage             json.RawMessage `json:"usage,omitempty"` // of a chunk: null but for the last, and absent unless asked for
}

type choice struct {
	Index        int          `json:"index"`
	Message      *chatMessage `json:"message,omitempty"`
	Delta        *chatDelta   `json:"delta,omitempty"`
	Text         *string      `json:"text,omitempty"`
	Logprobs     *struct{}    `json:"logprobs"`
	FinishReason *string      `json:"finish_reason"`
}

type chatMessage struct {
	Role        string   `json:"role"`
	Content     string   `json:"content"`
	Refusal     *string  `json:"refusal"`
	Annotations []string `json:"annotations"`
}

type chatDelta struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

type completionUsage struct {
	PromptTokens        int `json:"prompt_tokens"`
	CompletionTokens    int `json:"completion_tokens"`
	TotalTokens         int `json:"total_tokens"`
	PromptTokensDetails struct {
		CachedTokens int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionTokensDetails struct {
		ReasoningTokens int `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

// completionForm says how chat completions and completions differ.
type completionForm struct {
	idPrefix, object, chunkObject string

	whole func(text string) choice
	piece func(text string) choice
	open  *choice // the choice of the chunk before the pieces, if there is one
	last  choice  // the choice of the chunk after the pieces
}

var chatForm = completionForm{
	idPrefix: "chatcmpl-", object: "chat.completion", chunkObject: "chat.completion.chunk",
	whole: func(text string) choice {
		return choice{Message: &chatMessage{Role: "assistant", Content: text, Annotations: []string{}}}
	},
	piece: func(text string) choice { return choice{Delta: &chatDelta{Content: &text}} },
	open:  &choice{Delta: &chatDelta{Role: "assistant", Content: new("")}},
	last:  choice{Delta: &chatDelta{}},
}

var textForm = completionForm{
	idPrefix: "cmpl-", object: "text_completion", chunkObject: "text_completion",
	whole: func(text string) choice { return choice{Text: &text} },
	piece: func(text string) choice { return choice{Text: &text} },
	last:  choice{Text: new("")},
}

// completionTask is an answer to give and how to give it.
type completionTask struct {
	completionRequest
	form   completionForm
	answer answer
}

func (t completionTask) finishReason() *string { return new(t.answer.finish("stop", "length")) }

func (t completionTask) usage() json.RawMessage {
	return encode(completionUsage{
		PromptTokens:     t.answer.promptTokens,
		CompletionTokens: t.answer.outputTokens(),
		TotalTokens:      t.answer.totalTokens(),
	})
}

func (o *openaiAPI) reply(w http.ResponseWriter, r *http.Request, t completionTask) error {
	c := completion{
		ID: o.newID(t.form.idPrefix), Object: t.form.object, Created: o.clock().Unix(),
		Model: t.Model, SystemFingerprint: "fp_demo",
	}
	if t.Stream {
		c.Object = t.form.chunkObject
		return o.streamChunks(w, r, t, c)
	}
	if err := o.ponder(r.Context(), t.answer); err != nil {
		return err
	}
	whole := t.form.whole(t.answer.text())
	whole.FinishReason = t.finishReason()
	c.Choices, c.Usage = []choice{whole}, t.usage()
	return writeJSON(w, http.StatusOK, c)
}

// streamChunks streams the answer in copies of chunk.
func (o *openaiAPI) streamChunks(w http.ResponseWriter, r *http.Request, t completionTask, chunk completion) error {
	if t.StreamOptions.IncludeUsage {
		chunk.Usage = json.RawMessage("null")
	}
	s := newStream(w, sseFraming)
	send := func(c choice) error {
		chunk.Choices = []choice{c}
		return s.send(chunk)
	}
	if t.form.open != nil {
		if err := send(*t.form.open); err != nil {
			return err
		}
	}
	if err := o.speak(r.Context(), t.answer, func(_ int, piece string) error {
		return send(t.form.piece(piece))
	}); err != nil {
		return err
	}
	last := t.form.last
	last.FinishReason = t.finishReason()
	if err := send(last); err != nil {
		return err
	}
	if t.StreamOptions.IncludeUsage {
		chunk.Choices, chunk.Usage = []choice{}, t.usage()
		if err := s.send(chunk); err != nil {
			return err
		}
	}
	return s.write("", []byte("[DONE]"))
}

func (o *openaiAPI) embed(w http.ResponseWriter, _ *http.Request, req *struct {
	Model          string `json:"model"`
	Input          inputs `json:"input"`
	Dimensions     int    `json:"dimensions"`
	EncodingFormat string `json:"encoding_format"`
},
) error {
	if err := o.check(req.Model); err != nil {
		return err
	}
	if len(req.Input) == 0 {
		return &apiError{reason: missingField, subject: "input"}
	}
	vectors, words, err := embeddings(req.Input, req.Dimensions)
	if err != nil {
		return err
	}
	type item struct {
		Object    string `json:"object"`
		Index     int    `json:"index"`
		Embedding any    `json:"embedding"` // numbers, or base64 of them
	}
	type usage struct {
		PromptTokens int `json:"prompt_tokens"`
		TotalTokens  int `json:"total_tokens"`
	}
	page := struct {
		Object string `json:"object"`
		Data   []item `json:"data"`
		Model  string `json:"model"`
		Usage  usage  `json:"usage"`
	}{Object: "list", Model: req.Model, Usage: usage{words, words}}
	for i, v := range vectors {
		it := item{Object: "embedding", Index: i, Embedding: v}
		if req.EncodingFormat == "base64" {
			it.Embedding = base64Vector(v)
		}
		page.Data = append(page.Data, it)
	}
	return writeJSON(w, http.StatusOK, page)
}
