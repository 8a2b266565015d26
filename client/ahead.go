// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import "io"

// ahead reads a source for one who may stop waiting while a read is under way, which then goes on: the next read gets
// what it brings. Its goroutine makes one read and ends; whoever has made one wait calls settle before the end.
type ahead struct {
	src     io.Reader
	pending chan arrival // holds one; nil while no read is under way
	left    arrival      // of what a read brought and nobody took yet
}

// arrival is what one read brought.
type arrival struct {
	data []byte
	err  error
}

// read is Read of the source. came is false when enough was closed before anything came; nil never is.
func (r *ahead) read(p []byte, enough <-chan struct{}) (n int, err error, came bool) {
	if len(r.left.data) == 0 && r.left.err == nil {
		if r.pending == nil && enough == nil {
			n, err = r.src.Read(p)
			return n, err, true
		}
		if !r.wait(min(len(p), smallBuffer), enough) {
			return 0, nil, false
		}
	}
	n = copy(p, r.left.data)
	if r.left.data = r.left.data[n:]; len(r.left.data) == 0 {
		err, r.left = r.left.err, arrival{}
	}
	return n, err, true
}

// wait has the source read, up to size bytes, and waits for what comes.
func (r *ahead) wait(size int, enough <-chan struct{}) (came bool) {
	if r.pending == nil {
		pending := make(chan arrival, 1)
		r.pending = pending
		go func() {
			memory := make([]byte, size)
			n, err := r.src.Read(memory)
			pending <- arrival{memory[:n], err}
		}()
	}
	select {
	case r.left = <-r.pending:
		r.pending = nil
		return true
	case <-enough:
		return false
	}
}

// isReading reports whether a read is under way.
func (r *ahead) isReading() bool { return r.pending != nil }

// settle waits until no read is under way. The source must have been made to return.
func (r *ahead) settle() {
	if r.pending != nil {
		<-r.pending
		r.pending = nil
	}
}
