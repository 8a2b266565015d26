// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Golden files are a case each: what a tool asks (toolcases_test.go) joined with what a backend answers
// (answers_test.go), for each pair. Files of other names are written by hand.

// scene joins a question with an answer. Its name is the case's.
type scene struct {
	name, about string
	ask         string // key of a tool's requests
	answer      string // key of a backend's answers
	plain       bool   // whole answers are worth a case
	stream      bool   // streamed ones are
	// models are the backends that the case is about, with the model's name where it matters; none are all.
	models map[string]string
}

// concerns tells whether a scene is about a backend, and what the model is called there.
func (s *scene) concerns(backend string) (model string, ok bool) {
	model, ok = s.models[backend]
	return model, ok || s.models == nil
}

// pairs are the tools and the backends that they cannot speak to themselves.
func pairs(each func(tool tool, backend string)) {
	for _, t := range tools {
		for _, b := range []string{"openai", "claude", "gemini", "ollama"} {
			if t.name != b {
				each(t, b)
			}
		}
	}
}

// writeCases writes the inputs of all cases.
func writeCases(t *testing.T) {
	pairs(func(tool tool, backend string) {
		for i := range scenes {
			writeScene(t, &scenes[i], tool, backend)
		}
		writeForms(t, tool, backend)
		for _, s := range []string{"thinking", "textcall"} {
			writeReplay(t, tool, backend, s)
		}
	})
	writeEmbeddings(t)
}

func writeScene(t *testing.T, s *scene, tool tool, backend string) {
	t.Helper()
	model, ok := s.concerns(backend)
	if !ok {
		return
	}
	for _, streamed := range []bool{false, true} {
		request, ok := tool.request(s.ask, streamed)
		if !ok || streamed && !s.stream || !streamed && !s.plain {
			continue
		}
		answer := answers[backend].of(s.answer, streamed)
		if answer == "" {
			continue // backends of that protocol never answer so
		}
		name := tool.name + "-" + backend + "-" + s.name
		if streamed {
			name += "-stream"
		}
		writeCase(t, name, s.about, request, model, answer)
	}
}

func writeCase(t *testing.T, name, about, request, model, answer string) {
	t.Helper()
	a := txtar.Archive{Comment: []byte(about + "\n\n"), Files: []txtar.File{{Name: toolRequest, Data: []byte(request)}}}
	if model != "" {
		a.Files = append(a.Files, txtar.File{Name: modelName, Data: []byte(model + "\n")})
	}
	a.Files = append(a.Files, txtar.File{Name: backendAnswer, Data: []byte(answer)})
	path := filepath.Join("testdata", name+".txtar")
	old, _ := os.ReadFile(path)
	if text := txtar.Format(&a); !bytes.Equal(old, text) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// writeReplay writes the cases in which the tool sends back an answer with reasoning: to the backend that made it, and
// to another.
func writeReplay(t *testing.T, tool tool, backend, answer string) {
	t.Helper()
	first, _ := tool.request("thinking", false)
	g := golden{input: map[string]string{toolRequest: first, backendAnswer: answers[backend].of(answer, false)}}
	out, err := g.run(protocolOf(t, backend), whole)
	if err != nil || out.toolAnswer == "" {
		t.Fatalf("%s %s: %v %+v", tool.name, backend, err, out)
	}
	request := tool.replay(out.toolAnswer)
	about := "The answer to an earlier request of the same backend comes back: signatures are restored to the byte."
	writeCase(t, tool.name+"-"+backend+"-back"+answer, about, request, "", answers[backend].of("text", false))
	for _, other := range []string{"openai", "claude", "gemini", "ollama"} {
		if other != backend && other != tool.name {
			about = "An answer of a backend of " + backend + " comes back to another: its signatures are left out."
			writeCase(t, tool.name+"-"+other+"-back"+answer+"of"+backend, about, request, "", answers[other].of("text", false))
		}
	}
}

// joined puts the parts of a list together, without empty ones.
func joined(parts ...string) string {
	var some []string
	for _, p := range parts {
		if p != "" {
			some = append(some, p)
		}
	}
	return strings.Join(some, ",")
}
