// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/tidwall/gjson"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/translate"
)

// goldens is where the golden files of translation are, <tool>-<backend>-<case>.txtar; golden_test.go there says what
// is in them.
const goldens = "../../dialect/translate/testdata"

// golden is a translated answer.
type golden struct {
	tool, backend string // as sdks are named
	scene         string // the case, without "-stream"
	streamed      bool
	target        string // path and query of the tool's request
	request       []byte // its body
	backendTarget string // path and query of the backend's request; "" if the backend is not asked
	backendAsked  []byte // its body
	backendAnswer []byte
	toolAnswer    []byte
	refused       bool // the request was: there is no answer
	broken        bool // the answer breaks off
}

func readGolden(t *testing.T, path string) golden {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	names := strings.SplitN(strings.TrimSuffix(filepath.Base(path), ".txtar"), "-", 3)
	g := golden{tool: names[0], backend: names[1]}
	g.scene, g.streamed = strings.CutSuffix(names[2], "-stream")
	for _, f := range archive.Files {
		head, body, _ := bytes.Cut(f.Data, []byte("\n"))
		switch f.Name {
		case "tool request":
			_, target, _ := strings.Cut(string(head), " ")
			g.target, g.request = target, body
		case "backend request":
			g.backendTarget, g.backendAsked = string(head), body
		case "backend answer":
			g.backendAnswer = f.Data
		case "tool answer":
			g.toolAnswer = f.Data
		case "error":
			g.refused = true
		case "broken":
			g.broken = true
		}
	}
	return g
}

// reader is the SDK named, or its part that reads what is answered at a path.
func reader(name, path string) func(*site, question) asker {
	switch {
	case strings.HasPrefix(path, "/v1/completions"):
		return startCompletion
	case strings.HasPrefix(path, "/api/generate"):
		return startGenerate
	}
	return sdkNamed(name).asks
}

func (s sdk) asks(at *site, q question) asker { return s.start(at, q) }

func sdkNamed(name string) sdk {
	for _, s := range sdks {
		if s.name == name {
			return s
		}
	}
	panic("no SDK named " + name)
}

// serve starts a service that answers everything alike.
func serve(t *testing.T, raw []byte) *site {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", contentType(raw))
		_, _ = w.Write(compact(raw))
	}))
	t.Cleanup(service.Close)
	return &site{url: service.URL}
}

// read has an SDK read an answer as if a service had sent it.
func read(t *testing.T, start func(*site, question) asker, raw []byte, streamed bool) (answer, error) {
	t.Helper()
	return start(serve(t, raw), question{model: "m", prompt: "Hi"}).next(t.Context(), streamed)
}

func contentType(answer []byte) string {
	switch {
	case bytes.HasPrefix(answer, []byte("{")) && !json.Valid(answer):
		return "application/x-ndjson"
	case json.Valid(answer):
		return "application/json"
	}
	return "text/event-stream"
}

// compact undoes what makes whole answers readable. They are sent in one line, and Ollama's SDK relies on it.
func compact(answer []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, answer) != nil {
		return answer
	}
	return b.Bytes()
}

// TestGoldens has each answer read by the SDK of the tool's protocol, and by the SDK of the backend's before translation.
func TestGoldens(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(goldens, "*.txtar"))
	if err != nil || len(paths) < 200 {
		t.Fatalf("%d golden files, error %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			testGolden(t, readGolden(t, path))
		})
	}
}

func testGolden(t *testing.T, g golden) {
	switch {
	case g.toolAnswer == nil && (g.refused || g.broken):
		t.Skip("nothing was answered: the request was refused, or the exit answers with a status")
	case g.scene == "count":
		testCount(t, g)
	case strings.HasPrefix(g.scene, "embed"):
		testEmbedding(t, g)
	case g.broken:
		got, err := read(t, reader(g.tool, g.target), events(g.end(t)), true)
		if err == nil {
			t.Errorf("the SDK takes a broken answer for whole: %+v", got)
		}
		if g.tool == "gemini" && geminiStatus(err) == 0 {
			t.Errorf("the SDK raises %T, not the error at the end: %v", err, err)
		}
	default:
		testAnswer(t, g)
	}
}

func testAnswer(t *testing.T, g golden) {
	got, err := read(t, reader(g.tool, g.target), events(g.toolAnswer), g.streamed)
	if err != nil {
		t.Fatalf("the tool's SDK refuses the answer: %v", err)
	}
	want, err := read(t, reader(g.backend, g.backendTarget), g.tidy(), g.streamed)
	if err != nil {
		t.Fatalf("the backend's SDK refuses the backend's answer: %v", err)
	}
	if empty := want.Text == "" && want.Calls == nil; empty && withoutContent[g.scene] == "" {
		t.Fatal("the backend's answer has nothing in it")
	}
	if diff := gocmp.Diff(g.told(want), got); diff != "" {
		t.Errorf("the SDKs read different things (-backend's +tool's):\n%s", diff)
	}
}

// withoutContent says of which cases answers may have neither text nor calls, and why.
var withoutContent = map[string]string{
	"empty":      "the model says nothing",
	"arrayempty": "the model says nothing",
	"refusal":    "some protocols say no more than that the prompt was blocked; reason and usage are compared",
}

// testCount has the tool's SDK read a count of tokens. There is nothing of a backend to compare it with.
func testCount(t *testing.T, g golden) {
	got, err := sdkNamed(g.tool).count(t.Context(), serve(t, g.toolAnswer), question{model: "m", prompt: "Hi"})
	if err != nil {
		t.Fatalf("the tool's SDK refuses the count: %v", err)
	}
	field := map[string]string{"claude": "input_tokens", "gemini": "totalTokens"}[g.tool]
	if want := gjson.GetBytes(g.toolAnswer, field).Int(); want < 1 || int64(got) != want {
		t.Errorf("the SDK reads a count of %d, want %d", got, want)
	}
}

// testEmbedding has both SDKs read embeddings. They must read the same vectors.
func testEmbedding(t *testing.T, g golden) {
	if g.tool == "openai" && g.scene == "embedtwo" {
		t.Skip("the tool asked for vectors in base64, which OpenAI's SDK for Go neither asks for nor reads")
	}
	embed, toolAnswer := sdkNamed(g.tool).embed, batch(g.toolAnswer)
	if g.scene == "embedolder" {
		embed, toolAnswer = ollamaEmbedOlder, g.toolAnswer
	}
	got, err := embed(t.Context(), serve(t, toolAnswer), "m", []string{"Hi"})
	if err != nil {
		t.Fatalf("the tool's SDK refuses the embeddings: %v", err)
	}
	want, err := sdkNamed(g.backend).embed(t.Context(), serve(t, batch(g.backendAnswer)), "m", []string{"Hi"})
	if err != nil {
		t.Fatalf("the backend's SDK refuses the backend's embeddings: %v", err)
	}
	if len(want) == 0 || len(want[0]) == 0 {
		t.Fatal("the backend's answer has no vectors")
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("the SDKs read different vectors (-backend's +tool's):\n%s", diff)
	}
}

// told is what the tool can learn of an answer in its protocol, and with what it asked for.
func (g golden) told(a answer) answer {
	asked := gjson.ParseBytes(g.request)
	if g.tool == "ollama" {
		a.Usage.Cached, a.Usage.Thinking = 0, 0
	}
	if included := asked.Get("stream_options.include_usage"); included.Exists() && !included.Bool() {
		a.Usage = usage{}
	}
	if g.tool == "gemini" && !asked.Get("generationConfig.thinkingConfig.includeThoughts").Bool() {
		a.Thought = ""
	}
	names := g.names()
	for i := range a.Calls {
		a.Calls[i].Args = cmp.Or(a.Calls[i].Args, "{}") // without arguments, whatever the backend made of that
		a.Calls[i].Name = cmp.Or(names[a.Calls[i].Name], a.Calls[i].Name)
	}
	return a
}

// toolNames is where requests have the names of tools, as a path of package gjson.
var toolNames = map[string]string{
	"openai": "tools.#.function.name", "responses": "tools.#.name", "claude": "tools.#.name",
	"gemini": "tools.#.functionDeclarations.#.name", "ollama": "tools.#.function.name",
}

// names maps what the backend knows the tools by to what they are called. Tools keep their order.
func (g golden) names() map[string]string {
	own := ask{body: g.request}.values(toolNames[g.tool])
	changed := ask{body: g.backendAsked}.values(toolNames[g.backend])
	if len(own) != len(changed) {
		return nil // some were left out
	}
	names := map[string]string{}
	for i := range own {
		names[changed[i].String()] = own[i].String()
	}
	return names
}

// end is a broken answer with the end that the exit gives it, which is not in the file where the backend said nothing.
func (g golden) end(t *testing.T) []byte {
	t.Helper()
	path, query, _ := strings.Cut(g.target, "?")
	op, fail := dialect.Identify(http.MethodPost, path, query, http.Header{})
	if fail != nil {
		t.Fatal(fail)
	}
	if g.tool == "responses" && g.backend == "openai" {
		op.Protocol = "" // else New takes this pair for a native one
	}
	x, fail := translate.New(op, g.request, translate.Target{Protocol: sdkNamed(g.backend).protocol, Model: "m"})
	if fail != nil {
		t.Fatal(fail)
	}
	out, err := x.Feed(nil, g.backendAnswer)
	if err == nil {
		out, err = x.End(out)
	}
	switch {
	case err == nil:
		t.Fatal("the answer does not break off")
	case !errors.Is(err, translate.ErrFailed):
		out = x.Break(out, dialect.CodeBackendError)
	}
	return out
}
