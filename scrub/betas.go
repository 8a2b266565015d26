// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// betaFields are the fields of a body that a backend refuses unless the beta is asked for. Betas that have become part of
// the protocol (effort, structured outputs in output_config, deferred tools) need none, and neither have those that only
// change how the backend works (interleaved thinking, fine-grained tool streaming, longer context).
//
// Vendor's reference: platform.claude.com/docs/en/api/beta-headers and the guide of each feature.
var betaFields = map[string][]string{
	"compact-2026-01-12":                   {"context_management"},
	"compact-2026-09-04":                   {"compaction"},
	"context-management-2025-06-27":        {"context_management"},
	"fallback-credit-2026-06-01":           {"fallback_credit_token"},
	"fallback-credit-2026-07-01":           {"fallback_credit_token"},
	"mcp-client-2025-04-04":                {"mcp_servers"},
	"mcp-client-2025-11-20":                {"mcp_servers"},
	"mcp-client-2026-09-15":                {"mcp_servers"},
	"prompt-caching-scope-2026-01-05":      {"system[].cache_control.scope", "tools[].cache_control.scope", "messages[].content[].cache_control.scope"},
	"server-side-fallback-2026-06-01":      {"fallbacks"},
	"server-side-fallback-2026-07-01":      {"fallbacks"},
	"structured-outputs-2025-11-13":        {"output_format"},
	"task-budgets-2026-03-13":              {"output_config.task_budget"},
	"thinking-binding-controls-2026-08-01": {"thinking.block_binding"},
}

// betas are the experimental features of one request to one exit.
type betas struct {
	names []string // that pass, sorted, each once
	rules []rule   // that take out the fields of those that do not
}

// betaHeader is the field that names a protocol's experimental features, "" where there is none.
func betaHeader(p service.Protocol) string {
	switch p {
	case service.OpenAI:
		return "openai-beta"
	case service.Claude:
		return "anthropic-beta"
	}
	return ""
}

// betas sorts what the tool asks for by whether the exit lists it.
func (q *Request) betas(listed []string) betas {
	var b betas
	dropped := map[string]bool{}
	for _, name := range items(q.header, betaHeader(q.op.Protocol)) {
		if slices.Contains(listed, name) {
			b.names = append(b.names, name)
			continue
		}
		for _, field := range betaFields[name] {
			dropped[field] = true
		}
	}
	for _, name := range b.names {
		for _, field := range betaFields[name] {
			delete(dropped, field)
		}
	}
	slices.Sort(b.names)
	b.names = slices.Compact(b.names)
	for _, field := range slices.Sorted(maps.Keys(dropped)) {
		b.rules = append(b.rules, rule{path: field, do: remove, why: "belongs to an experimental feature that the exit does not list"})
	}
	return b
}

// items are the parts of a field's values between commas.
func items(h http.Header, name string) []string {
	var all []string
	for _, value := range h.Values(name) {
		for item := range strings.SplitSeq(value, ",") {
			if item = strings.TrimSpace(item); item != "" {
				all = append(all, item)
			}
		}
	}
	return all
}
