// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
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
		odd      []string
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
					{"name":"models/both","supportedGenerationMethods":["generateContent","embedContent"]},
					{"name":"models/video","supportedGenerationMethods":["predictLongRunning"]}]}`,
			},
			want: []service.Model{
				{ID: "both", Protocol: service.Gemini}, // whether it calls tools is not told
				{ID: "e", Protocol: service.Gemini, Features: []string{"embedding"}},
				{ID: "g", Protocol: service.Gemini, MaxCtx: 1000, MaxOutput: 100},
			},
		},
		{
			name: "ollama", protocol: service.Ollama,
			pages: map[string]string{
				"/api/tags": `{"models":[{"name":"e:latest","details":{"quantization_level":"F16"}},{"name":"l:latest","model":"l:latest",
					"details":{"quantization_level":"Q4_K_M"}},{"name":"old"},{"name":"u"}]}`,
				`{"model":"l:latest"}`: `{"details":{"quantization_level":"Q8_0"},"capabilities":["completion","tools","vision","thinking"],
					"model_info":{"general.architecture":"llama","llama.context_length":131072,"gemma.context_length":1}}`,
				`{"model":"e:latest"}`: `{"capabilities":["embedding"],"model_info":{"general.architecture":"bert","bert.context_length":512}}`,
				`{"model":"old"}`:      `{"details":{"quantization_level":"unknown"},"model_info":null}`,
				`{"model":"u"}`:        `what?`,
			},
			want: []service.Model{
				{ID: "e:latest", Protocol: service.Ollama, MaxCtx: 512, Modalities: []string{"text"}, Features: []string{"embedding"}, Quantization: "f16"},
				{
					ID: "l:latest", Protocol: service.Ollama, MaxCtx: 131072, Modalities: []string{"text", "image"},
					Features: []string{"json_schema", "tools", "vision", "reasoning"}, Quantization: "q8_0",
				},
				{ID: "old", Protocol: service.Ollama},
				{ID: "u", Protocol: service.Ollama},
			},
		},
		{
			name: "openai as OpenRouter has it", protocol: service.OpenAI,
			pages: map[string]string{"/v1/models": `{"data":[{"id":"o/gpt","context_length":128000,
				"architecture":{"input_modalities":["text","image","text"],"output_modalities":["text"]},
				"pricing":{"prompt":"0.0000025","completion":"0.00001","request":"0","image":"0.003613","input_cache_read":"0.00000125","web_search":"0.01"},
				"top_provider":{"max_completion_tokens":16384,"is_moderated":true},
				"supported_parameters":["max_tokens","tools","tool_choice","parallel_tool_calls","structured_outputs","reasoning"]},
				{"id":"o/auto","context_length":2000000,"pricing":{"prompt":"-1","completion":"-1"},"top_provider":{"max_completion_tokens":null}}]}`},
			want: []service.Model{
				{ID: "o/auto", Protocol: service.OpenAI, MaxCtx: 2000000},
				{
					ID: "o/gpt", Protocol: service.OpenAI, MaxCtx: 128000, MaxOutput: 16384, Modalities: []string{"text", "image"},
					Features: []string{"tools", "parallel_tools", "vision", "json_schema", "reasoning", "cached_input"},
					Pricing:  &service.Pricing{InputPer1M: "2.5", OutputPer1M: "10", CachedInputPer1M: "1.25", PerImage: "0.003613", Currency: "USD"},
				},
			},
			odd: []string{"model o/auto: pricing"},
		},
		{
			name: "openai as Groq, Mistral, LiteLLM and Together have it", protocol: service.OpenAI,
			pages: map[string]string{"/v1/models": `{"data":[{"id":"a","context_window":131072,"max_completion_tokens":8192},
				{"id":"b","max_context_length":32768,"capabilities":{"completion_chat":true,"function_calling":true,"vision":false}},
				{"id":"c","max_input_tokens":1000,"max_output_tokens":100},
				{"id":"d","context_length":4096,"pricing":{"hourly":0,"input":0.3,"output":0.3}}]}`},
			want: []service.Model{
				{ID: "a", Protocol: service.OpenAI, MaxCtx: 131072, MaxOutput: 8192},
				{ID: "b", Protocol: service.OpenAI, MaxCtx: 32768, Features: []string{"tools"}},
				{ID: "c", Protocol: service.OpenAI, MaxCtx: 1000, MaxOutput: 100},
				{ID: "d", Protocol: service.OpenAI, MaxCtx: 4096},
			},
		},
		{
			name: "openai without a word about tools", protocol: service.OpenAI,
			pages: map[string]string{"/v1/models": `{"data":[{"id":"a","architecture":{"input_modalities":["text","image"]},"capabilities":{"vision":true}}]}`},
			want:  []service.Model{{ID: "a", Protocol: service.OpenAI, Modalities: []string{"text", "image"}}},
		},
		{
			name: "claude with capabilities", protocol: service.Claude,
			pages: map[string]string{"/v1/models?limit=1000": `{"data":[{"id":"c","max_input_tokens":1000000,"max_tokens":null,
				"capabilities":{"image_input":{"supported":true},"pdf_input":{"supported":true},"structured_outputs":{"supported":true},
				"thinking":{"supported":true,"types":{}},"batch":{"supported":true},"new_one":7}},{"id":"old","capabilities":null}]}`},
			want: []service.Model{
				{
					ID: "c", Protocol: service.Claude, MaxCtx: 1000000, Modalities: []string{"text", "image", "file"},
					Features: []string{"tools", "parallel_tools", "vision", "json_schema", "reasoning"},
				},
				{ID: "old", Protocol: service.Claude},
			},
		},
		{
			name: "what cannot be meant", protocol: service.OpenAI,
			pages: map[string]string{"/v1/models": `{"data":[{"id":"a","context_length":-5,"max_completion_tokens":1e99,
				"architecture":7,"pricing":"free","capabilities":[1],"supported_parameters":{"tools":1},"top_provider":"x"},
				{"id":"b","architecture":{"input_modalities":["text","\u0007"]},"pricing":{"prompt":1,"completion":2}}]}`},
			want: []service.Model{
				{ID: "a", Protocol: service.OpenAI},
				{ID: "b", Protocol: service.OpenAI, Modalities: []string{"text"}},
			},
			odd: []string{
				"model a: context length", "model a: longest answer", "model a: input_modalities", "model a: pricing",
				"model b: input_modalities", "model b: pricing",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := backendServer(t, func(w http.ResponseWriter, r *http.Request) {
				page, ok := tt.pages[r.URL.RequestURI()]
				if r.URL.Path == showPath {
					body, _ := io.ReadAll(r.Body)
					page, ok = tt.pages[string(body)]
				} else if r.Method != http.MethodGet {
					ok = false
				}
				if !ok {
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
			if diff := cmp.Diff(tt.want, got.models); diff != "" {
				t.Errorf("models (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.odd, got.odd); tt.odd != nil && diff != "" {
				t.Errorf("left out (-want +got):\n%s", diff)
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

// A list that is far too long is read to a bound, on one page and on many, and the operator is told.
func TestEndlessList(t *testing.T) {
	for _, perPage := range []int{3 * maxListed, maxListed/3 + 1} {
		pages := 0
		url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) {
			pages++
			io.WriteString(w, `{"data":[{"id":"first"}`)
			for i := range perPage - 1 {
				fmt.Fprintf(w, `,{"id":"%d-%d"}`, pages, i)
			}
			io.WriteString(w, `],"has_more":true,"last_id":"x"}`)
		})
		b, err := newBackend(Backend{Protocol: service.Claude, URL: url}, discard)
		if err != nil {
			t.Fatal(err)
		}
		defer b.close()
		l, err := b.listModels(t.Context())
		if err != nil || len(l.models) > maxListed || len(l.models) < maxListed-3 || pages > 3 || len(l.odd) != 1 {
			t.Errorf("%d models of %d pages, %v, told %q", len(l.models), pages, err, l.odd)
		}
	}
}

func TestListingBackoff(t *testing.T) {
	var l source
	now := testStart
	var gaps []time.Duration
	for i, fail := range []bool{true, true, true, false, true} {
		var err error
		if fail {
			err = errors.New("x")
		}
		if news := l.note(listing{}, err, now, 3*time.Second); news != (i == 0 || i == 4) {
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
		{Protocol: service.OpenAI, URL: serve("first"), Models: testModels("a", "b"), Silent: true},
		{Protocol: service.OpenAI, URL: serve("second"), Models: testModels("b", "c"), Silent: true},
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

// An Ollama is asked once about each version of each model that is to be offered, and a model about which it
// does not answer is offered all the same.
func TestShowIsCached(t *testing.T) {
	shows := make(chan string, 10)
	digest := "d1"
	url := backendServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != showPath {
			fmt.Fprintf(w, `{"models":[{"name":"a:latest","digest":%q},{"name":"b:latest","digest":"x"},{"name":"c:latest","digest":"y"}]}`, digest)
			return
		}
		var q struct{ Model string }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		shows <- q.Model
		if q.Model == "b:latest" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		io.WriteString(w, `{"model_info":{"general.architecture":"l","l.context_length":7}}`)
	})
	b, err := newBackend(Backend{
		Protocol: service.Ollama, URL: url, Models: testModels("a", "nice"), Aliases: map[string]string{"nice": "b"},
	}, discard)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	for _, step := range []struct {
		digest string
		asked  []string
	}{{"d1", []string{"a:latest", "b:latest"}}, {"d1", []string{"b:latest"}}, {"d2", []string{"a:latest", "b:latest"}}} {
		digest = step.digest
		l, err := b.listModels(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var asked []string
		for range step.asked {
			asked = append(asked, <-shows)
		}
		slices.Sort(asked)
		if diff := cmp.Diff(step.asked, asked); diff != "" || len(shows) > 0 {
			t.Errorf("asked about (-want +got):\n%s", diff)
		}
		want := []service.Model{{ID: "a", Protocol: service.Ollama, MaxCtx: 7}, {ID: "nice", Protocol: service.Ollama}}
		if diff := cmp.Diff(want, b.complete(l.models)); diff != "" {
			t.Errorf("offered (-want +got):\n%s", diff)
		}
	}
}

// What is configured goes before what the backend says.
func TestCompleted(t *testing.T) {
	told := service.Model{
		ID: "m", Protocol: service.OpenAI, MaxCtx: 1, MaxOutput: 2, Modalities: []string{"text"}, Features: []string{"tools"},
		Quantization: "q4", Pricing: &service.Pricing{InputPer1M: "1", OutputPer1M: "1", Currency: "USD"},
	}
	bare := service.Model{ID: "n", Aliases: []string{"x"}, Protocol: service.OpenAI}
	want := told
	want.ID, want.Aliases = "n", []string{"x"}
	if diff := cmp.Diff(want, completed(bare, told)); diff != "" {
		t.Errorf("nothing configured (-want +got):\n%s", diff)
	}
	full := service.Model{
		ID: "n", Protocol: service.OpenAI, MaxCtx: 10, MaxOutput: 20, Modalities: []string{}, Features: []string{"vision"},
		Quantization: "fp8", Pricing: &service.Pricing{InputPer1M: "3", OutputPer1M: "3", Currency: "EUR"},
	}
	if diff := cmp.Diff(full, completed(full, told)); diff != "" {
		t.Errorf("all configured (-want +got):\n%s", diff)
	}
}

func FuzzListing(f *testing.F) {
	f.Add([]byte(`{"data":[{"id":"a","context_length":8192,"pricing":{"prompt":"0.0000025","completion":"0"},"capabilities":{"vision":true}}]}`), 0)
	f.Add([]byte(`{"models":[{"name":"models/g","inputTokenLimit":1000,"supportedGenerationMethods":["generateContent"]}]}`), 2)
	f.Add([]byte(`{"models":[{"name":"l:latest","digest":"d","details":{"quantization_level":"Q4_K_M"}}]}`), 3)
	f.Fuzz(func(t *testing.T, page []byte, n int) {
		protocols := service.Protocols()
		b := &backend{protocol: protocols[(n%len(protocols)+len(protocols))%len(protocols)]}
		var listed modelsPage
		if json.Unmarshal(page, &listed) != nil {
			return
		}
		for _, m := range b.listing(append(listed.Data, listed.Models...)).models {
			info := &service.Info{Tier: service.Standard, Protocols: []service.Protocol{b.protocol}, Models: []service.Model{m}}
			if err := trySign(info); err != nil {
				t.Errorf("a model that cannot be described: %v", err)
			}
		}
	})
}

func FuzzShow(f *testing.F) {
	f.Add([]byte(`{"details":{"quantization_level":"Q8_0"},"capabilities":["completion","tools"],"model_info":{"general.architecture":"l","l.context_length":5}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var shown shownModel
		if json.Unmarshal(raw, &shown) != nil {
			return
		}
		b := &backend{protocol: service.Ollama}
		m, _, ok := b.model(&listedModel{Name: "m", shown: &shown})
		info := &service.Info{Tier: service.Standard, Protocols: []service.Protocol{b.protocol}, Models: []service.Model{m}}
		if err := trySign(info); err != nil || !ok {
			t.Errorf("a model that cannot be described: %v", err)
		}
	})
}
