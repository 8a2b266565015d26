// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"net/http"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
)

// try sends the request to one exit, through one relay after the other while it is certain or may be risked.
func (c *course) try(ctx context.Context, to route.Candidate) (*answer, *failure) {
	var last *failure
	exit := to.Exit.(Exit)
	paths := c.paths(to)
	if len(paths) == 0 { // the last one has gone since the candidate was drawn
		return nil, c.blame(to, &failure{undelivered: true, outage: true, err: &dialect.Error{Code: dialect.CodeExitUnreachable}, result: route.Inconclusive})
	}
	for i, path := range paths {
		if last != nil && (!c.mayGoOn(last) || !c.hasPatience() || ctx.Err() != nil) {
			break
		}
		if c.sent {
			c.proxy.metrics.retries.Inc()
		}
		c.sent = true
		a, failed := c.attempt(ctx, hop{to, exit, path})
		if failed == nil {
			c.proxy.paths.answered(path.Relay)
			c.proxy.paths.sealed(exit, path.Relay)
			return a, nil
		}
		if ctx.Err() != nil { // the tool is gone: nobody is to blame
			return nil, c.blame(to, &failure{final: true, result: route.Inconclusive, err: failed.err, meter: failed.meter})
		}
		last = failed
		last.relay = path.Relay
		c.tally.add(last)
		c.note(exit, last)
		if last.proven || last.stale || last.slow {
			break
		}
		if i+1 < len(paths) {
			last.final = last.final && !last.undelivered // another relay may see it otherwise
		}
	}
	return nil, c.blame(to, last)
}

// mayGoOn reports whether the request may be sent again after a failure.
func (c *course) mayGoOn(f *failure) bool {
	return f.repeatable(c.request) && c.tally.inDoubt < maxDoubtful
}

// skipModel goes on to the next model that the request names, if it may do better.
func (c *course) skipModel(to route.Candidate, f *failure) bool {
	if !f.otherModel {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.plan.SkipModel(to.Asked) {
		return false
	}
	if c.pending != nil && c.pending.Asked == to.Asked {
		c.giveBack()
	}
	return true
}

// note remembers what a failure says of the relay that the request went through.
func (c *course) note(exit Exit, f *failure) {
	switch {
	case f.proven:
		c.proxy.paths.sealed(exit, f.relay)
	case f.relayDown:
		c.down[f.relay] = true
		c.proxy.paths.failed(f.relay)
	case f.result != route.Inconclusive:
		c.doubted[f.relay] = true
		c.proxy.paths.strained(exit, f.relay)
	}
}

// blame tells the chooser about a failure, unless it is the relay's, as far as one can know.
func (c *course) blame(to route.Candidate, f *failure) *failure {
	if f.result == route.Unreachable {
		c.gone[to.Exit.Service().Identity] = true
	}
	result := f.result
	if !f.proven && result != route.Inconclusive && c.proxy.paths.blamesWay(to.Exit.(Exit), f.relay) {
		result = route.Inconclusive
	}
	o := route.Outcome{Result: result, RetryAfter: f.retryAfter}
	if f.meter != nil {
		o.Usage = f.meter.usage(c.request.op, &c.request.demand.route, false)
	}
	c.proxy.router.chooser.Report(to, o)
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

// believes reports whether a candidate that says that the request is wrong is to be believed: it has answered requests
// of late, another says the same, or no other may be asked. Else one that refused everything would get requests for ever.
func (c *course) believes(to route.Candidate) bool {
	if c.opinion != nil || !c.request.mayRepeat() {
		return true
	}
	for _, k := range c.proxy.router.chooser.Known(to.Exit.Service().Identity) {
		if k.Succeeded >= provenSuccess {
			return true
		}
	}
	return false
}

// provenSuccess is how much must be left of an exit's successes for its word to count.
const provenSuccess = 0.5

// settle tells the chooser what it means that an exit has begun to answer: it has recovered if it rested, and another that
// said that the request was wrong is to blame.
func (c *course) settle(to route.Candidate, a *answer) {
	if a.inner.Status >= http.StatusBadRequest {
		return
	}
	c.proxy.router.chooser.Answering(to)
	if c.opinion != nil {
		c.proxy.router.chooser.Report(c.refuser, route.Outcome{Result: route.Failed})
	}
}

// giveUp is what the tool is told: what the last exit answered if it did, else what went wrong.
func (c *course) giveUp() (*answer, *dialect.Error) {
	switch {
	case c.opinion != nil:
		a := c.opinion.answer
		c.opinion = nil
		return a, nil
	case c.last == nil:
		return nil, c.proxy.noCandidate(c)
	case c.last.answer != nil:
		a := c.last.answer
		c.last.answer = nil
		return a, nil
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
	unwatch := p.paths.watch(ctx, to.path.Relay, cancel)
	onset := c.newOnset(cancel)
	p.cfg.Logger.DebugContext(ctx, "attempt", "exit", to.exit.Hash.Short(), "relay", to.path.Relay.Host)
	s := &sending{proxy: p, request: c.request, to: to, watch: watch, onset: onset}
	a, failed := s.run(ctx)
	if failed != nil && failed.redate {
		a, failed = s.run(ctx) // sealed anew, once
	}
	onset.end()
	unwatch()
	if a == nil {
		watch.stop()
		detach()
		cancel(nil)
		return nil, failed
	}
	a.cancel, a.detach = cancel, detach
	if cause := context.Cause(ctx); failed == nil && cause != nil { // it was given up as it began
		a.end()
		failed = brokenOff(cause)
		failed.meter = a.meter
		return nil, failed
	}
	if failed == nil {
		return a, nil
	}
	failed.answer = a.whole(failed.body, failed.end)
	p.drains.take(a)
	return nil, failed
}
