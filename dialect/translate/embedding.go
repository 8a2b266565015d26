// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"slices"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/gemini"
	"github.com/tokengo/tokengo/dialect/ollama"
	"github.com/tokengo/tokengo/dialect/openai"
	"github.com/tokengo/tokengo/service"
)

// embedder is a codec for embeddings, both ways.
type embedder struct {
	decode       func(dialect.Operation, []byte) (*conversation.EmbeddingRequest, *dialect.Error)
	encode       func(*conversation.EmbeddingRequest) (string, []byte, *dialect.Error)
	decodeAnswer func([]byte) (*conversation.EmbeddingAnswer, error)
	encodeAnswer func(dialect.Operation, *conversation.EmbeddingRequest, *conversation.EmbeddingAnswer) []byte
}

var embedders = map[service.Protocol]embedder{
	service.OpenAI: {openai.DecodeEmbedding, openai.EncodeEmbedding, openai.DecodeEmbeddingAnswer, openai.EncodeEmbeddingAnswer},
	service.Gemini: {gemini.DecodeEmbedding, gemini.EncodeEmbedding, gemini.DecodeEmbeddingAnswer, gemini.EncodeEmbeddingAnswer},
	service.Ollama: {ollama.DecodeEmbedding, ollama.EncodeEmbedding, ollama.DecodeEmbeddingAnswer, ollama.EncodeEmbeddingAnswer},
}

func newEmbedding(op dialect.Operation, body []byte, to Target) (*Exchange, *dialect.Error) {
	tool, backend := embedders[op.Protocol], embedders[to.Protocol]
	request, problem := tool.decode(op, body)
	if problem != nil {
		return nil, problem
	}
	request.Model = to.Model
	if to.Protocol != service.Gemini { // no other has them
		for name, value := range map[string]string{"taskType": request.TaskType, "title": request.Title} {
			if value != "" {
				request.Unmapped = append(request.Unmapped, name)
			}
		}
		slices.Sort(request.Unmapped)
	}
	x := &Exchange{Dropped: request.Unmapped, errorCode: backends[to.Protocol].errorCode}
	if x.Path, x.Body, problem = backend.encode(request); problem != nil {
		return nil, problem
	}
	x.answer = func(body []byte) ([]byte, error) {
		answer, err := backend.decodeAnswer(body)
		if err != nil {
			return nil, err
		}
		return tool.encodeAnswer(op, request, answer), nil
	}
	return x, nil
}
