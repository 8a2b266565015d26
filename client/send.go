// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"math"
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
	c := &course{proxy: p, request: q, began: time.Now(), down: map[relayurl.URL]bool{}, gone: map[service.Identity]bool{}}
	defer c.end()
	p.router.ready(ctx, c.began)
	c.plan = p.router.chooser.Plan(&q.demand.route)
	for ctx.Err() == nil {
		to, ok := c.next(ctx)
		if !ok {
			break
		}
		a, failed := c.try(ctx, to)
		if failed == nil {
			return a, nil
		}
		c.fail(ctx, failed)
		if !c.mayGoOn(failed) && !c.skipModel(to, failed) {
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

	attempts  int                       // times that an exit may have got the request, or that there was nobody to send it to
	doubtful  int                       // times that an exit may have worked on it
	sent      bool                      // it was sent, or there was nobody to send it to
	misses    int                       // times that it certainly reached no exit, in this round
	rounds    int                       // pauses
	down      map[relayurl.URL]bool     // relays that failed in this round
	gone      map[service.Identity]bool // and exits that were out of reach
	last      *failure                  // of the attempt before; nil before the first
	refreshed bool                      // the directory was asked for keys that had changed

	mu      sync.Mutex // guards what follows, which an attempt that takes long looks at from its timer
	waiting bool       // an attempt waits for its answer to begin
	plan    *route.Plan
	pending *route.Candidate // drawn and not tried yet
}

// maxSkipped is how many candidates in a row may turn out to be behind relays that have just failed.
const maxSkipped = 512

// next returns the candidate to try next, when there is one within the tool's patience.
func (c *course) next(ctx context.Context) (route.Candidate, bool) {
	for c.hasPatience() {
		for range maxSkipped {
			if c.misses >= c.proxy.cfg.Patience.Attempts {
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
	return c.attempts < patience.Attempts && (!c.sent || time.Since(c.began) < patience.Time)
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

// hasNext reports whether there is another candidate. c.mu is held.
func (c *course) hasNext() bool {
	if !c.hasPatience() {
		return false
	}
	if c.pending != nil {
		return true
	}
	to, ok := c.plan.Next()
	if ok {
		c.pending = &to
	}
	return ok
}

// watchSlow gives an attempt up whose answer does not begin in time after the request was sent, when there is another
// exit to ask. After stop has returned it does not.
func (c *course) watchSlow(giveUp context.CancelCauseFunc) (sent, stop func()) {
	if !c.request.demand.stream || !c.request.mayRepeat() {
		return func() {}, func() {}
	}
	c.setWaiting(true)
	timer := time.AfterFunc(math.MaxInt64, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		last := c.doubtful+1 >= maxDoubtful || c.attempts+1 >= c.proxy.cfg.Patience.Attempts // when this one is given up
		if c.waiting && !last && c.hasNext() {
			giveUp(errSlow)
		}
	})
	return func() { timer.Reset(c.proxy.cfg.Patience.FirstByte) }, func() {
		timer.Stop()
		c.setWaiting(false)
	}
}

func (c *course) setWaiting(waiting bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = waiting
}

// replan begins anew with what the directory says now.
func (c *course) replan() {
	c.proxy.router.update(time.Now())
	c.forget()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plan = c.proxy.router.chooser.Plan(&c.request.demand.route)
	clear(c.down)
	clear(c.gone)
}

// end gives back what was drawn and not tried.
func (c *course) end() { c.forget() }

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
	case c.rounds == 0 && c.last == nil: // the directory may be older than an exit
	case !c.mayPass():
		return false
	default:
		c.attempts++
		c.sent = true
		sleep(patient, min(minPause<<c.rounds, maxPause), nil)
	}
	c.rounds++
	c.misses = 0
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

// paths are the relays through which a candidate can be tried.
func (c *course) paths(to route.Candidate) []Path {
	exit := to.Exit.Service()
	if c.gone[exit.Identity] || !time.Now().Before(exit.Expires) { // it may have expired since the exits were indexed
		return nil
	}
	var open []Path
	for _, path := range c.proxy.paths.of(to.Exit.(Exit)) {
		if !c.down[path.Relay] {
			open = append(open, path)
		}
	}
	return open
}

// try sends the request to one exit, through one relay after the other while it is certain or may be risked.
func (c *course) try(ctx context.Context, to route.Candidate) (*answer, *failure) {
	var last *failure
	for _, path := range c.paths(to) {
		if last != nil && (!c.mayGoOn(last) || !c.hasPatience() || ctx.Err() != nil) {
			break
		}
		if c.sent {
			c.proxy.metrics.retries.Inc()
		}
		c.sent = true
		a, failed := c.attempt(ctx, hop{to, to.Exit.(Exit), path})
		if failed == nil {
			c.proxy.paths.answered(path.Relay)
			return a, nil
		}
		last = failed
		last.relay = path.Relay
		c.count(failed)
		switch {
		case ctx.Err() != nil: // the tool is gone: nobody is to blame
			return nil, c.blame(to, &failure{final: true, result: route.Inconclusive, err: failed.err})
		case failed.relayDown:
			c.down[path.Relay] = true
			c.proxy.paths.failed(path.Relay)
		case failed.undelivered && !failed.stale: // another relay may reach the exit
		default:
			return nil, c.blame(to, last)
		}
	}
	return nil, c.blame(to, last)
}

// maxDoubtful is how often an exit may have worked on a request before it is given up: each time may cost money, and a
// request that exits break at would break them one after the other.
const maxDoubtful = 3

// mayGoOn reports whether the request may be sent again after a failure.
func (c *course) mayGoOn(f *failure) bool {
	return f.repeatable(c.request) && c.doubtful < maxDoubtful
}

// skipModel goes on to the next model that the request names, if it may do better.
func (c *course) skipModel(to route.Candidate, f *failure) bool {
	if !f.otherModel {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	others := c.plan.SkipModel(to.Asked)
	if c.pending != nil && c.pending.Asked == to.Asked {
		c.giveBack()
	}
	return others || c.pending != nil
}

// count counts a failure. Those that certainly reached no exit cost little, and come all at once when every exit or relay
// is gone for a moment: a round of them counts once, by the pause after it.
func (c *course) count(f *failure) {
	if f.undelivered {
		c.misses++
		return
	}
	c.attempts++
	if f.inDoubt() {
		c.doubtful++
	}
}

// blame tells the chooser about a failure.
func (c *course) blame(to route.Candidate, f *failure) *failure {
	if f.result == route.Unreachable {
		c.gone[to.Exit.Service().Identity] = true
	}
	c.proxy.router.chooser.Report(to, route.Outcome{Result: f.result, RetryAfter: f.retryAfter})
	return f
}

// fail remembers why an attempt failed. Keys that have changed are looked up, once.
func (c *course) fail(ctx context.Context, f *failure) {
	if c.last != nil && c.last.answer != nil {
		c.last.answer.end()
	}
	c.last = f
	if f.stale && !c.refreshed {
		c.refreshed = true
		c.proxy.directory.poller(f.relay).refresh(ctx, c.began)
		c.replan()
	}
}

// giveUp is what the tool is told: what the last exit answered if it did, else what went wrong.
func (c *course) giveUp() (*answer, *dialect.Error) {
	switch {
	case c.last == nil:
		return nil, c.proxy.noCandidate(c)
	case c.last.answer != nil:
		return c.last.answer, nil
	}
	return nil, c.last.err
}

// hop is one way to have a request answered.
type hop struct {
	chosen route.Candidate
	exit   Exit
	path   Path
}

// errSlow is why an exchange was cancelled whose answer did not begin while there was another exit to ask.
var errSlow = errors.New("no answer in time, and there is another exit")

// attempt sends the request once and waits for the beginning of the answer.
func (c *course) attempt(ctx context.Context, to hop) (*answer, *failure) {
	p := c.proxy
	ctx, cancel, detach := detached(ctx)
	watch := newWatch(cancel, p.cfg.AnswerTimeout, func() error { return context.Cause(ctx) })
	defer p.paths.watch(ctx, to.path.Relay, cancel)()
	sent, stop := c.watchSlow(cancel)
	defer stop()
	p.cfg.Logger.DebugContext(ctx, "attempt", "exit", to.exit.Hash.Short(), "relay", to.path.Relay.Host)
	s := &sending{proxy: p, request: c.request, to: to, watch: watch, sent: sent}
	a, failed := s.run(ctx)
	if failed != nil && failed.redate {
		a, failed = s.run(ctx) // sealed anew, once
	}
	if a == nil {
		watch.stop()
		detach()
		cancel(nil)
		return nil, failed
	}
	a.cancel, a.detach = cancel, detach
	if failed == nil {
		return a, nil
	}
	failed.answer = a.whole(failed.body)
	p.drains.take(a)
	return nil, failed
}
