// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"errors"
	"io"
	"time"
)

// errSilent is what a pulse returns instead of data when there was none for an interval. More may come.
var errSilent = errors.New("nothing came")

// pulse reads a stream and returns now and then also while nothing comes. Its goroutine reads ahead by one read, and ends
// in stop.
type pulse struct {
	interval time.Duration
	timer    *time.Timer
	wanted   chan []byte   // memory to read into; closed when no more is wanted
	came     chan arrival  // what was read, one for each wanted
	waiting  bool          // wanted was sent, and came not received
	done     chan struct{} // closed when the goroutine has ended
	err      error         // how the stream ended
}

// arrival is what one read brought.
type arrival struct {
	data []byte
	err  error
}

// newPulse starts to read src. Whoever calls it calls stop.
func newPulse(src io.Reader, interval time.Duration) *pulse {
	p := &pulse{
		interval: interval, timer: time.NewTimer(interval),
		wanted: make(chan []byte, 1), came: make(chan arrival, 1), done: make(chan struct{}),
	}
	go p.read(src)
	return p
}

func (p *pulse) read(src io.Reader) {
	defer close(p.done)
	for memory := range p.wanted {
		n, err := src.Read(memory)
		p.came <- arrival{memory[:n], err} // has room: one is wanted at a time
		if err != nil {
			return
		}
	}
}

// Read implements [io.Reader]. memory belongs to the pulse until something was read: a call that returns [errSilent] must
// be followed by one with the same memory.
func (p *pulse) Read(memory []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	if !p.waiting {
		p.wanted <- memory
		p.waiting = true
	}
	p.timer.Reset(p.interval)
	select {
	case a := <-p.came:
		p.waiting, p.err = false, a.err
		return len(a.data), a.err
	case <-p.timer.C:
		return 0, errSilent
	}
}

// stop ends the goroutine and waits for it. unblock makes a read of the source return.
func (p *pulse) stop(unblock func()) {
	p.timer.Stop()
	close(p.wanted)
	if p.waiting {
		unblock()
	}
	<-p.done
}
