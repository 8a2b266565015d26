// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/openaiapi"
)

// limitField is the name that the family has for the longest answer. OpenAI deprecates the older one, and its reasoning
// models refuse it; most compatible backends know only that one.
func limitField(f openaiapi.Family) string {
	if f.Own {
		return "max_completion_tokens"
	}
	return "max_tokens"
}

// reasoningOf is what a reasoning_effort asks for.
func reasoningOf(effort string) conversation.Reasoning {
	switch effort {
	case "":
		return conversation.Reasoning{}
	case "none":
		return conversation.Reasoning{Mode: conversation.ReasoningOff}
	}
	return conversation.Reasoning{Mode: conversation.ReasoningOn, Effort: effort}
}
