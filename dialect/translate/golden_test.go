// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/translate"
	"github.com/tokengo/tokengo/service"
)

var update = flag.Bool("update", false, "write the golden files anew: their inputs from cases_test.go, their outputs as they are now")

// Sections of a golden file. The tool's request, the model's name and the backend's answer are inputs, written by hand or
// by cases_test.go, the others by -update.
const (
	toolRequest    = "tool request"    // METHOD path, then JSON
	modelName      = "backend model"   // where it matters what the model is; else backendModel
	backendRequest = "backend request" // path, then JSON
	backendAnswer  = "backend answer"  // JSON or a stream
	toolAnswer     = "tool answer"     // JSON or a stream
	droppedFields  = "dropped"
	refusal        = "error"  // the request cannot be translated: status and body
	broken         = "broken" // the error that Feed, End or Answer returns after what is in the tool's answer
)

// backendModel is the model's name at the backend, one that says nothing about the model.
const backendModel = "backend-model"

// What the exit fills in where a backend gives no identifier and no time.
const (
	exitID      = "exit-id"
	exitCreated = 1700000001
)

// golden is one file.
type golden struct {
	comment string
	input   map[string]string
}

func readGolden(t *testing.T, path string) ([]byte, golden) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	archive := txtar.Parse(raw)
	g := golden{comment: string(archive.Comment), input: map[string]string{}}
	for _, f := range archive.Files {
		if f.Name == toolRequest || f.Name == modelName || f.Name == backendAnswer {
			g.input[f.Name] = string(f.Data)
		}
	}
	return raw, g
}

// output is what a golden's inputs give.
type output struct {
	backendRequest, toolAnswer, dropped, refusal, broken string
	stream                                               bool
	contentType                                          string
}

// run translates. The answer arrives in the pieces that split makes of it.
func (g golden) run(backend service.Protocol, split func([]byte) [][]byte) (output, error) {
	head, body, _ := strings.Cut(g.input[toolRequest], "\n")
	method, target, _ := strings.Cut(head, " ")
	path, query, _ := strings.Cut(target, "?")
	op, fail := dialect.Identify(method, path, query, http.Header{})
	if fail != nil {
		return output{}, fmt.Errorf("identify %s: %w", head, fail)
	}
	if op.Kind == dialect.Responses && !op.Translates(backend) {
		op.Protocol = "" // New takes this pair for a native one, see TestResponsesToChat
	}
	if op.Kind == dialect.CountTokens {
		return counted(op, []byte(body))
	}
	x, fail := translate.New(op, []byte(body), g.target(backend))
	if fail != nil {
		return refused(op, fail), nil
	}
	out := output{
		backendRequest: x.Path + "\n" + indented(x.Body), dropped: lines(x.Dropped),
		stream: x.Stream, contentType: x.ContentType(),
	}
	if !x.Stream {
		answer, err := x.Answer([]byte(g.input[backendAnswer]))
		if err != nil {
			out.broken = err.Error() + "\n"
			return out, nil
		}
		out.toolAnswer = stable(indented(answer))
		return out, nil
	}
	answer, err := feed(x, split([]byte(g.input[backendAnswer])))
	out.toolAnswer = stable(string(answer))
	if err != nil {
		out.broken = err.Error() + "\n"
	}
	return out, nil
}

func (g golden) target(backend service.Protocol) translate.Target {
	model := cmp.Or(strings.TrimSpace(g.input[modelName]), backendModel)
	return translate.Target{Protocol: backend, Model: model, ID: exitID, Created: exitCreated}
}

// counted is a count of tokens, which no backend is asked for.
func counted(op dialect.Operation, body []byte) (output, error) {
	answer, local, fail := translate.Local(op, body)
	switch {
	case fail != nil:
		return refused(op, fail), nil
	case !local:
		return output{}, errors.New("a count of tokens is not answered locally")
	}
	return output{toolAnswer: indented(answer)}, nil
}

func refused(op dialect.Operation, fail *dialect.Error) output {
	status, _, text := fail.Response(op)
	return output{refusal: fmt.Sprintf("%d\n%s", status, indented(text))}
}

// made is an id that a codec made because the backend has none, see [crypto/rand.Text].
var made = regexp.MustCompile(`[A-Z2-7]{26}`)

// stable gives the ids that are made anew each time the same name each time.
func stable(answer string) string {
	names := map[string]string{}
	return made.ReplaceAllStringFunc(answer, func(id string) string {
		if names[id] == "" {
			names[id] = fmt.Sprintf("made%d", len(names)+1)
		}
		return names[id]
	})
}

func feed(x *translate.Exchange, pieces [][]byte) (answer []byte, err error) {
	for _, p := range pieces {
		if answer, err = x.Feed(answer, p); err != nil {
			return answer, err
		}
	}
	return x.End(answer)
}

func indented(raw []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return "not JSON: " + string(raw) + "\n"
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func lines(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return strings.Join(names, "\n") + "\n"
}

// format is the golden file of an output.
func (g golden) format(o output) []byte {
	a := &txtar.Archive{Comment: []byte(g.comment)}
	add := func(name, data string) {
		if data != "" {
			a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(data)})
		}
	}
	add(toolRequest, g.input[toolRequest])
	add(modelName, g.input[modelName])
	add(refusal, o.refusal)
	add(backendRequest, o.backendRequest)
	add(droppedFields, o.dropped)
	if o.refusal == "" {
		add(backendAnswer, g.input[backendAnswer])
	}
	add(toolAnswer, o.toolAnswer)
	add(broken, o.broken)
	return txtar.Format(a)
}

func whole(b []byte) [][]byte { return [][]byte{b} }

// atRandom cuts into pieces of at most so many bytes.
func atRandom(r *rand.Rand, most int) func([]byte) [][]byte {
	return func(b []byte) [][]byte {
		var pieces [][]byte
		for len(b) > 0 {
			n := min(1+r.IntN(most), len(b))
			pieces = append(pieces, bytes.Clone(b[:n]))
			b = b[n:]
		}
		return pieces
	}
}

// backendOf reads the backend's protocol from a file's name, <tool>-<backend>-<case>.txtar.
func backendOf(t *testing.T, path string) service.Protocol {
	t.Helper()
	p, err := service.ParseProtocol(strings.Split(filepath.Base(path), "-")[1])
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestGolden translates what the files of testdata have a tool and a backend send. Time stands still in it, so that
// answers without a time of their own are the same each time.
func TestGolden(t *testing.T) {
	if *update {
		writeCases(t)
	}
	paths, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testGolden(t, path) })
		})
	}
}

func testGolden(t *testing.T, path string) {
	raw, g := readGolden(t, path)
	backend := backendOf(t, path)
	want, err := g.run(backend, whole)
	if err != nil {
		t.Fatal(err)
	}
	text := g.format(want)
	if *update {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := gocmp.Diff(string(raw), string(text)); diff != "" {
		t.Errorf("translation differs from the golden file (-want +got):\n%s", diff)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, most := range []int{1, 7, 300} {
		if !want.stream {
			break
		}
		got, err := g.run(backend, atRandom(r, most))
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(output{})); diff != "" {
			t.Errorf("in pieces of at most %d bytes the answer differs (-whole +pieces):\n%s", most, diff)
		}
	}
}

// TestErrors holds what an exchange says of errors that the goldens show as text.
func TestErrors(t *testing.T) {
	g := golden{input: map[string]string{
		toolRequest:   "POST /v1/messages\n" + `{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"}]}`,
		backendAnswer: `data: {"error":{"message":"no","type":"server_error"}}` + "\n\n",
	}}
	op, _ := dialect.Identify(http.MethodPost, "/v1/messages", "", http.Header{})
	_, body, _ := strings.Cut(g.input[toolRequest], "\n")
	x, fail := translate.New(op, []byte(body), translate.Target{Protocol: service.OpenAI, Model: "m"})
	if fail != nil {
		t.Fatal(fail)
	}
	if _, err := feed(x, whole([]byte(g.input[backendAnswer]))); !errors.Is(err, translate.ErrFailed) {
		t.Errorf("error in the stream: got %v, want ErrFailed", err)
	}
	if got := x.ErrorCode(429, nil); got != dialect.CodeBackendRateLimited {
		t.Errorf("ErrorCode(429) = %q", got)
	}
	if _, fail := translate.New(op, []byte(body), translate.Target{Protocol: service.Claude}); fail == nil {
		t.Error("a native pair was translated")
	}
}

// TestResponsesToChat holds that Responses are translated for a backend that has Chat Completions only.
func TestResponsesToChat(t *testing.T) {
	op, _ := dialect.Identify(http.MethodPost, "/v1/responses", "", http.Header{})
	_, fail := translate.New(op, []byte(`{"model":"m","input":"Hi"}`), translate.Target{Protocol: service.OpenAI, Model: "m"})
	if fail != nil {
		t.Errorf("New refuses the pair: %v", fail)
	}
}

func TestTooLongIsToldApart(t *testing.T) {
	op, _ := dialect.Identify(http.MethodPost, "/v1/messages", "", http.Header{})
	x, fail := translate.New(op, []byte(`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`), translate.Target{Protocol: service.OpenAI, Model: "m"})
	if fail != nil {
		t.Fatal(fail)
	}
	for body, want := range map[string]dialect.Code{
		`{"error":{"code":"context_length_exceeded"}}`:                                      dialect.CodeContextLength,
		`{"error":{"message":"This model's maximum context length is 8192 tokens."}}`:       dialect.CodeContextLength,
		`{"error":{"message":"the request exceeds the available context size","code":400}}`: dialect.CodeContextLength,
		`{"error":{"message":"temperature is out of range"}}`:                               dialect.CodeBackendRejected,
	} {
		if got := x.ErrorCode(http.StatusBadRequest, []byte(body)); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}
