// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"strconv"
	"strings"
)

// version is the generation of a Claude model, major*100 + minor; 0 is a model that is not Anthropic's, or not known.
//
// What a model accepts depends on its generation, and a field too many is an error (platform.claude.com/docs, "Thinking
// support by model", "Mid-conversation system messages", "Models overview"). Of unknown models everything is assumed
// that the protocol has had for long.
type version int

// Generations that differ in what they accept.
const (
	version3   version = 300 // 4,096 tokens of output
	version35  version = 305 // 8,192
	version37  version = 307 // thinking with a budget
	version4   version = 400
	version41  version = 401 // temperature or top_p, not both; strict tools and output schemas
	version46  version = 406 // adaptive thinking with an effort; 128,000 tokens of output
	version47  version = 407 // adaptive thinking only, effort xhigh; no sampling parameters
	version48  version = 408 // system messages within the conversation
	version5   version = 500
	versionNew version = 599 // those named without a number
)

// model is what a model's name tells.
type model struct {
	version version
	family  string // "opus", "sonnet", "haiku", "fable", "mythos", ""
}

var families = []string{"opus", "sonnet", "haiku", "fable", "mythos"}

// modelOf reads names such as claude-opus-4-1-20250805, claude-3-5-sonnet-latest, anthropic.claude-sonnet-4-v1:0,
// anthropic/claude-opus-4.5 and claude-sonnet-4@20250514.
func modelOf(name string) model {
	_, rest, found := strings.Cut(strings.ToLower(name), "claude")
	if !found {
		return model{}
	}
	var m model
	var numbers []int
	for _, word := range strings.FieldsFunc(rest, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') }) {
		for _, f := range families {
			if word == f {
				m.family = f
			}
		}
		if n, err := strconv.Atoi(word); err == nil && len(word) <= 2 && len(numbers) < 2 {
			numbers = append(numbers, n)
		} else if err == nil && len(numbers) > 0 {
			break // a date
		}
	}
	switch {
	case len(numbers) == 2:
		m.version = version(numbers[0]*100 + numbers[1])
	case len(numbers) == 1:
		m.version = version(numbers[0] * 100)
	case m.family == "fable" || m.family == "mythos":
		m.version = versionNew
	}
	return m
}

// before reports whether the model is known to be older than v.
func (m model) before(v version) bool { return m.version > 0 && m.version < v }

// since reports whether the model is known to be v or newer.
func (m model) since(v version) bool { return m.version >= v }

// alwaysThinks reports whether the model refuses to have its thinking disabled.
func (m model) alwaysThinks() bool { return m.family == "fable" || m.family == "mythos" }

// placesSystem reports whether the model takes system messages within the conversation, at certain places only.
func (m model) placesSystem() bool { return m.since(version48) }

// refusesSystem reports whether the model takes no system message within the conversation.
func (m model) refusesSystem() bool { return m.before(version48) }

// fallbackMaxTokens is our own choice for models whose limit is not known, where neither the tool nor the exit states
// one; the protocol demands it. Servers of other models that speak the protocol accept at least that.
const fallbackMaxTokens = 32000

// maxOutput is the model's own limit of max_tokens, 0 if it is not known.
func (m model) maxOutput() int {
	switch {
	case m.version == 0:
		return 0
	case m.before(version35):
		return 4096
	case m.before(version37):
		return 8192
	case m.since(version4) && m.before(version41+1) && m.family == "opus":
		return 32000
	case m.before(version46) || m.family == "haiku":
		return 64000
	default:
		return 128000
	}
}
