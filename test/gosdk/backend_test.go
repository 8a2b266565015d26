// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/tidwall/gjson"

	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/demobackend"
	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/service"
)

// script is a service of one protocol. A model's name says how it answers, <case>-<protocol>: with what a backend of
// that protocol answers in the golden files of the case; "busy" refuses for retryAfter. Results of calls are always
// answered with the case "text".
type script struct {
	t        *testing.T
	protocol service.Protocol

	mu   sync.Mutex // guards asks
	asks []ask
}

// ask is a request that the service got.
type ask struct {
	path string
	body []byte
}

const (
	busy       = "busy"
	cut        = "cut"
	retryAfter = "17"
	oddPiece   = 53 // bytes a write, so that events and letters are cut
)

// cases are on offer at every script.
var cases = []string{"text", "calls", "schema", "thinking", cut, busy}

// ServeHTTP implements [http.Handler].
func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		s.list(w)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return
	}
	a := ask{r.URL.Path, body}
	if a.exitsOwn(w) {
		return
	}
	s.mu.Lock()
	s.asks = append(s.asks, a)
	s.mu.Unlock()
	if a.scene() == busy {
		w.Header().Set("Retry-After", retryAfter)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"type":"error","error":{"type":"rate_limit_error","code":429,"status":"RESOURCE_EXHAUSTED","message":"slow down"}}`)
		return
	}
	s.answer(w, a)
}

// exitsOwn answers what exits ask at their start, as OpenAI and Ollama do: whether there is a Responses API, by a request
// without a model, and what a model can do. These are not kept.
func (a ask) exitsOwn(w http.ResponseWriter) bool {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case a.path == "/v1/responses" && string(a.body) == "{}":
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"message":"Missing required parameter: 'model'.","type":"invalid_request_error","param":"model","code":"missing_required_parameter"}}`)
	case a.path == "/api/show":
		fmt.Fprint(w, `{"capabilities":["completion","vision","tools","thinking"],"details":{},"model_info":{}}`)
	default:
		return false
	}
	return true
}

func (s *script) answer(w http.ResponseWriter, a ask) {
	scene := a.scene()
	if len(s.results(a)) > 0 {
		scene = "text"
	}
	raw := compact(s.golden(a, scene))
	w.Header().Set("Content-Type", contentType(raw))
	for piece := range slices.Chunk(raw, oddPiece) {
		_, _ = w.Write(piece)
		_ = http.NewResponseController(w).Flush()
	}
	if scene == cut {
		panic(http.ErrAbortHandler)
	}
}

// list lists the models in the form of every protocol at once.
func (s *script) list(w http.ResponseWriter) {
	type model struct {
		ID          string `json:"id,omitempty"`
		Name        string `json:"name,omitempty"`
		Model       string `json:"model,omitempty"`
		DisplayName string `json:"display_name,omitempty"`
	}
	var list struct {
		Data   []model `json:"data"`
		Models []model `json:"models"`
	}
	for _, scene := range cases {
		name := modelOf(scene, s.protocol)
		list.Data = append(list.Data, model{ID: name, DisplayName: name})
		if s.protocol == service.Gemini {
			list.Models = append(list.Models, model{Name: "models/" + name})
		} else {
			list.Models = append(list.Models, model{Name: name, Model: name})
		}
	}
	_ = json.NewEncoder(w).Encode(list)
}

func modelOf(scene string, p service.Protocol) string { return scene + "-" + string(p) }

// scene is the case that the model's name asks for.
func (a ask) scene() string {
	model := gjson.GetBytes(a.body, "model").String()
	if rest, ok := strings.CutPrefix(a.path, "/v1beta/models/"); ok {
		model = rest
	}
	scene, _, _ := strings.Cut(model, "-")
	return scene
}

func (a ask) streamed() bool {
	stream := gjson.GetBytes(a.body, "stream")
	return strings.HasSuffix(a.path, ":streamGenerateContent") || stream.Bool() || a.path == "/api/chat" && !stream.Exists()
}

// golden is what the golden files have such a service answer: what some tool's backend did, or, for Responses, which
// no golden backend speaks, what they were translated to.
func (s *script) golden(a ask, scene string) []byte {
	tool, section := "openai", "backend answer"
	switch {
	case a.path == "/v1/responses":
		tool, section = "responses", "tool answer"
	case s.protocol == service.OpenAI:
		tool = "claude"
	}
	name := fmt.Sprintf("%s-%s-%s", tool, s.protocol, scene)
	if a.streamed() {
		name += "-stream"
	}
	archive, err := txtar.ParseFile(filepath.Join(goldens, name+".txtar"))
	if err != nil {
		s.t.Errorf("POST %s: %v", a.path, err)
		return nil
	}
	at := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == section })
	if at < 0 {
		s.t.Errorf("POST %s: %s has no %s", a.path, name, section)
		return nil
	}
	return archive.Files[at].Data
}

// asked are the requests that the script got so far, the last one last.
func (s *script) asked() []ask {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asks)
}

// last is the last request that the script got.
func (s *script) last() ask {
	all := s.asked()
	if len(all) == 0 {
		s.t.Fatalf("the %s backend was not asked", s.protocol)
	}
	return all[len(all)-1]
}

// values are what stands at a path of package gjson, without null, in one list however deep it was nested.
func (a ask) values(path string) (values []gjson.Result) {
	var flatten func(v gjson.Result)
	flatten = func(v gjson.Result) {
		switch {
		case v.IsArray():
			for _, e := range v.Array() {
				flatten(e)
			}
		case v.Type != gjson.Null:
			values = append(values, v)
		}
	}
	flatten(gjson.GetBytes(a.body, path))
	return values
}

// results are the results of calls in a request, as the protocol has them.
func (s *script) results(a ask) []gjson.Result {
	return a.values(s.dialect(a).results)
}

// form says where a protocol's requests have things, as paths of package gjson.
type form struct{ results, result, call, image, schema string }

var forms = map[service.Protocol]form{
	service.OpenAI: {`messages.#(role=="tool")#`, "content", "tool_call_id", "messages.#.content.#.image_url.url", "response_format.json_schema.schema"},
	service.Claude: {`messages.#.content.#(type=="tool_result")#`, "content", "tool_use_id", "messages.#.content.#.source.data", "output_config.format.schema"},
	service.Gemini: {"contents.#.parts.#.functionResponse", "response.output", "name", "contents.#.parts.#.inlineData.data", "generationConfig.responseJsonSchema"},
	service.Ollama: {`messages.#(role=="tool")#`, "content", "tool_name", "messages.#.images", "format"},
}

var responsesForm = form{`input.#(type=="function_call_output")#`, "output", "call_id", "input.#.content.#.image_url", "text.format.schema"}

func (s *script) dialect(a ask) form {
	if a.path == "/v1/responses" {
		return responsesForm
	}
	return forms[s.protocol]
}

// net is a network in front of a script of each protocol.
type net struct {
	url     string
	scripts map[service.Protocol]*script
}

func (n *net) site() *site { return &site{url: n.url} }

// startScripts starts such a network.
func startScripts(t *testing.T) *net {
	t.Helper()
	n := &net{scripts: map[service.Protocol]*script{}}
	var backends []exit.Backend
	for _, p := range service.Protocols() {
		n.scripts[p] = &script{t: t, protocol: p}
		backends = append(backends, backendAt(t, p, n.scripts[p]))
	}
	n.url = start(t, backends)
	return n
}

// startDemo starts a network in front of the demo backend, and returns its URL.
func startDemo(t *testing.T) string {
	t.Helper()
	demo, err := demobackend.New(demobackend.Config{TokenDelay: -1})
	if err != nil {
		t.Fatal(err)
	}
	var backends []exit.Backend
	for _, p := range service.Protocols() {
		backends = append(backends, backendAt(t, p, demo))
	}
	return start(t, backends)
}

func backendAt(t *testing.T, p service.Protocol, h http.Handler) exit.Backend {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return exit.Backend{Protocol: p, URL: srv.URL}
}

// start runs a network until the test ends, and returns the URL for tools.
func start(t *testing.T, backends []exit.Backend) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	n, err := network.New(ctx, network.Config{Exits: []exit.Config{{
		StateDir: t.TempDir(), Operator: "test", Backends: backends, DrainTimeout: 5 * time.Second,
	}}})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Errorf("the network ended with %v", err)
		}
	})
	ready, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	if err := n.WaitReady(ready); err != nil {
		t.Fatal(err)
	}
	return n.ClientURL()
}

// contains reports whether a request has some bytes in it.
func (a ask) contains(text string) bool { return bytes.Contains(a.body, []byte(text)) }
