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
}

var scenes = []scene{
	{"text", "Text, and tokens counted once, those from a cache apart.", "text", "text", true, true},
	{"system", "System and developer messages stay in their places.", "system", "text", true, false},
	{"history", "A turn with parallel calls and no text, and their results, one of them an error.", "history", "text", true, false},
	{"calls", "Parallel calls, whose arguments arrive interleaved where the protocol can.", "tools", "calls", true, true},
	{"textcall", "Text followed by a call is a call, even if the backend says stop.", "tools", "textcall", true, true},
	{"noargs", "A call without arguments.", "tools", "noargs", true, true},
	{"length", "The limit of tokens was met.", "limit", "length", true, true},
	{"lengthcall", "The limit of tokens was met after a call.", "limit", "lengthcall", false, true},
	{"filtered", "The backend withheld the rest.", "text", "filtered", true, true},
	{"image", "An image in the request.", "image", "text", true, false},
	{"imageurl", "An image by its URL, which is passed on or refused.", "imageurl", "text", true, false},
	{"resultimage", "An image in what a tool answered.", "resultimage", "text", true, false},
	{"schema", "An answer in the form of a schema.", "schema", "json", true, true},
	{"jsonmode", "An answer in JSON of any form.", "jsonmode", "json", true, false},
	{"choicenone", "No tool may be called.", "choicenone", "text", true, false},
	{"choiceauto", "A tool may be called, one at a time.", "choiceauto", "text", true, false},
	{"choicerequired", "Some tool must be called.", "choicerequired", "textcall", true, false},
	{"choicenamed", "This tool must be called.", "choicenamed", "textcall", true, false},
	{"sampling", "Sampling, stop sequences and the limit of tokens.", "sampling", "text", true, false},
	{"thinking", "Reasoning is asked for and seen, signed; its tokens are counted apart.", "thinking", "thinking", true, true},
	{"effort", "Another way to say how much to think.", "effort", "thinking", false, true},
	{"off", "No reasoning is wanted.", "off", "text", true, false},
	{"cache", "Marks for caching, and fields that no other protocol has.", "cache", "text", true, false},
	{"failed", "The backend fails within its answer.", "text", "failed", true, true},
	{"cut", "The backend's answer breaks off.", "text", "cut", true, true},
	{"split", "Many bytes a character, comments, CRLF and no final newline.", "text", "split", false, true},
	{"completion", "A completion of a text.", "completion", "text", true, true},
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
		for _, s := range scenes {
			for _, streamed := range []bool{false, true} {
				request, ok := tool.request(s.ask, streamed)
				if !ok || streamed && !s.stream || !streamed && !s.plain {
					continue
				}
				name := s.name
				if streamed {
					name += "-stream"
				}
				writeCase(t, tool.name+"-"+backend+"-"+name, s.about, request, answers[backend].of(s.answer, streamed))
			}
		}
		for _, s := range []string{"thinking", "textcall"} {
			writeReplay(t, tool, backend, s)
		}
	})
}

func writeCase(t *testing.T, name, about, request, answer string) {
	t.Helper()
	a := txtar.Archive{Comment: []byte(about + "\n\n"), Files: []txtar.File{
		{Name: toolRequest, Data: []byte(request)}, {Name: backendAnswer, Data: []byte(answer)},
	}}
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
	writeCase(t, tool.name+"-"+backend+"-back"+answer, about, request, answers[backend].of("text", false))
	for _, other := range []string{"openai", "claude", "gemini", "ollama"} {
		if other != backend && other != tool.name {
			about = "An answer of a backend of " + backend + " comes back to another: its signatures are left out."
			writeCase(t, tool.name+"-"+other+"-back"+answer+"of"+backend, about, request, answers[other].of("text", false))
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
