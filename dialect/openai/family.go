// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// family is what is known of a model by its name. OpenAI's own models refuse parameters that its older ones and all
// compatible backends have, and the other way round; there is nothing else to tell them by.
type family struct {
	openAI  bool // OpenAI's own, not one of its open weights
	reasons bool // always reasons, so that how tokens are chosen is fixed
	series  string
}

// familyOf looks at the last part of a name such as "openai/gpt-5-mini".
func familyOf(model string) family {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	if len(name) >= 2 && name[0] == 'o' && isDigit(name[1]) {
		return family{openAI: true, reasons: true, series: "o"}
	}
	rest, gpt := strings.CutPrefix(name, "gpt-")
	switch {
	case gpt && rest != "" && isDigit(rest[0]):
		version, _, _ := strings.Cut(rest, "-")
		return family{openAI: true, reasons: rest[0] >= '5' && !strings.Contains(rest, "chat"), series: version}
	case strings.HasPrefix(name, "codex-"):
		return family{openAI: true, reasons: true, series: "o"}
	case strings.HasPrefix(name, "chatgpt-"):
		return family{openAI: true}
	}
	return family{}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// limitField is the name that the family has for the longest answer. OpenAI deprecates the older one, and its reasoning
// models refuse it; most compatible backends know only that one.
func (f family) limitField() string {
	if f.openAI {
		return "max_completion_tokens"
	}
	return "max_tokens"
}

// Budgets of reasoning tokens that an effort stands for: those that Google publishes for its OpenAI-compatible service,
// with the limits between them in the middle.
const (
	lowBudget    = 4096
	mediumBudget = 16384
)

// effort is reasoning_effort for what a request wants, "" to leave the model its default. ok is false where the family
// cannot do what was asked, not even nearly.
func (f family) effort(r conversation.Reasoning) (effort string, ok bool) {
	switch r.Mode {
	case conversation.ReasoningDefault:
		return "", true
	case conversation.ReasoningOff:
		return f.noEffort()
	}
	effort = r.Effort
	switch {
	case effort != "" || r.Budget <= 0:
	case r.Budget <= lowBudget:
		effort = "low"
	case r.Budget <= mediumBudget:
		effort = "medium"
	default:
		effort = "high"
	}
	if effort == "" && f.reasons && r.Mode == conversation.ReasoningOn {
		effort = "medium" // some of these do not reason unless told to
	}
	if f.openAI && !f.reasons {
		return "", effort == "" && r.Mode == conversation.ReasoningAdaptive
	}
	return f.nearest(effort), true
}

func (f family) noEffort() (effort string, ok bool) {
	switch {
	case f.series == "o":
		return "low", false
	case f.series == "5":
		return "minimal", true
	case f.openAI && !f.reasons:
		return "", true
	default:
		return "none", true
	}
}

// nearest is the effort nearest to one that the family may not have.
func (f family) nearest(effort string) string {
	switch effort {
	case "minimal":
		if f.series != "5" {
			return "low"
		}
	case "xhigh", "max":
		if f.reasons && strings.HasPrefix(f.series, "5.") && f.series != "5.1" {
			return "xhigh"
		}
		return "high"
	}
	return effort
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
