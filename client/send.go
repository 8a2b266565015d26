// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"sync"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// send has a request answered by the first exit of its plan that does. Nothing of the answer has been delivered when it
// returns. The answer must be given to drains.take.
func (p *proxy) send(ctx context.Context, q *request) (*answer, *dialect.Error) {
	c := &course{proxy: p, request: q, began: time.Now(), down: map[relayurl.URL]bool{}, doubted: map[relayurl.URL]bool{}, gone: map[service.Identity]bool{}}
	defer c.end()
	p.router.ready(ctx, c.began)
	c.plan = p.router.chooser.Plan(&q.demand.route)
	for ctx.Err() == nil {
		to, ok := c.next(ctx)
		if !ok {
			break
		}
		if c.plan.Single() {
			c.only = to.Exit.Service().Identity
		}
		a, failed := c.try(ctx, to)
		switch {
		case failed == nil:
			c.settle(to, a)
			return a, nil
		case failed.requestsFault && c.skipModel(to, failed):
		case failed.requestsFault && c.believes(to):
			return failed.answer, nil
		case failed.requestsFault:
			c.opinion, c.refuser = failed, to
			c.gone[to.Exit.Service().Identity] = true // its other models are no second opinion
			continue
		}
		c.fail(ctx, failed)
		if !c.mayGoOn(failed) {
			break
		}
	}
	return c.giveUp()
}

// course is one request on its way to an answer: what is still to be tried, and why what was tried failed.
//
// It goes through its plan. When that has nothing left and the reason may pass (a relay or an exit is out of reach), it
// waits a little, looks at the directories and begins a new plan, within the tool's patience.
type course struct {
	proxy   *proxy
	request *request
	began   time.Time

	tally     tally
	sent      bool                      // it was sent, or there was nobody to send it to
	rounds    int                       // pauses
	down      map[relayurl.URL]bool     // relays that failed in this round
	doubted   map[relayurl.URL]bool     // and those through which an exit was not reached, or did not answer
	gone      map[service.Identity]bool // and exits that are not to be asked again
	only      service.Identity          // the exit besides which none may be asked, empty: all may
	last      *failure                  // of the attempt before; nil before the first
	opinion   *failure                  // of the first exit that says that the request is wrong
	refuser   route.Candidate           // which said it
	refreshed bool                      // the directory was asked for keys that had changed

	// mu guards what follows, and onsets. The timer of an attempt that takes long holds it while it finds out whether there
	// is another candidate. For that it reads what stands above as well, which is written only between attempts: after
	// onset.end has returned no timer reads any of it.
	mu      sync.Mutex
	plan    *route.Plan
	pending *route.Candidate // drawn and not tried yet
}

// maxSkipped is how many candidates in a row may turn out to be behind relays that have just failed.
const maxSkipped = 512

// next returns the candidate to try next, when there is one within the tool's patience.
func (c *course) next(ctx context.Context) (route.Candidate, bool) {
	for c.hasPatience() {
		for range maxSkipped {
			if c.tally.roundIsOver(c.proxy.cfg.Patience) {
				break
			}
			to, ok := c.draw()
			if !ok {
				break
			}
			if len(c.paths(to)) > 0 {
				return to, true
			}
			c.proxy.router.chooser.Report(to, route.Outcome{Result: route.Inconclusive})
		}
		if !c.pause(ctx) {
			break
		}
	}
	return route.Candidate{}, false
}

func (c *course) hasPatience() bool {
	patience := c.proxy.cfg.Patience
	return !c.tally.isSpent(patience) && (!c.sent || time.Since(c.began) < patience.Time)
}

// draw takes a candidate from the plan.
func (c *course) draw() (to route.Candidate, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending != nil {
		to, c.pending = *c.pending, nil
		return to, true
	}
	return c.plan.Next()
}

// hasNext reports whether there is another candidate that can be reached. c.mu is held.
func (c *course) hasNext() bool {
	if !c.hasPatience() {
		return false
	}
	if c.pending != nil {
		return true
	}
	for range maxSkipped {
		to, ok := c.plan.Next()
		if !ok {
			return false
		}
		c.pending = &to
		if len(c.paths(to)) > 0 {
			return true
		}
		c.giveBack()
	}
	return false
}

// replan begins anew with what the directory says now.
func (c *course) replan() {
	c.proxy.router.update(time.Now())
	c.forget()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plan = c.proxy.router.chooser.Plan(&c.request.demand.route)
	clear(c.down)
	clear(c.doubted)
	clear(c.gone)
	if c.opinion != nil {
		c.gone[c.refuser.Exit.Service().Identity] = true // it is no second opinion on itself
	}
}

// end gives back what was drawn and not tried, and the errors that the tool is not told.
func (c *course) end() {
	c.forget()
	for _, f := range []*failure{c.opinion, c.last} {
		if f != nil && f.answer != nil {
			f.answer.end()
		}
	}
}

func (c *course) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending != nil {
		c.giveBack()
	}
}

// giveBack says that a drawn candidate is not tried. c.mu is held.
func (c *course) giveBack() {
	c.proxy.router.chooser.Report(*c.pending, route.Outcome{Result: route.Inconclusive})
	c.pending = nil
}

// pause waits until it is worth looking again, which it then does. It reports false when it is not.
func (c *course) pause(ctx context.Context) bool {
	patient, cancel := context.WithDeadline(ctx, c.began.Add(c.proxy.cfg.Patience.Time))
	defer cancel()
	switch {
	case c.opinion != nil: // there is an answer
		return false
	case c.rounds == 0 && c.last == nil: // the directory may be older than an exit
		c.tally.newRound()
	case !c.mayPass():
		return false
	default:
		c.tally.pause()
		c.sent = true
		sleep(patient, min(minPause<<c.rounds, maxPause), nil)
	}
	c.rounds++
	c.proxy.directory.refresh(patient, func() bool {
		c.replan()
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.hasNext()
	})
	return ctx.Err() == nil
}

// mayPass reports whether the reason why nothing is left may pass by itself in a moment.
func (c *course) mayPass() bool {
	if c.last != nil {
		return c.last.outage
	}
	return c.proxy.router.hadExits() && len(c.proxy.directory.list(time.Now())) == 0
}

// paths are the relays through which a candidate can be tried. Those that seem to be in the way come last.
func (c *course) paths(to route.Candidate) []Path {
	exit := to.Exit.Service()
	if c.gone[exit.Identity] || c.only != "" && exit.Identity != c.only || !time.Now().Before(exit.Expires) { // it may have expired since the exits were indexed
		return nil
	}
	var open, doubted []Path
	for _, path := range c.proxy.paths.of(to.Exit.(Exit)) {
		switch {
		case c.down[path.Relay]:
		case c.doubted[path.Relay]:
			doubted = append(doubted, path)
		default:
			open = append(open, path)
		}
	}
	return append(open, doubted...)
}
