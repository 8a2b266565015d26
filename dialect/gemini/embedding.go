// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// DecodeEmbedding reads the body of an embedContent or batchEmbedContents request; op says which and names the model.
// Errors have status 400.
func DecodeEmbedding(op dialect.Operation, body []byte) (*conversation.EmbeddingRequest, *dialect.Error) {
	req := &conversation.EmbeddingRequest{Model: op.Model, Batch: strings.HasSuffix(op.Path, verbEmbedBatch)}
	d := &decoder{Parser: wire.Parse(body), req: &conversation.Request{}}
	if d.Kind() != wire.ObjectValue {
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	}
	if req.Batch {
		d.members("the request", func(key string) {
			if key == "requests" {
				d.each(func() { d.embedding(req, "requests[]") })
			} else if key != "model" {
				d.unmapped([]byte(key))
			}
		})
	} else {
		d.embedding(req, "the request")
	}
	switch {
	case d.End() != nil:
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	case d.wrong != "":
		return nil, invalid("The request's field " + d.wrong + " is not " + d.want + ". Correct it and send it again.")
	case d.refusal != nil:
		return nil, d.refusal
	case len(req.Inputs) == 0:
		return nil, invalid("The request has no content to embed. Set content to a text.")
	}
	req.Unmapped = d.req.Unmapped
	return req, nil
}

// embedding reads one request.
func (d *decoder) embedding(req *conversation.EmbeddingRequest, field string) {
	first := len(req.Inputs) == 0
	one := conversation.EmbeddingRequest{}
	var t turn
	d.members(field, func(key string) {
		switch key {
		case "model":
			d.Skip()
		case "content":
			t = d.turn("content")
		case "embedContentConfig":
			d.members("embedContentConfig", func(key string) { d.embeddingConfig(&one, key) })
		default:
			d.embeddingConfig(&one, key)
		}
	})
	var texts []string
	for _, part := range t.parts {
		p, ok := part.(conversation.TextPart)
		if !ok {
			d.refuse("The request wants something other than text embedded, which this backend cannot do.")
			continue
		}
		texts = append(texts, p.Text)
	}
	if len(texts) == 0 && d.wrong == "" {
		d.wrong, d.want = "content", "there"
	}
	if first {
		req.TaskType, req.Title, req.Dimensions = one.TaskType, one.Title, one.Dimensions
	}
	if req.TaskType != one.TaskType || req.Title != one.Title || req.Dimensions != one.Dimensions {
		d.refuse("The request wants its contents embedded in different ways. Send a request for each.")
	}
	req.Inputs = append(req.Inputs, strings.Join(texts, "\n"))
}

func (d *decoder) embeddingConfig(req *conversation.EmbeddingRequest, key string) {
	switch key {
	case "taskType":
		req.TaskType = d.text(key)
	case "title":
		req.Title = d.text(key)
	case "outputDimensionality":
		req.Dimensions = d.integer(key)
	default:
		d.unmapped([]byte(key))
	}
}

// EncodeEmbedding writes a request for a Gemini backend, and the path to send it to.
func EncodeEmbedding(req *conversation.EmbeddingRequest) (path string, body []byte, fail *dialect.Error) {
	if len(req.Inputs) == 0 {
		return "", nil, invalid("The request has no text to embed.")
	}
	var out wire.JSON
	if len(req.Inputs) == 1 && !req.Batch {
		writeEmbedding(&out, req, req.Inputs[0])
		return pathOf(req.Model, verbEmbed), out, nil
	}
	out.Open('{')
	out.Array("requests")
	for _, text := range req.Inputs {
		writeEmbedding(&out, req, text)
	}
	out.Close(']')
	out.Close('}')
	return pathOf(req.Model, verbEmbedBatch), out, nil
}

func writeEmbedding(out *wire.JSON, req *conversation.EmbeddingRequest, text string) {
	out.Open('{')
	out.TextMember("model", resource(req.Model))
	out.Object("content")
	out.Array("parts")
	writeText(out, text, "", false)
	out.Close(']')
	out.Close('}')
	out.TextIf("taskType", req.TaskType)
	out.TextIf("title", req.Title)
	if req.Dimensions > 0 {
		out.IntMember("outputDimensionality", int64(req.Dimensions))
	}
	out.Close('}')
}

// DecodeEmbeddingAnswer reads the answer to either request. The error is ErrMalformed.
func DecodeEmbeddingAnswer(body []byte) (*conversation.EmbeddingAnswer, error) {
	a := &conversation.EmbeddingAnswer{}
	p := wire.Parse(body)
	var c chunk // for its counts
	p.Object(func(key []byte) {
		switch string(key) {
		case "embedding":
			a.Vectors = append(a.Vectors, readVector(p))
		case "embeddings":
			p.Array(func(int) { a.Vectors = append(a.Vectors, readVector(p)) })
		case "usageMetadata":
			c.Parser = p
			c.readUsage()
			a.Usage = c.usage
		}
	})
	if p.End() != nil || len(a.Vectors) == 0 {
		return nil, ErrMalformed
	}
	for _, v := range a.Vectors {
		if len(v) == 0 {
			return nil, ErrMalformed
		}
	}
	return a, nil
}

func readVector(p *wire.Parser) []float64 {
	var v []float64
	p.Object(func(key []byte) {
		if string(key) == "values" {
			p.Array(func(int) { v = append(v, p.Float()) })
		}
	})
	return v
}

// EncodeEmbeddingAnswer writes the answer to a tool's request, which came with op.
func EncodeEmbeddingAnswer(op dialect.Operation, req *conversation.EmbeddingRequest, a *conversation.EmbeddingAnswer) []byte {
	var out wire.JSON
	out.Open('{')
	if req.Batch || strings.HasSuffix(op.Path, verbEmbedBatch) {
		out.Array("embeddings")
		for _, v := range a.Vectors {
			writeVector(&out, v)
		}
		out.Close(']')
	} else {
		out.Name("embedding")
		var v []float64
		if len(a.Vectors) > 0 {
			v = a.Vectors[0]
		}
		writeVector(&out, v)
	}
	if a.Usage.Input > 0 {
		out.Object("usageMetadata")
		out.IntMember("promptTokenCount", int64(a.Usage.Input))
		out.Close('}')
	}
	out.Close('}')
	return out
}

func writeVector(out *wire.JSON, v []float64) {
	out.Open('{')
	out.Array("values")
	for i := range v {
		out.Comma()
		*out = wire.AppendFloat(*out, v[i])
	}
	out.Close(']')
	out.Close('}')
}
