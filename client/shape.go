// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/shape"
)

// fieldShape is the header field in which a tool asks for another mode than the client's for one request.
const fieldShape = "X-Tokengo-Shape"

// Bounds of reading the padding behind an answer, which goes on when the tool already has all.
const (
	maxDrains     = 200              // at once; further ones are not read, which shows when the answer ended
	drainTimeout  = 70 * time.Minute // an answer of 17 minutes, paced, is padded to 68
	maxDrainBytes = 256 << 20
)

// requestShape is the mode for a request with this header.
func (p *proxy) requestShape(header http.Header) (shape.Mode, *dialect.Error) {
	value := header.Get(fieldShape)
	if value == "" {
		return p.cfg.Shape, nil
	}
	mode, err := shape.Parse(value)
	if err == nil {
		err = checkShape(mode, p.cfg.Format)
	}
	if err != nil {
		return "", &dialect.Error{
			Code: dialect.CodeInvalidRequest, Message: "The header field " + fieldShape + " is off, pad or constant.",
		}
	}
	return mode, nil
}

// checkShape refuses a mode that does not exist or cannot go with a format.
func checkShape(mode shape.Mode, format ohttp.Format) error {
	if _, err := shape.Parse(string(mode)); err != nil {
		return err
	}
	if mode == shape.Constant && format != ohttp.Chunked {
		return errors.New("a constant rate needs requests that are sealed in chunks")
	}
	return nil
}

// shaped adds what asks the exit for a mode.
func shaped(fields bhttp.Fields, mode shape.Mode) bhttp.Fields {
	if mode == shape.Off {
		return fields
	}
	return append(fields, bhttp.Field{Name: shape.Field, Value: string(mode)})
}

// zeros is an endless source of padding.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// inOnePiece returns what r has, sealed, as a body that is sent without waiting for anything. It is length bytes.
func inOnePiece(r io.Reader, length int64) (*bytes.Reader, error) {
	var b bytes.Buffer
	b.Grow(int(length) + bytes.MinRead)
	if _, err := b.ReadFrom(r); err != nil {
		return nil, fmt.Errorf("seal the request: %w", err)
	}
	return bytes.NewReader(b.Bytes()), nil
}

// openInner reads the head of the answer in the opened bytes of an outer one, which is in cells if this was
// asked for. The reader of cells is nil when it is not.
func openInner(plain io.Reader) (*bhttp.Response, *shape.Reader, error) {
	inner, err := bhttp.ReadResponse(plain, bhttp.Limits{})
	if err != nil || inner.Fields.Get("content-type") != shape.ContentType {
		return inner, nil, err
	}
	cells := shape.NewReader(inner.Body)
	inner, err = bhttp.ReadResponse(cells, bhttp.Limits{})
	return inner, cells, err
}

// noteUnshaped tells the user, once, that an exit did not do what mode asks for.
func (p *proxy) noteUnshaped(mode shape.Mode) {
	if mode == shape.Off || p.cfg.Format != ohttp.Chunked {
		return
	}
	p.unshaped.Do(func() {
		p.cfg.Logger.Warn("an exit does not shape its answers: their sizes and times show at the relay", "asked", string(mode))
	})
}

// drains reads the padding behind answers that tools have all of: a request that ended with its answer would
// tell the relay when that was.
type drains struct {
	mu      sync.Mutex // guards what follows
	stopped bool
	running map[*answer]struct{}

	group sync.WaitGroup
}

// take reads the rest of an answer and closes it, or only closes it when nothing follows or too many others
// are being read. It does not wait.
func (d *drains) take(a *answer) {
	if a.cells == nil || a.source.isReading() || !a.cells.Ended() || !d.add(a) {
		a.end()
		return
	}
	a.detach()
	a.watch.restart(drainTimeout)
	go func() {
		defer d.group.Done()
		a.cells.Drain(maxDrainBytes) // the message was complete, whatever becomes of its padding
		a.end()
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.running, a)
	}()
}

func (d *drains) add(a *answer) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || len(d.running) >= maxDrains {
		return false
	}
	if d.running == nil {
		d.running = make(map[*answer]struct{})
	}
	d.running[a] = struct{}{}
	d.group.Add(1)
	return true
}

// stop ends all and waits for them.
func (d *drains) stop() {
	d.mu.Lock()
	d.stopped = true
	for a := range d.running {
		a.cancel(errStopped)
	}
	d.mu.Unlock()
	d.group.Wait()
}

// detached returns a context that ends with ctx until detach is called, and when cancel is.
func detached(ctx context.Context) (out context.Context, cancel context.CancelCauseFunc, detach func() bool) {
	out, cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	detach = context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	return out, cancel, detach
}
