// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"fmt"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// DecodeEmbedding reads the body of a request to /api/embed, or to the older /api/embeddings, which takes one text as
// its prompt. Errors have status 400.
func DecodeEmbedding(op dialect.Operation, body []byte) (*conversation.EmbeddingRequest, *dialect.Error) {
	d := &decoder{Parser: wire.Parse(body), req: &conversation.Request{}}
	req, texts := &conversation.EmbeddingRequest{}, "input"
	if op.Path == olderEmbedPath {
		texts = "prompt"
	}
	if d.Kind() != wire.ObjectValue {
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	}
	d.Object(func(key []byte) {
		switch name := string(key); {
		case d.Null():
		case name == "input" && op.Path != olderEmbedPath, name == "prompt" && op.Path == olderEmbedPath:
			d.embeddingTexts(req, name)
		default:
			d.embeddingMember(req, name)
		}
	})
	if d.End() != nil {
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	}
	if len(req.Inputs) == 0 {
		d.isNot(texts, "there, or is empty")
	}
	if d.fail != nil {
		return nil, d.fail
	}
	req.Unmapped = d.req.Unmapped
	return req, nil
}

// embeddingTexts reads what vectors are wanted of. Only /api/embed takes a list.
func (d *decoder) embeddingTexts(req *conversation.EmbeddingRequest, key string) {
	req.Inputs = nil
	if key == "prompt" || d.Kind() == wire.StringValue {
		if text := d.text(key); text != "" {
			req.Inputs = []string{text}
		}
		return
	}
	req.Batch = true
	d.each(key, func() { req.Inputs = append(req.Inputs, d.text(key)) })
}

func (d *decoder) embeddingMember(req *conversation.EmbeddingRequest, key string) {
	switch key {
	case "model":
		req.Model = d.text(key)
	case "dimensions":
		req.Dimensions = max(0, d.integer(key))
	case "options":
		d.members(key, func(option string) {
			d.Skip()
			d.note(option)
		})
	default:
		d.unmapped(key)
	}
}

// EncodeEmbedding writes a request for vectors for a backend. What a vector is for and a title have no counterpart; the
// vectors of models that Ollama runs do not depend on them unless they stand in the text.
func EncodeEmbedding(req *conversation.EmbeddingRequest) (path string, body []byte, fail *dialect.Error) {
	if len(req.Inputs) == 0 {
		return "", nil, invalid("The request has no text to make a vector of.")
	}
	var j wire.JSON
	j.Open('{')
	j.TextMember("model", req.Model)
	j.Array("input")
	for _, input := range req.Inputs {
		j.Text(input)
	}
	j.Close(']')
	if req.Dimensions > 0 {
		j.IntMember("dimensions", int64(req.Dimensions))
	}
	j.Close('}')
	return embedPath, j, nil
}

// DecodeEmbeddingAnswer reads a backend's answer with vectors. The error wraps [ErrMalformed].
func DecodeEmbeddingAnswer(body []byte) (*conversation.EmbeddingAnswer, error) {
	a := &conversation.EmbeddingAnswer{}
	found := false
	p := wire.Parse(body)
	p.Object(func(key []byte) {
		switch string(key) {
		case "model":
			a.Model = p.String()
		case "embeddings":
			found = p.Array(func(int) { a.Vectors = append(a.Vectors, readVector(p)) })
		case "prompt_eval_count":
			a.Usage.Input = p.Int()
		}
	})
	if err := p.End(); err != nil {
		return nil, fmt.Errorf("%w: read vectors: %w", ErrMalformed, err)
	}
	if !found {
		return nil, fmt.Errorf("%w: it has no vectors", ErrMalformed)
	}
	return a, nil
}

func readVector(p *wire.Parser) []float64 {
	var v []float64
	p.Array(func(int) { v = append(v, p.Float()) })
	return v
}

// EncodeEmbeddingAnswer writes the vectors for a tool: in the form of /api/embeddings, which is one vector and nothing
// else, if the request op went there.
func EncodeEmbeddingAnswer(op dialect.Operation, req *conversation.EmbeddingRequest, a *conversation.EmbeddingAnswer) []byte {
	var j wire.JSON
	j.Open('{')
	if op.Path == olderEmbedPath {
		var one []float64
		if len(a.Vectors) > 0 {
			one = a.Vectors[0]
		}
		j.Array("embedding")
		writeNumbers(&j, one)
		j.Close(']')
		j.Close('}')
		return j
	}
	model := a.Model
	if model == "" && req != nil {
		model = req.Model
	}
	j.TextMember("model", model)
	j.Array("embeddings")
	for _, v := range a.Vectors {
		j.Open('[')
		writeNumbers(&j, v)
		j.Close(']')
	}
	j.Close(']')
	j.IntMember("total_duration", 0)
	j.IntMember("load_duration", 0)
	j.IntMember("prompt_eval_count", int64(a.Usage.Input))
	j.Close('}')
	return j
}

// writeNumbers writes the numbers of a vector into an open list.
func writeNumbers(j *wire.JSON, v []float64) {
	for i, f := range v {
		if i > 0 {
			*j = append(*j, ',')
		}
		*j = wire.AppendFloat(*j, f)
	}
}
