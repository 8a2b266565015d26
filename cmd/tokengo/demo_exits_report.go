// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/tokengo/tokengo/route"
)

// exitsReport is what came of the demo of choosing, as 'demo --exits N --json' prints it.
type exitsReport struct {
	Exits  []stallView `json:"exits"`
	Phases []phaseView `json:"phases"`
	Checks []demoCheck `json:"checks"`
	OK     bool        `json:"ok"`
}

// stallView is one exit. Its lists have a value for each phase.
type stallView struct {
	Name      string    `json:"name"`
	Tier      string    `json:"tier"`
	Price     string    `json:"price_per_1m_usd"`
	Speed     int       `json:"tokens_per_s"`
	Favourite bool      `json:"favourite"`
	Shares    []float64 `json:"shares"`
	Scores    []float64 `json:"scores"`
	Breaker   []string  `json:"breaker"` // at the end of the phase; "gone" when it is not in the directory
}

// phaseView is one phase: what became of the requests that began in it.
type phaseView struct {
	Name     string         `json:"name"`
	Seconds  float64        `json:"seconds"`
	Requests int            `json:"requests"`
	Answered int            `json:"answered"`
	Broken   int            `json:"broken"`
	Refused  int            `json:"refused"`
	Tiers    map[string]int `json:"tiers"`
}

func newExitsReport(m *market) *exitsReport {
	r := &exitsReport{}
	for _, s := range m.stalls {
		r.Exits = append(r.Exits, stallView{Name: s.name, Tier: s.tier, Price: string(s.price), Speed: s.speed()})
	}
	return r
}

// finish adds a phase that is over.
func (r *exitsReport) finish(m *market, phase int) {
	p := phaseView{Name: demoPhases[phase].name, Seconds: demoPhases[phase].lasts.Seconds(), Tiers: map[string]int{}}
	counts := make([]int, len(m.stalls))
	for _, a := range m.tally.where(func(a asked) bool { return a.phase == phase }) {
		p.Requests++
		switch a.outcome {
		case answered:
			p.Answered++
			p.Tiers[a.tier]++
			counts[a.stall]++
		case cut:
			p.Broken++
		case refused:
			p.Refused++
		}
	}
	for i := range r.Exits {
		e := &r.Exits[i]
		standing := m.standing(i)
		e.Shares = append(e.Shares, float64(counts[i])/float64(max(p.Answered, 1)))
		e.Scores = append(e.Scores, standing.score)
		e.Breaker = append(e.Breaker, standing.said())
	}
	r.Phases = append(r.Phases, p)
}

// check holds the report to what the demo claims to show.
func (r *exitsReport) check(m *market) {
	r.Exits[m.favourite].Favourite = true
	favourite := r.Exits[m.favourite]
	began := map[int]int{} // requests, by the phase
	refusals, broken := 0, 0
	for _, a := range m.tally.where(func(asked) bool { return true }) {
		began[a.phase]++
		switch {
		case a.outcome == refused:
			refusals++
		case a.outcome == cut && a.phase != phaseTierGone && a.phase != phaseTierGone-1:
			broken++
		}
	}
	tried := m.stalls[m.favourite].refused.Load()
	r.Checks = []demoCheck{
		{fmt.Sprintf("every request was answered (%d of them), whatever failed%s", len(m.tally.all), m.why()), refusals == 0 && len(m.tally.all) > 0},
		{"no answer broke off but of exits that disappeared while they answered", broken == 0},
		{
			fmt.Sprintf("%s, the favourite, had more than an equal share while the client learned: %.0f%%", favourite.Name, 100*favourite.Shares[phaseLearning]),
			favourite.Shares[phaseLearning] > 1/float64(len(r.Exits)),
		},
		{
			fmt.Sprintf("while it failed it was tried by %d of %d requests, which others then answered", tried, began[phaseFailing]),
			tried > 0 && float64(tried) < favourite.Shares[phaseLearning]*float64(began[phaseFailing]),
		},
		{
			"its circuit breaker rested it meanwhile: " + favourite.Breaker[phaseFailing],
			favourite.Breaker[phaseFailing] != string(route.Closed),
		},
		{
			fmt.Sprintf("after it recovered it answered again: %.0f%%", 100*favourite.Shares[phaseRecovered]),
			favourite.Shares[phaseRecovered] > 0,
		},
		{
			fmt.Sprintf("tier %s answered while tier %s could", firstTier, firstTier),
			r.Phases[phaseLearning].Tiers[firstTier] > 0 && r.Phases[phaseLearning].Tiers[secondTier] == 0,
		},
		{
			fmt.Sprintf("tier %s answered when tier %s was gone: %d requests", secondTier, firstTier, r.Phases[phaseTierGone].Tiers[secondTier]),
			m.lastTier(phaseTierGone) == secondTier,
		},
		{
			fmt.Sprintf("tier %s answered again when it was back: %d requests", firstTier, r.Phases[phaseTierBack].Tiers[firstTier]),
			m.lastTier(phaseTierBack) == firstTier,
		},
	}
	r.OK = failedCheck(r.Checks) == nil
}

// lastTier is the tier that gave most of the answers to what was asked in the last second of a phase.
func (m *market) lastTier(phase int) string {
	of := m.tally.where(func(a asked) bool { return a.phase == phase && a.outcome == answered })
	count := map[string]int{}
	for _, a := range of {
		if a.at.After(of[len(of)-1].at.Add(-time.Second)) {
			count[a.tier]++
		}
	}
	if count[firstTier] > count[secondTier] {
		return firstTier
	}
	return secondTier
}

// why is the reason of the last refusal, if there was one.
func (m *market) why() string {
	m.tally.mu.Lock()
	defer m.tally.mu.Unlock()
	if m.tally.last == nil {
		return ""
	}
	return ": " + m.tally.last.Error()
}

// failedCheck is an error when a check failed.
func failedCheck(checks []demoCheck) error {
	for _, c := range checks {
		if !c.OK {
			return errors.New("demo: a check failed: " + c.What)
		}
	}
	return nil
}
