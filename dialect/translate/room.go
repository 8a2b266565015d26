// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/gemini"
)

// Tokenizers differ, and so does what they make of one text. Both are our own choice.
const (
	// countMargin is the part of a count, one in so many, that it may be too low by.
	countMargin = 8
	// leastRoom is what an answer is given where the count leaves less, in tokens: an answer cut to a few words because of
	// a count that is too high is worse than a backend that says that the request is too long.
	leastRoom = 1024
)

// roomFor is about how many tokens a context window of the size given leaves to the answer. It is 0 where the window is
// not known, and where it is clear without counting that there is room for the longest answer.
func roomFor(request *conversation.Request, context int) int {
	longest := cmp.Or(request.Bound(), request.MaxOutput)
	if context <= 0 || longest > 0 && longest <= context-request.SizeHint() { // a token is a byte or more
		return 0
	}
	n := gemini.CountRequest(request)
	return max(context-n-n/countMargin, leastRoom)
}
