// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/tokengo/tokengo/dialect"
)

// limiter lets so many requests at a time through. It never changes; what it counts outlives it.
type limiter struct {
	most int
	load *load
}

// load counts the requests at one place: the exit, a backend, or a model of one. It is the same for the
// configurations before and after a reload, so that requests of the one count under the other.
type load struct {
	mu      sync.Mutex // guards all below
	running int
	started time.Duration // sum of the moments at which those that run began, since epoch
	epoch   time.Time
	mean    time.Duration // how long requests took, the latest weighing most; 0 before one has finished
}

// enter counts a request that begins, unless there are most already. It then says when to come back.
func (l *load) enter(most int, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoch.IsZero() {
		l.epoch = now
	}
	if l.running >= most {
		return l.expected(now) / time.Duration(most), false
	}
	l.running++
	l.started += now.Sub(l.epoch)
	return 0, true
}

// leave counts a request that began at the time given and has ended now.
func (l *load) leave(began, now time.Time) {
	l.cancel(began)
	l.mu.Lock()
	defer l.mu.Unlock()
	took := now.Sub(began)
	if l.mean == 0 {
		l.mean = took
	}
	l.mean += (took - l.mean) / meanWeight
}

// cancel takes back an enter.
func (l *load) cancel(began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	l.started -= began.Sub(l.epoch)
}

// expected is how long a request takes: as long as those before, or as long as those that run have taken by
// now if that is longer. l.mu is held, and requests run.
func (l *load) expected(now time.Time) time.Duration {
	age := now.Sub(l.epoch) - l.started/time.Duration(l.running)
	return max(l.mean, age)
}

// loads are those of an exit, by place. There are as many as its configurations have named.
type loads struct {
	mu sync.Mutex // guards at
	at map[string]*load
}

// limiter is that of a place. One without a limit counts all the same: a configuration that sets one may replace this
// one while requests run.
func (ls *loads) limiter(place string, most int) *limiter {
	if most <= 0 {
		most = math.MaxInt
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.at == nil {
		ls.at = map[string]*load{}
	}
	if ls.at[place] == nil {
		ls.at[place] = &load{}
	}
	return &limiter{most, ls.at[place]}
}

// backendLimits are what requests to one backend must pass. Models that are not configured have none.
type backendLimits struct {
	exit    *limiter // what the operator promises of the whole exit
	backend *limiter
	models  map[string]*limiter // by published id
}

// limit gives the backends of a configuration their limits.
func (ls *loads) limit(cfg *Config, backends []*backend) {
	var promised int
	if cfg.SLA != nil {
		promised = cfg.SLA.MaxConcurrency
	}
	for i, b := range backends {
		place := string(b.protocol) + " " + b.base.prefix
		for _, before := range backends[:i] {
			if before.protocol == b.protocol && before.base == b.base {
				place += "+" // the same address with another key: another account
			}
		}
		b.limits = backendLimits{
			exit:    ls.limiter("", promised),
			backend: ls.limiter(place, cfg.Backends[i].MaxConcurrent),
			models:  map[string]*limiter{},
		}
		for _, m := range b.models {
			b.limits.models[m.ID] = ls.limiter(place+" "+m.ID, cfg.Backends[i].ModelConcurrent[m.ID])
		}
	}
}

// of are the limits of one model, the widest first.
func (bl *backendLimits) of(published string) []*limiter {
	var limiters []*limiter
	for _, l := range []*limiter{bl.exit, bl.backend, bl.models[published]} {
		if l != nil { // as the model's may be
			limiters = append(limiters, l)
		}
	}
	return limiters
}

// within asks as far as the limits of s leave room, and else tells when to come back.
func (x *exchange) within(s served, ask func() result) result {
	began := time.Now()
	for i, l := range s.limits {
		wait, ok := l.load.enter(l.most, began)
		if ok {
			continue
		}
		for _, entered := range s.limits[:i] {
			entered.load.cancel(began)
		}
		return x.fail(&dialect.Error{Code: dialect.CodeExitBusy, RetryAfter: seconds(wait)})
	}
	defer func() {
		for _, l := range s.limits {
			l.load.leave(began, time.Now())
		}
	}()
	return ask()
}

// seconds is a time to wait as a field has it: whole seconds, rounded up, at least 1.
func seconds(d time.Duration) string {
	n := min(max((d+time.Second-1)/time.Second, 1), maxRetryAfter/time.Second)
	return strconv.FormatInt(int64(n), 10)
}
