// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// slowBackend speaks OpenAI's protocol. It lists the models m and n, begins every answer at once, and ends it
// when it is told to.
type slowBackend struct {
	finish chan struct{}
	once   sync.Once
}

type slowKey struct{}

// stream is a request that a script has begun.
type stream struct {
	answer *http.Response
	head   string // what of it was read to know that it has begun
	rest   *bufio.Reader
}

type streamsKey struct{ name string }

// serveSlow is the command slowbackend.
func serveSlow(ts *testscript.TestScript, _ bool, args []string) {
	b := &slowBackend{finish: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"data":[{"id":"m","context_length":8192},{"id":"n","context_length":-1}]}`)
	})
	mux.HandleFunc("POST /v1/chat/completions", b.answer)
	srv := httptest.NewServer(mux)
	ts.Defer(func() {
		b.once.Do(func() { close(b.finish) })
		srv.Close()
	})
	scriptValues(ts)[slowKey{}] = b
	ts.Setenv(args[0], srv.URL)
}

func (b *slowBackend) answer(w http.ResponseWriter, r *http.Request) {
	const event = `data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":%q},"finish_reason":%s}]}` + "\n\n"
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, event, "begun", "null")
	http.NewResponseController(w).Flush()
	select {
	case <-b.finish:
		fmt.Fprintf(w, event, "finished", `"stop"`)
		io.WriteString(w, "data: [DONE]\n\n")
	case <-r.Context().Done():
	}
}

// finishSlow is the command finish.
func finishSlow(ts *testscript.TestScript, _ bool, _ []string) {
	b := scriptValues(ts)[slowKey{}].(*slowBackend)
	b.once.Do(func() { close(b.finish) })
}

// tardiness is how late what a script waits for may be, on a machine that does much else.
const tardiness = time.Minute

// beginStreams is the command stream.
func beginStreams(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	var begun []*stream
	deadline := time.Now().Add(tardiness)
	for len(begun) < n {
		s, err := beginStream(args[2], args[3])
		switch {
		case err == nil:
			begun = append(begun, s)
		case time.Now().After(deadline):
			ts.Fatalf("begin stream %d: %v", len(begun)+1, err)
		}
	}
	scriptValues(ts)[streamsKey{args[0]}] = begun
}

func beginStream(url, body string) (*stream, error) {
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	s := &stream{answer: answer, rest: bufio.NewReader(answer.Body)}
	s.head, err = s.rest.ReadString('\n')
	if err == nil && answer.StatusCode == http.StatusOK && strings.Contains(s.head, "begun") {
		return s, nil
	}
	answer.Body.Close()
	return nil, fmt.Errorf("status %d, %q, %v", answer.StatusCode, s.head, err)
}

// joinStreams is the command join.
func joinStreams(ts *testscript.TestScript, _ bool, args []string) {
	for _, s := range scriptValues(ts)[streamsKey{args[0]}].([]*stream) {
		rest, err := io.ReadAll(s.rest)
		s.answer.Body.Close()
		text := strings.Join(strings.Fields(s.head+string(rest)), " ")
		fmt.Fprintf(ts.Stdout(), "%s error=%v\n", text, err)
	}
}

// hangUp is the command hangup.
func hangUp(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(find(ts, args[0]).cmd.Process.Signal(syscall.SIGHUP))
}

// waitLog is the command waitlog.
func waitLog(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.Now().Add(tardiness)
	for !strings.Contains(ts.ReadFile(args[0]+".log"), args[1]) {
		if time.Now().After(deadline) {
			ts.Fatalf("the log of %s has no %q:\n%s", args[0], args[1], ts.ReadFile(args[0]+".log"))
		}
		<-time.After(10 * time.Millisecond)
	}
}

// envFile is the command envfile.
func envFile(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

type valuesKey struct{}

// scriptValues are those of the script's own commands.
func scriptValues(ts *testscript.TestScript) map[any]any { return ts.Value(valuesKey{}).(map[any]any) }

// Of models with the same id the first is offered, with what the file says of the first.
func TestFirstModelCounts(t *testing.T) {
	f := backendFile{Protocol: "openai", URL: "http://127.0.0.1:1", Models: []modelFile{
		{ID: "a", BackendID: "first", MaxConcurrent: 1},
		{ID: "a", BackendID: "second", MaxConcurrent: 9},
		{ID: "b"},
		{ID: "b", BackendID: "second", MaxConcurrent: 9},
	}}
	b, err := f.backend()
	if err != nil || b.Aliases["a"] != "first" || b.ModelConcurrent["a"] != 1 || b.Aliases["b"] != "" || b.ModelConcurrent["b"] != 0 {
		t.Errorf("%v, aliases %v, limits %v", err, b.Aliases, b.ModelConcurrent)
	}
}
