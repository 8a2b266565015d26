// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"slices"
)

// harmless are kinds of tools that repeating a request does nothing twice with: the AI tool runs them itself, or the
// backend does to look something up or to make part of its answer. Their names may go on with a version ("_20250305") or
// "_preview". Any other kind may act on something.
var harmless = []string{
	"function", "custom", "namespace", "local_shell", "apply_patch", "bash", "text_editor", "computer", "memory",
	"tool_search", "web_search", "web_fetch", "file_search", "image_generation",
}

// harmlessGemini are the same for gemini, where the name of a member is the kind.
var harmlessGemini = []string{
	"functionDeclarations", "googleSearch", "googleSearchRetrieval", "enterpriseWebSearch", "googleMaps", "urlContext",
	"fileSearch", "retrieval", "computerUse",
}

// tool reads an element of a list of tools.
func (r *demander) tool() {
	if r.s.peek() != '{' {
		return
	}
	r.needs(FeatureTools)
	r.object(func(name []byte) {
		if string(name) == "type" && r.s.peek() == '"' && !isHarmless(r.word()) {
			r.demand.Effects = true
		}
	})
}

func isHarmless(kind []byte) bool {
	return slices.ContainsFunc(harmless, func(known string) bool {
		rest, ok := bytes.CutPrefix(kind, []byte(known))
		return ok && (len(rest) == 0 || rest[0] == '_')
	})
}

// server reads an element of a list of MCP servers, which the backend calls.
func (r *demander) server() {
	r.needs(FeatureTools)
	r.demand.Effects = true
}

// geminiTool reads an element of gemini's list of tools: functions that it declares, and tools of Google's.
func (r *demander) geminiTool() {
	r.object(func(name []byte) {
		switch kind := r.camel(name); {
		case r.s.peek() == 'n':
		case string(kind) == "functionDeclarations":
			r.array(func() { r.needs(FeatureTools) })
		default:
			r.needs(FeatureTools)
			if !slices.Contains(harmlessGemini, string(kind)) {
				r.demand.Effects = true
			}
		}
	})
}
