// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rule is something that translation must get right, and the golden cases that hold it: for each pair of a tool and a
// backend that it is about, a file tool-backend-case.txtar each.
type rule struct {
	name  string
	cases []held
}

// held are cases, with the tools and backends that they are about. None is all: the tools that cannot say such a thing, and
// the backends that never answer so, are the ones left out.
type held struct {
	cases           string // separated by spaces
	tools, backends []string
}

var (
	chatTools    = []string{"openai", "responses", "claude", "gemini"} // that can choose among tools
	stopTools    = []string{"openai", "claude", "gemini", "ollama"}
	jsonTools    = []string{"openai", "responses", "gemini", "ollama"}
	probTools    = []string{"openai", "responses", "gemini", "ollama"}
	probBackends = []string{"openai", "gemini", "ollama"}
	pictureTools = []string{"responses", "claude", "gemini", "ollama"}
	identifiers  = []string{"openai", "responses", "claude"} // of calls
	refusing     = []string{"openai", "claude", "gemini"}
)

var rules = []rule{
	{"1 interleaved calls keep their index, and every block ends", []held{{cases: "calls calls-stream"}, {"arraycalls-stream arraytextcall-stream", []string{"gemini"}, nil}, {"fromarray-stream", nil, []string{"gemini"}}}},
	{"2 text and calls end as calls, a limit stays a limit", []held{{cases: "textcall textcall-stream length length-stream lengthcall-stream thinkcall thinkcall-stream"}}},
	{"3 arguments are text or objects, and none are {}", []held{{cases: "noargs noargs-stream history"}}},
	{"4 no empty texts, results in one turn and in order", []held{
		{cases: "history reorder emptytext samerole"}, {"resultimage", pictureTools, nil}, {"resulterror", []string{"responses", "claude", "gemini"}, nil}, {"sameids", identifiers, nil}, {cases: "orphan"},
	}},
	{"5 each protocol's own order of a stream", []held{{cases: "text-stream thinking-stream empty empty-stream"}, {"nousage-stream", []string{"openai"}, nil}, {"arraytext-stream arraythinking-stream arrayempty-stream", []string{"gemini"}, nil}}},
	{"6 usage is counted once", []held{{cases: "text text-stream counts-stream thinking-stream"}}},
	{"7 signatures return to who made them, efforts and budgets map", []held{
		{cases: "thinking thinking-stream effort-stream off backthinking backtextcall"},
		{"backthinkingofclaude backtextcallofclaude", []string{"openai", "responses", "gemini", "ollama"}, []string{"openai", "gemini", "ollama"}},
		{"backthinkingofgemini backtextcallofgemini", []string{"openai", "responses", "claude", "ollama"}, []string{"openai", "claude", "ollama"}},
		{"backthinkingofopenai backtextcallofopenai", []string{"responses", "claude", "gemini", "ollama"}, []string{"claude", "gemini", "ollama"}},
		{"backthinkingofollama backtextcallofollama", []string{"openai", "responses", "claude", "gemini"}, []string{"openai", "claude", "gemini"}},
		{cases: "thinkingnewer"},
		{"thinkingolder offnever", nil, refusing},
		{"offlevel", nil, []string{"gemini"}},
		{cases: "offnewer"},
		{"thinkingnever", nil, []string{"claude", "gemini"}},
		{"choiceforced", chatTools, []string{"claude"}},
	}},
	{"8 system messages are the system's, wherever they stand", []held{{cases: "system"}, {"midsystem", []string{"gemini"}, nil}, {"systemolder systemnewer", nil, []string{"claude"}}}},
	{"9 choices of tools, and parallel calls", []held{{"choicenone choiceauto choicerequired choicenamed", chatTools, nil}, {"toolchoice", []string{"ollama"}, nil}}},
	{"10 schemas", []held{{cases: "schema schema-stream schemaref"}, {"jsonmode", jsonTools, nil}}},
	{"11 marks for caching", []held{{cases: "cache"}, {"marks", []string{"openai", "claude"}, nil}}},
	{"12 limits of tokens", []held{{cases: "length"}, {"limitnone limitmore", nil, []string{"claude"}}}},
	{"13 errors within an answer", []held{{cases: "failed failed-stream cut cut-stream"}, {"arrayfailed-stream arraycut-stream", []string{"gemini"}, nil}}},
	{"14 any way to cut a stream", []held{{cases: "split-stream"}}},
	{"15 addresses of images are passed on or refused", []held{{"imageurl", chatTools, nil}, {cases: "image"}}},
	{"16 counts of tokens", []held{{"count", []string{"claude", "gemini"}, nil}}},

	{"stop sequences and sampling", []held{{"stopseq stopseq-stream", stopTools, nil}, {cases: "sampling"}, {"hot", jsonTools, nil}, {"manystops", []string{"openai", "claude"}, []string{"openai", "gemini"}}, {"samplingfixed", nil, []string{"openai", "claude"}}, {"samplingeither", nil, []string{"claude"}}}},
	{"probabilities", []held{{"logprobs logprobs-stream", probTools, probBackends}}},
	{"refusals", []held{{"refusal refusal-stream", nil, refusing}, {cases: "filtered filtered-stream"}}},
	{"what is refused", []held{{"several", []string{"openai", "gemini"}, nil}, {"fileid", chatTools, nil}, {"audio", []string{"openai", "responses", "gemini", "ollama"}, nil}}},
	{"files", []held{{"file textfile", chatTools, nil}, {"storedfile", []string{"responses"}, nil}}},
	{"names of functions", []held{{cases: "names namesback namesback-stream"}}},
	{"tools of a service's own", []held{{"builtin", []string{"claude", "gemini"}, nil}}},
	{"answers that are to be continued, and that come first", []held{{cases: "prefill"}, {"greeting", jsonTools, nil}}},
	{"completions", []held{{"completion completion-stream", []string{"openai", "ollama"}, nil}, {"fill fill-stream", []string{"openai", "ollama"}, nil}}},
	{"embeddings", []held{{"embedone embedtwo", []string{"openai", "gemini", "ollama"}, []string{"openai", "gemini", "ollama"}}, {"embedone", []string{"openai", "gemini", "ollama"}, []string{"claude"}}, {"embedolder", []string{"ollama"}, []string{"openai", "gemini"}}}},
}

// TestRules holds that every rule has its cases for every pair that it is about.
func TestRules(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, h := range r.cases {
				pairs(func(tool tool, backend string) {
					if !among(h.tools, tool.name) || !among(h.backends, backend) {
						return
					}
					for _, c := range strings.Fields(h.cases) {
						name := tool.name + "-" + backend + "-" + c + ".txtar"
						if _, err := os.Stat(filepath.Join("testdata", name)); err != nil {
							t.Errorf("there is no case %s", name)
						}
					}
				})
			}
		})
	}
}

func among(list []string, name string) bool { return list == nil || slices.Contains(list, name) }

// TestCasesHaveRules holds that every case is of a rule.
func TestCasesHaveRules(t *testing.T) {
	var known []string
	for _, r := range rules {
		for _, h := range r.cases {
			known = append(known, strings.Fields(h.cases)...)
		}
	}
	paths, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	missing := map[string]bool{}
	for _, path := range paths {
		parts := strings.SplitN(strings.TrimSuffix(filepath.Base(path), ".txtar"), "-", 3)
		if c := parts[len(parts)-1]; !slices.Contains(known, c) && !missing[c] {
			missing[c] = true
			t.Errorf("the case %s is of no rule", c)
		}
	}
}
