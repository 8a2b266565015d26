// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/scrub"
)

const (
	// maxExplained is how many requests the debug page shows. Ours: prompts are not to pile up in memory.
	maxExplained = 8
	// maxExplainedBody is the longest body that it shows, in bytes.
	maxExplainedBody = 1 << 20
)

// debugPage keeps the last requests, to be shown to whoever has the token of the management paths. Off, it keeps nothing.
type debugPage struct {
	on bool

	mu   sync.Mutex // guards last
	last []explained
}

// explained is one request as it was sealed.
type explained struct {
	At   time.Time `json:"at"`
	Exit string    `json:"exit"`
	scrub.Explanation
}

// add keeps a request, in the place of the oldest.
func (d *debugPage) add(op dialect.Operation, m scrub.Message, to Exit) {
	if !d.on {
		return
	}
	if len(m.Body) > maxExplainedBody {
		m.Body = fmt.Appendf(nil, `"%d bytes, too many to show"`, len(m.Body))
	}
	e := explained{time.Now(), to.Hash.Short(), scrub.Explain(op, m)}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = append(d.last, e)
	d.last = d.last[max(0, len(d.last)-maxExplained):]
}

// serve shows the page, or the same as JSON to who asks for that.
func (d *debugPage) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Header.Get("Accept") == "application/json" {
		writeJSON(w, d.copy())
		return
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	d.write(w)
}

func (d *debugPage) copy() []explained {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]explained{}, d.last...)
}

// write shows the requests, the last at the top.
func (d *debugPage) write(w io.Writer) {
	last := d.copy()
	if len(last) == 0 {
		io.WriteString(w, "No request has been sealed yet.\n")
	}
	for i := len(last) - 1; i >= 0; i-- {
		fmt.Fprintf(w, "== %s, to exit %s\n\n%s\n", last[i].At.Format(time.TimeOnly), last[i].Exit, last[i].Explanation)
	}
}
