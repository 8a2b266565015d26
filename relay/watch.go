// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// past is a deadline that unblocks whoever waits on a connection.
var past = time.Unix(1, 0)

// watch ends an exchange in which nothing has moved for too long: the client sends no more of its
// request, the exit is silent, or the client takes no more of the answer. The last must not be left to
// the server: a client that opens no window of HTTP/2 would hold its place, and the exit's buffers, for
// ever.
type watch struct {
	control *http.ResponseController
	cancel  context.CancelFunc // ends the request to the exit
	limits  *Config

	silence *time.Timer // runs from the beginning; renewed by whatever the client sends and the exit answers
	stuck   *time.Timer // runs while the client is sent something

	reading  atomic.Bool // the next part of the request is waited for
	uploaded atomic.Bool // nothing of the request remains to be read
	stalled  atomic.Bool // the client was silent for too long

	mu   sync.Mutex // guards over, and is held while control is used
	over bool       // the handler is about to return, after which control must not be used
}

func newWatch(w http.ResponseWriter, cancel context.CancelFunc, limits *Config) *watch {
	t := &watch{control: http.NewResponseController(w), cancel: cancel, limits: limits}
	t.silence = time.AfterFunc(limits.UploadTimeout, t.onSilence)
	t.stuck = time.AfterFunc(limits.WriteTimeout, t.onStuck)
	t.stuck.Stop()
	return t
}

// stop ends the watch. It must be called before the handler returns.
func (t *watch) stop() {
	t.silence.Stop()
	t.stuck.Stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
}

func (t *watch) onSilence() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	if !t.uploaded.Load() {
		t.stalled.Store(t.reading.Load())
		t.control.SetReadDeadline(past)
	}
	t.cancel()
}

func (t *watch) onStuck() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	t.control.SetWriteDeadline(past)
	t.cancel()
}

// received notes that the client sent some of its request.
func (t *watch) received() { t.silence.Reset(t.limits.UploadTimeout) }

// receivedAll notes that nothing of the request remains to be read.
func (t *watch) receivedAll() {
	t.uploaded.Store(true)
	t.answered()
}

// answered notes that the exit answered something, or has all that it needs for it.
func (t *watch) answered() { t.silence.Reset(t.limits.AnswerTimeout) }

// sending runs f, which sends the client something.
func (t *watch) sending(f func() error) error {
	t.stuck.Reset(t.limits.WriteTimeout)
	defer t.stuck.Stop()
	return f()
}
