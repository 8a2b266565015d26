// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"strings"
)

// family says what a model takes, as far as its name tells. Other protocols do not say it in their requests, and the
// service refuses what a model does not take.
type family struct {
	thinking  thinkingForm
	budgetMin int  // of thinkingBudget, unless it is 0
	budgetMax int  // of thinkingBudget; 0 is not known
	alwaysOn  bool // thinking cannot be turned off
	lowest    string
	// nested says that results of functions may hold media. In older models media stand beside the results.
	nested bool
	// signed says that calls of the current turn must have a signature.
	signed bool
}

// thinkingForm is how a model is told how much to think.
type thinkingForm uint8

const (
	thinksByLevel  thinkingForm = iota // thinkingLevel, and thinkingBudget for compatibility
	thinksByBudget                     // thinkingBudget
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

// familyOf looks at a model's name. An unknown one is taken for a model of today.
func familyOf(model string) family {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	pro, lite := strings.Contains(name, "pro"), strings.Contains(name, "lite")
	switch {
	case strings.HasPrefix(name, "gemini-1"), strings.HasPrefix(name, "gemini-2.0"), strings.HasPrefix(name, "gemma"),
		name == "gemini-pro", name == "gemini-pro-vision":
		return family{thinking: thinksNever}
	case strings.HasPrefix(name, "gemini-2") && pro:
		return family{thinking: thinksByBudget, budgetMin: budgetMinPro, budgetMax: budgetMaxPro, alwaysOn: true}
	case strings.HasPrefix(name, "gemini-2") && lite:
		return family{thinking: thinksByBudget, budgetMin: budgetMinLite, budgetMax: budgetMaxFlash}
	case strings.HasPrefix(name, "gemini-2"):
		return family{thinking: thinksByBudget, budgetMin: 1, budgetMax: budgetMaxFlash}
	}
	f := family{nested: true, lowest: levelMinimal, signed: strings.HasPrefix(name, "gemini-")}
	if f.signed {
		f.budgetMax = budgetMaxPro
	}
	if pro {
		f.lowest, f.alwaysOn = levelLow, true
	}
	return f
}
