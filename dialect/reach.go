// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"slices"

	"github.com/tokengo/tokengo/service"
)

// Reaches lists the protocols whose backends can answer the operation: its own first, which gets the request byte for
// byte, then those that an exit can translate it for (package translate). The caller owns the slice.
func (op Operation) Reaches() []service.Protocol {
	reached := []service.Protocol{op.Protocol}
	for _, p := range service.Protocols() {
		if p != op.Protocol && op.translates(p) {
			reached = append(reached, p)
		}
	}
	return reached
}

// Reachable lists the protocols whose tools can use backends of the native ones by translation, without the native ones
// themselves, in the order of [service.Protocols].
func Reachable(native []service.Protocol) []service.Protocol {
	var reachable []service.Protocol
	for _, p := range service.Protocols() {
		chat := Operation{Protocol: p, Kind: Chat}
		if !slices.Contains(native, p) && slices.ContainsFunc(native, chat.Translates) {
			reachable = append(reachable, p)
		}
	}
	return reachable
}

// translates reports whether the operation has a counterpart in another protocol.
func (op Operation) translates(p service.Protocol) bool {
	switch op.Kind {
	case Chat, Completion, Responses, CountTokens, ListModels, GetModel, ShowModel:
		return true
	case Embedding:
		return p != service.Claude // which has none
	default:
		return false
	}
}

// Translates reports whether a backend of protocol p can answer the operation by translation.
func (op Operation) Translates(p service.Protocol) bool {
	return p != op.Protocol && slices.Contains(op.Reaches(), p)
}
