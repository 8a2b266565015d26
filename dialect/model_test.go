// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

var (
	openAIChat = Operation{Protocol: service.OpenAI, Kind: Chat, Path: "/v1/chat/completions"}
	ollamaShow = Operation{Protocol: service.Ollama, Kind: ShowModel, Path: "/api/show"}
	ollamaChat = Operation{Protocol: service.Ollama, Kind: Chat, Path: "/api/chat"}
	geminiChat = Operation{Protocol: service.Gemini, Kind: Chat, Model: "g", Path: "/v1beta/models/g:generateContent"}
	geminiEmb  = Operation{Protocol: service.Gemini, Kind: Embedding, Model: "g", Path: "/v1beta/models/g:batchEmbedContents"}
)

func TestRequestModel(t *testing.T) {
	tests := []struct {
		name string
		op   Operation
		body string
		want string
		code Code
	}{
		{"plain", openAIChat, `{"model":"gpt-5","messages":[]}`, "gpt-5", ""},
		{"last, with space", openAIChat, " {\"a\" : [1, {\"model\":\"no\"}] ,\r\n\t\"model\" : \"yes\" } \n", "yes", ""},
		{"escaped value", openAIChat, `{"model":"a\/b\u003a\"\\\ud83d\ude00"}`, "a/b:\"\\\U0001F600", ""},
		{"escaped key", openAIChat, `{"\u006d\u006f\u0064\u0065\u006c":"x"}`, "x", ""},
		{"nested ones do not count", openAIChat, `{"x":{"model":"n"},"y":[{"model":"n"}],"model":"m"}`, "m", ""},
		{"name is nothing", openAIChat, `{"model":"m","name":1,"Name":"n"}`, "m", ""},
		{"gemini's nesting is nothing elsewhere", openAIChat, `{"requests":[{"model":7}],"model":"m"}`, "m", ""},
		{"ollama tag", ollamaChat, `{"model":"llama3:8b"}`, "llama3:8b", ""},
		{"show by model", ollamaShow, `{"model":"x"}`, "x", ""},
		{"show by name", ollamaShow, `{"name":"x","verbose":true}`, "x", ""},
		{"show by both", ollamaShow, `{"name":"x:latest","model":"x"}`, "x", ""},
		{"show as Ollama's own tool asks", ollamaShow, `{"model":"","system":"","template":"","verbose":false,"options":null,"name":"x"}`, "x", ""},
		{"show by model, name empty", ollamaShow, `{"model":"x","name":""}`, "x", ""},
		{"show by nothing", ollamaShow, `{"model":"","name":""}`, "", CodeNoModel},
		{"show by an empty model twice", ollamaShow, `{"model":"","model":"","name":"x"}`, "", CodeNoModel},
		{"chat by nothing but a name", ollamaChat, `{"model":"","name":"x"}`, "", CodeNoModel},
		{"path", geminiChat, `{"contents":[]}`, "g", ""},
		{"path and body", geminiChat, `{"model":"models/g"}`, "g", ""},
		{"path and nested", geminiEmb, `{"requests":[{"model":"models/g"},{"model":"g"},{}, 1]}`, "g", ""},
		{"path and counted", geminiEmb, `{"generateContentRequest":{"model":"models/g","x":{"model":"n"}}}`, "g", ""},

		{"empty", openAIChat, ``, "", CodeNotJSON},
		{"space", openAIChat, " \n", "", CodeNotJSON},
		{"array", openAIChat, `[{"model":"x"}]`, "", CodeNotJSON},
		{"string", openAIChat, `"model"`, "", CodeNotJSON},
		{"null", openAIChat, `null`, "", CodeNotJSON},
		{"byte order mark", openAIChat, "\ufeff{\"model\":\"x\"}", "", CodeNotJSON},
		{"cut", openAIChat, `{"model":"x"`, "", CodeNotJSON},
		{"two objects", openAIChat, `{"model":"x"}{}`, "", CodeNotJSON},
		{"bad afterwards", openAIChat, `{"model":"x","a":tru}`, "", CodeNotJSON},
		{"trailing comma", openAIChat, `{"model":"x",}`, "", CodeNotJSON},
		{"newline in a string", openAIChat, "{\"model\":\"a\nb\"}", "", CodeNotJSON},
		{"path and no JSON", geminiChat, `contents`, "", CodeNotJSON},
		{"deep", openAIChat, `{"model":"x","a":` + strings.Repeat("[", maxDepth-1) + strings.Repeat("]", maxDepth-1) + `}`, "x", ""},
		{"too deep", openAIChat, `{"model":"x","a":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}`, "", CodeNotJSON},
		{"bomb", openAIChat, strings.Repeat(`{"a":`, 1<<20), "", CodeNotJSON},

		{"missing", openAIChat, `{}`, "", CodeNoModel},
		{"empty name", openAIChat, `{"model":""}`, "", CodeNoModel},
		{"number", openAIChat, `{"model":5}`, "", CodeNoModel},
		{"null model", openAIChat, `{"model":null}`, "", CodeNoModel},
		{"object model", openAIChat, `{"model":{"model":"x"}}`, "", CodeNoModel},
		{"twice", openAIChat, `{"model":"x","model":"x"}`, "", CodeNoModel},
		{"twice, one escaped", openAIChat, `{"model":"x","mod\u0065l":"y"}`, "", CodeNoModel},
		{"twice, one in another case", ollamaChat, `{"model":"x","Model":"y"}`, "", CodeNoModel},
		{"only in another case", openAIChat, `{"Model":"x"}`, "", CodeNoModel},
		{"half a surrogate", openAIChat, `{"model":"\ud83d"}`, "", CodeNoModel},
		{"invalid UTF-8", openAIChat, "{\"model\":\"\xff\"}", "", CodeNoModel},
		{"show by two", ollamaShow, `{"name":"x","model":"y"}`, "", CodeNoModel},
		{"show by name twice", ollamaShow, `{"name":"x","name":"x"}`, "", CodeNoModel},
		{"path against body", geminiChat, `{"model":"models/h"}`, "", CodeNoModel},
		{"path against nested", geminiEmb, `{"requests":[{"model":"models/g"},{"model":"models/h"}]}`, "", CodeNoModel},
		{"path against tuned", geminiEmb, `{"requests":[{"model":"tunedModels/g"}]}`, "", CodeNoModel},
		{"path and a number", geminiEmb, `{"requests":[{"model":1}]}`, "", CodeNoModel},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problem := tt.op.RequestModel([]byte(tt.body))
			switch {
			case tt.code == "" && problem != nil:
				t.Fatalf("error %v, want model %q", problem, tt.want)
			case tt.code != "" && (problem == nil || problem.Code != tt.code):
				t.Fatalf("model %q, error %v; want code %q", got, problem, tt.code)
			case got != tt.want:
				t.Fatalf("model %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRequestModelOfLocalOperations(t *testing.T) {
	op, problem := identify("GET", "/v1/models/x", nil)
	if problem != nil {
		t.Fatal(problem)
	}
	if got, problem := op.RequestModel(nil); got != "x" || problem != nil {
		t.Errorf("got %q, %v; want x", got, problem)
	}
	list, problem := identify("GET", "/v1/models", nil)
	if problem != nil {
		t.Fatal(problem)
	}
	if got, problem := list.RequestModel([]byte("no JSON")); got != "" || problem != nil {
		t.Errorf("got %q, %v; want no model and no error", got, problem)
	}
}

func TestErrorsHoldNothingOfTheBody(t *testing.T) {
	const canary = "canary-prompt"
	bodies := []string{
		canary, `{"` + canary + `"`, `{"model":"x","a":` + canary + `}`, `{"model":["` + canary + `"]}`,
		`{"model":"` + canary + `","model":"` + canary + `"}`, `{"model":"` + canary + `\ud800"}`,
	}
	for _, body := range bodies {
		_, problem := openAIChat.RequestModel([]byte(body))
		if problem == nil || strings.Contains(problem.Error(), canary) {
			t.Errorf("%q: error is %v", body, problem)
		}
	}
}

func TestWithModel(t *testing.T) {
	tests := []struct {
		name  string
		op    Operation
		body  string
		model string
		path  string
		want  string
	}{
		{"shorter", openAIChat, `{ "model" : "gpt-5" , "n":1e2}`, "m", openAIChat.Path, `{ "model" : "m" , "n":1e2}`},
		{"longer", openAIChat, `{"a":1,"model":"m"}`, "a/much-longer:one", openAIChat.Path, `{"a":1,"model":"a/much-longer:one"}`},
		{"to be escaped", openAIChat, `{"model":"m"}`, "a\"<\\\n模", openAIChat.Path, `{"model":"a\"<\\\n模"}`},
		{"same, escaped", openAIChat, `{"model":"\u006d"}`, "m", openAIChat.Path, `{"model":"\u006d"}`},
		{"show as Ollama's own tool asks", ollamaShow, `{"model":"","name":"x"}`, "yy", ollamaShow.Path, `{"model":"","name":"yy"}`},
		{"show by both", ollamaShow, `{"name":"x:latest","model":"x"}`, "yy", ollamaShow.Path, `{"name":"yy","model":"yy"}`},
		{"gemini path", geminiChat, `{"contents":[]}`, "h/i 2", "/v1beta/models/h/i%202:generateContent", `{"contents":[]}`},
		{"gemini resource name", geminiChat, `{}`, "models/h", "/v1beta/models/h:generateContent", `{}`},
		{"gemini tuned", geminiChat, `{"model":"models/g"}`, "tunedModels/h", "/v1beta/tunedModels/h:generateContent", `{"model":"tunedModels/h"}`},
		{
			"gemini nested", geminiEmb, `{"requests":[{"x":1,"model":"models/g"},{"model":"g"}],"model":"models/g"}`, "h",
			"/v1beta/models/h:batchEmbedContents", `{"requests":[{"x":1,"model":"models/h"},{"model":"h"}],"model":"models/h"}`,
		},
		{
			"gemini stream", Operation{
				Protocol: service.Gemini, Kind: Chat, Model: "tunedModels/t", Stream: true,
				Path: "/v1/tunedModels/t:streamGenerateContent?alt=sse",
			}, `{}`, "h:8b", "/v1/models/h:8b:streamGenerateContent?alt=sse", `{}`,
		},
		{"one model", Operation{Protocol: service.OpenAI, Kind: GetModel, Model: "a", Path: "/v1/models/a"}, ``, "b/c", "/v1/models/b/c", ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := []byte(tt.body)
			op, got, err := tt.op.WithModel(body, tt.model)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if op.Path != tt.path || op.Kind != tt.op.Kind || op.Protocol != tt.op.Protocol {
				t.Errorf("operation %+v, want path %q", op, tt.path)
			}
			if string(body) != tt.body {
				t.Errorf("the body passed in became %q", body)
			}
			if model, problem := op.RequestModel(got); problem != nil || !SameModel(op.Protocol, model, tt.model) {
				t.Errorf("the new request asks for %q, %v; want %q", model, problem, tt.model)
			}
		})
	}
}

func TestWithModelErrors(t *testing.T) {
	tests := []struct {
		name, body, model string
		op                Operation
		code              Code // "" where the new model is at fault
	}{
		{"no model", `{}`, "m", openAIChat, CodeNoModel},
		{"no JSON", `{`, "m", openAIChat, CodeNotJSON},
		{"empty", `{"model":"x"}`, "", openAIChat, ""},
		{"invalid UTF-8", `{"model":"x"}`, "\xff", openAIChat, ""},
		{"climbs", `{}`, "../x", geminiChat, ""},
		{"no path", `{}`, "a//b", geminiChat, ""},
		{"only a collection", `{}`, "models/", geminiChat, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, got, err := tt.op.WithModel([]byte(tt.body), tt.model)
			if err == nil || got != nil {
				t.Fatalf("got %q, %v; want an error", got, err)
			}
			var problem *Error
			if errors.As(err, &problem) != (tt.code != "") || problem != nil && problem.Code != tt.code {
				t.Errorf("error %v, want code %q", err, tt.code)
			}
		})
	}
}

func TestWithModelKeepsTheSlice(t *testing.T) {
	body := []byte(`{"model":"m"}`)
	_, got, err := openAIChat.WithModel(body, "m")
	if err != nil || &got[0] != &body[0] {
		t.Errorf("another slice, %v", err)
	}
}

// randomValue returns JSON text, any kind of value, with spaces, escapes and odd numbers in it.
func randomValue(r *rand.Rand, depth int) string {
	space := []string{"", " ", "\n", "\t ", "\r\n"}[r.IntN(5)]
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch r.IntN(kinds) {
	case 0:
		return space + "null" + space
	case 1:
		return space + []string{"0", "-0", "1.50", "1e+2", "-12E-07", "123456789012345678901234567890"}[r.IntN(6)]
	case 2:
		return "true" + space
	case 3:
		return randomText(r)
	case 4:
		return randomText(r) + space
	case 5:
		return space + "[" + space + "]"
	case 6:
		return "[" + randomValue(r, depth-1) + "," + randomValue(r, depth-1) + "]" + space
	default:
		return "{" + space + `"model"` + space + ":" + randomValue(r, depth-1) + "," + randomText(r) + ":" + randomValue(r, depth-1) + "}"
	}
}

func randomText(r *rand.Rand) string {
	parts := []string{"a", "模", `\u0041`, `\ud83d\ude00`, `\"`, `\\`, `\/`, "{", "}", "]", ",", " ", "\U0001F600", "model", "\x7f"}
	var b strings.Builder
	b.WriteByte('"')
	for range r.IntN(12) {
		b.WriteString(parts[r.IntN(len(parts))])
	}
	b.WriteByte('"')
	return b.String()
}

func TestSpliceIsByteExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var before, after strings.Builder
		for i := range r.IntN(4) {
			fmt.Fprintf(&before, `"before%d":%s,`, i, randomValue(r, 4))
			fmt.Fprintf(&after, `,"after%d":%s`, i, randomValue(r, 4))
		}
		old, model := randomText(r), decode([]byte(randomText(r)))
		if old == `""` || model == "" {
			continue
		}
		body := "{ " + before.String() + `"model":` + old + after.String() + "\n}"
		_, got, err := openAIChat.WithModel([]byte(body), model)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		name, ok := strings.CutPrefix(string(got), "{ "+before.String()+`"model":`)
		name, ok2 := strings.CutSuffix(name, after.String()+"\n}")
		if !ok || !ok2 || decode([]byte(name)) != model {
			t.Fatalf("model %q into %s\ngave %s", model, body, got)
		}
		oldModel := decode([]byte(old))
		_, back, err := openAIChat.WithModel(got, oldModel)
		want := "{ " + before.String() + `"model":` + string(encode(oldModel)) + after.String() + "\n}"
		if err != nil || oldModel != model && string(back) != want {
			t.Fatalf("back again gave %s, %v", back, err)
		}
	}
}

func TestSameModel(t *testing.T) {
	tests := []struct {
		protocol service.Protocol
		a, b     string
		want     bool
	}{
		{service.Ollama, "x", "x:latest", true},
		{service.Ollama, "x:latest", "x", true},
		{service.Ollama, "x", "x:8b", false},
		{service.Ollama, "host:5000/x", "host:5000/x:latest", true},
		{service.Ollama, "host:5000/x", "host:5000/y", false},
		{service.Ollama, "", "x", false},
		{service.Gemini, "x", "models/x", true},
		{service.Gemini, "tunedModels/x", "x", false},
		{service.Gemini, "x:latest", "x", false},
		{service.OpenAI, "x", "x:latest", false},
		{service.OpenAI, "x", "models/x", false},
		{service.Claude, "x", "x", true},
	}
	for _, tt := range tests {
		if got := SameModel(tt.protocol, tt.a, tt.b); got != tt.want {
			t.Errorf("%s: %q and %q: %v, want %v", tt.protocol, tt.a, tt.b, got, tt.want)
		}
	}
}

// depthOf returns how deep arrays and objects nest in valid JSON text.
func depthOf(text []byte) int {
	depth, deepest := 0, 0
	dec := json.NewDecoder(bytes.NewReader(text))
	for {
		token, err := dec.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

func FuzzRequestModel(f *testing.F) {
	for _, body := range []string{
		`{"model":"m"}`, `{"model":"m","Model":"n"}`, `{"mod\u0065l":"\ud83d\ude00","a":[1.5e-7,null,{"b":"\\"}]}`, `[]`, `{"a":1`,
		`{"requests":[{"model":"models/g"}],"generateContentRequest":{"model":"g"}}`, `{"name":"x","model":"x:latest"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, op := range []Operation{openAIChat, ollamaShow, geminiEmb} {
			checkRequestModel(t, op, body)
		}
	})
}

// checkRequestModel compares with encoding/json, which takes the last of equal keys and ignores their case.
func checkRequestModel(t *testing.T, op Operation, body []byte) {
	t.Helper()
	before := bytes.Clone(body)
	model, problem := op.RequestModel(body)
	valid := json.Valid(body) && bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))
	if problem != nil {
		if problem.Code == CodeNotJSON && valid && depthOf(body) <= maxDepth || problem.Code != CodeNotJSON && !valid {
			t.Fatalf("valid is %v, but: %v", valid, problem)
		}
		return
	}
	if !valid || model == "" || !utf8.ValidString(model) {
		t.Fatalf("valid is %v, model is %q", valid, model)
	}
	if op.Model == "" {
		var plain struct{ Model, Name string }
		if err := json.Unmarshal(body, &plain); err != nil && op.Kind != Chat {
			t.Fatal(err)
		}
		if plain.Model != model && (op.Kind != ShowModel || plain.Name != model) {
			t.Fatalf("model is %q, encoding/json reads %q", model, plain.Model)
		}
	}
	changed, got, err := op.WithModel(body, "other\"model")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(body, before) {
		t.Fatal("the body was written to")
	}
	if again, problem := changed.RequestModel(got); problem != nil || again != "other\"model" {
		t.Fatalf("the changed request asks for %q, %v", again, problem)
	}
}

func BenchmarkRequestModel(b *testing.B) {
	text := strings.Repeat(`{"role":"user","content":"Some words, a \"quoted\" one and a line\nbreak, as prompts have them."},`, 1000)
	bodies := []struct{ name, body string }{
		{"100KiB", `{"messages":[` + text + `{}],"stream":true,"model":"m"}`},
		{"20MiB", `{"messages":[{"image":"` + strings.Repeat("iVBORw0KGgo", 20<<20/11) + `"}],"model":"m"}`},
	}
	for _, bb := range bodies {
		body := []byte(bb.body)
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if model, problem := openAIChat.RequestModel(body); problem != nil || model != "m" {
					b.Fatal(model, problem)
				}
			}
		})
	}
}
