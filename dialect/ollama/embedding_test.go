// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/service"
)

var embedOp = dialect.Operation{Protocol: service.Ollama, Kind: dialect.Embedding, Path: embedPath}

var olderEmbedOp = dialect.Operation{Protocol: service.Ollama, Kind: dialect.Embedding, Path: olderEmbedPath}

func TestEmbedding(t *testing.T) {
	for _, test := range []struct {
		op      dialect.Operation
		in, out string
		want    conversation.EmbeddingRequest
	}{
		{
			embedOp, `{"model":"m","input":"a"}`, `{"model":"m","input":["a"]}`,
			conversation.EmbeddingRequest{Model: "m", Inputs: []string{"a"}},
		},
		{
			olderEmbedOp, `{"model":"m","prompt":"a","keep_alive":"1m","options":{"num_ctx":1},"input":"x"}`, `{"model":"m","input":["a"]}`,
			conversation.EmbeddingRequest{Model: "m", Inputs: []string{"a"}, Unmapped: []string{"keep_alive", "num_ctx", "input"}},
		},
		{
			embedOp, `{"model":"m","input":["a","b"],"dimensions":3,"truncate":true,"keep_alive":"1m","options":{"num_ctx":1}}`,
			`{"model":"m","input":["a","b"],"dimensions":3}`,
			conversation.EmbeddingRequest{
				Model: "m", Inputs: []string{"a", "b"}, Batch: true, Dimensions: 3,
				Unmapped: []string{"truncate", "keep_alive", "num_ctx"},
			},
		},
	} {
		req, fail := DecodeEmbedding(test.op, []byte(test.in))
		if fail != nil {
			t.Fatal(fail)
		}
		if diff := cmp.Diff(&test.want, req); diff != "" {
			t.Error(diff)
		}
		path, body, fail := EncodeEmbedding(req)
		if path != embedPath || fail != nil {
			t.Errorf("path %s, %v", path, fail)
		}
		sameJSON(t, test.out, string(body))
	}
}

func TestEmbeddingRefuses(t *testing.T) {
	for _, body := range []string{`{"model":"m"}`, `{"model":"m","input":""}`, `{"model":"m","input":[1]}`, `{"input":{}}`, `[]`, `{`} {
		if _, fail := DecodeEmbedding(embedOp, []byte(body)); fail == nil {
			t.Errorf("%s was taken", body)
		}
	}
	for _, body := range []string{`{"model":"m"}`, `{"model":"m","input":"a"}`, `{"model":"m","prompt":""}`, `{"model":"m","prompt":["a"]}`} {
		if _, fail := DecodeEmbedding(olderEmbedOp, []byte(body)); fail == nil || !strings.Contains(fail.Message, "prompt") {
			t.Errorf("%s at %s: %v", body, olderEmbedPath, fail)
		}
	}
	if _, _, fail := EncodeEmbedding(&conversation.EmbeddingRequest{Model: "m"}); fail == nil {
		t.Error("no input was taken")
	}
}

func TestEmbeddingAnswer(t *testing.T) {
	a, err := DecodeEmbeddingAnswer([]byte(`{"model":"m","embeddings":[[0.5,-1e-7],[]],"total_duration":5,"prompt_eval_count":4}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &conversation.EmbeddingAnswer{Model: "m", Vectors: [][]float64{{0.5, -1e-7}, nil}, Usage: conversation.Usage{Input: 4}}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Error(diff)
	}
	sameJSON(
		t, `{"model":"m","embeddings":[[0.5,-1e-7],[]],"total_duration":0,"load_duration":0,"prompt_eval_count":4}`,
		string(EncodeEmbeddingAnswer(embedOp, nil, a)),
	)
	sameJSON(t, `{"embedding":[0.5,-1e-7]}`, string(EncodeEmbeddingAnswer(olderEmbedOp, nil, a)))
	sameJSON(t, `{"embedding":[]}`, string(EncodeEmbeddingAnswer(olderEmbedOp, nil, &conversation.EmbeddingAnswer{})))
	for _, body := range []string{`{}`, `{"embeddings":1}`, `[`, `{"error":"s3cret"}`} {
		if _, err := DecodeEmbeddingAnswer([]byte(body)); !errors.Is(err, ErrMalformed) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", body, err)
		}
	}
}
