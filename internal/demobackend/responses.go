// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demobackend

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// The Responses API of OpenAI. Nothing is stored: previous_response_id is
// accepted and has no effect.
// https://platform.openai.com/docs/api-reference/responses

type responsesRequest struct {
	Model           string         `json:"model"`
	Instructions    content        `json:"instructions"`
	Input           responsesInput `json:"input"`
	MaxOutputTokens int            `json:"max_output_tokens"`
	Stream          bool           `json:"stream"`
}

// responsesInput is a string, or a list of items of which messages count.
type responsesInput []message

// UnmarshalJSON implements [json.Unmarshaler].
func (in *responsesInput) UnmarshalJSON(raw []byte) error {
	if raw[0] == '[' {
		return json.Unmarshal(raw, (*[]message)(in))
	}
	var m message
	if err := json.Unmarshal(raw, &m.Content); err != nil {
		return fmt.Errorf("decode input: %w", err)
	}
	*in = responsesInput{m}
	return nil
}

// response is an answer as it stands at one point of a stream. The null fields
// are required by the schema.
type response struct {
	ID                 string             `json:"id"`
	Object             string             `json:"object"`
	CreatedAt          int64              `json:"created_at"`
	Status             string             `json:"status"`
	Background         bool               `json:"background"`
	Error              *struct{}          `json:"error"`
	IncompleteDetails  *incompleteDetails `json:"incomplete_details"`
	Instructions       *string            `json:"instructions"`
	MaxOutputTokens    *int               `json:"max_output_tokens"`
	Metadata           struct{}           `json:"metadata"`
	Model              string             `json:"model"`
	Output             []responseItem     `json:"output"`
	ParallelToolCalls  bool               `json:"parallel_tool_calls"`
	PreviousResponseID *string            `json:"previous_response_id"`
	Reasoning          responseReasoning  `json:"reasoning"`
	Store              bool               `json:"store"`
	Temperature        float64            `json:"temperature"`
	Text               responseFormat     `json:"text"`
	ToolChoice         string             `json:"tool_choice"`
	Tools              []struct{}         `json:"tools"`
	TopP               float64            `json:"top_p"`
	Truncation         string             `json:"truncation"`
	Usage              *responseUsage     `json:"usage"`
}

type incompleteDetails struct {
	Reason string `json:"reason"`
}

type responseReasoning struct {
	Effort  *string `json:"effort"`
	Summary *string `json:"summary"`
}

type responseFormat struct {
	Format struct {
		Type string `json:"type"`
	} `json:"format"`
}

type responseItem struct {
	ID      string         `json:"id"`
	Type    string         `json:"type"`
	Status  string         `json:"status"`
	Role    string         `json:"role"`
	Content []responseText `json:"content"`
}

type responseText struct {
	Type        string     `json:"type"`
	Annotations []struct{} `json:"annotations"`
	Logprobs    []struct{} `json:"logprobs"`
	Text        string     `json:"text"`
}

type responseUsage struct {
	InputTokens        int `json:"input_tokens"`
	InputTokensDetails struct {
		CachedTokens int `json:"cached_tokens"`
	} `json:"input_tokens_details"`
	OutputTokens        int `json:"output_tokens"`
	OutputTokensDetails struct {
		ReasoningTokens int `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
	TotalTokens int `json:"total_tokens"`
}

// responseEvent is one event of a stream. Which fields are there depends on Type.
type responseEvent struct {
	Type           string        `json:"type"`
	SequenceNumber int           `json:"sequence_number"`
	Response       *response     `json:"response,omitempty"`
	ItemID         string        `json:"item_id,omitempty"`
	OutputIndex    *int          `json:"output_index,omitempty"`
	ContentIndex   *int          `json:"content_index,omitempty"`
	Item           *responseItem `json:"item,omitempty"`
	Part           *responseText `json:"part,omitempty"`
	Delta          *string       `json:"delta,omitempty"`
	Text           *string       `json:"text,omitempty"`
	Logprobs       []struct{}    `json:"logprobs,omitzero"`
}

func outputText(text string) responseText {
	return responseText{Type: "output_text", Annotations: []struct{}{}, Logprobs: []struct{}{}, Text: text}
}

func (o *openaiAPI) respond(w http.ResponseWriter, r *http.Request, req *responsesRequest) error {
	if err := o.check(req.Model); err != nil {
		return err
	}
	if len(req.Input) == 0 {
		return &apiError{reason: missingField, subject: "input"}
	}
	t := responseTask{
		answer: newAnswer(conversationPrompt(req.Instructions, req.Input), req.MaxOutputTokens),
		draft:  o.draft(req),
		item: responseItem{
			ID: o.newID("msg_"), Type: "message", Status: "in_progress", Role: "assistant", Content: []responseText{},
		},
	}
	if req.Stream {
		return o.streamResponse(w, r, t)
	}
	if err := o.ponder(r.Context(), t.answer); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, t.response())
}

// responseTask is an answer to give, with the response and its only item as they
// are before anything was said.
type responseTask struct {
	answer answer
	draft  response
	item   responseItem
}

// draft returns the response before anything was said.
func (o *openaiAPI) draft(req *responsesRequest) response {
	draft := response{
		ID: o.newID("resp_"), Object: "response", CreatedAt: o.clock().Unix(), Status: "in_progress",
		Model: req.Model, Output: []responseItem{}, ParallelToolCalls: true, Temperature: 1, TopP: 1,
		ToolChoice: "auto", Tools: []struct{}{}, Truncation: "disabled",
	}
	draft.Text.Format.Type = "text"
	if req.MaxOutputTokens > 0 {
		draft.MaxOutputTokens = &req.MaxOutputTokens
	}
	return draft
}

// said returns the item with the whole answer.
func (t responseTask) said() responseItem {
	item := t.item
	item.Status = t.answer.finish("completed", "incomplete")
	item.Content = []responseText{outputText(t.answer.text())}
	return item
}

// response returns the response with the whole answer.
func (t responseTask) response() response {
	resp, item := t.draft, t.said()
	resp.Status = item.Status
	resp.Output = []responseItem{item}
	resp.Usage = &responseUsage{
		InputTokens: t.answer.promptTokens, OutputTokens: t.answer.outputTokens(), TotalTokens: t.answer.totalTokens(),
	}
	if t.answer.cut {
		resp.IncompleteDetails = &incompleteDetails{Reason: "max_output_tokens"}
	}
	return resp
}

func (o *openaiAPI) streamResponse(w http.ResponseWriter, r *http.Request, t responseTask) error {
	s := newStream(w, sseFraming)
	sequence := 0
	send := func(events ...responseEvent) error {
		for _, e := range events {
			e.SequenceNumber = sequence
			sequence++
			if err := s.sendEvent(e.Type, e); err != nil {
				return err
			}
		}
		return nil
	}
	first, none := new(0), []struct{}{}
	part := func(kind string) responseEvent { // an event about the only part of the only item
		return responseEvent{Type: kind, ItemID: t.item.ID, OutputIndex: first, ContentIndex: first}
	}

	added := part("response.content_part.added")
	added.Part = new(outputText(""))
	if err := send(
		responseEvent{Type: "response.created", Response: &t.draft},
		responseEvent{Type: "response.in_progress", Response: &t.draft},
		responseEvent{Type: "response.output_item.added", OutputIndex: first, Item: &t.item},
		added,
	); err != nil {
		return err
	}
	if err := o.speak(r.Context(), t.answer, func(_ int, piece string) error {
		e := part("response.output_text.delta")
		e.Delta, e.Logprobs = &piece, none
		return send(e)
	}); err != nil {
		return err
	}

	item, final := t.said(), t.response()
	text, done := part("response.output_text.done"), part("response.content_part.done")
	text.Text, text.Logprobs = &item.Content[0].Text, none
	done.Part = &item.Content[0]
	return send(
		text,
		done,
		responseEvent{Type: "response.output_item.done", OutputIndex: first, Item: &item},
		responseEvent{Type: "response." + final.Status, Response: &final},
	)
}
