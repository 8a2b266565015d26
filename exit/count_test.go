// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokengo/tokengo/service"
)

const claudeCount = `{"model":"m","messages":[{"role":"user","content":"how many tokens?"}]}`

// A count of tokens is the backend's where it has one, and there is one whatever the backend does.
func TestCountTokens(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		native bool // its answer is passed on
		asked  int  // of two requests, how many reach it
	}{
		{"exact", 200, `{"input_tokens":4711}`, true, 2},
		{"no such path", 404, `{"error":"not found"}`, false, 1},
		{"not allowed", 405, ``, false, 1},
		{"something else", 200, `{"error":"Unexpected endpoint or method."}`, false, 1},
		{"a wrong key", 401, `{}`, false, 2},
		{"limited", 429, `{}`, false, 1},
		{"broken", 500, `{}`, false, 1},
		{"gone", 0, ``, false, 1},
	}
	for _, tt := range tests {
		asked := 0
		url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
			asked++
			if tt.status == 0 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.body)
		})
		r := newRig(t, Config{Backends: []Backend{{Protocol: service.Claude, URL: url, Models: testModels("m"), Silent: true}}})
		for range 2 {
			got := r.do(t, chunked, inner{path: "/v1/messages/count_tokens", body: claudeCount})
			native := strings.Contains(got.body, "4711")
			if got.status != http.StatusOK || !strings.Contains(got.body, `"input_tokens":`) || native != tt.native {
				t.Errorf("%s: %d %s", tt.name, got.status, got.body)
			}
		}
		if asked != tt.asked {
			t.Errorf("%s: the backend was asked %d times, want %d", tt.name, asked, tt.asked)
		}
	}
}

// hanging is a backend that never answers.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A backend that is slow to count is not waited for, and not asked again for a while.
func TestCountTokensIsFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := newBackend(Backend{Protocol: service.Gemini, URL: "http://h", Transport: hanging{}}, discard)
		if err != nil {
			t.Fatal(err)
		}
		m, err := newMetrics(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		x := &exchange{handler: newHandler(Config{}.withDefaults(), m)}
		begin := time.Now()
		answer, pause := x.backendCount(t.Context(), b, &asked{method: http.MethodPost, body: []byte("{}")})
		if took := time.Since(begin); answer != nil || pause != countPause || took != countTimeout {
			t.Errorf("got %q after %v, and a pause of %v", answer, took, pause)
		}
	})
}
