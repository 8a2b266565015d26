// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate_test

import (
	"maps"
	"strings"
)

// What tools can ask besides, about content that is not plain text and about conversations that are not plain. The keys
// are those of tool.asks.

// Content in base64.
const (
	pdf   = "JVBERi0xLjQK"
	wav   = "UklGRiQAAABXQVZFZm10IA=="
	notes = "bm90ZXM="
)

// dotted is a function's name that some protocols refuse.
const dotted = "files.read"

// refs is a schema with references, one of them beside a description, and with what not every protocol knows.
const refs = `{"type":"object","properties":{"from":{"$ref":"#/$defs/place","description":"Start"},"to":{"$ref":"#/$defs/place"},"kind":{"const":"trip"},"when":{"anyOf":[{"type":"string"},{"type":"null"}]},"days":{"type":"integer","exclusiveMinimum":0}},"required":["from"],"additionalProperties":false,"$defs":{"place":{"type":"object","properties":{"city":{"type":"string"}}}}}`

func init() {
	for i := range tools {
		maps.Copy(tools[i].asks, moreAsks()[tools[i].name])
	}
}

func moreAsks() map[string]map[string][2]string {
	return map[string]map[string][2]string{
		"openai": openaiAsks(), "responses": responsesAsks(), "claude": claudeAsks(), "gemini": geminiAsks(), "ollama": ollamaAsks(),
	}
}

// again puts a turn behind itself so often.
func again(turn string, n int) string { return strings.TrimSuffix(strings.Repeat(turn+",", n), ",") }

func openaiAsks() map[string][2]string {
	user := func(part string) string {
		return `{"role":"user","content":[{"type":"text","text":"See"},` + part + `]}`
	}
	tool := func(name, schema string) string {
		return `"tools":[{"type":"function","function":{"name":"` + name + `","parameters":` + schema + `}}]`
	}
	call := func(id, name string) string {
		return `{"id":"` + id + `","type":"function","function":{"name":"` + name + `","arguments":"{}"}}`
	}
	turn := func(content, calls string) string {
		return `{"role":"assistant","content":` + content + `,"tool_calls":[` + calls + `]}`
	}
	result := func(id, text string) string {
		return `{"role":"tool","tool_call_id":"` + id + `","content":"` + text + `"}`
	}
	const hi, marked = `{"role":"user","content":"Hi"}`, `{"role":"user","content":[{"type":"text","text":"Hi","cache_control":{"type":"ephemeral","ttl":"1h"}}]}`
	return map[string][2]string{
		"logprobs":  {"", `"logprobs":true,"top_logprobs":1`},
		"stop":      {"", `"stop":"END"`},
		"manystops": {"", `"stop":["1","2","3","4","5","6"]`},
		"several":   {"", `"n":2`},
		"hot":       {"", `"temperature":1.8`},
		"fill":      {"", `"suffix":" end"`},
		"file":      {user(`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,` + pdf + `"}}`), ""},
		"textfile":  {user(`{"type":"file","file":{"filename":"a.txt","file_data":"data:text/plain;base64,` + notes + `"}}`), ""},
		"fileid":    {user(`{"type":"file","file":{"file_id":"file-1"}}`), ""},
		"audio":     {user(`{"type":"input_audio","input_audio":{"data":"` + wav + `","format":"wav"}}`), ""},
		"reorder":   {joined(hi, turn("null", call("call_a", "weather")+","+call("call_b", "now")), result("call_b", "noon"), result("call_a", "rain")), ""},
		"sameids":   {joined(hi, turn(`""`, call("call_0", "now")), result("call_0", "noon"), turn(`""`, call("call_0", "now")), result("call_0", "one")), ""},
		"orphan":    {joined(hi, result("call_z", "rain")), ""},
		"names":     {joined(hi, turn("null", call("call_a", dotted)), result("call_a", "x")), tool(dotted, none) + `,"tool_choice":{"type":"function","function":{"name":"` + dotted + `"}}`},
		"namesfree": {"", tool(dotted, none)},
		"schemaref": {"", tool("trip", refs)},
		"emptytext": {joined(`{"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"Hi"}]}`, turn(`[{"type":"text","text":""}]`, call("call_a", "now")), result("call_a", "")), ""},
		"prefill":   {joined(hi, `{"role":"assistant","content":"The answer is \n"}`), ""},
		"greeting":  {joined(`{"role":"assistant","content":"Welcome"}`, hi), ""},
		"samerole":  {joined(again(hi, 2), again(`{"role":"assistant","content":"Yes"}`, 2), hi), ""},
		"marks":     {joined(again(marked, 5), `{"role":"system","content":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}]}`), ""},
	}
}

func responsesAsks() map[string][2]string {
	user := func(part string) string {
		return `{"role":"user","content":[{"type":"input_text","text":"See"},` + part + `]}`
	}
	tool := func(name, schema string) string {
		return `"tools":[{"type":"function","name":"` + name + `","parameters":` + schema + `,"strict":false}]`
	}
	call := func(id, name string) string {
		return `{"type":"function_call","call_id":"` + id + `","name":"` + name + `","arguments":"{}"}`
	}
	result := func(id, output string) string {
		return `{"type":"function_call_output","call_id":"` + id + `","output":` + output + `}`
	}
	const hi = `{"role":"user","content":"Hi"}`
	answer := `{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Yes"}]}`
	return map[string][2]string{
		"logprobs":    {"", `"include":["message.output_text.logprobs"],"top_logprobs":1`},
		"hot":         {"", `"temperature":1.8`},
		"file":        {user(`{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,` + pdf + `"}`), ""},
		"textfile":    {user(`{"type":"input_file","filename":"a.txt","file_data":"data:text/plain;base64,` + notes + `"}`), ""},
		"fileid":      {user(`{"type":"input_image","file_id":"file-1"}`), ""},
		"storedfile":  {user(`{"type":"input_file","file_id":"file-1"}`), ""},
		"audio":       {user(`{"type":"input_audio","input_audio":{"data":"` + wav + `","format":"wav"}}`), ""},
		"reorder":     {joined(hi, call("call_a", "weather"), call("call_b", "now"), result("call_b", `"noon"`), result("call_a", `"rain"`)), ""},
		"sameids":     {joined(hi, call("call_0", "now"), result("call_0", `"noon"`), call("call_0", "now"), result("call_0", `"one"`)), ""},
		"orphan":      {joined(hi, result("call_z", `"rain"`)), ""},
		"resulterror": {joined(hi, call("call_a", "now"), result("call_a", `{"content":"no clock","success":false}`)), ""},
		"names":       {joined(hi, call("call_a", dotted), result("call_a", `"x"`)), tool(dotted, none) + `,"tool_choice":{"type":"function","name":"` + dotted + `"}`},
		"namesfree":   {"", tool(dotted, none)},
		"schemaref":   {"", tool("trip", refs)},
		"emptytext":   {joined(`{"role":"user","content":[{"type":"input_text","text":""},{"type":"input_text","text":"Hi"}]}`, call("call_a", "now"), result("call_a", `""`)), ""},
		"prefill":     {joined(hi, strings.ReplaceAll(answer, "Yes", `The answer is \n`)), ""},
		"greeting":    {joined(strings.ReplaceAll(answer, "Yes", "Welcome"), hi), ""},
		"samerole":    {joined(again(hi, 2), again(answer, 2), hi), ""},
	}
}

func claudeAsks() map[string][2]string {
	user := func(block string) string {
		return `{"role":"user","content":[{"type":"text","text":"See"},` + block + `]}`
	}
	source := func(media, data string) string {
		return `{"type":"base64","media_type":"` + media + `","data":"` + data + `"}`
	}
	tool := func(name, schema string) string {
		return `"tools":[{"name":"` + name + `","input_schema":` + schema + `}]`
	}
	call := func(id, name string) string {
		return `{"type":"tool_use","id":"` + id + `","name":"` + name + `","input":{}}`
	}
	said := func(blocks ...string) string {
		return `{"role":"assistant","content":[` + strings.Join(blocks, ",") + `]}`
	}
	results := func(blocks ...string) string {
		return `{"role":"user","content":[` + strings.Join(blocks, ",") + `]}`
	}
	result := func(id, content string) string {
		return `{"type":"tool_result","tool_use_id":"` + id + `","content":` + content + `}`
	}
	const hi, empty = `{"role":"user","content":"Hi"}`, `{"type":"text","text":""}`
	picture := `[{"type":"text","text":"no clock"},{"type":"image","source":` + source("image/png", pixel) + `}],"is_error":true`
	mark := `{"type":"text","text":"Hi","cache_control":{"type":"ephemeral","ttl":"5m"}}`
	return map[string][2]string{
		"stop":        {"", `"stop_sequences":["END"]`},
		"manystops":   {"", `"stop_sequences":["1","2","3","4","5","6"]`},
		"file":        {user(`{"type":"document","title":"a.pdf","source":` + source("application/pdf", pdf) + `}`), ""},
		"textfile":    {user(`{"type":"document","title":"a.txt","source":{"type":"text","media_type":"text/plain","data":"notes"}}`), ""},
		"fileid":      {user(`{"type":"document","source":{"type":"file","file_id":"file_1"}}`), ""},
		"reorder":     {joined(hi, said(call("toolu_a", "weather"), call("toolu_b", "now")), results(result("toolu_b", `"noon"`), result("toolu_a", `"rain"`))), ""},
		"sameids":     {joined(hi, said(call("toolu_0", "now")), results(result("toolu_0", `"noon"`)), said(call("toolu_0", "now")), results(result("toolu_0", `"one"`))), ""},
		"orphan":      {joined(hi, results(result("toolu_z", `"rain"`))), ""},
		"resulterror": {joined(hi, said(call("toolu_a", "now")), results(result("toolu_a", picture))), ""},
		"names":       {joined(hi, said(call("toolu_a", dotted)), results(result("toolu_a", `"x"`))), tool(dotted, none) + `,"tool_choice":{"type":"tool","name":"` + dotted + `"}`},
		"namesfree":   {"", tool(dotted, none)},
		"schemaref":   {"", tool("trip", refs)},
		"emptytext":   {joined(`{"role":"user","content":[`+empty+`,{"type":"text","text":"Hi"}]}`, said(empty, call("toolu_a", "now")), results(result("toolu_a", `[`+empty+`]`))), ""},
		"prefill":     {joined(hi, `{"role":"assistant","content":"The answer is"}`), ""},
		"samerole":    {joined(again(hi, 2), again(`{"role":"assistant","content":"Yes"}`, 2), hi), ""},
		"marks":       {again(`{"role":"user","content":[`+mark+`]}`, 4), `"system":[` + mark + `]`},
		"builtin":     {"", `"tools":[{"type":"web_search_20250305","name":"web_search"}]`},
	}
}

func geminiAsks() map[string][2]string {
	user := func(part string) string { return `{"role":"user","parts":[{"text":"See"},` + part + `]}` }
	inline := func(media, data string) string {
		return `{"inlineData":{"mimeType":"` + media + `","data":"` + data + `"}}`
	}
	config := func(s string) string { return `"generationConfig":{` + s + `}` }
	tool := func(name, schema string) string {
		return `"tools":[{"functionDeclarations":[{"name":"` + name + `","parametersJsonSchema":` + schema + `}]}]`
	}
	call := func(name string) string { return `{"functionCall":{"name":"` + name + `","args":{}}}` }
	said := func(parts ...string) string {
		return `{"role":"model","parts":[` + strings.Join(parts, ",") + `]}`
	}
	results := func(parts ...string) string {
		return `{"role":"user","parts":[` + strings.Join(parts, ",") + `]}`
	}
	result := func(name, more string) string { return `{"functionResponse":{"name":"` + name + `",` + more + `}}` }
	const hi = `{"role":"user","parts":[{"text":"Hi"}]}`
	return map[string][2]string{
		"logprobs":    {"", config(`"responseLogprobs":true,"logprobs":1`)},
		"stop":        {"", config(`"stopSequences":["END"]`)},
		"several":     {"", config(`"candidateCount":2`)},
		"hot":         {"", config(`"temperature":1.8`)},
		"midsystem":   {joined(hi, said(`{"text":"Hello"}`), `{"role":"system","parts":[{"text":"Now be long."}]}`, hi), `"systemInstruction":{"parts":[{"text":"Be brief."}]}`},
		"file":        {user(inline("application/pdf", pdf)), ""},
		"textfile":    {user(inline("text/plain", notes)), ""},
		"fileid":      {user(`{"fileData":{"mimeType":"application/pdf","fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}}`), ""},
		"audio":       {user(inline("audio/wav", wav)), ""},
		"reorder":     {joined(hi, said(call("weather"), call("now")), results(result("now", `"response":{"output":"noon"}`), result("weather", `"response":{"output":"rain"}`))), ""},
		"resultimage": {joined(hi, said(call("now")), results(result("now", `"response":{"output":"a dial"},"parts":[`+inline("image/png", pixel)+`]`))), ""},
		"resulterror": {joined(hi, said(call("now")), results(result("now", `"response":{"error":"no clock"}`))), ""},
		"orphan":      {joined(hi, results(result("weather", `"response":{"output":"rain"}`))), ""},
		"names":       {joined(hi, said(call(dotted)), results(result(dotted, `"response":{"output":"x"}`))), tool(dotted, none) + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["` + dotted + `"]}}`},
		"namesfree":   {"", tool(dotted, none)},
		"schemaref":   {"", tool("trip", refs)},
		"emptytext":   {joined(`{"role":"user","parts":[{"text":""},{"text":"Hi"}]}`, said(`{"text":""}`, call("now")), results(result("now", `"response":{}`))), ""},
		"prefill":     {joined(hi, said(`{"text":"The answer is \n"}`)), ""},
		"greeting":    {joined(said(`{"text":"Welcome"}`), hi), ""},
		"samerole":    {joined(again(hi, 2), again(said(`{"text":"Yes"}`), 2), hi), ""},
		"builtin":     {"", `"tools":[{"googleSearch":{}}]`},
	}
}

func ollamaAsks() map[string][2]string {
	user := func(data string) string { return `{"role":"user","content":"See","images":["` + data + `"]}` }
	tool := func(name, schema string) string {
		return `"tools":[{"type":"function","function":{"name":"` + name + `","parameters":` + schema + `}}]`
	}
	call := func(name string) string { return `{"function":{"name":"` + name + `","arguments":{}}}` }
	said := func(content string, calls ...string) string {
		return `{"role":"assistant","content":"` + content + `","tool_calls":[` + strings.Join(calls, ",") + `]}`
	}
	result := func(name, content string) string {
		return `{"role":"tool","tool_name":"` + name + `","content":"` + content + `"}`
	}
	const hi = `{"role":"user","content":"Hi"}`
	return map[string][2]string{
		"logprobs":    {"", `"logprobs":true,"top_logprobs":1`},
		"stop":        {"", `"options":{"stop":["END"]}`},
		"hot":         {"", `"options":{"temperature":1.8}`},
		"fill":        {"", `"suffix":" end"`},
		"audio":       {user(wav), ""},
		"reorder":     {joined(hi, said("", call("weather"), call("now")), result("now", "noon"), result("weather", "rain")), ""},
		"resultimage": {joined(hi, said("", call("now")), `{"role":"tool","tool_name":"now","content":"a dial","images":["`+pixel+`"]}`), ""},
		"orphan":      {joined(hi, result("weather", "rain")), ""},
		"names":       {joined(hi, said("", call(dotted)), result(dotted, "x")), tool(dotted, none)},
		"namesfree":   {"", tool(dotted, none)},
		"schemaref":   {"", tool("trip", refs)},
		"emptytext":   {joined(hi, said("", call("now")), result("now", "")), ""},
		"prefill":     {joined(hi, `{"role":"assistant","content":"The answer is \n"}`), ""},
		"greeting":    {joined(`{"role":"assistant","content":"Welcome"}`, hi), ""},
		"samerole":    {joined(again(hi, 2), again(`{"role":"assistant","content":"Yes"}`, 2), hi), ""},
		"toolchoice":  {"", tool("now", none) + `,"tool_choice":"required"`},
	}
}
