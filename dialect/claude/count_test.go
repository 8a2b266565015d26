// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package claude

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"strings"
	"testing"
)

// TestCountTokens compares with what Claude's own API counts for the examples of its documentation ("Token counting"),
// and holds the estimate of other texts near to known tokenizers.
func TestCountTokens(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 1000, 750))); err != nil {
		t.Fatal(err)
	}
	data := base64.StdEncoding.EncodeToString(picture.Bytes())
	for _, test := range []struct {
		name, body  string
		least, most int
	}{
		{"system and text: 14", `{"model":"m","system":"You are a scientist","messages":[{"role":"user","content":"Hello, Claude"}]}`, 13, 18},
		{
			"a tool: 403", `{"model":"m","tools":[{"name":"get_weather","description":"Get the current weather in a given location","input_schema":
			{"type":"object","properties":{"location":{"type":"string","description":"The city and state, e.g. San Francisco, CA"}},"required":["location"]}}],
			"messages":[{"role":"user","content":"What's the weather like in San Francisco?"}]}`, 390, 450,
		},
		{
			"an image of 1000 by 750", `{"model":"m","messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` +
				data + `"}},{"type":"text","text":"Describe this image"}]}]}`, 1000, 1030,
		},
		{"an image by URL", `{"model":"m","messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://a"}}]}]}`, 1600, 1620},
		{"prose: 1000 words, about 1150", `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("The quick brown fox jumps over the lazy dog. ", 111) + `"}]}`, 1000, 1400},
		{"Chinese: 500 characters", `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("你好世界吗", 100) + `"}]}`, 450, 750},
		{"a call and its result", `{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"location":"Paris"}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"It is sunny."}]}]}`, 20, 45},
		{"nothing", `{}`, 1, 5},
	} {
		got, fail := CountTokens([]byte(test.body))
		if fail != nil || got < test.least || got > test.most {
			t.Errorf("%s: got %d, %v, want %d to %d", test.name, got, fail, test.least, test.most)
		}
	}
	if _, fail := CountTokens([]byte(`[]`)); fail == nil {
		t.Error("no error for what is no request")
	}
}

// TestCountTokensCountsAll: every kind of content adds to the count.
func TestCountTokensCountsAll(t *testing.T) {
	for _, body := range []string{
		`{"system":"a b c"}`,
		`{"tools":[{"name":"f"}]}`,
		`{"tools":[{"type":"bash_20250124","name":"bash"}]}`,
		`{"tools":[{"name":"f"}],"tool_choice":{"type":"any"}}`,
		`{"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}}`,
		`{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","data":"abc"}}]}]}`,
		`{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"content","content":"abc"}}]}]}`,
		`{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"base64","data":"` + strings.Repeat("A", 400) + `"}}]}]}`,
		`{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"AAAA"}}]}]}`,
		`{"messages":[{"role":"user","content":[{"type":"search_result","source":"https://a","title":"t","content":[]}]}]}`,
		`{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"abc"}]}]}`,
		`{"messages":[{"role":"assistant","content":"12345 ___ é 😀 ж"}]}`,
	} {
		n, fail := CountTokens([]byte(body))
		if fail != nil || n <= tokensOfRequest+tokensOfMessage && !strings.Contains(body, "system") || n <= tokensOfRequest {
			t.Errorf("%s: %d, %v", body, n, fail)
		}
	}
}

func TestEncodeCount(t *testing.T) {
	if got := string(EncodeCount(42)); got != `{"input_tokens":42}` {
		t.Errorf("got %s", got)
	}
}
