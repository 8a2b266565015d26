// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openaiapi

import (
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// Family is what is known of a model by its name. OpenAI's own models refuse parameters that its older ones and all
// compatible backends have, and the other way round; there is nothing else to tell them by.
type Family struct {
	Own     bool   // OpenAI's own, not one of its open weights
	Reasons bool   // always reasons, so that how tokens are chosen is fixed
	Series  string // "o", the number in "gpt-5.1", or "" for others
}

// FamilyOf looks at the last part of a name such as "openai/gpt-5-mini".
func FamilyOf(model string) Family {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	if len(name) >= 2 && name[0] == 'o' && isDigit(name[1]) {
		return Family{Own: true, Reasons: true, Series: "o"}
	}
	rest, gpt := strings.CutPrefix(name, "gpt-")
	switch {
	case gpt && rest != "" && isDigit(rest[0]):
		version, _, _ := strings.Cut(rest, "-")
		return Family{Own: true, Reasons: rest[0] >= '5' && !strings.Contains(rest, "chat"), Series: version}
	case strings.HasPrefix(name, "codex-"):
		return Family{Own: true, Reasons: true, Series: "o"}
	case strings.HasPrefix(name, "chatgpt-"):
		return Family{Own: true}
	}
	return Family{}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// Budgets of reasoning tokens that an effort stands for: those that Google publishes for its OpenAI-compatible service,
// with the limits between them in the middle.
const (
	lowBudget    = 4096
	mediumBudget = 16384
)

// Effort is the effort to ask for, for what a request wants, "" to leave the model its default. The family may not have it:
// see [Family.Nearest]. ok is false where the family cannot do what was asked, not even nearly.
func (f Family) Effort(r conversation.Reasoning) (effort string, ok bool) {
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
	if effort == "" && f.Reasons && r.Mode == conversation.ReasoningOn {
		effort = "medium" // some of these do not reason unless told to
	}
	if f.Own && !f.Reasons {
		return "", effort == "" && r.Mode == conversation.ReasoningAdaptive
	}
	return effort, true
}

func (f Family) noEffort() (effort string, ok bool) {
	switch {
	case f.Series == "o":
		return "low", false
	case f.Series == "5":
		return "minimal", true
	case f.Own && !f.Reasons:
		return "", true
	default:
		return "none", true
	}
}

// Nearest is the effort nearest to one that the family may not have. Models that are not OpenAI's are taken to have the
// three that all have had from the beginning.
func (f Family) Nearest(effort string) string {
	switch effort {
	case "minimal":
		if f.Series != "5" {
			return "low"
		}
	case "xhigh", "max":
		if f.Reasons && strings.HasPrefix(f.Series, "5.") && f.Series != "5.1" {
			return "xhigh"
		}
		return "high"
	}
	return effort
}
