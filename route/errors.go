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
	// Missing names what the candidates have not that LacksFeature, LacksModality or NotListed excluded, for each of these
	// reasons, sorted: features, modalities and parameters of the request, and "context" for a context window.
	Missing map[Reason][]string
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
	e.Missing = p.missing(e.Excluded)
	return e
}

// missing looks again at what was excluded for something that it has not. Only requests that fail pay for that.
func (p *Plan) missing(excluded map[Reason]int) map[Reason][]string {
	if excluded[LacksFeature]+excluded[LacksModality]+excluded[NotListed] == 0 {
		return nil
	}
	found := map[Reason][]string{}
	for _, w := range p.wanted {
		if w.table == nil {
			continue
		}
		for tier := range p.filters {
			f := p.filter(tier)
			for _, id := range w.table.rows {
				l := &p.g.ix.listings[id]
				if r := f.exclude(l); r == LacksFeature || r == LacksModality || r == NotListed {
					found[r] = append(found[r], p.request.missing(l, p.g.ix.model(l), r)...)
					slices.Sort(found[r])
					found[r] = slices.Compact(found[r])
				}
			}
		}
	}
	return found
}

// missing names what a listing has not that the reason, one of the three that need something, is about.
func (r *Request) missing(l *listing, m *service.Model, why Reason) (names []string) {
	add := func(asked []string, first int, vocabulary, listed []string) {
		for _, name := range asked {
			if traitsOf(first, vocabulary, []string{name})&l.traits == 0 && !slices.Contains(listed, name) {
				names = append(names, name)
			}
		}
	}
	if why != LacksModality {
		add(r.Features, firstFeature, featureNames, m.Features)
	}
	if why != LacksFeature {
		add(r.Modalities, firstModality, modalityNames, m.Modalities)
	}
	if why == NotListed {
		add(r.Wishes, firstFeature, featureNames, m.Features)
		add(r.parameters(), firstFeature, nil, m.Features)
		if m.MaxCtx == 0 && r.InputTokens > knownContext {
			names = append(names, "context")
		}
	}
	return names
}
