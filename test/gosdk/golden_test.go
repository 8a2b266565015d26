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

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/translate"
)

// goldens is where the golden files of translation are, <tool>-<backend>-<case>.txtar; golden_test.go there says what
// is in them.
const goldens = "../../dialect/translate/testdata"

// golden is a translated answer.
type golden struct {
	tool, backend string // as sdks are named
	target        string // path and query of the tool's request
	request       []byte // its body
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
	names := strings.Split(filepath.Base(path), "-")
	g := golden{tool: names[0], backend: names[1]}
	for _, f := range archive.Files {
		switch f.Name {
		case "tool request":
			head, body, _ := bytes.Cut(f.Data, []byte("\n"))
			_, target, _ := strings.Cut(string(head), " ")
			g.target, g.request = target, body
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

// streamed reports whether an answer is a stream: whole ones are written over many lines, or are one line.
func (g golden) streamed() bool { return !json.Valid(g.toolAnswer) }

// reader is the SDK that reads the tool's answer.
func (g golden) reader() func(*site, question) asker {
	switch {
	case strings.HasPrefix(g.target, "/v1/completions"):
		return startCompletion
	case strings.HasPrefix(g.target, "/api/generate"):
		return startGenerate
	}
	return sdkNamed(g.tool).asks
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

// read has an SDK read an answer as if a service had sent it.
func read(t *testing.T, start func(*site, question) asker, raw []byte, streamed bool) (answer, error) {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", contentType(raw))
		_, _ = w.Write(compact(raw))
	}))
	defer service.Close()
	return start(&site{url: service.URL}, question{model: "m", prompt: "Hi"}).next(t.Context(), streamed)
}

func contentType(answer []byte) string {
	switch {
	case json.Valid(answer):
		return "application/json"
	case bytes.HasPrefix(answer, []byte("{")):
		return "application/x-ndjson"
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
	case g.broken:
		if got, err := read(t, g.reader(), g.end(t), true); err == nil {
			t.Errorf("the SDK takes a broken answer for whole: %+v", got)
		}
		return
	}
	got, err := read(t, g.reader(), g.toolAnswer, g.streamed())
	if err != nil {
		t.Fatalf("the tool's SDK refuses the answer: %v", err)
	}
	want, err := read(t, sdkNamed(g.backend).asks, tidy(g.backendAnswer), g.streamed())
	if err != nil {
		t.Fatalf("the backend's SDK refuses the backend's answer: %v", err)
	}
	if want.Text == "" && want.Calls == nil {
		t.Fatal("the backend's answer has nothing in it")
	}
	if diff := gocmp.Diff(g.told(want), got); diff != "" {
		t.Errorf("the SDKs read different things (-backend's +tool's):\n%s", diff)
	}
}

// told is what the tool can learn of an answer in its protocol.
func (g golden) told(a answer) answer {
	if g.tool == "ollama" {
		a.Usage.Cached, a.Usage.Thinking = 0, 0
	}
	for i := range a.Calls {
		a.Calls[i].Args = cmp.Or(a.Calls[i].Args, "{}") // without arguments, whatever the backend made of that
	}
	return a
}

// tidy takes from a stream what codecs must read and SDKs need not: comments, CRLF, and a last event without its end.
func tidy(answer []byte) []byte {
	answer = bytes.ReplaceAll(answer, []byte("\r\n"), []byte("\n"))
	answer = bytes.TrimPrefix(answer, []byte(": waiting\n\n"))
	end := "\n"
	if contentType(answer) == "text/event-stream" {
		end = "\n\n"
	}
	return append(bytes.TrimRight(answer, "\n"), end...)
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
