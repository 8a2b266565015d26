// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tokengo/tokengo/service"
)

// NoCandidate is the error of a plan that has nothing left to try.
type NoCandidate struct {
	// Unknown are the models of the request that no exit offers under any name.
	Unknown []string
	// Tried is how many candidates the plan yielded. When it is not 0 the caller knows better why they failed.
	Tried int
	// Excluded counts the candidates that each reason excluded.
	Excluded map[Reason]int
	// OverBudget are the tiers that have spent their budget.
	OverBudget []string
	// RetryAt is when the first candidate that is rate-limited may be asked again; zero when none is.
	RetryAt time.Time
}

// maxNameRunes is how much of a model's name an error repeats.
const maxNameRunes = 80

// Error says why in one sentence. The models are what the user's own tool asked for, made printable.
func (e *NoCandidate) Error() string {
	var why []string
	for _, name := range e.Unknown {
		why = append(why, fmt.Sprintf("no exit offers the model %q", service.Printable(name, maxNameRunes)))
	}
	for _, tier := range e.OverBudget {
		why = append(why, fmt.Sprintf("tier %s has spent its budget", service.Printable(tier, maxNameRunes)))
	}
	for _, r := range slices.Sorted(maps.Keys(e.Excluded)) {
		why = append(why, fmt.Sprintf("%d × %s", e.Excluded[r], r))
	}
	if e.Tried > 0 {
		why = append(why, fmt.Sprintf("%d tried", e.Tried))
	}
	if len(why) == 0 {
		return "choose an exit: the request names no model or no protocol"
	}
	return "choose an exit: " + strings.Join(why, "; ")
}

// Err says why the plan has nothing left. Before Next has returned false it is what is known so far.
func (p *Plan) Err() *NoCandidate {
	e := &NoCandidate{Tried: len(p.tried), Excluded: map[Reason]int{}, OverBudget: p.spent, RetryAt: p.retryTime()}
	for _, w := range p.wanted {
		if w.table == nil {
			e.Unknown = append(e.Unknown, w.asked)
		}
	}
	for i, n := range p.counts {
		if r := Reason(i); n > 0 && r.Excludes() {
			e.Excluded[r] = int(n)
		}
	}
	return e
}
