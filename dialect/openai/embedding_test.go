// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect/conversation"
)

func TestDecodeEmbedding(t *testing.T) {
	type request = conversation.EmbeddingRequest
	for _, tt := range []struct {
		body string
		want *request
	}{
		{`{"model":"m","input":"a"}`, &request{Model: "m", Inputs: []string{"a"}}},
		{`{"model":"m","input":["a"],"encoding_format":"base64","dimensions":2,"user":"u"}`, &request{Model: "m", Inputs: []string{"a"}, Batch: true, Base64: true, Dimensions: 2, Unmapped: []string{"user"}}},
		{`{"model":"m","input":["a",""],"encoding_format":"float","dimensions":null}`, &request{Model: "m", Inputs: []string{"a", ""}, Batch: true}},
	} {
		got, fail := DecodeEmbedding(embeddingOp, []byte(tt.body))
		if diff := cmp.Diff(tt.want, got); fail != nil || diff != "" {
			t.Errorf("%s: %v\n%s", tt.body, fail, diff)
		}
	}
	for _, body := range []string{`{}`, `{"input":[]}`, `{"input":[1,2]}`, `{"input":[[1]]}`, `{"input":3}`, `{"input":"a","dimensions":"x"}`, `[]`, `{"input":"a"`} {
		if _, fail := DecodeEmbedding(embeddingOp, []byte(body)); fail == nil {
			t.Errorf("%s was taken", body)
		}
	}
}

func TestEncodeEmbedding(t *testing.T) {
	for _, tt := range []struct {
		in   conversation.EmbeddingRequest
		want string
	}{
		{conversation.EmbeddingRequest{Model: "m", Inputs: []string{"a"}}, `{"model":"m","input":"a","encoding_format":"float"}`},
		{conversation.EmbeddingRequest{Model: "m", Inputs: []string{"a"}, Batch: true, Base64: true}, `{"model":"m","input":["a"],"encoding_format":"float"}`},
		{conversation.EmbeddingRequest{Model: "m", Inputs: []string{"a", "b"}, Dimensions: 2}, `{"model":"m","input":["a","b"],"dimensions":2,"encoding_format":"float"}`},
	} {
		path, body, fail := EncodeEmbedding(&tt.in)
		if fail != nil || path != "/v1/embeddings" {
			t.Errorf("path %q, error %v", path, fail)
		}
		sameJSON(t, tt.want, string(body))
	}
}

func TestEmbeddingAnswer(t *testing.T) {
	want := &conversation.EmbeddingAnswer{Model: "m", Vectors: [][]float64{{0.5, -1}, {}}, Usage: conversation.Usage{Input: 3}}
	for _, data := range []string{
		`{"index":0,"embedding":[0.5,-1]},{"index":1,"embedding":[]}`,
		`{"index":1,"embedding":[]},{"index":0,"embedding":"AAAAPwAAgL8="}`,
		`{"embedding":[0.5,-1]},{"embedding":""}`,
	} {
		got, err := DecodeEmbeddingAnswer([]byte(`{"object":"list","model":"m","data":[` + data + `],"usage":{"prompt_tokens":3,"total_tokens":3}}`))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", data, err, diff)
		}
	}
	for _, body := range []string{
		``, `{}`, `{"data":[]}`, `{"data":[{"index":-1,"embedding":[]}]}`, `{"data":[{"index":99999999,"embedding":[]}]}`,
		`{"data":[{"index":1,"embedding":[]}]}`, `{"data":[{"embedding":"AAA="}]}`, `{"data":[{"embedding":"?"}]}`,
	} {
		if _, err := DecodeEmbeddingAnswer([]byte(body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: error %v, want ErrMalformed", body, err)
		}
	}
	req := &conversation.EmbeddingRequest{Model: "asked"}
	sameJSON(t, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1]},{"object":"embedding","index":1,"embedding":[]}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}`,
		string(EncodeEmbeddingAnswer(embeddingOp, req, want)))
	req.Base64, want.Model = true, ""
	sameJSON(t, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AAAAPwAAgL8="},{"object":"embedding","index":1,"embedding":""}],"model":"asked","usage":{"prompt_tokens":3,"total_tokens":3}}`,
		string(EncodeEmbeddingAnswer(embeddingOp, req, want)))
}
