// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package marked

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Model is the only one that a [Backend] has, in every protocol.
const Model = "m"

// RelayField tells a [Backend] the number of the relay through which a request came. Real exits do not say so; those of
// tests can be made to.
const RelayField = "X-Test-Relay"

const (
	shortAnswer = 5                     // pieces
	pieceEvery  = 40 * time.Millisecond // how fast they come
)

// Backend is an AI service, an [http.Handler].
type Backend struct {
	Number int
	Ledger *Ledger
	// Release ends long answers when it is closed.
	Release <-chan struct{}

	status atomic.Int32
	silent atomic.Bool
}

// Fail has requests that come from now on answered with an HTTP status, or properly again with 0.
func (b *Backend) Fail(status int) { b.status.Store(int32(status)) }

// Silence has requests that come from now on not answered at all.
func (b *Backend) Silence() { b.silent.Store(true) }

// lists are the models that backends offer, each in its protocol.
var lists = map[string]string{
	"/v1/models":     `{"object":"list","data":[{"id":"m","object":"model","type":"model","display_name":"m","created_at":"2025-01-01T00:00:00Z"}],"has_more":false}`,
	"/v1beta/models": `{"models":[{"name":"models/m"}]}`,
	"/api/tags":      `{"models":[{"name":"m","model":"m"}]}`,
}

// ServeHTTP implements [http.Handler].
func (b *Backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if list, ok := lists[r.URL.Path]; ok && r.Method == http.MethodGet {
		io.WriteString(w, list)
		return
	}
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		return
	case bytes.Equal(body, []byte("{}")): // the exit asks whether there is such a path
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	asked := prompted.FindSubmatch(body)
	f := formOf(r.URL.Path)
	if asked == nil || f == nil {
		http.NotFound(w, r)
		return
	}
	if status := int(b.status.Load()); status != 0 {
		w.WriteHeader(status)
		return
	}
	if b.silent.Load() {
		<-r.Context().Done()
		return
	}
	m := Mark{Backend: b.Number}
	m.Request, _ = strconv.Atoi(string(asked[1]))       // digits
	m.Relay, _ = strconv.Atoi(r.Header.Get(RelayField)) // absent: 0
	b.speak(r.Context(), w, &speech{form: f, attempt: b.Ledger.open(m), long: string(asked[2]) == long})
}

func formOf(path string) *Form {
	for _, f := range forms {
		if p, _, _ := strings.Cut(f.Path, "?"); p == path {
			return f
		}
	}
	return nil
}

// speech is an answer that a backend gives.
type speech struct {
	form    *Form
	attempt *Attempt
	long    bool // until the backend's Release
}

// speak writes an answer.
func (b *Backend) speak(ctx context.Context, w http.ResponseWriter, s *speech) {
	w.Header().Set("Content-Type", s.form.contentType)
	tick := time.NewTicker(pieceEvery)
	defer tick.Stop()
	text := s.form.begin
	for n := 1; s.long || n <= shortAnswer; n++ {
		text += fmt.Sprintf(s.form.piece, b.Ledger.next(s.attempt))
		if _, err := io.WriteString(w, text); err != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
		text = ""
		select {
		case <-tick.C:
		case <-b.Release:
			s.long = false
		case <-ctx.Done():
			return
		}
	}
	if _, err := io.WriteString(w, s.form.end); err == nil {
		b.Ledger.finish(s.attempt)
	}
}
