// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

func TestListModels(t *testing.T) {
	for _, tt := range []struct {
		name     string
		protocol service.Protocol
		aliases  map[string]string
		pages    map[string]string // by path and query
		want     []service.Model
	}{
		{
			name: "openai", protocol: service.OpenAI,
			pages: map[string]string{"/v1/models": `{"object":"list","data":[{"id":"b","max_model_len":4096},{"id":"a","context_length":"odd"},
				{"id":"a"},{"id":""},{"id":"bad\u0007"},{"id":"` + strings.Repeat("x", 257) + `"}]}`},
			want: []service.Model{{ID: "a", Protocol: service.OpenAI}, {ID: "b", Protocol: service.OpenAI, MaxCtx: 4096}},
		},
		{
			name: "openai as a bare array", protocol: service.OpenAI,
			pages: map[string]string{"/v1/models": ` [{"id":"a","context_length":8192}]`},
			want:  []service.Model{{ID: "a", Protocol: service.OpenAI, MaxCtx: 8192}},
		},
		{
			name: "aliases", protocol: service.OpenAI, aliases: map[string]string{"nice": "b", "gone": "c"},
			pages: map[string]string{"/v1/models": `{"data":[{"id":"b","max_model_len":5}]}`},
			want: []service.Model{
				{ID: "b", Protocol: service.OpenAI, MaxCtx: 5}, {ID: "nice", Protocol: service.OpenAI, MaxCtx: 5},
			},
		},
		{
			name: "claude", protocol: service.Claude,
			pages: map[string]string{
				"/v1/models?limit=1000":              `{"data":[{"id":"c1","max_input_tokens":200000,"max_tokens":64000}],"has_more":true,"last_id":"c 1"}`,
				"/v1/models?limit=1000&after_id=c+1": `{"data":[{"id":"c2"}],"has_more":false,"last_id":"c2"}`,
			},
			want: []service.Model{
				{ID: "c1", Protocol: service.Claude, MaxCtx: 200000, MaxOutput: 64000}, {ID: "c2", Protocol: service.Claude},
			},
		},
		{
			name: "gemini", protocol: service.Gemini,
			pages: map[string]string{
				"/v1beta/models?pageSize=1000": `{"models":[{"name":"models/g","inputTokenLimit":1000,"outputTokenLimit":100,
					"supportedGenerationMethods":["generateContent","countTokens"]}],"nextPageToken":"t/2"}`,
				"/v1beta/models?pageSize=1000&pageToken=t%2F2": `{"models":[{"name":"models/e","supportedGenerationMethods":["embedContent"]},
					{"name":"models/video","supportedGenerationMethods":["predictLongRunning"]}]}`,
			},
			want: []service.Model{
				{ID: "e", Protocol: service.Gemini, Features: []string{"embedding"}},
				{ID: "g", Protocol: service.Gemini, MaxCtx: 1000, MaxOutput: 100},
			},
		},
		{
			name: "ollama", protocol: service.Ollama,
			pages: map[string]string{"/api/tags": `{"models":[{"name":"l:latest","model":"l:latest","details":{"quantization_level":"Q4_K_M"}}]}`},
			want:  []service.Model{{ID: "l:latest", Protocol: service.Ollama, Quantization: "q4_k_m"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := backendServer(t, func(w http.ResponseWriter, r *http.Request) {
				page, ok := tt.pages[r.URL.RequestURI()]
				if !ok || r.Method != http.MethodGet {
					t.Errorf("asked for %s %s", r.Method, r.URL.RequestURI())
					w.WriteHeader(http.StatusNotFound)
				}
				io.WriteString(w, page)
			})
			b, err := newBackend(Backend{Protocol: tt.protocol, URL: url, Aliases: tt.aliases}, discard)
			if err != nil {
				t.Fatal(err)
			}
			defer b.close()
			got, err := b.listModels(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("models (-want +got):\n%s", diff)
			}
		})
	}
}

// A list that cannot be had is an error that repeats nothing of what came instead.
func TestListModelsFails(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"refused": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, canaryKey)
		},
		"not JSON":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, canaryKey) },
		"cut":       func(w http.ResponseWriter, _ *http.Request) { flush(w, `{"data":[`); panic(http.ErrAbortHandler) },
		"too long":  func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, maxModelsBody+1)) },
		"redirects": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
	} {
		b, err := newBackend(Backend{Protocol: service.OpenAI, URL: backendServer(t, answer)}, discard)
		if err != nil {
			t.Fatal(err)
		}
		defer b.close()
		if models, err := b.listModels(t.Context()); err == nil || strings.Contains(err.Error(), canaryKey) {
			t.Errorf("%s: got %v, %v", name, models, err)
		}
	}
}

// A backend that pages without end is not followed for ever.
func TestEndlessPages(t *testing.T) {
	n := 0
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		fmt.Fprintf(w, `{"data":[{"id":"m%d"}],"has_more":true,"last_id":"x"}`, n)
	})
	b, err := newBackend(Backend{Protocol: service.Claude, URL: url}, discard)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	if _, err := b.listModels(t.Context()); err != nil || n != maxModelsPages {
		t.Errorf("%d pages, %v", n, err)
	}
}

func TestListingBackoff(t *testing.T) {
	var l listing
	now := testStart
	var gaps []time.Duration
	for i, fail := range []bool{true, true, true, false, true} {
		var err error
		if fail {
			err = errors.New("x")
		}
		if news := l.note(nil, err, now, 3*time.Second); news != (i == 0 || i == 4) {
			t.Errorf("step %d: news %v", i, news)
		}
		gaps = append(gaps, l.due.Sub(now))
	}
	want := []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second, time.Second}
	if diff := cmp.Diff(want, gaps); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

// More models than a description holds are cut, and those that are cut are not served either.
func TestTooManyModels(t *testing.T) {
	for _, length := range []int{5, 200} {
		var list strings.Builder
		list.WriteString(`{"data":[{"id":"a"}`)
		for i := range 1500 {
			fmt.Fprintf(&list, `,{"id":"%s-%04d"}`, strings.Repeat("m", length), i)
		}
		list.WriteString("]}")
		url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, list.String()) })
		r := newRig(t, Config{Backends: []Backend{{Protocol: service.OpenAI, URL: url}}, Operator: "o", Tags: map[string]string{"k": "v"}})
		reg, _ := r.exit.board.current()
		if n := len(reg.info.Models); n < 100 || n > service.MaxModels || len(reg.signed.ServiceInfo) > service.MaxInfoBytes {
			t.Errorf("%d models in %d bytes", n, len(reg.signed.ServiceInfo))
		}
		if _, err := reg.signed.Verify(time.Now()); err != nil {
			t.Error(err)
		}
		last := fmt.Sprintf(`{"model":"%s-1499"}`, strings.Repeat("m", length))
		if got := r.do(t, chunked, inner{path: "/v1/chat/completions", body: last}); got.status != 404 || !strings.Contains(got.body, "more") {
			t.Errorf("got %+v", got)
		}
		if !strings.Contains(r.log.String(), "left_out") {
			t.Error("the operator is not told")
		}
	}
}

// Where two backends offer the same, the first serves it.
func TestSameModelTwice(t *testing.T) {
	var got []string
	serve := func(name string) string {
		return backendServer(t, func(http.ResponseWriter, *http.Request) { got = append(got, name) })
	}
	r := newRig(t, Config{Backends: []Backend{
		{Protocol: service.OpenAI, URL: serve("first"), Models: testModels("a", "b")},
		{Protocol: service.OpenAI, URL: serve("second"), Models: testModels("b", "c")},
	}})
	for _, m := range []string{"a", "b", "c"} {
		r.do(t, chunked, inner{path: "/v1/completions", body: `{"model":"` + m + `"}`})
	}
	if diff := cmp.Diff([]string{"first", "first", "second"}, got); diff != "" {
		t.Errorf("served by (-want +got):\n%s", diff)
	}
	if reg, _ := r.exit.board.current(); len(reg.info.Models) != 3 || len(reg.info.Protocols) != 1 {
		t.Errorf("described as %+v", reg.info)
	}
}
