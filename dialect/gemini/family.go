// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"slices"
	"strings"
)

// family says what a model takes, as far as its name tells. Other protocols do not say it in their requests, and the
// service refuses what a model does not take.
type family struct {
	thinking  thinkingForm
	budgetMin int    // of thinkingBudget, unless it is 0
	budgetMax int    // of thinkingBudget; 0 is not known
	alwaysOn  bool   // thinking cannot be turned off
	lowest    string // level
	twoLevels bool   // low and high only
	// nested says that results of functions may hold media. In older models media stand beside the results.
	nested bool
	// signed says that calls of the current turn must have a signature.
	signed bool
}

// thinkingForm is how a model is told how much to think.
type thinkingForm uint8

const (
	thinksByBudget thinkingForm = iota // thinkingBudget, which models that have levels take as well
	thinksByLevel                      // thinkingLevel; older models refuse it
	thinksNever                        // the field is an error
)

// Limits of thinkingBudget and levels (ai.google.dev/gemini-api/docs/thinking).
const (
	budgetMinPro   = 128
	budgetMaxPro   = 32768
	budgetMinLite  = 512
	budgetMaxFlash = 24576

	levelMinimal = "MINIMAL"
	levelLow     = "LOW"
	levelMedium  = "MEDIUM"
	levelHigh    = "HIGH"
)

// familyOf looks at a model's name. One that is not Google's is taken to know budgets, which all generations do.
func familyOf(model string) family {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	rest, own := strings.CutPrefix(name, "gemini-")
	pro, lite := strings.Contains(name, "pro"), strings.Contains(name, "lite")
	switch {
	case strings.HasPrefix(name, "gemma"), strings.HasPrefix(rest, "1"), strings.HasPrefix(rest, "2.0"),
		name == "gemini-pro", name == "gemini-pro-vision":
		return family{thinking: thinksNever}
	case !own:
		return family{thinking: thinksByBudget, nested: true}
	case strings.HasPrefix(rest, "2") && pro:
		return family{thinking: thinksByBudget, budgetMin: budgetMinPro, budgetMax: budgetMaxPro, alwaysOn: true}
	case strings.HasPrefix(rest, "2") && lite:
		return family{thinking: thinksByBudget, budgetMin: budgetMinLite, budgetMax: budgetMaxFlash}
	case strings.HasPrefix(rest, "2"):
		return family{thinking: thinksByBudget, budgetMin: 1, budgetMax: budgetMaxFlash}
	}
	return family{
		thinking: thinksByLevel, alwaysOn: true, lowest: lowestLevel(rest, pro), twoLevels: strings.HasPrefix(rest, "3-pro"),
		nested: true, signed: true,
	}
}

// lowestLevel is the least that a model of generation 3 or later can think, by its name without "gemini-". None can be
// told not to think at all, and what has no level MINIMAL refuses it: all but the Flash models of 3.0 to 3.6.
func lowestLevel(name string, pro bool) string {
	version, _, _ := strings.Cut(name, "-")
	minimal := []string{"3", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6"}
	if !pro && slices.Contains(minimal, version) {
		return levelMinimal
	}
	return levelLow
}
