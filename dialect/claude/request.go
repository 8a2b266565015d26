// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// The request as tools send it. Fields that are in no type here and in no list are found by present.
type (
	request struct {
		Model         string        `json:"model"`
		MaxTokens     int           `json:"max_tokens"`
		Messages      []message     `json:"messages"`
		System        content       `json:"system"`
		Tools         []tool        `json:"tools"`
		ToolChoice    *toolChoice   `json:"tool_choice"`
		StopSequences []string      `json:"stop_sequences"`
		Stream        bool          `json:"stream"`
		Temperature   *float64      `json:"temperature"`
		TopP          *float64      `json:"top_p"`
		TopK          *int          `json:"top_k"`
		Thinking      *thinking     `json:"thinking"`
		OutputConfig  *outputConfig `json:"output_config"`
		OutputFormat  *outputFormat `json:"output_format"` // of the beta that output_config came from
	}
	message struct {
		Role    string  `json:"role"`
		Content content `json:"content"`
		ClearAt present `json:"clear_at"`
	}
	block struct {
		Type         string          `json:"type"`
		Text         string          `json:"text"`
		Thinking     string          `json:"thinking"`
		Signature    string          `json:"signature"`
		Data         string          `json:"data"`
		ID           string          `json:"id"`
		Name         string          `json:"name"`
		Input        json.RawMessage `json:"input"`
		ToolUseID    string          `json:"tool_use_id"`
		Content      content         `json:"content"`
		IsError      bool            `json:"is_error"`
		Source       *source         `json:"source"`
		Title        string          `json:"title"`
		Context      present         `json:"context"`
		Citations    present         `json:"citations"`
		Transforms   present         `json:"transformations"`
		CacheControl *cacheControl   `json:"cache_control"`
	}
	source struct {
		Type      string  `json:"type"`
		MediaType string  `json:"media_type"`
		Data      string  `json:"data"`
		URL       string  `json:"url"`
		FileID    string  `json:"file_id"`
		Content   content `json:"content"`
	}
	cacheControl struct {
		TTL string `json:"ttl"`
	}
	tool struct {
		Type          string          `json:"type"`
		Name          string          `json:"name"`
		Description   string          `json:"description"`
		InputSchema   json.RawMessage `json:"input_schema"`
		Strict        *bool           `json:"strict"`
		CacheControl  *cacheControl   `json:"cache_control"`
		DeferLoading  present         `json:"defer_loading"`
		Callers       present         `json:"allowed_callers"`
		EagerStream   present         `json:"eager_input_streaming"`
		InputExamples present         `json:"input_examples"`
	}
	toolChoice struct {
		Type            string `json:"type"`
		Name            string `json:"name"`
		DisableParallel *bool  `json:"disable_parallel_tool_use"`
	}
	thinking struct {
		Type    string `json:"type"`
		Budget  int    `json:"budget_tokens"`
		Display string `json:"display"`
	}
	outputConfig struct {
		Effort     string        `json:"effort"`
		Format     *outputFormat `json:"format"`
		TaskBudget present       `json:"task_budget"`
	}
	outputFormat struct {
		Type   string          `json:"type"`
		Schema json.RawMessage `json:"schema"`
	}
)

// present is whether a field is there and not null; its value is not kept.
type present bool

// UnmarshalJSON implements [json.Unmarshaler].
func (p *present) UnmarshalJSON(raw []byte) error {
	*p = string(raw) != "null"
	return nil
}

// content is a text or a list of blocks. Of a single object, which only results of Claude's own servers have, nothing
// is kept.
type content []block

var errContent = errors.New("content is neither a text nor a list")

// UnmarshalJSON implements [json.Unmarshaler].
func (c *content) UnmarshalJSON(raw []byte) error {
	*c = nil
	switch raw[0] {
	case '"':
		b := block{Type: typeText}
		if err := unquote(raw, &b.Text); err != nil {
			return err
		}
		*c = content{b}
	case '[':
		return json.Unmarshal(raw, (*[]block)(c))
	case '{', 'n':
	default:
		return errContent
	}
	return nil
}

// unquote reads a JSON string; one that says what it is needs no parsing.
func unquote(raw []byte, s *string) error {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		*s = string(raw[1 : len(raw)-1])
		return nil
	}
	return json.Unmarshal(raw, s)
}

// UnmarshalJSON implements [json.Unmarshaler]. The source of a search result is a text.
func (s *source) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' {
		return json.Unmarshal(raw, &s.URL)
	}
	type plain source
	return json.Unmarshal(raw, (*plain)(s))
}

// function reports whether the tool is one that its owner runs, described by a schema.
func (t *tool) function() bool { return t.Type == "" || t.Type == "custom" }

// rawTools are the tools of a request as they were sent. They are read only where there are some that are no functions.
func rawTools(body []byte) []json.RawMessage {
	var in struct {
		Tools []json.RawMessage `json:"tools"`
	}
	if json.Unmarshal(body, &in) != nil {
		return nil // not after the request was parsed
	}
	return in.Tools
}
