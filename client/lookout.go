// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// How a relay is found frozen. Who waits on a relay that freezes is told within probeSpacing + probeAnswer, who asks a
// frozen one within probeAfter + probeAnswer: less than a second, unless the relay is far.
const (
	probeAfter   = 250 * time.Millisecond // of silence while somebody waits
	probeSpacing = 350 * time.Millisecond // from one probe to the next, at least
	probeAnswer  = 600 * time.Millisecond // by which anything must have come, or
	probeTrips   = 4                      // as many round trips, if that is longer
	probeAgain   = time.Second            // from a probe without an answer to the one that decides

	maxHandshakes = 2 // probes in which no connection was established; anything may begin a handshake and stop
)

// errRelaySilent is why a request is given up whose relay gives no sign of life.
var errRelaySilent = errors.New("the relay gives no sign of life")

// lookout finds out that a relay has frozen, or that the network to it has, without waiting for connections to time
// out: while a request waits for the head of its answer and nothing comes from the relay, it asks the relay for a sign
// of life. That tells the relay nothing new, since it knows best who waits for it. When nothing comes, all who wait are
// told, and the next request dials anew. Answers that had begun go on until a second probe has no answer either, and so
// does everything when no other relay works: a hiccup of the network should not break them.
//
// run starts all of its goroutines and waits for them.
type lookout struct {
	wake chan struct{} // somebody waits; holds one

	mu      sync.Mutex // guards what follows
	waiting map[*waiter]struct{}
}

// waiter is a request that waits for the head of its answer.
type waiter struct {
	since time.Time
	lost  func(error)
}

func newLookout() *lookout {
	return &lookout{wake: make(chan struct{}, 1), waiting: make(map[*waiter]struct{})}
}

// watch has lost called, once, if the relay is found silent before stop is called or ctx ends. After stop has returned
// it is not called. It must not block.
func (o *lookout) watch(ctx context.Context, lost func(error)) (stop func()) {
	w := &waiter{since: time.Now(), lost: lost}
	o.mu.Lock()
	o.waiting[w] = struct{}{}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
	leave := func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.waiting, w)
	}
	forget := context.AfterFunc(ctx, leave)
	return func() {
		forget()
		leave()
	}
}

// oldest is since when somebody has been waiting, and false when nobody does.
func (o *lookout) oldest() (since time.Time, waits bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for w := range o.waiting {
		if !waits || w.since.Before(since) {
			since, waits = w.since, true
		}
	}
	return since, waits
}

// lose tells all who wait.
func (o *lookout) lose() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for w := range o.waiting {
		w.lost(errRelaySilent)
	}
	clear(o.waiting)
}

// run looks out until ctx ends. Elsewhere reports whether there is another relay that works.
func (o *lookout) run(ctx context.Context, r *relay, elsewhere func() bool) {
	var decisions sync.WaitGroup
	defer decisions.Wait()
	silences, handshakes := 0, 0 // in a row
	for asked := o.await(ctx, r, time.Time{}); ctx.Err() == nil; asked = o.await(ctx, r, asked) {
		line := r.transport.inUse()
		sign := r.probe(ctx, line)
		if sign == signHandshake {
			handshakes++
		} else {
			handshakes = 0
		}
		if sign != signSilence && handshakes < maxHandshakes || ctx.Err() != nil {
			silences = 0
			continue
		}
		silences++
		r.health.failed(time.Now())
		switch {
		case elsewhere():
			decisions.Go(func() { r.decide(ctx, line, asked) })
			o.abandon(r, line)
		case silences > 1:
			o.abandon(r, line)
			line.cut()
		default: // those who wait are no better off elsewhere
			continue
		}
		silences, handshakes = 0, 0
	}
}

// abandon has the next request dial anew, and then tells all who wait: before the line is cut, or they would take it for a
// connection that broke.
func (o *lookout) abandon(r *relay, line *line) {
	r.transport.replace(line)
	o.lose()
}

// await returns, with the time, when a relay that was asked last at a certain time should be asked for a sign of life,
// or when ctx ends.
func (o *lookout) await(ctx context.Context, r *relay, asked time.Time) time.Time {
	for ctx.Err() == nil {
		since, waits := o.oldest()
		if !waits {
			select {
			case <-o.wake:
			case <-ctx.Done():
			}
			continue
		}
		due := later(later(since, r.transport.inUse().lastHeard()).Add(probeAfter), asked.Add(probeSpacing))
		wait := time.Until(due)
		if wait <= 0 {
			break
		}
		sleep(ctx, wait, nil)
	}
	return time.Now()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// decide probes a line once more that was asked for a sign of life and gave none, and cuts it when there is none again.
func (r *relay) decide(ctx context.Context, line *line, asked time.Time) {
	sleep(ctx, time.Until(asked.Add(probeAgain)), nil)
	alive := line.lastSpoke().After(asked) || r.probe(ctx, line) == signLife
	switch {
	case ctx.Err() != nil:
	case alive:
		r.health.answered()
		line.transport.CloseIdleConnections()
	default:
		line.cut()
	}
}

// sign is what a probe of a relay came to.
type sign int

const (
	signLife      sign = iota // something came
	signHandshake             // something came, but no connection was established
	signSilence               // nothing came in time
	signBroken                // the connection broke: those who wait on it know
)

// patience is how long a relay may take to give a sign of life.
func (r *relay) patience() time.Duration {
	trip, _ := r.health.roundTrip()
	return max(probeAnswer, probeTrips*trip)
}

// probe asks the relay for a sign of life over a line. Whatever comes over it is one: a large upload or answer on the
// same connection may hold the answer up.
func (r *relay) probe(ctx context.Context, line *line) sign {
	ctx, cancel := context.WithCancel(ctx)
	answered := make(chan error, 1)
	began := time.Now()
	go func() { answered <- r.ping(ctx, line) }()
	timer := time.NewTimer(r.patience())
	defer timer.Stop()
	var err error
	select {
	case err = <-answered:
		cancel()
	case <-timer.C:
		cancel()
		<-answered
		err = errRelaySilent
	}
	switch {
	case err == nil, line.lastSpoke().After(began):
		return signLife
	case line.lastHeard().After(began):
		return signHandshake
	case errors.Is(err, errRelaySilent):
		return signSilence
	}
	return signBroken
}

// ping sends the cheapest request that there is. Any answer will do.
func (r *relay) ping(ctx context.Context, line *line) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, r.url.Base()+pathHealth, nil)
	if err != nil {
		return err
	}
	req.Header = http.Header{"User-Agent": {""}}
	resp, err := r.timed(line.transport, req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
