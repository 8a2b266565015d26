// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/service"
)

func TestDemandTakesTheClientsFields(t *testing.T) {
	tests := []struct {
		name       string
		op         Operation
		body, want string // want is "" when the body stays
		provider   string
		models     string
	}{
		{"none", openAIChat, `{"model":"m"}`, ``, ``, "m"},
		{"first", openAIChat, `{"provider":{"sort":"price"},"model":"m"}`, `{"model":"m"}`, `{"sort":"price"}`, "m"},
		{"last, with space", openAIChat, "{ \"model\" : \"m\" ,\n \"provider\" : { } \n}", "{ \"model\" : \"m\"  \n}", `{ }`, "m"},
		{"between", openAIChat, `{"model":"m", "provider":{} , "a":1}`, `{"model":"m" , "a":1}`, `{}`, "m"},
		{"first two", openAIChat, `{ "provider":{}, "models":["n"], "model":"m"}`, `{ "model":"m"}`, `{}`, "m n"},
		{"last two", openAIChat, `{"model":"m","models":["n"],"provider":{}}`, `{"model":"m"}`, `{}`, "m n"},
		{"around", openAIChat, `{"models":["n"],"model":"m","provider":{}}`, `{"model":"m"}`, `{}`, "m n"},
		{"all of it", geminiChat, `{"provider":{} , "models":["n"]}`, `{}`, `{}`, "g n"},
		{"escaped key", openAIChat, `{"model":"m","provide\u0072":{}}`, `{"model":"m"}`, `{}`, "m"},
		{"null", openAIChat, `{"model":"m","provider":null,"models":null,"route":null}`, `{"model":"m","route":null}`, ``, "m"},
		{"empty list", openAIChat, `{"model":"m","models":[]}`, `{"model":"m"}`, ``, "m"},
		{"each once", openAIChat, `{"model":"m","models":["n","m","n","o"]}`, `{"model":"m"}`, ``, "m n o"},
		{"route beside models", openAIChat, `{"route":"fallback","model":"m","models":["n"]}`, `{"model":"m"}`, ``, "m n"},
		{"route null beside models", openAIChat, `{"model":"m","models":["n"],"route":null}`, `{"model":"m"}`, ``, "m n"},
		{"route alone", openAIChat, `{"route":"fallback","provider":{},"model":"m"}`, `{"route":"fallback","model":"m"}`, `{}`, "m"},
		{"route of another form", openAIChat, `{"route":1,"model":"m","models":["n"]}`, `{"route":1,"model":"m"}`, ``, "m n"},
		{"provider of another form", openAIChat, `{"model":"m","provider":"x"}`, ``, ``, "m"},
		{"models of another form", openAIChat, `{"model":"m","models":"x"}`, ``, ``, "m"},
		{"in another case", openAIChat, `{"model":"m","Provider":{},"Models":["n"]}`, ``, ``, "m"},
		{"further down", openAIChat, `{"model":"m","x":{"provider":{},"models":["n"]}}`, ``, ``, "m"},
		{"models only", openAIChat, `{"a":1,"models" : ["n","o"],"b":2}`, `{"a":1,"model":"n","b":2}`, ``, "n o"},
		{"models only, before provider", openAIChat, `{"models":["n"],"provider":{}}`, `{"model":"n"}`, `{}`, "n"},
		{"models only, after provider", openAIChat, `{"provider":{}, "models":["n\u0022"]}`, `{"model":"n\""}`, `{}`, `n"`},
		{"claude", claudeChat, `{"models":["n"],"model":"m"}`, `{"model":"m"}`, ``, "m n"},
		{"gemini", geminiChat, `{"contents":[],"models":["n","g"]}`, `{"contents":[]}`, ``, "g n"},
		{"gemini in both", geminiChat, `{"model":"models/g","provider":{}}`, `{"model":"models/g"}`, `{}`, "g"},
		{"ollama", ollamaChat, `{"model":"m","provider":{},"stream":false}`, `{"model":"m","stream":false}`, `{}`, "m"},
		{"show by name", ollamaShow, `{"name":"m","provider":{}}`, `{"name":"m"}`, `{}`, "m"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := bytes.Clone([]byte(tt.body))
			d, problem := tt.op.Demand(before)
			if problem != nil {
				t.Fatal(problem)
			}
			if tt.want == "" {
				tt.want = tt.body
			}
			if string(d.Body) != tt.want || string(d.Provider) != tt.provider || strings.Join(d.Models, " ") != tt.models {
				t.Errorf("body %s, provider %s, models %q; want %s, %s, %q", d.Body, d.Provider, d.Models, tt.want, tt.provider, tt.models)
			}
			if string(before) != tt.body {
				t.Error("the body was written to")
			}
		})
	}
}

func TestDemandRefuses(t *testing.T) {
	tests := []struct {
		name string
		op   Operation
		body string
		code Code
		says string
	}{
		{"no JSON", openAIChat, `{"model":"m"`, CodeNotJSON, ""},
		{"no object", openAIChat, `["model"]`, CodeNotJSON, ""},
		{"text behind it", openAIChat, `{"model":"m"} x`, CodeNotJSON, ""},
		{"no model", openAIChat, `{"messages":[]}`, CodeNoModel, ""},
		{"no model but an empty list", openAIChat, `{"models":[]}`, CodeNoModel, ""},
		{"two models", openAIChat, `{"model":"a","model":"b"}`, CodeNoModel, ""},
		{"a model that is none", openAIChat, `{"model":null,"models":["a"]}`, CodeNoModel, ""},
		{"a model in another case", openAIChat, `{"Model":"a","models":["b"]}`, CodeNoModel, ""},
		{"gemini against its path", geminiChat, `{"model":"h"}`, CodeNoModel, ""},
		{"gemini against its path, inside", geminiEmb, `{"requests":[{"model":"models/h"}]}`, CodeNoModel, ""},
		{"provider twice", openAIChat, `{"model":"m","provider":{},"provider":null}`, CodeInvalidRequest, `"provider"`},
		{"models twice", openAIChat, `{"model":"m","models":[],"models":[]}`, CodeInvalidRequest, `"models"`},
		{"models that are no names", openAIChat, `{"model":"m","models":["a",{"canary":1}]}`, CodeInvalidRequest, `"models"`},
		{"an empty name", openAIChat, `{"model":"m","models":[""]}`, CodeInvalidRequest, `"models"`},
		{"half a character", openAIChat, `{"model":"m","models":["\ud83d"]}`, CodeInvalidRequest, `"models"`},
		{"too many", openAIChat, `{"model":"m","models":[` + strings.Repeat(`"x",`, maxModels) + `"y"]}`, CodeInvalidRequest, fmt.Sprint(maxModels)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, problem := tt.op.Demand([]byte(tt.body))
			if problem == nil || problem.Code != tt.code || !strings.Contains(problem.Message, tt.says) || strings.Contains(problem.Message, "canary") {
				t.Fatalf("got %+v, %v; want %s that says %s", d, problem, tt.code, tt.says)
			}
		})
	}
}

// The model that Demand found can be changed in the body that it returned.
func TestDemandThenWithModel(t *testing.T) {
	d, problem := openAIChat.Demand([]byte(`{"a":1,"models":["n","o"]}`))
	if problem != nil {
		t.Fatal(problem)
	}
	_, body, err := openAIChat.WithModel(d.Body, "p")
	if err != nil || string(body) != `{"a":1,"model":"p"}` {
		t.Errorf("got %s, %v", body, err)
	}
}

func FuzzDemand(f *testing.F) {
	for _, body := range []string{
		`{"model":"m","provider":{"sort":"price"},"models":["n"],"route":"fallback","a":1}`, `{"models":["a","b"],"provider":null}`,
		`{"provider":{} , "models":["n"]}`, `{"model":"m","messages":[{"content":[{"type":"image_url","image_url":{"url":"data:"}}],"role":"user"}],"tools":[{"type":"mcp"}]}`,
		`{"model":"m","system":[{"text":"s"}],"messages":[{"role":"user","content":"u"},{"role":"assistant"}],"max_tokens":1e9,"thinking":{"type":"enabled"}}`,
		`{"contents":[{"parts":[{"text":"a"},{"inline_data":{"mime_type":"image/png","data":"AA\/A"}}]}],"generation_config":{"max_output_tokens":5}}`,
		`{"requests":[{"model":"models/g"}],"generateContentRequest":{"model":"g","generateContentRequest":{"model":"h"}}}`,
		`{"model":"m","input":[{"type":"message","role":"user","content":"x"}],"options":{"num_predict":81},"format":{"a":1},"stream":false}`,
		`{"model":"m","messages":[{"role":"user","content":"u"{}}]}`, `{"model":"m","think":true"high","reasoning_effort":"low"true}`,
		`{"model":"m","models":["\u006e"],"\u0070rovider":{"a":[1]},"\u0061":"\ud83d\ude00"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, op := range []Operation{openAIChat, openAIResponse, openAIText, claudeChat, geminiEmb, ollamaChat, ollamaShow} {
			checkDemand(t, op, body)
		}
	})
}

// checkDemand compares with encoding/json and with RequestModel.
func checkDemand(t *testing.T, op Operation, body []byte) {
	t.Helper()
	before := bytes.Clone(body)
	d, problem := op.Demand(body)
	if !bytes.Equal(body, before) {
		t.Fatal("the body was written to")
	}
	valid := json.Valid(body) && bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))
	if problem != nil {
		if problem.Code == CodeNotJSON && valid && depthOf(body) <= maxDepth || problem.Code != CodeNotJSON && !valid {
			t.Fatalf("valid is %v, but: %v", valid, problem)
		}
		checkProblem(t, op, body, problem)
		return
	}
	if !valid || !json.Valid(d.Body) {
		t.Fatalf("valid is %v; what is left of %q is %q", valid, body, d.Body)
	}
	if model, problem := op.RequestModel(d.Body); problem != nil || model != d.Models[0] {
		t.Fatalf("%q names %q, %v; want %q", d.Body, model, problem, d.Models)
	}
	if again, problem := op.Demand(d.Body); problem != nil || again.Provider != nil || !bytes.Equal(again.Body, d.Body) || !bytes.Equal(again.Beginning, d.Beginning) {
		t.Fatalf("%q has something left: %+v, %v", d.Body, again, problem)
	}
	checkLeft(t, body, d)
	if op.Protocol == service.OpenAI {
		checkRead(t, body, d)
	}
	if d.InputTokens < 0 || d.InputTokens > len(body) || d.MaxOutput < 0 || d.Images < 0 || len(d.Parameters) > maxParameters {
		t.Fatalf("%+v", d)
	}
}

// checkProblem allows what RequestModel refuses too, and what is wrong with the client's own fields.
func checkProblem(t *testing.T, op Operation, body []byte, problem *Error) {
	t.Helper()
	_, same := op.RequestModel(body)
	if problem.Code != CodeInvalidRequest && (same == nil || same.Code != problem.Code) {
		t.Fatalf("%v, but RequestModel says %v", problem, same)
	}
}

// checkLeft checks that the members of the body are those from before, without the client's and with at most a model.
func checkLeft(t *testing.T, body []byte, d *Demand) {
	t.Helper()
	was, is := members(t, body), members(t, d.Body)
	if bytes.Equal(body, d.Body) {
		return
	}
	lists := slices.ContainsFunc(was, func(m [2]string) bool { return m[0] == ownModels && m[1][0] == '[' })
	was = slices.DeleteFunc(was, func(m [2]string) bool {
		return strings.ContainsRune(ownForms[m[0]], rune(m[1][0])) && (m[0] != ownRoute || lists)
	})
	if len(is) == len(was)+1 {
		is = slices.DeleteFunc(is, func(m [2]string) bool { return m[0] == "model" })
	}
	if diff := cmp.Diff(was, is, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%q became %q (-want +got)\n%s", body, d.Body, diff)
	}
}

// checkRead compares some of what was read with what encoding/json reads, the last of equal keys.
func checkRead(t *testing.T, body []byte, d *Demand) {
	t.Helper()
	stream, limit := false, 0.0
	for _, m := range members(t, body) {
		switch m[0] {
		case "stream":
			stream = m[1] == "true" || m[1] == "null" && stream
		case "max_tokens", "max_completion_tokens", "max_output_tokens":
			if n, err := strconv.ParseFloat(m[1], 64); len(m[1]) <= 64 && (err == nil || errors.Is(err, strconv.ErrRange)) {
				limit = min(max(limit, n), math.MaxInt32)
			}
		}
	}
	if d.Stream != stream || d.MaxOutput != int(limit) {
		t.Fatalf("%q: stream %v, at most %d; want %v, %v", body, d.Stream, d.MaxOutput, stream, limit)
	}
}

// members are the names and values of an object, as encoding/json reads them.
func members(t *testing.T, body []byte) (all [][2]string) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			t.Fatal(err)
		}
		all = append(all, [2]string{name.(string), string(value)})
	}
	return all
}

// agentRequest is a request of about 110 KB as coding agents send them: long descriptions of tools, a long system prompt
// and some turns, with files in their results.
func agentRequest() []byte {
	line := `Some words, a \"quoted\" one and a line\nbreak, as prompts have them. `
	tool := `{"name":"t","description":"` + strings.Repeat(line, 25) + `","input_schema":{"type":"object","properties":{"a":{"type":"string","description":"x"}},"required":["a"]}}`
	turn := `{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"` + strings.Repeat("c2ln", 60) + `"},` +
		`{"type":"tool_use","id":"i","name":"t","input":{"a":"b"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"i","content":"` + strings.Repeat(line, 25) + `"}]}`
	return []byte(`{"model":"m","system":[{"type":"text","text":"` + strings.Repeat(line, 150) + `"}],"tools":[` + tool + strings.Repeat(","+tool, 22) +
		`],"messages":[{"role":"user","content":[{"type":"text","text":"` + line + `"}]},` + turn + strings.Repeat(","+turn, 19) +
		`],"max_tokens":32000,"thinking":{"type":"adaptive"},"stream":true}`)
}

func BenchmarkDemand(b *testing.B) {
	image := `{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"` + strings.Repeat("iVBORw0KGgo", 20<<20/11) + `"}}]}`
	bodies := []struct {
		name string
		body []byte
	}{
		{"agent", agentRequest()},
		{"agent with provider", append([]byte(`{"provider":{"sort":"price"},`), agentRequest()[1:]...)},
		{"20MiB", []byte(`{"messages":[` + image + `],"model":"m"}`)},
	}
	for _, bb := range bodies {
		b.Run(bb.name+"/demand", func(b *testing.B) {
			b.SetBytes(int64(len(bb.body)))
			b.ReportAllocs()
			for b.Loop() {
				if d, problem := claudeChat.Demand(bb.body); problem != nil || d.Models[0] != "m" {
					b.Fatal(d, problem)
				}
			}
		})
		b.Run(bb.name+"/model only", func(b *testing.B) {
			b.SetBytes(int64(len(bb.body)))
			b.ReportAllocs()
			for b.Loop() {
				if model, problem := claudeChat.RequestModel(bb.body); problem != nil || model != "m" {
					b.Fatal(model, problem)
				}
			}
		})
	}
}
