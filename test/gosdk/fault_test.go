// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"net/http"
	"testing"
)

// TestBusy has the backend refuse for a while. Each SDK must raise its own type of error, and see how long.
func TestBusy(t *testing.T) {
	t.Parallel()
	n := startScripts(t)
	everyPair(t, func(t *testing.T, p pair) {
		at := n.site()
		got, err := p.sdk.start(at, question{model: p.model(busy), prompt: "Hi"}).next(t.Context(), p.streamed)
		if err == nil {
			t.Fatalf("the SDK takes the error for an answer: %+v", got)
		}
		if status := p.sdk.status(err); status != http.StatusTooManyRequests {
			t.Errorf("the SDK raises %T with status %d: %v", err, status, err)
		}
		if wait := at.header.Get("Retry-After"); wait != retryAfter {
			t.Errorf("Retry-After is %q, want %q", wait, retryAfter)
		}
	})
}

// TestUnknownModel asks for a model that nobody has.
func TestUnknownModel(t *testing.T) {
	t.Parallel()
	n := startScripts(t)
	for _, s := range sdks {
		_, err := s.start(n.site(), question{model: "nobodys", prompt: "Hi"}).next(t.Context(), true)
		if err == nil || s.status(err) != http.StatusNotFound {
			t.Errorf("%s: the SDK raises %T: %v, want status 404", s.name, err, err)
		}
	}
}

// TestCut has the backend's connection break in the middle of a stream. No SDK may take the answer for whole.
func TestCut(t *testing.T) {
	t.Parallel()
	n := startScripts(t)
	everyPair(t, func(t *testing.T, p pair) {
		if !p.streamed {
			return
		}
		got, err := p.sdk.start(n.site(), question{model: p.model(cut), prompt: "Hi"}).next(t.Context(), true)
		if err == nil {
			t.Errorf("the SDK takes a broken answer for whole: %+v", got)
		}
		if asked := n.scripts[p.protocol].last(); asked.scene() != cut {
			t.Errorf("the backend was asked for %s", asked.scene())
		}
	})
}
