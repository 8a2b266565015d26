// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/tokengo/tokengo/route"
)

// onset is the wait of one attempt for the first content of its answer. What comes before that (signs of life, and that
// the request was taken up) is held back, so that another exit can still be asked.
//
// When the wait has taken longer than Patience.FirstByte since the request was sent, the attempt is given up if there is
// another exit to ask; else enough is closed: what is held back goes to the tool, and all that follows as it comes, since
// tools as well wait only so long for a sign of life. That the request was taken up is held back for maxAccepted at most.
type onset struct {
	course *course
	giveUp context.CancelCauseFunc
	timer  *time.Timer
	enough chan struct{}

	// Guarded by course.mu:
	over     bool      // content has come, or the attempt has ended, or enough is closed
	accepted bool      // the backend has taken the request up
	due      time.Time // when the wait has taken too long
}

// maxAccepted is how long the tool does not learn that a backend has taken its request up. Ours: what goes wrong behind
// that mostly does so at once, and a tool, or a backend that goes on when its reader does, is not to wait for long.
const maxAccepted = time.Second

// newOnset begins the wait. Its end must be called.
func (c *course) newOnset(giveUp context.CancelCauseFunc) *onset {
	o := &onset{course: c, giveUp: giveUp, enough: make(chan struct{})}
	o.timer = time.AfterFunc(math.MaxInt64, o.expire)
	return o
}

// sent says that the request has left.
func (o *onset) sent() {
	o.course.mu.Lock()
	defer o.course.mu.Unlock()
	patience := o.course.proxy.cfg.Patience.FirstByte
	o.due = time.Now().Add(patience)
	o.timer.Reset(patience)
}

// accept says that the backend has taken the request up.
func (o *onset) accept() {
	o.course.mu.Lock()
	defer o.course.mu.Unlock()
	if !o.accepted && !o.over && time.Until(o.due) > maxAccepted {
		o.timer.Reset(maxAccepted)
	}
	o.accepted = true
}

// end ends the wait. After it has returned the attempt is not given up.
func (o *onset) end() {
	o.timer.Stop()
	o.course.mu.Lock()
	defer o.course.mu.Unlock()
	o.over = true
}

// expire is called when the wait has taken too long.
func (o *onset) expire() {
	o.course.mu.Lock()
	defer o.course.mu.Unlock()
	switch {
	case o.over:
	case o.mayLeave():
		o.giveUp(errSlow)
	default:
		o.over = true
		close(o.enough)
	}
}

// mayLeave reports whether another exit is to be asked. course.mu is held.
func (o *onset) mayLeave() bool {
	c := o.course
	if time.Now().Before(o.due) { // it was accepted, and the tool is to know
		return false
	}
	if !c.request.demand.stream || !c.request.mayRepeat() {
		return false
	}
	// A model that was asked to reason may do so for long without anything to show for it, at any exit.
	if o.accepted && slices.Contains(c.request.demand.route.Wishes, route.Reasoning) {
		return false
	}
	return !c.tally.lastIfInDoubt(c.proxy.cfg.Patience) && c.hasNext()
}
