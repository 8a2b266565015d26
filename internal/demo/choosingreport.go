// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"io"

	"github.com/tokengo/tokengo/route"
)

// choosingReport is what came of the demo of choosing, as 'demo --exits N --json' prints it.
type choosingReport struct {
	Exits  []exitShares `json:"exits"`
	Phases []phaseView  `json:"phases"`
	Checks []check      `json:"checks"`
	OK     bool         `json:"ok"`
}

// exitShares is one exit. Its lists have a value for each phase.
type exitShares struct {
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

func newChoosingReport(m *market) *choosingReport {
	r := &choosingReport{}
	for _, s := range m.stalls {
		r.Exits = append(r.Exits, exitShares{Name: s.name, Tier: s.tier, Price: string(s.price), Speed: s.speed()})
	}
	return r
}

// finish adds a phase that is over.
func (r *choosingReport) finish(m *market, phase int) {
	p := phaseView{Name: phases[phase].name, Seconds: phases[phase].lasts.Seconds(), Tiers: map[string]int{}}
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
		e.Shares = append(e.Shares, float64(counts[i])/float64(max(p.Answered, 1)))
		e.Scores = append(e.Scores, m.standings[i].score)
		e.Breaker = append(e.Breaker, m.standings[i].breaker())
	}
	r.Phases = append(r.Phases, p)
}

// check holds the report to what the demo claims to show.
func (r *choosingReport) check(m *market) {
	r.Exits[m.favourite].Favourite = true
	r.checkAnswers(&m.tally)
	r.checkFavourite(&r.Exits[m.favourite], int(m.stalls[m.favourite].refused.Load()))
	r.checkTiers(&m.tally)
	r.OK = r.failed() == nil
}

// checkAnswers is about what the tools got.
func (r *choosingReport) checkAnswers(t *tally) {
	all := len(t.where(func(asked) bool { return true }))
	refusals := len(t.where(func(a asked) bool { return a.outcome == refused }))
	broken := len(t.where(func(a asked) bool { // of requests that cannot have been under way when the tier went
		return a.outcome == cut && a.phase != tierGone-1 && a.phase != tierGone
	}))
	r.add(fmt.Sprintf("every request was answered (%d of them), whatever failed%s", all, t.whyRefused()), refusals == 0 && all > 0)
	r.add("no answer broke off but of exits that disappeared while they answered", broken == 0)
}

// checkFavourite is about the exit that failed, which had tried requests meanwhile.
func (r *choosingReport) checkFavourite(favourite *exitShares, tried int) {
	began := r.Phases[failing].Requests
	r.add(fmt.Sprintf("%s, the favourite, had more than an equal share while the client learned: %.0f%%", favourite.Name, 100*favourite.Shares[learning]),
		favourite.Shares[learning] > 1/float64(len(r.Exits)))
	r.add(fmt.Sprintf("while it failed it was tried by %d of %d requests, which others then answered", tried, began),
		tried > 0 && float64(tried) < favourite.Shares[learning]*float64(began))
	r.add("its circuit breaker rested it meanwhile: "+favourite.Breaker[failing], favourite.Breaker[failing] != string(route.Closed))
	r.add(fmt.Sprintf("after it recovered it answered again: %.0f%%", 100*favourite.Shares[recovered]), favourite.Shares[recovered] > 0)
}

// checkTiers is about which tier answered.
func (r *choosingReport) checkTiers(t *tally) {
	r.add(fmt.Sprintf("tier %s answered while tier %s could", firstTier, firstTier),
		r.Phases[learning].Tiers[firstTier] > 0 && r.Phases[learning].Tiers[secondTier] == 0)
	r.add(fmt.Sprintf("tier %s answered when tier %s was gone: %d requests", secondTier, firstTier, r.Phases[tierGone].Tiers[secondTier]),
		t.lastTier(tierGone) == secondTier)
	r.add(fmt.Sprintf("tier %s answered again when it was back: %d requests", firstTier, r.Phases[tierBack].Tiers[firstTier]),
		t.lastTier(tierBack) == firstTier)
}

// add adds a check.
func (r *choosingReport) add(what string, ok bool) { r.Checks = append(r.Checks, check{what, ok}) }

// failed implements [report].
func (r *choosingReport) failed() error { return failedCheck(r.Checks) }

// show implements [report]. All but the checks was drawn while it happened.
func (r *choosingReport) show(w io.Writer) {
	showChecks(w, "what the tools got and the exits were asked", r.Checks)
}
