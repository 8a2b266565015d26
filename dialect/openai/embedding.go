// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// maxVectors is how many vectors are read of one answer. OpenAI's limit of inputs is 2048.
const maxVectors = 1 << 16

// DecodeEmbedding reads a tool's request for embeddings. Errors have status 400 and name the field that is wrong, or
// that no other protocol can carry: inputs given as tokens.
func DecodeEmbedding(_ dialect.Operation, body []byte) (*conversation.EmbeddingRequest, *dialect.Error) {
	d := decoder{p: wire.Parse(body), req: &conversation.Request{}, list: -1}
	r := &conversation.EmbeddingRequest{}
	isObject := d.p.Object(func(key []byte) {
		switch field := string(key); field {
		case "model":
			r.Model = d.text(field)
		case "input":
			r.Batch = d.p.Kind() == wire.ArrayValue
			r.Inputs = d.inputs()
		case "dimensions":
			r.Dimensions = d.count(field)
		case "encoding_format":
			r.Base64 = d.text(field) == "base64"
		default:
			d.other(field)
		}
	})
	err := d.p.End()
	switch {
	case d.fail != nil:
		return nil, d.fail
	case !isObject || err != nil:
		return nil, &dialect.Error{Code: dialect.CodeNotJSON}
	case len(r.Inputs) == 0:
		return nil, untranslatable("The field input is missing or empty.")
	}
	r.Unmapped = d.req.Unmapped
	return r, nil
}

func (d *decoder) inputs() []string {
	if d.p.Kind() != wire.ArrayValue {
		if d.p.Null() {
			return nil
		}
		return []string{d.text("input")}
	}
	list := []string{}
	d.p.Array(func(int) {
		if k := d.p.Kind(); k == wire.NumberValue || k == wire.ArrayValue {
			d.refuse("The field input has tokens, which mean something to their own model only; send text.")
		}
		list = append(list, d.text("input"))
	})
	return list
}

// EncodeEmbedding returns a request for embeddings as a backend takes it, and the path to send it to. A task and a title
// (gemini's) are left out.
func EncodeEmbedding(req *conversation.EmbeddingRequest) (path string, body []byte, fail *dialect.Error) {
	e := encoder{dst: []byte(`{"model":`)}
	e.dst = wire.AppendString(e.dst, req.Model)
	if len(req.Inputs) == 1 && !req.Batch {
		e.text("input", req.Inputs[0])
	} else {
		e.key("input")
		e.strings(req.Inputs)
	}
	if req.Dimensions > 0 {
		e.integer("dimensions", int64(req.Dimensions))
	}
	e.text("encoding_format", "float")
	return embeddingPath, append(e.dst, '}'), nil
}

// DecodeEmbeddingAnswer reads a backend's vectors, as lists of numbers or in base64. An error wraps ErrMalformed.
func DecodeEmbeddingAnswer(body []byte) (*conversation.EmbeddingAnswer, error) {
	var a conversation.EmbeddingAnswer
	var problem error
	p := wire.Parse(body)
	p.Object(func(key []byte) {
		switch string(key) {
		case "model":
			a.Model = p.String()
		case "usage":
			a.Usage = readUsage(p)
		case "data":
			p.Array(func(i int) {
				if err := readVector(p, &a, i); err != nil && problem == nil {
					problem = err
				}
			})
		}
	})
	if err := p.End(); err != nil {
		return nil, malformed(err)
	}
	if problem != nil {
		return nil, problem
	}
	if len(a.Vectors) == 0 || slices.ContainsFunc(a.Vectors, func(v []float64) bool { return v == nil }) {
		return nil, fmt.Errorf("%w: vectors are missing", ErrMalformed)
	}
	return &a, nil
}

// readVector takes one element of data, which may say itself which input it belongs to.
func readVector(p *wire.Parser, a *conversation.EmbeddingAnswer, index int) error {
	var vector []float64
	var problem error
	p.Object(func(key []byte) {
		switch string(key) {
		case "index":
			index = p.Int()
		case "embedding":
			switch p.Kind() {
			case wire.ArrayValue:
				vector = []float64{}
				p.Array(func(int) { vector = append(vector, p.Float()) })
			case wire.StringValue:
				vector, problem = unpack(p.String())
			}
		}
	})
	if index < 0 || index >= maxVectors {
		return fmt.Errorf("%w: a vector's index is out of range", ErrMalformed)
	}
	for len(a.Vectors) <= index {
		a.Vectors = append(a.Vectors, nil)
	}
	a.Vectors[index] = vector
	return problem
}

// float32Size is the size of a number of a vector in base64: IEEE 754 single precision, little endian.
const float32Size = 4

func unpack(encoded string) ([]float64, error) {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw)%float32Size != 0 {
		return nil, fmt.Errorf("%w: a vector is not in base64", ErrMalformed)
	}
	vector := make([]float64, 0, len(raw)/float32Size)
	for ; len(raw) > 0; raw = raw[float32Size:] {
		vector = append(vector, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
	}
	return vector, nil
}

// EncodeEmbeddingAnswer returns vectors as the tool asked for them: lists of numbers, or base64.
func EncodeEmbeddingAnswer(_ dialect.Operation, req *conversation.EmbeddingRequest, a *conversation.EmbeddingAnswer) []byte {
	dst := []byte(`{"object":"list","data":[`)
	for i, vector := range a.Vectors {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"object":"embedding","index":`...)
		dst = strconv.AppendInt(dst, int64(i), 10)
		dst = append(dst, `,"embedding":`...)
		if req.Base64 {
			dst = pack(dst, vector)
		} else {
			dst = appendFloats(dst, vector)
		}
		dst = append(dst, '}')
	}
	dst = append(dst, `],"model":`...)
	dst = wire.AppendString(dst, orElse(a.Model, req.Model))
	dst = append(dst, `,"usage":{"prompt_tokens":`...)
	dst = strconv.AppendInt(dst, int64(a.Usage.Input), 10)
	dst = append(dst, `,"total_tokens":`...)
	dst = strconv.AppendInt(dst, int64(a.Usage.Total()), 10)
	return append(dst, '}', '}')
}

func pack(dst []byte, vector []float64) []byte {
	raw := make([]byte, 0, float32Size*len(vector))
	for _, f := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(f)))
	}
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, raw)
	return append(dst, '"')
}

func appendFloats(dst []byte, vector []float64) []byte {
	dst = append(dst, '[')
	for i, f := range vector {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = wire.AppendFloat(dst, f)
	}
	return append(dst, ']')
}
