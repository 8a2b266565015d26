// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"slices"

	"github.com/tokengo/tokengo/service"
)

// Header fields that may pass, in lower case and in the order in which they are sent. Everything else stays where it is:
// credentials (authorization, x-api-key, x-goog-api-key), what tells one user from another (cookie, user-agent,
// x-stainless-*, x-goog-api-client, openai-organization, idempotency-key, trace headers), and encodings (the parties to
// a sealed message must see the body as it is).
var (
	plainRequestFields  = []string{"content-type", "accept"}
	openAIRequestFields = []string{"content-type", "accept", "openai-beta"}
	claudeRequestFields = []string{"content-type", "accept", "anthropic-version", "anthropic-beta"}

	responseFields = []string{"content-type", "cache-control", "retry-after", "retry-after-ms", "x-should-retry", FieldDropped}
)

// FieldDropped is the header field of a translated answer that lists, separated by commas, the fields of the request
// that the backend's protocol has no counterpart for.
const FieldDropped = "x-tokengo-dropped"

// FieldError is the sealed trailer field of an answer that ends in an error (docs/protocol.md). Its value is a [Code].
const FieldError = "tokengo-error"

// RequestFields returns the names of the header fields of a tool's request that may go inside the seal, lower case, in
// the order to send them, so that the order tells nothing about the tool. The caller owns the slice.
func RequestFields(p service.Protocol) []string {
	switch p {
	case service.OpenAI:
		return slices.Clone(openAIRequestFields)
	case service.Claude:
		return slices.Clone(claudeRequestFields)
	default:
		return slices.Clone(plainRequestFields)
	}
}

// BetaField is the header field, in lower case, in which tools ask a protocol's own backends for behaviour that is not in
// the protocol yet; "" where there is none. No other protocol has a counterpart.
func BetaField(p service.Protocol) string {
	switch p {
	case service.OpenAI:
		return "openai-beta"
	case service.Claude:
		return "anthropic-beta"
	default:
		return ""
	}
}

// ResponseFields returns the names of the header fields of a backend's answer that may come back to the tool, lower
// case, in the order to send them. The retry fields tell official SDKs when to try again. The caller owns the slice.
func ResponseFields() []string { return slices.Clone(responseFields) }
