// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package marked

import (
	"fmt"
	"regexp"
	"strconv"
)

// The lengths of answers that prompts ask for.
const (
	short = "in short"  // a few pieces
	long  = "at length" // until the test lets it end
)

func prompt(number int, length string) string {
	return fmt.Sprintf("Request number %d, %s.", number, length)
}

var prompted = regexp.MustCompile(`Request number (\d+), (` + long + "|" + short + ")")

// Mark is in every piece of an answer, and says which answer it belongs to.
type Mark struct {
	Request int
	Backend int
	Relay   int // the number in the request's [RelayField], for tests that set it
	Attempt int // counted over all backends
	Piece   int // counted within the answer
}

// String implements [fmt.Stringer].
func (m Mark) String() string {
	return fmt.Sprintf("(%d.%d.%d.%d.%d)", m.Request, m.Backend, m.Relay, m.Attempt, m.Piece)
}

var markPattern = regexp.MustCompile(`\((\d+)\.(\d+)\.(\d+)\.(\d+)\.(\d+)\)`)

// marks are those in a text, in their order.
func marks(text string) (all []Mark) {
	for _, found := range markPattern.FindAllStringSubmatch(text, -1) {
		var n [5]int
		for i := range n {
			n[i], _ = strconv.Atoi(found[i+1]) // digits
		}
		all = append(all, Mark{n[0], n[1], n[2], n[3], n[4]})
	}
	return all
}
