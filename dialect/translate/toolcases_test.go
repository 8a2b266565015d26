// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"encoding/json"
	"strings"
)

// tool is one protocol as its tools speak it.
type tool struct {
	name          string
	plain, stream string               // METHOD path of each
	completion    string               // path of completions, "" if there are none
	head          string               // fields of every request
	streamOn      string               // the field that asks for a stream
	streamOff     string               // the one that does not
	turns         string               // name of the list of turns
	user          string               // a turn that asks something
	weather       string               // field: two tools
	asks          map[string][2]string // turns instead of user, and more fields
	answered      func(answer map[string]json.RawMessage) string
}

// request is what the tool sends, and whether it can say that.
func (t *tool) request(ask string, streamed bool) (string, bool) {
	target, flag := t.plain, t.streamOff
	if streamed {
		target, flag = t.stream, t.streamOn
	}
	a, ok := t.asks[ask]
	switch ask {
	case "text":
		ok = true
	case "tools":
		a[1], ok = t.weather, true
	case "completion", "fill":
		if t.completion == "" {
			return "", false
		}
		return t.completion + "\n" + indented([]byte("{"+joined(t.head, flag, `"prompt":"Once"`, a[1])+"}")), true
	}
	if a[0] == "" {
		a[0] = t.user
	}
	return target + "\n" + indented([]byte("{"+joined(t.head, flag, `"`+t.turns+`":[`+a[0]+`]`, a[1])+"}")), ok
}

// replay is the next request after an answer.
func (t *tool) replay(answer string) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(answer), &fields); err != nil {
		panic(err)
	}
	turns := joined(t.user, t.answered(fields), strings.ReplaceAll(t.user, "Hi", "Go on"))
	return t.plain + "\n" + indented([]byte("{"+joined(t.head, t.streamOff, `"`+t.turns+`":[`+turns+`]`, t.asks["thinking"][1])+"}"))
}

// Pieces of requests that are the same in several protocols.
const (
	pixel    = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	photoURL = "https://example.com/photo.png"
	params   = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}`
	none     = `{"type":"object","properties":{}}`
	weather  = `"name":"weather","description":"Weather of a city"`
	timer    = `"name":"now","description":"The time"`
)

var tools = []tool{openaiTool(), responsesTool(), claudeTool(), geminiTool(), ollamaTool()}

func openaiTool() tool {
	const defs = `"tools":[{"type":"function","function":{` + weather + `,"parameters":` + params + `,"strict":true}},{"type":"function","function":{` + timer + `,"parameters":` + none + `}}]`
	image := func(url string) string {
		return `{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"` + url + `","detail":"low"}}]}`
	}
	return tool{
		name: "openai", plain: "POST /v1/chat/completions", stream: "POST /v1/chat/completions", completion: "POST /v1/completions",
		head: `"model":"m"`, streamOn: `"stream":true,"stream_options":{"include_usage":true}`, turns: "messages",
		user: `{"role":"user","content":"Hi"}`, weather: defs,
		asks: map[string][2]string{
			"system":         {`{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},{"role":"developer","content":"Now be long."},{"role":"user","content":"Go on"}`, ""},
			"history":        {`{"role":"user","content":"Hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_a","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Oslo\"}"}},{"id":"call_b","type":"function","function":{"name":"now","arguments":""}}]},{"role":"tool","tool_call_id":"call_a","content":"rain"},{"role":"tool","tool_call_id":"call_b","content":"error: no clock"}`, defs},
			"limit":          {"", `"max_completion_tokens":2000`},
			"image":          {image("data:image/png;base64," + pixel), ""},
			"imageurl":       {image(photoURL), ""},
			"schema":         {"", `"response_format":{"type":"json_schema","json_schema":{"name":"place","strict":true,"schema":` + params + `}}`},
			"jsonmode":       {"", `"response_format":{"type":"json_object"}`},
			"choicenone":     {"", defs + `,"tool_choice":"none"`},
			"choiceauto":     {"", defs + `,"tool_choice":"auto","parallel_tool_calls":false`},
			"choicerequired": {"", defs + `,"tool_choice":"required","parallel_tool_calls":true`},
			"choicenamed":    {"", defs + `,"tool_choice":{"type":"function","function":{"name":"weather"}},"parallel_tool_calls":false`},
			"sampling":       {"", `"temperature":0.5,"top_p":0.9,"frequency_penalty":0.1,"presence_penalty":0.2,"seed":7,"stop":["END","STOP"],"max_tokens":500,"logprobs":true,"top_logprobs":2`},
			"thinking":       {"", `"reasoning_effort":"high","max_completion_tokens":20000`},
			"effort":         {"", `"reasoning_effort":"low"`},
			"off":            {"", `"reasoning_effort":"none"`},
			"cache":          {"", `"prompt_cache_key":"k","user":"u","store":true,"nobody_knows":1`},
			"completion":     {"", `"max_tokens":50`},
		},
		answered: func(a map[string]json.RawMessage) string {
			var choices []struct{ Message json.RawMessage }
			_ = json.Unmarshal(a["choices"], &choices)
			return string(choices[0].Message)
		},
	}
}

func responsesTool() tool {
	const defs = `"tools":[{"type":"function",` + weather + `,"parameters":` + params + `,"strict":true},{"type":"function",` + timer + `,"parameters":` + none + `,"strict":false}]`
	image := func(url string) string {
		return `{"role":"user","content":[{"type":"input_text","text":"What is this?"},{"type":"input_image","image_url":"` + url + `","detail":"low"}]}`
	}
	return tool{
		name: "responses", plain: "POST /v1/responses", stream: "POST /v1/responses", head: `"model":"m","store":false`, streamOn: `"stream":true`, turns: "input",
		user: `{"role":"user","content":"Hi"}`, weather: defs,
		asks: map[string][2]string{
			"system":         {`{"role":"user","content":"Hi"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hello"}]},{"role":"developer","content":"Now be long."},{"role":"user","content":"Go on"}`, `"instructions":"Be brief."`},
			"history":        {`{"role":"user","content":"Hi"},{"type":"function_call","call_id":"call_a","name":"weather","arguments":"{\"city\":\"Oslo\"}"},{"type":"function_call","call_id":"call_b","name":"now","arguments":""},{"type":"function_call_output","call_id":"call_a","output":"rain"},{"type":"function_call_output","call_id":"call_b","output":"error: no clock"}`, defs},
			"limit":          {"", `"max_output_tokens":2000`},
			"image":          {image("data:image/png;base64," + pixel), ""},
			"imageurl":       {image(photoURL), ""},
			"resultimage":    {`{"role":"user","content":"Hi"},{"type":"function_call","call_id":"call_a","name":"now","arguments":"{}"},{"type":"function_call_output","call_id":"call_a","output":[{"type":"input_text","text":"a dial"},{"type":"input_image","image_url":"data:image/png;base64,` + pixel + `"}]}`, defs},
			"schema":         {"", `"text":{"format":{"type":"json_schema","name":"place","strict":true,"schema":` + params + `}}`},
			"jsonmode":       {"", `"text":{"format":{"type":"json_object"}}`},
			"choicenone":     {"", defs + `,"tool_choice":"none"`},
			"choiceauto":     {"", defs + `,"tool_choice":"auto","parallel_tool_calls":false`},
			"choicerequired": {"", defs + `,"tool_choice":"required","parallel_tool_calls":true`},
			"choicenamed":    {"", defs + `,"tool_choice":{"type":"function","name":"weather"},"parallel_tool_calls":false`},
			"sampling":       {"", `"temperature":0.5,"top_p":0.9,"max_output_tokens":500`},
			"thinking":       {"", `"reasoning":{"effort":"high","summary":"auto"},"include":["reasoning.encrypted_content"],"max_output_tokens":20000`},
			"effort":         {"", `"reasoning":{"effort":"low"}`},
			"off":            {"", `"reasoning":{"effort":"none"}`},
			"cache":          {"", `"prompt_cache_key":"k","metadata":{"a":"b"},"nobody_knows":1`},
		},
		answered: func(a map[string]json.RawMessage) string {
			return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(string(a["output"])), "["), "]")
		},
	}
}

func claudeTool() tool {
	const defs = `"tools":[{` + weather + `,"input_schema":` + params + `},{` + timer + `,"input_schema":` + none + `}]`
	image := func(source string) string {
		return `{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image","source":` + source + `}]}`
	}
	const png = `{"type":"base64","media_type":"image/png","data":"` + pixel + `"}`
	return tool{
		name: "claude", plain: "POST /v1/messages", stream: "POST /v1/messages", head: `"model":"m","max_tokens":20000`, streamOn: `"stream":true`, turns: "messages",
		user: `{"role":"user","content":"Hi"}`, weather: defs,
		asks: map[string][2]string{
			"system":         {`{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},{"role":"system","content":"Now be long."},{"role":"user","content":"Go on"}`, `"system":[{"type":"text","text":"Be brief."}]`},
			"history":        {`{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"tool_use","id":"toolu_a","name":"weather","input":{"city":"Oslo"}},{"type":"tool_use","id":"toolu_b","name":"now","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_a","content":"rain"},{"type":"tool_result","tool_use_id":"toolu_b","content":[{"type":"text","text":"no clock"}],"is_error":true},{"type":"text","text":"So?"}]}`, defs},
			"limit":          {"", ""},
			"image":          {image(png), ""},
			"imageurl":       {image(`{"type":"url","url":"` + photoURL + `"}`), ""},
			"resultimage":    {`{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"tool_use","id":"toolu_a","name":"now","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_a","content":[{"type":"text","text":"a dial"},{"type":"image","source":` + png + `}]}]}`, defs},
			"schema":         {"", `"output_config":{"format":{"type":"json_schema","schema":` + params + `}}`},
			"choicenone":     {"", defs + `,"tool_choice":{"type":"none"}`},
			"choiceauto":     {"", defs + `,"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`},
			"choicerequired": {"", defs + `,"tool_choice":{"type":"any"}`},
			"choicenamed":    {"", defs + `,"tool_choice":{"type":"tool","name":"weather","disable_parallel_tool_use":true}`},
			"sampling":       {"", `"temperature":0.5,"top_k":40,"stop_sequences":["END","STOP"]`},
			"thinking":       {"", `"thinking":{"type":"enabled","budget_tokens":8000}`},
			"effort":         {"", `"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}`},
			"off":            {"", `"thinking":{"type":"disabled"}`},
			"cache":          {`{"role":"user","content":[{"type":"text","text":"Hi","cache_control":{"type":"ephemeral","ttl":"1h"}}]}`, `"metadata":{"user_id":"u"},"nobody_knows":1`},
		},
		answered: func(a map[string]json.RawMessage) string {
			return `{"role":"assistant","content":` + string(a["content"]) + `}`
		},
	}
}

func geminiTool() tool {
	const defs = `"tools":[{"functionDeclarations":[{` + weather + `,"parametersJsonSchema":` + params + `},{` + timer + `}]}]`
	image := func(part string) string {
		return `{"role":"user","parts":[{"text":"What is this?"},` + part + `]}`
	}
	choice := func(s string) string { return defs + `,"toolConfig":{"functionCallingConfig":{` + s + `}}` }
	config := func(s string) string { return `"generationConfig":{` + s + `}` }
	const hi = `{"role":"user","parts":[{"text":"Hi"}]}`
	return tool{
		name: "gemini", plain: "POST /v1beta/models/m:generateContent", stream: "POST /v1beta/models/m:streamGenerateContent?alt=sse", turns: "contents",
		user: hi, weather: defs,
		asks: map[string][2]string{
			"system":         {"", `"systemInstruction":{"parts":[{"text":"Be brief."}]}`},
			"history":        {hi + `,{"role":"model","parts":[{"functionCall":{"name":"weather","args":{"city":"Oslo"}}},{"functionCall":{"name":"weather","args":{"city":"Rome"}}}]},{"role":"user","parts":[{"functionResponse":{"name":"weather","response":{"output":"rain"}}},{"functionResponse":{"name":"weather","response":{"error":"no data"}}}]}`, defs},
			"limit":          {"", config(`"maxOutputTokens":2000`)},
			"image":          {image(`{"inlineData":{"mimeType":"image/png","data":"` + pixel + `"}}`), ""},
			"imageurl":       {image(`{"fileData":{"mimeType":"image/png","fileUri":"` + photoURL + `"}}`), ""},
			"schema":         {"", config(`"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"city":{"type":"STRING","nullable":true}},"required":["city"]}`)},
			"jsonmode":       {"", config(`"responseMimeType":"application/json"`)},
			"choicenone":     {"", choice(`"mode":"NONE"`)},
			"choiceauto":     {"", choice(`"mode":"AUTO"`)},
			"choicerequired": {"", choice(`"mode":"ANY"`)},
			"choicenamed":    {"", choice(`"mode":"ANY","allowedFunctionNames":["weather"]`)},
			"sampling":       {"", config(`"temperature":0.5,"topP":0.9,"topK":40,"seed":7,"stopSequences":["END","STOP"],"maxOutputTokens":500,"frequencyPenalty":0.1,"presencePenalty":0.2`)},
			"thinking":       {"", config(`"maxOutputTokens":20000,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":8000}`)},
			"effort":         {"", config(`"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"LOW"}`)},
			"off":            {"", config(`"thinkingConfig":{"thinkingBudget":0}`)},
			"cache":          {"", `"safetySettings":[],"labels":{"a":"b"},"nobodyKnows":1`},
		},
		answered: func(a map[string]json.RawMessage) string {
			var candidates []struct{ Content json.RawMessage }
			_ = json.Unmarshal(a["candidates"], &candidates)
			return string(candidates[0].Content)
		},
	}
}

func ollamaTool() tool {
	const defs = `"tools":[{"type":"function","function":{` + weather + `,"parameters":` + params + `}},{"type":"function","function":{` + timer + `,"parameters":` + none + `}}]`
	return tool{
		name: "ollama", plain: "POST /api/chat", stream: "POST /api/chat", completion: "POST /api/generate", head: `"model":"m"`, streamOff: `"stream":false`, turns: "messages",
		user: `{"role":"user","content":"Hi"}`, weather: defs,
		asks: map[string][2]string{
			"system":     {`{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},{"role":"system","content":"Now be long."},{"role":"user","content":"Go on"}`, ""},
			"history":    {`{"role":"user","content":"Hi"},{"role":"assistant","content":"","tool_calls":[{"function":{"name":"weather","arguments":{"city":"Oslo"}}},{"function":{"name":"now","arguments":{}}}]},{"role":"tool","tool_name":"weather","content":"rain"},{"role":"tool","tool_name":"now","content":"error: no clock"}`, defs},
			"limit":      {"", `"options":{"num_predict":2000}`},
			"image":      {`{"role":"user","content":"What is this?","images":["` + pixel + `"]}`, ""},
			"schema":     {"", `"format":` + params},
			"jsonmode":   {"", `"format":"json"`},
			"sampling":   {"", `"options":{"temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.05,"seed":7,"stop":["END","STOP"],"num_predict":500,"repeat_penalty":1.1}`},
			"thinking":   {"", `"think":"high"`},
			"effort":     {"", `"think":true`},
			"off":        {"", `"think":false`},
			"cache":      {"", `"keep_alive":"5m","options":{"num_ctx":4096},"nobody_knows":1`},
			"completion": {"", `"options":{"num_predict":50}`},
		},
		answered: func(a map[string]json.RawMessage) string { return string(a["message"]) },
	}
}
