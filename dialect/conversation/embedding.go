// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package conversation

// EmbeddingRequest asks for vectors of texts.
type EmbeddingRequest struct {
	Model      string
	Inputs     []string
	Batch      bool   // several vectors are wanted in the protocol's form for several, even if there is one input
	Dimensions int    // 0 is the model's own
	Base64     bool   // openai's encoding_format
	TaskType   string // gemini's
	Title      string // gemini's
	Unmapped   []string
}

// EmbeddingAnswer is the vectors, in the order of the inputs.
type EmbeddingAnswer struct {
	Model   string
	Vectors [][]float64
	Usage   Usage
}
