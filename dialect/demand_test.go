// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokengo/tokengo/service"
)

var (
	openAIText     = Operation{Protocol: service.OpenAI, Kind: Completion, Path: "/v1/completions"}
	openAIResponse = Operation{Protocol: service.OpenAI, Kind: Responses, Path: "/v1/responses"}
	openAIEmbed    = Operation{Protocol: service.OpenAI, Kind: Embedding, Path: "/v1/embeddings"}
	claudeChat     = Operation{Protocol: service.Claude, Kind: Chat, Path: "/v1/messages"}
	claudeCount    = Operation{Protocol: service.Claude, Kind: CountTokens, Path: "/v1/messages/count_tokens"}
	geminiStream   = Operation{Protocol: service.Gemini, Kind: Chat, Model: "g", Stream: true, Path: "/v1beta/models/g:streamGenerateContent?alt=sse"}
	geminiCount    = Operation{Protocol: service.Gemini, Kind: CountTokens, Model: "g", Path: "/v1beta/models/g:countTokens"}
	ollamaText     = Operation{Protocol: service.Ollama, Kind: Completion, Path: "/api/generate"}
	ollamaEmbed    = Operation{Protocol: service.Ollama, Kind: Embedding, Path: "/api/embed"}
)

// demandOf reads a request whose body is members, with a model of "m" where the path has none.
func demandOf(t *testing.T, op Operation, members string) *Demand {
	t.Helper()
	body := "{" + members + "}"
	if op.Model == "" {
		body = `{"model":"m"` + strings.TrimSuffix(","+members, ",") + "}"
	}
	d, problem := op.Demand([]byte(body))
	if problem != nil {
		t.Fatalf("%s: %v", body, problem)
	}
	return d
}

var (
	tools     = []string{FeatureTools}
	schema    = []string{FeatureJSONSchema}
	parallel  = []string{FeatureParallelTools}
	reasoning = []string{FeatureReasoning}
	embedding = []string{FeatureEmbedding}
)

func TestDemandFeatures(t *testing.T) {
	tests := []struct {
		op      Operation
		members string
		want    Demand
	}{
		{openAIChat, ``, Demand{}},
		{openAIChat, `"tools":[]`, Demand{}},
		{openAIChat, `"tools":null`, Demand{}},
		{openAIChat, `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"mcp"}}}],"tool_choice":"auto"`, Demand{Features: tools}},
		{openAIChat, `"tools":[{"type":"custom"},{"type":"web_search_preview"}]`, Demand{Features: tools}},
		{openAIChat, `"tools":[{"type":"mcp"}]`, Demand{Features: tools, Effects: true}},
		{openAIChat, `"functions":[{"name":"f"}],"function_call":"auto"`, Demand{Features: tools}},
		{openAIChat, `"parallel_tool_calls":true`, Demand{Wishes: parallel}},
		{openAIChat, `"parallel_tool_calls":false`, Demand{}},
		{openAIChat, `"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{}}}`, Demand{Features: schema}},
		{openAIChat, `"response_format":{"json_schema":{"schema":{}},"type":"json_schema"}`, Demand{Features: schema}},
		{openAIChat, `"response_format":{"schema":{"type":"object"},"type":"json_object"}`, Demand{Features: schema}},
		{openAIChat, `"response_format":{"type":"json_object"}`, Demand{Parameters: []string{"response_format"}}},
		{openAIChat, `"response_format":{"type":"text"}`, Demand{}},
		{openAIChat, `"response_format":"json_schema"`, Demand{Features: schema}},
		{openAIChat, `"reasoning_effort":"low"`, Demand{Wishes: reasoning}},
		{openAIChat, `"reasoning_effort":"minimal"`, Demand{}},
		{openAIChat, `"reasoning_effort":"none"`, Demand{}},
		{openAIChat, `"reasoning":{"max_tokens":100}`, Demand{Wishes: reasoning}},
		{openAIChat, `"reasoning":{"enabled":true,"exclude":true}`, Demand{Wishes: reasoning}},
		{openAIChat, `"reasoning":{"enabled":false}`, Demand{}},
		{openAIChat, `"enable_thinking":true`, Demand{Wishes: reasoning}},
		{openAIChat, `"stream":true,"max_tokens":10,"max_completion_tokens":20`, Demand{Stream: true, MaxOutput: 20, Parameters: []string{"max_tokens"}}},
		{openAIChat, `"max_tokens":1e300`, Demand{MaxOutput: 1<<31 - 1, Parameters: []string{"max_tokens"}}},
		{openAIChat, `"max_tokens":-1`, Demand{Parameters: []string{"max_tokens"}}},
		{openAIChat, `"options":{"num_predict":8}`, Demand{Parameters: []string{"options"}}},
		{openAIChat, `"max_tokens":"10"`, Demand{Parameters: []string{"max_tokens"}}},
		{openAIChat, `"temperature":1,"seed":null,"top_k":1,"user":"u","x":{"tools":[1]},"store":false,"usage":{"include":true},"stream_options":{}`, Demand{Parameters: []string{"temperature", "top_k", "x"}}},
		{openAIText, `"prompt":"p","suffix":"s","stream":true`, Demand{Stream: true, Parameters: []string{"suffix"}}},
		{openAIEmbed, `"input":["a","b"],"dimensions":3`, Demand{Features: embedding, Parameters: []string{"dimensions"}}},

		{openAIResponse, `"text":{"format":{"type":"json_schema","schema":{}},"verbosity":"low"}`, Demand{Features: schema, Parameters: []string{"verbosity"}}},
		{openAIResponse, `"text":{"format":{"type":"text"}}`, Demand{}},
		{openAIResponse, `"reasoning":{"effort":"medium","summary":"auto"}`, Demand{Wishes: reasoning}},
		{openAIResponse, `"reasoning":{"summary":"auto"}`, Demand{}},
		{openAIResponse, `"tools":[{"type":"function"},{"type":"web_search"},{"type":"local_shell"},{"type":"image_generation"}]`, Demand{Features: tools}},
		{openAIResponse, `"tools":[{"type":"code_interpreter","container":{"type":"auto"}}]`, Demand{Features: tools, Effects: true}},
		{openAIResponse, `"tools":[{"type":"functionality"}]`, Demand{Features: tools, Effects: true}},
		{openAIResponse, `"max_output_tokens":5,"include":["x"]`, Demand{MaxOutput: 5, Parameters: []string{"max_tokens", "include"}}},

		{claudeChat, `"tools":[{"name":"f","input_schema":{"type":"object"}}],"max_tokens":9`, Demand{Features: tools, MaxOutput: 9, Parameters: []string{"max_tokens"}}},
		{claudeChat, `"tools":[{"type":"bash_20250124"},{"type":"web_search_20250305"},{"type":"computer_20250124"}]`, Demand{Features: tools}},
		{claudeChat, `"tools":[{"type":"code_execution_20250825"}]`, Demand{Features: tools, Effects: true}},
		{claudeChat, `"mcp_servers":[{"type":"url"}]`, Demand{Features: tools, Effects: true}},
		{claudeChat, `"mcp_servers":[]`, Demand{}},
		{claudeChat, `"thinking":{"type":"enabled","budget_tokens":2048}`, Demand{Wishes: reasoning}},
		{claudeChat, `"thinking":{"display":"omitted","type":"adaptive"},"output_config":{"effort":"high"}`, Demand{Wishes: reasoning}},
		{claudeChat, `"thinking":{"type":"disabled"}`, Demand{}},
		{claudeChat, `"output_config":{"format":{"type":"json_schema","schema":{}}}`, Demand{Features: schema}},
		{claudeChat, `"output_format":{"type":"json_schema"}`, Demand{Features: schema}},
		{claudeChat, `"stop_sequences":["x"],"top_k":3,"metadata":{"user_id":"u"}`, Demand{Parameters: []string{"stop", "top_k"}}},

		{geminiChat, `"tools":[{"functionDeclarations":[{"name":"f"}]}]`, Demand{Features: tools}},
		{geminiChat, `"tools":[{"function_declarations":[{"name":"f"}]},{"google_search":{}}]`, Demand{Features: tools}},
		{geminiChat, `"tools":[{"functionDeclarations":[]}]`, Demand{}},
		{geminiChat, `"tools":[{"codeExecution":{}}],"toolConfig":{}`, Demand{Features: tools, Effects: true}},
		{geminiChat, `"generationConfig":{"responseMimeType":"application/json","responseSchema":{}}`, Demand{Features: schema}},
		{geminiChat, `"generation_config":{"response_json_schema":{}}`, Demand{Features: schema}},
		{geminiChat, `"generationConfig":{"responseFormat":{"text":{"schema":{}}}}`, Demand{Features: schema}},
		{geminiChat, `"generationConfig":{"responseMimeType":"application/json"}`, Demand{Parameters: []string{"response_format"}}},
		{geminiChat, `"generationConfig":{"responseMimeType":"text/plain","seed":null}`, Demand{}},
		{geminiChat, `"generationConfig":{"thinkingConfig":{"thinkingBudget":-1}}`, Demand{Wishes: reasoning}},
		{geminiChat, `"generationConfig":{"thinkingConfig":{"thinkingBudget":0,"includeThoughts":true}}`, Demand{}},
		{geminiChat, `"generationConfig":{"thinkingConfig":{"thinking_level":"HIGH"}}`, Demand{Wishes: reasoning}},
		{geminiChat, `"generationConfig":{"thinkingConfig":{"thinkingLevel":"MINIMAL"}}`, Demand{}},
		{geminiChat, `"generationConfig":{"temperature":1,"topK":2,"topP":0.5,"maxOutputTokens":7,"stopSequences":[],"candidateCount":1,"speechConfig":{}}`, Demand{
			MaxOutput: 7, Parameters: []string{"temperature", "top_k", "top_p", "max_tokens", "stop", "n", "speechConfig"},
		}},
		{geminiChat, `"safety_settings":[],"labels":{}`, Demand{Parameters: []string{"safetySettings"}}},
		{geminiStream, ``, Demand{Stream: true}},
		{geminiCount, `"generateContentRequest":{"model":"models/g","tools":[{"functionDeclarations":[{}]}]}`, Demand{Features: tools}},
		{geminiEmb, `"requests":[{"model":"models/g","content":{"parts":[{"text":"x"}]},"outputDimensionality":3}]`, Demand{Features: embedding, Parameters: []string{"outputDimensionality"}}},

		{ollamaChat, ``, Demand{Stream: true}},
		{ollamaChat, `"stream":false`, Demand{}},
		{ollamaChat, `"stream":false,"tools":[{"type":"function","function":{"name":"f"}}]`, Demand{Features: tools}},
		{ollamaChat, `"stream":false,"format":{"type":"object"}`, Demand{Features: schema}},
		{ollamaChat, `"stream":false,"format":{}`, Demand{Parameters: []string{"response_format"}}},
		{ollamaChat, `"stream":false,"format":"json"`, Demand{Parameters: []string{"response_format"}}},
		{ollamaChat, `"stream":false,"format":""`, Demand{}},
		{ollamaChat, `"stream":false,"think":true`, Demand{Wishes: reasoning}},
		{ollamaChat, `"stream":false,"think":"high"`, Demand{Wishes: reasoning}},
		{ollamaChat, `"stream":false,"think":false`, Demand{}},
		{ollamaText, `"options":{"num_predict":8,"repeat_penalty":1,"min_p":0,"seed":null},"keep_alive":-1`, Demand{Stream: true, MaxOutput: 8, Parameters: []string{"max_tokens", "repetition_penalty", "min_p"}}},
		{ollamaEmbed, `"input":"x","truncate":true`, Demand{Features: embedding, Parameters: []string{"truncate"}}},
		{ollamaShow, `"verbose":true`, Demand{Parameters: []string{"verbose"}}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %s %s", tt.op.Protocol, tt.op.Kind, tt.members), func(t *testing.T) {
			got := demandOf(t, tt.op, tt.members)
			ignored := cmpopts.IgnoreFields(Demand{}, "Models", "Body", "InputTokens", "Beginning")
			if diff := cmp.Diff(&tt.want, got, ignored, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDemandModalities(t *testing.T) {
	user := func(parts string) string { return `"messages":[{"role":"user","content":[` + parts + `]}]` }
	tests := []struct {
		op      Operation
		members string
		want    string
		images  int
	}{
		{openAIChat, `"messages":[{"role":"user","content":"an image"}]`, "", 0},
		{openAIChat, user(`{"type":"text","text":"image"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"image_url":"https://x/y.png","type":"image_url"}`), "image", 2},
		{openAIChat, user(`{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}},{"type":"file","file":{"file_data":"AAAA"}},{"type":"video_url","video_url":{"url":"x"}}`), "audio file video", 0},
		{openAIChat, `"tools":[{"type":"function","function":{"parameters":{"properties":{"a":{"type":"image"}}}}}]`, "", 0},
		{openAIChat, `"messages":[{"role":"assistant","tool_calls":[{"type":"function","function":{"arguments":"{\"type\":\"image\"}"}}]}]`, "", 0},
		{openAIResponse, `"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:x"},{"type":"input_file","file_data":"x"}]}]`, "image file", 1},
		{openAIResponse, `"input":[{"type":"function_call_output","output":[{"type":"input_image","image_url":"data:x"}]}]`, "image", 1},
		{openAIResponse, `"input":[{"type":"computer_call_output","output":{"type":"computer_screenshot","image_url":"data:x"}}]`, "image", 1},
		{openAIEmbed, `"input":[{"type":"image"}]`, "", 0},
		{claudeChat, user(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}`), "image", 1},
		{claudeChat, user(`{"type":"tool_result","content":[{"source":{"data":"AAAA","type":"base64"},"type":"image"}]}`), "image", 1},
		{claudeChat, user(`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AAAA"}}`), "file", 0},
		{claudeChat, user(`{"type":"document","source":{"data":"words","media_type":"text/plain","type":"text"}}`), "", 0},
		{claudeChat, user(`{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url","url":"x"}}]}}`), "image", 1},
		{claudeChat, `"messages":[{"role":"assistant","content":[{"type":"tool_use","name":"f","input":{"content":[{"type":"image"}]}}]}]`, "", 0},
		{claudeCount, user(`{"type":"image","source":{"type":"url","url":"x"}}`), "image", 1},
		{geminiChat, `"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"inline_data":{"mime_type":"audio/wav","data":"AAAA"}}]}]`, "image audio", 1},
		{geminiChat, `"contents":[{"parts":[{"fileData":{"fileUri":"x","mimeType":"video/mp4"}},{"fileData":{"fileUri":"x"}},{"inlineData":{"mimeType":"text/csv","data":"AAAA"}}]}]`, "video file", 0},
		{geminiChat, `"contents":[{"parts":[{"functionResponse":{"response":{"inlineData":{}},"parts":[{"inlineData":{"mimeType":"image/png"}}]}}]}]`, "image", 1},
		{geminiChat, `"contents":[{"parts":[{"functionCall":{"args":{"inlineData":{"mimeType":"image/png"}}}}]}]`, "", 0},
		{ollamaChat, `"messages":[{"role":"user","content":"x","images":["AAAA","BBBB"]}]`, "image", 2},
		{ollamaText, `"prompt":"x","images":["AAAA"]`, "image", 1},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %s %s", tt.op.Protocol, tt.op.Kind, tt.members), func(t *testing.T) {
			got := demandOf(t, tt.op, tt.members)
			if modalities := strings.Join(got.Modalities, " "); modalities != tt.want || got.Images != tt.images {
				t.Errorf("%q with %d images, want %q with %d", modalities, got.Images, tt.want, tt.images)
			}
		})
	}
}

// The length of a request is told by its text: however large its images are and however its text is written.
func TestDemandInputTokens(t *testing.T) {
	data := strings.Repeat(`iVBORw0KGgo\/`, 1000)
	text := strings.Repeat("words ", 1000)
	tests := []struct {
		name     string
		op       Operation
		members  string
		min, max int
	}{
		{"text", openAIChat, `"messages":[{"role":"user","content":"` + text + `"}]`, 1500, 1520},
		{"escaped", openAIChat, `"messages":[{"role":"user","content":"` + strings.Repeat(`\u0441\u043b\u043e\u0432\u043e `, 1000) + `"}]`, 2750, 2770},
		{"openai", openAIChat, `"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + data + `"}}]}]`, 0, 40},
		{"responses", openAIResponse, `"input":[{"role":"user","content":[{"type":"input_image","image_url":"` + data + `"}]},{"type":"image_generation_call","result":"` + data + `"}]`, 0, 50},
		{"claude", claudeChat, `"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"` + data + `"}}]}]`, 0, 40},
		{"claude, a document of text", claudeChat, `"messages":[{"role":"user","content":[{"type":"document","source":{"data":"` + text + `","type":"text"}}]}]`, 1500, 1540},
		{"gemini", geminiChat, `"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"` + data + `"}}]}]`, 0, 40},
		{"ollama", ollamaChat, `"messages":[{"role":"user","images":["` + data + `"]}]`, 0, 40},
		{"without the client's own fields", openAIChat, `"provider":{"only":["` + text + `"]}`, 0, 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := demandOf(t, tt.op, tt.members).InputTokens; got < tt.min || got > tt.max {
				t.Errorf("%d tokens, want %d to %d", got, tt.min, tt.max)
			}
		})
	}
}

func TestDemandOfLocalOperations(t *testing.T) {
	list := Operation{Protocol: service.OpenAI, Kind: ListModels}
	if d, problem := list.Demand([]byte("no JSON")); problem != nil || len(d.Models) > 0 || string(d.Body) != "no JSON" {
		t.Errorf("got %+v, %v", d, problem)
	}
}

func TestDemandBounds(t *testing.T) {
	var many strings.Builder
	for i := range 2 * maxParameters {
		fmt.Fprintf(&many, `"p%d":1,`, i)
	}
	d := demandOf(t, openAIChat, strings.TrimSuffix(many.String(), ","))
	if len(d.Parameters) != maxParameters {
		t.Errorf("%d parameters, want %d", len(d.Parameters), maxParameters)
	}
	if _, problem := openAIChat.Demand([]byte(`{"model":"m","messages":` + strings.Repeat(`[{"content":`, maxDepth) + `1`)); problem == nil || problem.Code != CodeNotJSON {
		t.Errorf("a request nested too deep gives %v, want %s", problem, CodeNotJSON)
	}
}
