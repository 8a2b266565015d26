// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// family is what is known of a model by its name. OpenAI's reasoning models refuse parameters that others have; there is
// nothing else to tell them by.
type family struct {
	openAI  bool   // OpenAI's own, not one of its open weights
	reasons bool   // always reasons, so that how tokens are chosen is fixed
	series  string // "o", or the number in "gpt-5.1"
}

// familyOf looks at the last part of a name such as "openai/gpt-5-mini".
func familyOf(model string) family {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	digit := func(s string) bool { return s != "" && '0' <= s[0] && s[0] <= '9' }
	if strings.HasPrefix(name, "o") && digit(name[1:]) || strings.HasPrefix(name, "codex-") {
		return family{openAI: true, reasons: true, series: "o"}
	}
	if rest, ok := strings.CutPrefix(name, "gpt-"); ok && digit(rest) {
		version, _, _ := strings.Cut(rest, "-")
		return family{openAI: true, reasons: rest[0] >= '5' && !strings.Contains(rest, "chat"), series: version}
	}
	return family{openAI: strings.HasPrefix(name, "chatgpt-")}
}

// Budgets of reasoning tokens that an effort stands for: those that Google publishes for its OpenAI-compatible service,
// with the limits between them in the middle.
const (
	lowBudget    = 4096
	mediumBudget = 16384
)

// effort is reasoning.effort for what a request wants, "" to leave the model its default. ok is false where the family
// cannot do what was asked, not even nearly.
func (f family) effort(r conversation.Reasoning) (effort string, ok bool) {
	switch r.Mode {
	case conversation.ReasoningDefault:
		return f.nearest(r.Effort), true
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
	if !f.openAI {
		return effort
	}
	switch effort {
	case "minimal":
		if f.series != "5" {
			return "low"
		}
	case "xhigh", "max":
		if !strings.HasPrefix(f.series, "5.") || f.series == "5.1" {
			return "high"
		}
		return "xhigh"
	}
	return effort
}
