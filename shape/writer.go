// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package shape

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// maxBacklog is how many bytes of a message may wait to be sent before its writer has to.
const maxBacklog = 256 << 10

// Sink takes cells. It is used by one goroutine at a time, the one in [Writer.Run].
type Sink interface {
	// WriteChunk seals one cell as one chunk.
	WriteChunk(cell []byte) error
	// Close seals the last cell, as the final chunk.
	Close(last []byte) error
	// Flush sends what was sealed since it was called last.
	Flush() error
}

// Writer puts one message into cells and sends them by the schedule of a mode. One goroutine is in Run;
// one other writes.
type Writer struct {
	sink     Sink
	schedule *schedule
	written  chan struct{} // wakes Run: there is content, or the message has ended
	sent     chan struct{} // wakes a write: there is room
	over     chan struct{} // closed when Run has returned

	mu    sync.Mutex // guards what follows
	queue []byte     // written and not yet sent
	close byte       // how the message ends, kindPadding while it has not
	err   error      // why Run has returned
}

// NewWriter makes a writer for a mode other than [Off].
func NewWriter(m Mode, sink Sink) (*Writer, error) {
	p, ok := plans[m]
	if !ok {
		return nil, fmt.Errorf("shape: no schedule for mode %q", string(m))
	}
	return &Writer{
		sink: sink, schedule: newSchedule(p),
		written: make(chan struct{}, 1), sent: make(chan struct{}, 1), over: make(chan struct{}),
	}, nil
}

var errClosed = errors.New("shape: the message has ended")

// WriteChunk adds p to the message. It waits while [maxBacklog] bytes are unsent, and fails with the error
// of Run when that has returned.
func (w *Writer) WriteChunk(p []byte) error {
	for len(p) > 0 {
		n, err := w.enqueue(p)
		if err != nil {
			return err
		}
		if p = p[n:]; len(p) == 0 {
			break
		}
		select {
		case <-w.sent:
		case <-w.over:
		}
	}
	return nil
}

// enqueue takes as much of p as there is room for.
func (w *Writer) enqueue(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.err != nil:
		return 0, w.err
	case w.close != kindPadding:
		return 0, errClosed
	}
	n := min(len(p), maxBacklog-len(w.queue))
	w.queue = append(w.queue, p[:n]...)
	signal(w.written)
	return n, nil
}

// Close adds last and ends the message. It does not wait until that has been sent: Run returns when it has,
// with all padding.
func (w *Writer) Close(last []byte) error {
	if err := w.WriteChunk(last); err != nil {
		return err
	}
	return w.end(kindEnd)
}

// Cut ends the message as one that broke off, in a way that only its reader sees. After Close it does nothing.
func (w *Writer) Cut() { _ = w.end(kindCut) } // whoever cuts has nothing to say to a client that is gone

func (w *Writer) end(kind byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.err != nil:
		return w.err
	case w.close != kindPadding:
		return errClosed
	}
	w.close = kind
	signal(w.written)
	return nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is signalled already
	}
}

// Run sends cells until the last one and then returns nil; [Constant] counts from when it is called. It fails
// when the sink does or ctx ends, and writes then fail with the same error. It must be called once.
func (w *Writer) Run(ctx context.Context) error {
	err := w.run(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err = err; err == nil {
		w.err = errClosed
	}
	close(w.over)
	return err
}

func (w *Writer) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	buf := make([]byte, 0, CellSize+finalExtra)
	for next := time.Now(); ; next = next.Add(w.schedule.plan.interval) {
		if err := wait(ctx, timer, time.Until(next)); err != nil {
			return err
		}
		if w.schedule.idle() && w.backlog() == 0 {
			if err := w.awaitContent(ctx); err != nil {
				return err
			}
			next = time.Now()
		}
		if err := w.batch(buf); err != nil || w.schedule.done {
			return err
		}
	}
}

// wait waits for d, which may be negative.
func wait(ctx context.Context, timer *time.Timer, d time.Duration) error {
	timer.Reset(d)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("shape: send cells: %w", ctx.Err())
	}
}

// awaitContent waits until there is something to send.
func (w *Writer) awaitContent(ctx context.Context) error {
	for w.backlog() == 0 {
		select {
		case <-w.written:
		case <-ctx.Done():
			return fmt.Errorf("shape: send cells: %w", ctx.Err())
		}
	}
	return nil
}

// backlog is how many cells what there is to send needs.
func (w *Writer) backlog() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	full := room(1)
	n := (len(w.queue) + full - 1) / full
	if n == 0 && w.close != kindPadding && !w.schedule.over {
		n = 1
	}
	return n
}

// batch sends the cells of one tick.
func (w *Writer) batch(buf []byte) error {
	for left := w.schedule.begin(w.backlog()); left > 0 && !w.schedule.done; left-- {
		if err := w.cell(buf, left-1); err != nil {
			return fmt.Errorf("shape: send a cell: %w", err)
		}
	}
	if err := w.sink.Flush(); err != nil {
		return fmt.Errorf("shape: send a batch: %w", err)
	}
	return nil
}

// cell seals one cell, of which left more follow in its batch.
func (w *Writer) cell(buf []byte, left int) error {
	w.mu.Lock()
	number := w.schedule.sent
	rec := w.record(number)
	last := w.schedule.next(left, rec.kind == kindEnd || rec.kind == kindCut)
	buf = appendCell(buf[:0], rec, number == 0, last)
	w.queue = w.queue[:copy(w.queue, w.queue[len(rec.data):])]
	w.mu.Unlock()
	if len(rec.data) > 0 {
		signal(w.sent)
	}
	if last {
		return w.sink.Close(buf)
	}
	return w.sink.WriteChunk(buf)
}

// record is what the cell with this number carries; its data is at the beginning of queue.
func (w *Writer) record(cell int) record {
	n := len(w.queue)
	switch {
	case w.close == kindCut && !w.schedule.over && n == 0:
		return record{kind: kindCut}
	case w.close == kindEnd && !w.schedule.over && n <= roomAtEnd(cell):
		return record{kindEnd, w.queue}
	case n > 0:
		return record{kindData, w.queue[:min(n, room(cell))]}
	}
	return record{kind: kindPadding}
}
