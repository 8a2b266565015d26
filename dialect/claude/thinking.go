// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"slices"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// thinkingPlan is how the model is told to think.
type thinkingPlan struct {
	kind    string // of thinking: "", "enabled", "adaptive", "disabled"
	budget  int    // with enabled
	effort  string // of output_config, "" when it is not stated
	display string
}

func (p thinkingPlan) on() bool { return p.kind == "enabled" || p.kind == "adaptive" }

// budgets are how many tokens of thinking an effort is, where a model knows only budgets. They are our own choice, near
// to what Google's API for OpenAI's tools does.
var budgets = []struct {
	effort string
	tokens int
}{
	{"minimal", 1024}, {"low", 2048}, {"medium", 8192}, {"high", 24576}, {"xhigh", 32768}, {"max", 65536},
}

const defaultBudget = 8192 // when thinking is on, and how much is not said

func budgetOf(effort string) int {
	for _, b := range budgets {
		if b.effort == effort {
			return b.tokens
		}
	}
	return defaultBudget
}

// effortOf is the least effort that has the budget.
func effortOf(budget int) string {
	for _, b := range budgets {
		if budget <= b.tokens {
			return b.effort
		}
	}
	return budgets[len(budgets)-1].effort
}

// planThinking maps the reasoning asked for to what the model accepts; what it does not accept is dropped.
func (e *encoder) planThinking(maxTokens int, turns []turn) thinkingPlan {
	r := e.req.Reasoning
	var p thinkingPlan
	switch {
	case r.Mode == conversation.ReasoningOff:
		return e.planOff()
	case r.Mode == conversation.ReasoningDefault && r.Budget == 0:
		p = e.planEffort(r.Effort)
		if e.forced() && e.thinksUnasked() {
			p.kind = "disabled"
		}
		return p
	case e.model.before(version37):
		e.dropped.Add("reasoning")
		return p
	case e.forced(): // thinking and a forced call exclude each other
		e.dropped.Add("reasoning")
		if e.thinksUnasked() {
			p.kind = "disabled"
		}
		return p
	case e.adaptive():
		p = e.planEffort(r.Effort)
		if p.effort == "" && r.Budget > 0 {
			p = e.planEffort(effortOf(r.Budget))
		}
		p.kind = "adaptive"
	default:
		p = e.planBudget(maxTokens, turns)
	}
	if p.on() {
		p.display = e.display()
	}
	return p
}

// display says whether the tool wants to see the thinking. Newer models show none unless they are asked to.
func (e *encoder) display() string {
	r := e.req.Reasoning
	switch {
	case r.Visible == nil && r.Summary != "" && e.model.since(version47), r.Visible != nil && *r.Visible:
		return "summarized"
	case r.Visible != nil:
		return "omitted"
	default:
		return ""
	}
}

// thinksUnasked reports whether the model is known to think when it is not told, and can be told not to.
func (e *encoder) thinksUnasked() bool { return e.model.since(version47) && !e.model.alwaysThinks() }

func (e *encoder) planOff() thinkingPlan {
	switch {
	case e.model.alwaysThinks():
		e.dropped.Add("reasoning")
		return thinkingPlan{effort: efforts[0]} // as little as there is
	case e.model.before(version37):
		return thinkingPlan{}
	default:
		return thinkingPlan{kind: "disabled"}
	}
}

// adaptive reports whether thinking is told as adaptive: where budgets are refused, where there is none, and where it
// was asked for and the model is not known to refuse it.
func (e *encoder) adaptive() bool {
	r := e.req.Reasoning
	switch {
	case e.model.version == 0:
		return r.Mode == conversation.ReasoningAdaptive
	case e.model.before(version46):
		return false
	default:
		return e.model.since(version47) || r.Mode == conversation.ReasoningAdaptive || r.Budget == 0
	}
}

// planEffort states an effort, or the nearest that the model has.
func (e *encoder) planEffort(effort string) thinkingPlan {
	switch {
	case effort == "":
		return thinkingPlan{}
	case e.model.before(version46):
		e.dropped.Add("reasoning")
		return thinkingPlan{}
	case effort == "minimal":
		effort = efforts[0]
	case effort == "xhigh" && e.model.before(version47):
		effort = "high"
	case !slices.Contains(efforts, effort):
		e.dropped.Add("reasoning")
		return thinkingPlan{}
	}
	return thinkingPlan{effort: effort}
}

// planBudget states a budget, which must leave room below max_tokens for the answer.
func (e *encoder) planBudget(maxTokens int, turns []turn) thinkingPlan {
	r := e.req.Reasoning
	budget := r.Budget
	if budget == 0 {
		budget = budgetOf(r.Effort)
	}
	if budget >= maxTokens {
		budget = maxTokens / 2
	}
	budget = max(budget, minBudget)
	if budget >= maxTokens || unsignedTurn(turns) {
		e.dropped.Add("reasoning")
		return thinkingPlan{}
	}
	return thinkingPlan{kind: "enabled", budget: budget}
}

// unsignedTurn reports whether the last answer waits for results or is to be continued, and has lost its thinking on
// the way through a tool of another protocol. Thinking with a budget is then refused.
func unsignedTurn(turns []turn) bool {
	for i := len(turns) - 1; i >= 0; i-- {
		switch {
		case turns[i].role == roleAssistant:
			return !turns[i].thinksFirst()
		case turns[i].role == roleUser && !turns[i].hasResults():
			return false
		}
	}
	return false
}

func (e *encoder) writeThinking(p plan) {
	t := p.thinking
	if t.kind == "" {
		return
	}
	j := &e.out
	j.Name("thinking")
	j.Open('{')
	j.TextMember("type", t.kind)
	if t.kind == "enabled" {
		j.IntMember("budget_tokens", int64(t.budget))
	}
	if t.display != "" {
		j.TextMember("display", t.display)
	}
	j.Close('}')
}

func (e *encoder) writeOutputConfig(p plan) {
	schema := e.req.Format.Kind == conversation.FormatSchema
	if p.thinking.effort == "" && !schema {
		return
	}
	j := &e.out
	j.Name("output_config")
	j.Open('{')
	if p.thinking.effort != "" {
		j.TextMember("effort", p.thinking.effort)
	}
	if schema {
		j.Name("format")
		j.Open('{')
		j.TextMember("type", "json_schema")
		j.RawMember("schema", string(closedSchema(e.req.Format.Schema)))
		j.Close('}')
	}
	j.Close('}')
}
