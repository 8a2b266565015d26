// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demobackend

import (
	"net/http"
	"time"
)

// claudeAPI speaks Anthropic's Messages API.
// https://docs.anthropic.com/en/api/messages
type claudeAPI struct {
	*engine
	protocol
	since time.Time // what models say they were created at
}

func newClaude(e *engine, models []string) *claudeAPI {
	c := &claudeAPI{engine: e, since: e.clock().UTC().Truncate(time.Second)}
	c.protocol = protocol{models: models, errorBody: c.errorBody}
	return c
}

func (c *claudeAPI) routes(mux *http.ServeMux) {
	mux.Handle("POST /v1/messages", post(&c.protocol, c.messages))
	mux.Handle("POST /v1/messages/count_tokens", post(&c.protocol, c.countTokens))
}

func (c *claudeAPI) errorBody(e *apiError) any {
	type detail struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	d := detail{"invalid_request_error", e.Error()}
	switch e.reason {
	case unknownModel:
		d = detail{"not_found_error", "model: " + e.subject}
	case missingField:
		d.Message = e.subject + ": Field required"
	case tooLarge:
		d.Type = "request_too_large"
	}
	return struct {
		Type      string `json:"type"`
		Error     detail `json:"error"`
		RequestID string `json:"request_id"`
	}{"error", d, c.newID("req_")}
}

type claudeModel struct {
	Type           string    `json:"type"`
	ID             string    `json:"id"`
	DisplayName    string    `json:"display_name"`
	CreatedAt      time.Time `json:"created_at"`
	MaxInputTokens int       `json:"max_input_tokens"`
	MaxTokens      int       `json:"max_tokens"`
}

func (c *claudeAPI) describe(id string) claudeModel {
	return claudeModel{
		Type: "model", ID: id, DisplayName: Label + " " + id, CreatedAt: c.since,
		MaxInputTokens: contextTokens, MaxTokens: outputTokens,
	}
}

func (c *claudeAPI) list(w http.ResponseWriter, _ *http.Request) error {
	page := struct {
		Data    []claudeModel `json:"data"`
		HasMore bool          `json:"has_more"`
		FirstID string        `json:"first_id"`
		LastID  string        `json:"last_id"`
	}{FirstID: c.models[0], LastID: c.models[len(c.models)-1]}
	for _, id := range c.models {
		page.Data = append(page.Data, c.describe(id))
	}
	return writeJSON(w, http.StatusOK, page)
}

func (c *claudeAPI) model(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := c.check(id); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, c.describe(id))
}

type claudeRequest struct {
	Model     string    `json:"model"`
	System    content   `json:"system"`
	Messages  []message `json:"messages"`
	MaxTokens int       `json:"max_tokens"`
	Stream    bool      `json:"stream"`
}

func (c *claudeAPI) validate(req *claudeRequest) error {
	if err := c.check(req.Model); err != nil {
		return err
	}
	if len(req.Messages) == 0 {
		return &apiError{reason: missingField, subject: "messages"}
	}
	return nil
}

func (c *claudeAPI) countTokens(w http.ResponseWriter, _ *http.Request, req *claudeRequest) error {
	if err := c.validate(req); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, struct {
		InputTokens int `json:"input_tokens"`
	}{countWords(conversationPrompt(req.System, req.Messages))})
}

type claudeMessage struct {
	ID           string        `json:"id"`
	Type         string        `json:"type"`
	Role         string        `json:"role"`
	Model        string        `json:"model"`
	Content      []claudeBlock `json:"content"`
	StopReason   *string       `json:"stop_reason"`
	StopSequence *string       `json:"stop_sequence"`
	Usage        claudeUsage   `json:"usage"`
}

type claudeBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type claudeUsage struct {
	InputTokens              int    `json:"input_tokens"`
	CacheCreationInputTokens int    `json:"cache_creation_input_tokens"`
	CacheReadInputTokens     int    `json:"cache_read_input_tokens"`
	OutputTokens             int    `json:"output_tokens"`
	ServiceTier              string `json:"service_tier,omitempty"`
}

func (c *claudeAPI) messages(w http.ResponseWriter, r *http.Request, req *claudeRequest) error {
	if err := c.validate(req); err != nil {
		return err
	}
	if req.MaxTokens == 0 {
		return &apiError{reason: missingField, subject: "max_tokens"}
	}
	a := newAnswer(conversationPrompt(req.System, req.Messages), req.MaxTokens)
	m := claudeMessage{
		ID: c.newID("msg_"), Type: "message", Role: "assistant", Model: req.Model, Content: []claudeBlock{},
		Usage: claudeUsage{InputTokens: a.promptTokens, ServiceTier: "standard"},
	}
	if req.Stream {
		return c.stream(w, r, m, a)
	}
	if err := c.ponder(r.Context(), a); err != nil {
		return err
	}
	m.Content = []claudeBlock{{"text", a.text()}}
	m.StopReason = new(a.finish("end_turn", "max_tokens"))
	m.Usage.OutputTokens = a.outputTokens()
	return writeJSON(w, http.StatusOK, m)
}

// claudeEvent is one event of a stream. Which fields are there depends on Type.
type claudeEvent struct {
	Type         string         `json:"type"`
	Message      *claudeMessage `json:"message,omitempty"`
	Index        *int           `json:"index,omitempty"`
	ContentBlock *claudeBlock   `json:"content_block,omitempty"`
	Delta        any            `json:"delta,omitempty"` // claudeBlock or claudeStop
	Usage        *claudeUsage   `json:"usage,omitempty"`
}

type claudeStop struct {
	StopReason   string  `json:"stop_reason"`
	StopSequence *string `json:"stop_sequence"`
}

func (c *claudeAPI) stream(w http.ResponseWriter, r *http.Request, m claudeMessage, a answer) error {
	s := newStream(w, sseFraming)
	send := func(events ...claudeEvent) error {
		for _, e := range events {
			if err := s.sendEvent(e.Type, e); err != nil {
				return err
			}
		}
		return nil
	}
	first := new(0)
	if err := send(
		claudeEvent{Type: "message_start", Message: &m},
		claudeEvent{Type: "content_block_start", Index: first, ContentBlock: &claudeBlock{Type: "text"}},
		claudeEvent{Type: "ping"},
	); err != nil {
		return err
	}
	if err := c.speak(r.Context(), a, func(_ int, piece string) error {
		return send(claudeEvent{Type: "content_block_delta", Index: first, Delta: claudeBlock{"text_delta", piece}})
	}); err != nil {
		return err
	}
	return send(
		claudeEvent{Type: "content_block_stop", Index: first},
		claudeEvent{
			Type:  "message_delta",
			Delta: claudeStop{StopReason: a.finish("end_turn", "max_tokens")},
			Usage: &claudeUsage{InputTokens: a.promptTokens, OutputTokens: a.outputTokens()},
		},
		claudeEvent{Type: "message_stop"},
	)
}
