// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	requestTimeout = 30 * time.Second
	streamSlack    = 30 * time.Second // that a stream may take longer than it should
	readBuffer     = 32 << 10
	perWorker      = 10 // requests of each worker in a turn
)

// load asks the same on both paths.
type load struct {
	bases  [2]string // URLs
	client *http.Client

	mu   sync.Mutex // guards errs
	errs Errors
}

// Errors are what went wrong, of all that was asked.
type Errors struct {
	Requests        int      `json:"requests"` // plain ones, on both paths
	RequestFailures int      `json:"request_failures"`
	Streams         int      `json:"streams"`
	StreamFailures  int      `json:"stream_failures"`
	Samples         []string `json:"samples,omitempty"` // the first few different ones
}

// Failed is how many requests and streams failed.
func (e Errors) Failed() int { return e.RequestFailures + e.StreamFailures }

const maxSamples = 5

func (e *Errors) sample(err error) {
	for _, s := range e.Samples {
		if s == err.Error() {
			return
		}
	}
	if len(e.Samples) < maxSamples {
		e.Samples = append(e.Samples, err.Error())
	}
}

// newLoad returns a load with up to so many connections to each path.
func newLoad(bases [2]string, connections int) *load {
	return &load{bases: bases, client: &http.Client{Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: requestTimeout}).DialContext,
		MaxIdleConnsPerHost: connections,
		DisableCompression:  true,
	}}}
}

func (l *load) close() { l.client.CloseIdleConnections() }

var paths = [2]string{direct: "direct", tunnelled: "tunnelled"}

// ask sends a request and returns the answer when it is of the status and type that the backend gives.
func (l *load) ask(ctx context.Context, path int, body, wantType string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.bases[path]+pathChat, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", typeJSON)
	resp, err := l.client.Do(req)
	if err != nil {
		return nil, err
	}
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != wantType {
		defer resp.Body.Close()
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return nil, fmt.Errorf("status %d, %s: %s", resp.StatusCode, got, said)
	}
	return resp, nil
}

// plain sends one plain request and compares the answer. buf is for reading.
func (l *load) plain(ctx context.Context, path int, buf *bytes.Buffer) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	resp, err := l.ask(ctx, path, plainRequest, typeJSON)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	buf.Reset()
	if _, err := io.Copy(buf, io.LimitReader(resp.Body, maxRequestBytes)); err != nil {
		return err
	}
	if !bytes.Equal(buf.Bytes(), plainAnswer) {
		return errors.New("the answer differs from what the backend sent")
	}
	return nil
}

// series is what was measured of plain requests on one path.
type series struct {
	latencies []time.Duration // of those that succeeded
	elapsed   time.Duration   // of the path's turns
	done      int             // requests
}

// plainTurns sends n requests on each path, in turns, so many at once.
func (l *load) plainTurns(ctx context.Context, n, concurrency int) ([2]series, error) {
	size := 1
	if concurrency > 1 {
		size = concurrency * perWorker
	}
	var both [2]series
	for _, t := range turns(n, size) {
		l.plainTurn(ctx, t, concurrency, &both[t.path])
		if ctx.Err() != nil {
			return both, context.Cause(ctx)
		}
	}
	return both, nil
}

func (l *load) plainTurn(ctx context.Context, t turn, concurrency int, s *series) {
	var left atomic.Int64
	left.Store(int64(t.n))
	taken := make([][]time.Duration, min(concurrency, t.n))
	work := func(worker int) {
		var buf bytes.Buffer
		for left.Add(-1) >= 0 && ctx.Err() == nil {
			begin := time.Now()
			err := l.plain(ctx, t.path, &buf)
			latency := time.Since(begin)
			if err == nil {
				taken[worker] = append(taken[worker], latency)
			}
			l.count(err, t.path, &l.errs.Requests, &l.errs.RequestFailures)
		}
	}
	begin := time.Now()
	parallel(len(taken), work)
	s.elapsed += time.Since(begin)
	s.done += t.n
	for _, latencies := range taken {
		s.latencies = append(s.latencies, latencies...)
	}
}

// count adds one to asked, and to failed if err is not nil.
func (l *load) count(err error, path int, asked, failed *int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*asked++
	if err != nil {
		*failed++
		l.errs.sample(fmt.Errorf("%s: %w", paths[path], err))
	}
}

// parallel runs work for 0 to n-1, all at once, and waits for them.
func parallel(n int, work func(i int)) {
	if n == 1 {
		work(0)
		return
	}
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { work(i) })
	}
	group.Wait()
}

// streamTurns runs so many streams at once on each path, so many times, in turns, and returns how long
// the chunks took from the backend.
func (l *load) streamTurns(ctx context.Context, opt options) ([2][]time.Duration, error) {
	var delays [2][]time.Duration
	for _, t := range turns(opt.streams*opt.rounds, opt.streams) {
		delays[t.path] = append(delays[t.path], l.streamTurn(ctx, t, opt)...)
		if ctx.Err() != nil {
			return delays, context.Cause(ctx)
		}
	}
	return delays, nil
}

// streamTurn begins the streams evenly over the time between two chunks, as streams that have nothing to
// do with one another would lie, rather than all with one beat.
func (l *load) streamTurn(ctx context.Context, t turn, opt options) []time.Duration {
	checks := make([]streamCheck, t.n)
	begin := time.Now()
	parallel(t.n, func(i int) {
		offset := opt.interval * time.Duration(i) / time.Duration(t.n)
		start := time.NewTimer(time.Until(begin.Add(offset)))
		defer start.Stop()
		select {
		case <-ctx.Done():
			return
		case <-start.C:
		}
		checks[i] = streamCheck{chunks: opt.chunks, delays: make([]time.Duration, 0, opt.chunks)}
		err := l.stream(ctx, t.path, &checks[i], time.Duration(opt.chunks)*opt.interval+streamSlack)
		l.count(err, t.path, &l.errs.Streams, &l.errs.StreamFailures)
	})
	var delays []time.Duration
	for i := range checks {
		delays = append(delays, checks[i].delays...)
	}
	return delays
}

// stream asks for one stream and checks it to its end.
func (l *load) stream(ctx context.Context, path int, check *streamCheck, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	resp, err := l.ask(ctx, path, streamRequest, typeStream)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	buf := make([]byte, readBuffer)
	for {
		n, err := resp.Body.Read(buf)
		now := time.Now()
		if err := check.feed(buf[:n], now); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF):
			return check.finish()
		case err != nil:
			return err
		}
	}
}
