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

// translates reports whether the operation has a counterpart in another protocol.
func (op Operation) translates(p service.Protocol) bool {
	switch op.Kind {
	case Chat, Completion, Responses, CountTokens, ListModels, GetModel:
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
