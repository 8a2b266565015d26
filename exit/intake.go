// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"errors"
	"io"
	"net/http"
	"time"
)

var (
	errTooLarge = errors.New("the sealed request is larger than this exit accepts")
	errHeld     = errors.New("this exit holds as many requests as it can")
)

// extendEvery is after how many bytes the deadline of a request moves.
const extendEvery = 256 << 10

// intake reads the sealed bytes of one request: within the limit for one, within the limit for all, and
// within the time that so many bytes may take.
type intake struct {
	src     io.Reader
	handler *handler
	control *http.ResponseController
	begin   time.Time
	n       int64 // bytes read, all of them counted in handler.held
	next    int64 // when to move the deadline
}

// newIntake begins to read r. The intake must be closed when what was read is no longer held.
func (h *handler) newIntake(w http.ResponseWriter, r *http.Request) *intake {
	return &intake{src: r.Body, handler: h, control: http.NewResponseController(w), begin: time.Now()}
}

// Read implements [io.Reader].
func (in *intake) Read(p []byte) (int, error) {
	if in.n >= in.next {
		in.extend()
	}
	n, err := in.src.Read(p)
	in.n += int64(n)
	held := in.handler.held.Add(int64(n))
	switch {
	case in.n > in.handler.cfg.MaxRequestBytes:
		return 0, errTooLarge
	case held > in.handler.cfg.MaxHeldBytes:
		return 0, errHeld
	default:
		return n, err
	}
}

// extend moves the deadline ahead. Where there is no deadline to set, in tests, there is none.
func (in *intake) extend() {
	in.next = in.n + extendEvery
	forBytes := time.Duration(in.n/minUploadBytesPerSecond) * time.Second
	in.control.SetReadDeadline(in.begin.Add(in.handler.cfg.RequestTimeout + forBytes))
}

// close gives back what the request held.
func (in *intake) close() {
	in.handler.metrics.sealedIn.Add(float64(in.n))
	in.handler.held.Add(-in.n)
}

// proof passes on what has been opened and remembers whether anything was: from then on the sender has
// proved to know the exit's key, and is answered under seal.
type proof struct {
	src    io.Reader
	opened bool
}

// Read implements [io.Reader].
func (p *proof) Read(b []byte) (int, error) {
	n, err := p.src.Read(b)
	if n > 0 || err == io.EOF {
		p.opened = true
	}
	return n, err
}
