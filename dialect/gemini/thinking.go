// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// Budgets that stand for an effort in models that have only budgets (ai.google.dev/gemini-api/docs/openai).
const (
	budgetMinimal = 1024
	budgetLow     = 1024
	budgetMedium  = 8192
	budgetHigh    = 24576

	budgetDynamic = -1 // the model decides
	budgetOff     = 0
)

// thinkingConfig is generationConfig.thinkingConfig.
type thinkingConfig struct {
	visible   bool
	level     string // "" is none
	budget    int
	hasBudget bool
}

// thinkingOf is what a request wants of a model of a family. The result is empty where nothing is to be said.
func thinkingOf(req *conversation.Request, f family, dropped *conversation.Dropped) thinkingConfig {
	r, maxTokens := &req.Reasoning, req.Bound()
	if f.thinking == thinksNever {
		if r.Mode == conversation.ReasoningOn || r.Effort != "" || r.Budget > 0 {
			dropped.Add("reasoning")
		}
		return thinkingConfig{}
	}
	var c thinkingConfig
	switch {
	case r.Mode == conversation.ReasoningOff:
		c = f.off(dropped)
	case r.Budget > 0 && f.thinking == thinksByBudget:
		c.budget, c.hasBudget = f.clamp(r.Budget, maxTokens), true
	case r.Effort != "" && f.thinking == thinksByBudget:
		c.budget, c.hasBudget = f.clamp(budgetOf(r.Effort), maxTokens), true
	case r.Effort != "":
		c.level = f.levelOf(r.Effort)
	case r.Budget > 0: // the service advises against one beside levels
		c.level = f.levelOf(effortOf(r.Budget))
	case f.thinking == thinksByBudget && r.Mode != conversation.ReasoningDefault:
		c.budget, c.hasBudget = budgetDynamic, true
	}
	switch {
	case r.Visible != nil:
		c.visible = *r.Visible
	default: // tools of other protocols show what comes, and do not ask
		c.visible = r.Mode == conversation.ReasoningOn || r.Mode == conversation.ReasoningAdaptive
	}
	return c
}

// off is no thinking, or where a model always thinks as little as it can, which is named.
func (f family) off(dropped *conversation.Dropped) thinkingConfig {
	if f.alwaysOn {
		dropped.Add("reasoning")
	}
	switch {
	case f.thinking == thinksByLevel:
		return thinkingConfig{level: f.lowest}
	case f.alwaysOn:
		return thinkingConfig{budget: f.budgetMin, hasBudget: true}
	default:
		return thinkingConfig{budget: budgetOff, hasBudget: true}
	}
}

// clamp is a budget that the model takes, and that leaves half of the limit of tokens, if there is one, to the answer: the
// thoughts count.
func (f family) clamp(budget, maxTokens int) int {
	if maxTokens > 0 && budget >= maxTokens {
		budget = maxTokens / 2
	}
	budget = max(budget, f.budgetMin)
	if f.budgetMax > 0 {
		budget = min(budget, f.budgetMax)
	}
	return budget
}

func (f family) levelOf(effort string) string {
	switch effort {
	case "minimal":
		return f.lowest
	case "low":
		return levelLow
	case "medium":
		if f.twoLevels {
			return levelHigh
		}
		return levelMedium
	default:
		return levelHigh
	}
}

// Budgets up to which an effort is told, in tokens: between those above.
const (
	mostLow    = 4096
	mostMedium = 16384
)

func effortOf(budget int) string {
	switch {
	case budget <= mostLow:
		return "low"
	case budget <= mostMedium:
		return "medium"
	default:
		return "high"
	}
}

func budgetOf(effort string) int {
	switch effort {
	case "minimal":
		return budgetMinimal
	case "low":
		return budgetLow
	case "medium":
		return budgetMedium
	default:
		return budgetHigh
	}
}

// write writes the member, if there is anything in it.
func (c thinkingConfig) write(j *wire.JSON) {
	if !c.visible && c.level == "" && !c.hasBudget {
		return
	}
	j.Object("thinkingConfig")
	if c.visible {
		j.BoolMember("includeThoughts", true)
	}
	j.TextIf("thinkingLevel", c.level)
	if c.hasBudget {
		j.IntMember("thinkingBudget", int64(c.budget))
	}
	j.Close('}')
}

// reasoning is what the member means in a tool's request.
func (c thinkingConfig) reasoning() conversation.Reasoning {
	r := conversation.Reasoning{Visible: &c.visible}
	switch level := strings.ToLower(c.level); {
	case level != "" && level != "thinking_level_unspecified":
		r.Mode, r.Effort = conversation.ReasoningOn, level
	case !c.hasBudget:
	case c.budget == budgetOff:
		r.Mode = conversation.ReasoningOff
	case c.budget < 0:
		r.Mode = conversation.ReasoningAdaptive
	default:
		r.Mode, r.Budget = conversation.ReasoningOn, c.budget
	}
	return r
}
