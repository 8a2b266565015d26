// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demobackend

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// errShape reports JSON of a kind that the protocol does not have in that place.
var errShape = errors.New("neither text nor a list of texts")

// content is the text of a message or of system instructions: in JSON a string,
// or a list of blocks of which those with a text count. Blocks are joined by
// newlines. Images, tool calls and the like are accepted and contribute nothing.
type content string

// UnmarshalJSON implements [json.Unmarshaler].
func (c *content) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case 'n': // null, as in an assistant message that only calls tools
		return nil
	case '"':
		return json.Unmarshal(raw, (*string)(c))
	case '[':
		var blocks []struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(raw, &blocks); err != nil {
			return fmt.Errorf("decode content blocks: %w", err)
		}
		texts := make([]string, len(blocks))
		for i, b := range blocks {
			texts[i] = b.Text
		}
		*c = content(joinPrompt(texts...))
		return nil
	}
	return errShape
}

// inputs is a list of texts to embed or to complete: in JSON a string, a list of
// strings, or texts already cut into token numbers, one or a list of them. A
// token number counts as a word.
type inputs []string

// UnmarshalJSON implements [json.Unmarshaler].
func (in *inputs) UnmarshalJSON(raw []byte) error {
	if raw[0] != '[' {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return fmt.Errorf("decode input: %w", err)
		}
		*in = inputs{text}
		return nil
	}
	var tokens []int
	if json.Unmarshal(raw, &tokens) == nil {
		*in = inputs{tokenText(tokens)}
		return nil
	}
	if json.Unmarshal(raw, (*[]string)(in)) == nil {
		return nil
	}
	var lists [][]int
	if err := json.Unmarshal(raw, &lists); err != nil {
		return errShape
	}
	*in = nil
	for _, tokens := range lists {
		*in = append(*in, tokenText(tokens))
	}
	return nil
}

func tokenText(tokens []int) string {
	return strings.Trim(fmt.Sprint(tokens), "[]")
}

// message is one turn of a conversation, in every protocol but Gemini's.
type message struct {
	Content content `json:"content"`
}

// conversationPrompt joins system instructions and messages into one prompt.
func conversationPrompt(system content, messages []message) string {
	texts := []string{string(system)}
	for _, m := range messages {
		texts = append(texts, string(m.Content))
	}
	return joinPrompt(texts...)
}
