// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demobackend

import (
	"encoding/base64"
	"encoding/binary"
	"math"
)

// Lengths of embedding vectors. Our own choice: short vectors are readable.
const (
	defaultDimensions = 16
	maxDimensions     = 4096
)

// embedding returns a vector of length one that depends only on text. Nearness
// between two such vectors means nothing. Zero dimensions mean the default.
func embedding(text string, dimensions int) ([]float32, error) {
	if dimensions == 0 {
		dimensions = defaultDimensions
	}
	if dimensions < 1 || dimensions > maxDimensions {
		return nil, &apiError{reason: badField, subject: "dimensions"}
	}
	// Integers up to the square root keep the result the same on every processor.
	r := newRand(text)
	raw := make([]int64, dimensions)
	var sum int64
	for i := range raw {
		raw[i] = r.Int64N(2001) - 1000
		sum += raw[i] * raw[i]
	}
	length := math.Sqrt(float64(max(sum, 1)))
	vector := make([]float32, dimensions)
	for i, v := range raw {
		vector[i] = float32(float64(v) / length)
	}
	return vector, nil
}

// embeddings returns one vector for each text, and the words in all of them.
func embeddings(texts []string, dimensions int) (vectors [][]float32, words int, err error) {
	for _, t := range texts {
		v, err := embedding(t, dimensions)
		if err != nil {
			return nil, 0, err
		}
		vectors = append(vectors, v)
		words += countWords(t)
	}
	return vectors, words, nil
}

// base64Vector encodes a vector as OpenAI does for encoding_format "base64":
// little-endian 32-bit floats.
func base64Vector(vector []float32) string {
	var raw []byte
	for _, v := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return base64.StdEncoding.EncodeToString(raw)
}
