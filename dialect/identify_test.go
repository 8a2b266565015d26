// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

// header makes a header of names and values by turns.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// identify is Identify of a request line's target.
func identify(method, target string, h http.Header) (Operation, *Error) {
	path, query, _ := strings.Cut(target, "?")
	return Identify(method, path, query, h)
}

func TestIdentify(t *testing.T) {
	claude := header("Anthropic-Version", "2023-06-01")
	google := header("X-Goog-Api-Key", "k")
	post := func(p service.Protocol, k Kind, path string) Operation {
		return Operation{Protocol: p, Kind: k, Path: path}
	}
	gemini := func(k Kind, model, path string) Operation {
		return Operation{Protocol: service.Gemini, Kind: k, Model: model, Path: path}
	}
	stream := func(model, path string) Operation {
		return Operation{Protocol: service.Gemini, Kind: Chat, Model: model, Stream: true, Path: path}
	}
	get := func(p service.Protocol, model, path string) Operation {
		return Operation{Protocol: p, Kind: GetModel, Model: model, Path: path}
	}
	tests := []struct {
		method, target string
		header         http.Header
		want           Operation
	}{
		{"POST", "/v1/chat/completions", nil, post(service.OpenAI, Chat, "/v1/chat/completions")},
		{"POST", "/v1/completions", nil, post(service.OpenAI, Completion, "/v1/completions")},
		{"POST", "/v1/responses", nil, post(service.OpenAI, Responses, "/v1/responses")},
		{"POST", "/v1/responses", header("Upgrade", "h2c"), post(service.OpenAI, Responses, "/v1/responses")},
		{"POST", "/v1/embeddings", nil, post(service.OpenAI, Embedding, "/v1/embeddings")},
		{"GET", "/v1/models", nil, post(service.OpenAI, ListModels, "/v1/models")},
		{"HEAD", "/v1/models", nil, post(service.OpenAI, ListModels, "/v1/models")},
		{"GET", "/v1/models", google, post(service.OpenAI, ListModels, "/v1/models")},
		{"GET", "/v1/models/gpt-5", nil, get(service.OpenAI, "gpt-5", "/v1/models/gpt-5")},
		{"GET", "/v1/models/llama3:8b", nil, get(service.OpenAI, "llama3:8b", "/v1/models/llama3:8b")},
		{"GET", "/v1/models/meta%2FLlama%203", nil, get(service.OpenAI, "meta/Llama 3", "/v1/models/meta/Llama%203")},
		{"GET", "/v1/models/meta/Llama", nil, get(service.OpenAI, "meta/Llama", "/v1/models/meta/Llama")},
		{"GET", "/v1/models/100%25%3F", nil, get(service.OpenAI, "100%?", "/v1/models/100%25%3F")},
		{"GET", "/v1/models/%E6%A8%A1", nil, get(service.OpenAI, "模", "/v1/models/%E6%A8%A1")},

		{"POST", "/v1/messages", claude, post(service.Claude, Chat, "/v1/messages")},
		{"POST", "/v1/messages", nil, post(service.Claude, Chat, "/v1/messages")},
		{"POST", "/v1/messages?beta=true", claude, post(service.Claude, Chat, "/v1/messages")},
		{"POST", "/v1/messages/count_tokens", claude, post(service.Claude, CountTokens, "/v1/messages/count_tokens")},
		{"GET", "/v1/models?limit=1000&after_id=x", claude, post(service.Claude, ListModels, "/v1/models")},
		{"GET", "/v1/models/claude-x", claude, get(service.Claude, "claude-x", "/v1/models/claude-x")},

		{"GET", "/v1beta/models", nil, post(service.Gemini, ListModels, "/v1beta/models")},
		{"GET", "/v1alpha/models?pageSize=5", nil, post(service.Gemini, ListModels, "/v1alpha/models")},
		{"GET", "/v1beta/models/g-2", nil, get(service.Gemini, "g-2", "/v1beta/models/g-2")},
		{"GET", "/v1beta/models/llama3:8b", nil, get(service.Gemini, "llama3:8b", "/v1beta/models/llama3:8b")},
		{"GET", "/v1beta/tunedModels/t", nil, get(service.Gemini, "tunedModels/t", "/v1beta/tunedModels/t")},
		{"POST", "/v1beta/models/g:generateContent", nil, gemini(Chat, "g", "/v1beta/models/g:generateContent")},
		{"POST", "/v1/models/g:generateContent", nil, gemini(Chat, "g", "/v1/models/g:generateContent")},
		{"POST", "/v1alpha/models/g:generateContent", nil, gemini(Chat, "g", "/v1alpha/models/g:generateContent")},
		{"POST", "/v1beta/models/g:generateContent?alt=sse&key=k", nil, gemini(Chat, "g", "/v1beta/models/g:generateContent")},
		{"POST", "/v1beta/models/g:streamGenerateContent", nil, stream("g", "/v1beta/models/g:streamGenerateContent")},
		{"POST", "/v1beta/models/g:streamGenerateContent?key=k&alt=sse&$alt=json", nil, stream("g", "/v1beta/models/g:streamGenerateContent?alt=sse")},
		{"POST", "/v1beta/models/g:streamGenerateContent?alt=json", nil, stream("g", "/v1beta/models/g:streamGenerateContent")},
		{"POST", "/v1beta/models/g:streamGenerateContent?%zz&alt=sse", nil, stream("g", "/v1beta/models/g:streamGenerateContent?alt=sse")},
		{"POST", "/v1beta/models/g%3AcountTokens", nil, gemini(CountTokens, "g", "/v1beta/models/g:countTokens")},
		{"POST", "/v1beta/models/g:embedContent", nil, gemini(Embedding, "g", "/v1beta/models/g:embedContent")},
		{"POST", "/v1beta/models/g:batchEmbedContents", nil, gemini(Embedding, "g", "/v1beta/models/g:batchEmbedContents")},
		{"POST", "/v1beta/models/a/b:8b:generateContent", nil, gemini(Chat, "a/b:8b", "/v1beta/models/a/b:8b:generateContent")},
		{"POST", "/v1beta/tunedModels/t:generateContent", nil, gemini(Chat, "tunedModels/t", "/v1beta/tunedModels/t:generateContent")},

		{"POST", "/api/chat", nil, post(service.Ollama, Chat, "/api/chat")},
		{"POST", "/api/generate", nil, post(service.Ollama, Completion, "/api/generate")},
		{"GET", "/api/ps", nil, post(service.Ollama, ListLoaded, "/api/ps")},
		{"POST", "/api/embed", nil, post(service.Ollama, Embedding, "/api/embed")},
		{"POST", "/api/embeddings", nil, post(service.Ollama, Embedding, "/api/embeddings")},
		{"POST", "/api/show", nil, post(service.Ollama, ShowModel, "/api/show")},
		{"GET", "/api/tags", nil, post(service.Ollama, ListModels, "/api/tags")},
		{"GET", "/api/version", nil, post(service.Ollama, Version, "/api/version")},
		{"GET", "/", nil, post(service.Ollama, Root, "/")},
		{"HEAD", "/", nil, post(service.Ollama, Root, "/")},
		{"HEAD", "//", claude, post(service.Claude, Root, "/")},

		{"POST", "/v1/chat/completions/", nil, post(service.OpenAI, Chat, "/v1/chat/completions")},
		{"POST", "//v1//messages//?x=1", nil, post(service.Claude, Chat, "/v1/messages")},
		{"POST", "/%61pi/ch%61t", nil, post(service.Ollama, Chat, "/api/chat")},
		{"POST", "%2Fapi%2Fchat", nil, post(service.Ollama, Chat, "/api/chat")},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			got, problem := identify(tt.method, tt.target, tt.header)
			if problem != nil {
				t.Fatalf("error %v, want none", problem)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("operation (-want +got):\n%s", diff)
			}
			again, problem := identify(tt.method, got.Path, tt.header)
			if problem != nil || again != got {
				t.Errorf("identify of its own path %q = %+v, %v", got.Path, again, problem)
			}
		})
	}
}

func TestIdentifyErrors(t *testing.T) {
	claude := header("Anthropic-Version", "2023-06-01")
	google := header("X-Goog-Api-Key", "k")
	tests := []struct {
		method, target string
		header         http.Header
		protocol       service.Protocol
		code           Code
		allow          string
	}{
		{"GET", "/v1/chat/completions", nil, service.OpenAI, CodeMethod, "POST"},
		{"OPTIONS", "/v1/messages", nil, service.Claude, CodeMethod, "POST"},
		{"HEAD", "/api/chat", nil, service.Ollama, CodeMethod, "POST"},
		{"POST", "/api/tags", nil, service.Ollama, CodeMethod, "GET, HEAD"},
		{"POST", "/", nil, service.Ollama, CodeMethod, "GET, HEAD"},
		{"DELETE", "/v1/models/x", nil, service.OpenAI, CodeMethod, "GET, HEAD"},
		{"POST", "/v1/models/x:run", nil, service.OpenAI, CodeMethod, "GET, HEAD"},
		{"POST", "/v1/models", claude, service.Claude, CodeMethod, "GET, HEAD"},
		{"GET", "/v1beta/models/g:generateContent", nil, service.Gemini, CodeMethod, "POST"},
		{"POST", "/v1beta/models/g", nil, service.Gemini, CodeMethod, "GET, HEAD"},
		{"get", "/v1/models", nil, service.OpenAI, CodeMethod, "GET, HEAD"},

		{"GET", "/v1/responses", header("Upgrade", "websocket"), service.OpenAI, CodeUpgrade, ""},
		{"GET", "/v1/responses", nil, service.OpenAI, CodeMethod, "POST"},

		{"POST", "/v1/chat", nil, service.OpenAI, CodeUnknownPath, ""},
		{"POST", "/V1/chat/completions", nil, service.OpenAI, CodeUnknownPath, ""},
		{"POST", "/v1/responses/r/cancel", nil, service.OpenAI, CodeUnknownPath, ""},
		{"POST", "/openai/v1/chat/completions", nil, service.OpenAI, CodeUnknownPath, ""},
		{"GET", "/v1/models/..%2F..%2Fetc", nil, service.OpenAI, CodeUnknownPath, ""},
		{"GET", "/v1/./models", nil, service.OpenAI, CodeUnknownPath, ""},
		{"GET", "/v1/models/a%0Ab", nil, service.OpenAI, CodeUnknownPath, ""},
		{"GET", "/v1/models/%FF", nil, service.OpenAI, CodeUnknownPath, ""},
		{"GET", "/v1/models/%", nil, service.OpenAI, CodeUnknownPath, ""},
		{"GET", "*", nil, service.OpenAI, CodeUnknownPath, ""},
		{"GET", "", nil, service.OpenAI, CodeUnknownPath, ""},
		{"POST", "/v1/messages/batches", nil, service.Claude, CodeUnknownPath, ""},
		{"GET", "/v1/files", claude, service.Claude, CodeUnknownPath, ""},
		{"GET", "/%", claude, service.Claude, CodeUnknownPath, ""},
		{"POST", "/api/pull", nil, service.Ollama, CodeUnknownPath, ""},
		{"POST", "/v1beta/models/g:run", nil, service.Gemini, CodeUnknownPath, ""},
		{"POST", "/v1beta/models/:generateContent", nil, service.Gemini, CodeUnknownPath, ""},
		{"GET", "/v1beta/tunedModels", nil, service.Gemini, CodeUnknownPath, ""},
		{"GET", "/v1/tunedModels/t", google, service.Gemini, CodeUnknownPath, ""},
		{"POST", "/upload/v1beta/files", nil, service.Gemini, CodeUnknownPath, ""},
		{"POST", "/v1/files", google, service.Gemini, CodeUnknownPath, ""},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			op, problem := identify(tt.method, tt.target, tt.header)
			if problem == nil {
				t.Fatalf("no error, operation %+v", op)
			}
			if op.Protocol != tt.protocol || problem.Code != tt.code || problem.Allow != tt.allow {
				t.Errorf("got %q, %q, allow %q; want %q, %q, allow %q",
					op.Protocol, problem.Code, problem.Allow, tt.protocol, tt.code, tt.allow)
			}
			if status, fields, _ := problem.Response(op); fields.Get("Allow") != tt.allow || status < 400 {
				t.Errorf("response is %d with allow %q", status, fields.Get("Allow"))
			}
		})
	}
}

func TestIdentifyNotOffered(t *testing.T) {
	tests := []struct{ method, target, want string }{
		{"POST", "/v1/files", "file uploads"},
		{"POST", "/v1/responses/compact", "compaction"},
		{"GET", "/v1/batches/b_1", "batches"},
		{"POST", "/v1/messages/batches", "batches"},
		{"GET", "/v1/messages/batches/b_1/results", "batches"},
		{"POST", "/v1/images/generations", "image"},
		{"POST", "/v1/audio/transcriptions", "speech"},
		{"POST", "/v1/moderations", "moderation"},
		{"GET", "/v1/responses/resp_1", "stored"},
		{"POST", "/v1/responses/resp_1/cancel", "stored"},
		{"GET", "/v1/chat/completions/c_1", "stored"},
		{"POST", "/v1/threads/t/runs", "stored"},
		{"POST", "/upload/v1beta/files", "file uploads"},
		{"POST", "/v1beta/models/imagen-4:predict", "image"},
		{"POST", "/v1beta/models/g:batchGenerateContent", "batches"},
		{"POST", "/v1beta/cachedContents", "caches"},
		{"GET", "/v1beta/tunedModels", "fine-tuning"},
		{"POST", "/api/pull", "management"},
		{"DELETE", "/api/delete", "management"},
		{"HEAD", "/api/blobs/sha256:00", "management"},
		{"POST", "/chat/completions", "base URL"},
		{"POST", "/v1/v1/messages", "base URL"},
		{"POST", "/v1beta/models/g:run", "base URL"},
		{"POST", "/v1/messages/other", "base URL"},
	}
	for _, tt := range tests {
		op, problem := identify(tt.method, tt.target, nil)
		if problem == nil || problem.Code != CodeUnknownPath {
			t.Errorf("%s %s: %+v, %v", tt.method, tt.target, op, problem)
			continue
		}
		status, _, body := problem.Response(op)
		if status != http.StatusNotFound || !strings.Contains(string(body), tt.want) {
			t.Errorf("%s %s: %d %s, want %q", tt.method, tt.target, status, body, tt.want)
		}
	}
}

func TestLocal(t *testing.T) {
	want := map[Kind]bool{ListModels: true, GetModel: true, ListLoaded: true, Version: true, Root: true}
	for k := Kind(0); k <= Root; k++ {
		if got := (Operation{Kind: k}).Local(); got != want[k] {
			t.Errorf("%v: local is %v, want %v", k, got, want[k])
		}
	}
}

func TestKindString(t *testing.T) {
	seen := map[string]Kind{}
	for k := Kind(0); k <= Root; k++ {
		if other, dup := seen[k.String()]; dup {
			t.Errorf("kinds %d and %d are both %q", other, k, k)
		}
		seen[k.String()] = k
	}
	if got := (Root + 1).String(); got != "unknown" {
		t.Errorf("a kind that is none is %q", got)
	}
}

func FuzzIdentify(f *testing.F) {
	for path := range routes {
		f.Add("POST", path, "", "")
	}
	f.Add("GET", "/v1/models/a%2Fb", "limit=1", "2023-06-01")
	f.Add("POST", "/v1beta/models/a:b:streamGenerateContent", "alt=sse", "")
	f.Fuzz(func(t *testing.T, method, path, query, version string) {
		h := header("Anthropic-Version", version)
		op, problem := Identify(method, path, query, h)
		if problem != nil {
			if status, _, body := problem.Response(op); status < 400 || len(body) == 0 {
				t.Fatalf("%v has no shape: %d %q", problem, status, body)
			}
			return
		}
		if op.Kind == 0 || op.Protocol == "" || !strings.HasPrefix(op.Path, "/") || strings.HasPrefix(op.Path, "//") {
			t.Fatalf("%q %q gives %+v", method, path, op)
		}
		if strings.ContainsFunc(op.Path, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Fatalf("path %q cannot stand in a request line", op.Path)
		}
		if _, q, _ := strings.Cut(op.Path, "?"); q != "" && q != "alt=sse" {
			t.Fatalf("query %q went through", q)
		}
		again, problem := identify(method, op.Path, h)
		if problem != nil || again != op {
			t.Fatalf("%q is %+v, but again it is %+v, %v", op.Path, op, again, problem)
		}
	})
}
