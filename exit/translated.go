// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"errors"
	"io"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/translate"
)

// translated reads a stream of the backend's as one of the tool's protocol. Where that one fails, so does
// this: in the protocol's own way, and its error is then a *toldError; but where the backend reports a failure in place of
// an answer, and nothing was sent yet, its error is that, a *dialect.Error.
type translated struct {
	call  *call
	src   io.Reader // reads from call; where it returns errSilent, the tool is kept waiting
	t     *translate.Exchange
	in    []byte
	out   []byte // memory of left
	left  []byte // translated and not yet read
	begun bool   // the tool was sent something
	err   error  // what comes after left
}

func newTranslated(c *call, t *translate.Exchange) *translated {
	return &translated{call: c, src: c, t: t, in: make([]byte, 4<<10)}
}

// Read implements [io.Reader].
func (r *translated) Read(p []byte) (int, error) {
	for len(r.left) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.next()
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// next translates one read of the source.
func (r *translated) next() {
	n, err := r.src.Read(r.in)
	if errors.Is(err, errSilent) {
		r.take(r.t.Idle(r.out[:0]))
		return
	}
	out, failed := r.t.Feed(r.out[:0], r.in[:n])
	if failed == nil && errors.Is(err, io.EOF) {
		if out, failed = r.t.End(out); failed == nil {
			r.err = io.EOF
		}
	} else if failed == nil {
		failed = err
	}
	switch {
	case failed == nil:
	case errors.Is(failed, translate.ErrFailed) && !r.begun && r.t.Failure() != nil:
		r.err, out = r.t.Failure(), out[:0]
	case errors.Is(failed, translate.ErrFailed):
		r.err = &toldError{dialect.CodeBackendError}
	case !r.begun && len(out) == 0:
		r.err = failed // nothing was sent: the failure can still be told with its status
	default:
		r.err = &toldError{r.call.code()}
		out = r.t.Break(out, r.call.code())
	}
	r.take(out)
}

// take has out read next.
func (r *translated) take(out []byte) {
	r.begun = r.begun || len(out) > 0
	r.out, r.left = out, out
}
