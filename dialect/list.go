// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/tokengo/tokengo/service"
)

// ListedModel is a model as a list shows it, whatever protocol the list is for.
type ListedModel struct {
	// ID is the model's name as an exit offers it. It is written as it is.
	ID string
	// Protocols are the native protocols of the exits that offer it. No list shows them.
	Protocols []service.Protocol
	// Owner is who runs the model, as an exit claims; what is not printable is replaced. "" is shown as "tokengo".
	Owner string
	// Created is when the model was made, zero if unknown.
	Created time.Time
	// Offered is since when the model is on offer as it is, zero if unknown. Where nobody knows when it was made, it takes
	// the place of that in the lists of openai and ollama, which tools sort by time and show as an age. In claude's that
	// is the beginning of 1970, by which its API says that it is not known; so it is in the others if this is zero too.
	Offered time.Time
	// MaxCtx and MaxOutput are limits in tokens, 0 if unknown.
	MaxCtx, MaxOutput int
	// Features are the service description's. "embedding" and "reasoning" show in gemini's list.
	Features []string
}

const (
	maxOwner = 128 // runes of an exit's free text that a list shows

	// ollamaVersion is the version of Ollama whose API is spoken. Tools refuse versions that are too old for them.
	ollamaVersion = "0.17.4"
)

// The lists and their elements, in the order of the protocols' own answers.
type (
	openAIList struct {
		Object string        `json:"object"`
		Data   []openAIModel `json:"data"`
	}
	openAIModel struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
	}
	claudeList struct {
		Data    []claudeModel `json:"data"`
		HasMore bool          `json:"has_more"`
		FirstID *string       `json:"first_id"`
		LastID  *string       `json:"last_id"`
	}
	claudeModel struct {
		Type           string    `json:"type"`
		ID             string    `json:"id"`
		DisplayName    string    `json:"display_name"`
		CreatedAt      string    `json:"created_at"`
		MaxInputTokens *int      `json:"max_input_tokens"`
		MaxTokens      *int      `json:"max_tokens"`
		Lifecycle      string    `json:"lifecycle"`
		DeprecatedAt   *string   `json:"deprecated_at"`
		Line           *string   `json:"line"`
		Capabilities   *struct{} `json:"capabilities"`
	}
	geminiList struct {
		Models []geminiModel `json:"models"`
	}
	geminiModel struct {
		Name             string   `json:"name"`
		Version          string   `json:"version"`
		DisplayName      string   `json:"displayName"`
		Description      string   `json:"description"`
		InputTokenLimit  int      `json:"inputTokenLimit,omitempty"`
		OutputTokenLimit int      `json:"outputTokenLimit,omitempty"`
		Methods          []string `json:"supportedGenerationMethods"`
		Thinking         bool     `json:"thinking,omitempty"`
	}
	ollamaList struct {
		Models []ollamaModel `json:"models"`
	}
	ollamaModel struct {
		Name       string        `json:"name"`
		Model      string        `json:"model"`
		ModifiedAt string        `json:"modified_at"`
		Size       int64         `json:"size"`
		Digest     string        `json:"digest"`
		Details    ollamaDetails `json:"details"`
	}
	ollamaDetails struct {
		ParentModel       string   `json:"parent_model"`
		Format            string   `json:"format"`
		Family            string   `json:"family"`
		Families          []string `json:"families"`
		ParameterSize     string   `json:"parameter_size"`
		QuantizationLevel string   `json:"quantization_level"`
	}
)

// ModelsBody returns the answer to ListModels in the operation's protocol: openai's and claude's /v1/models, gemini's
// /v1beta/models, ollama's /api/tags. The models keep their order, and all of them are on one page: what a tool says
// about page sizes is not looked at.
func (op Operation) ModelsBody(models []ListedModel) []byte {
	switch op.Protocol {
	case service.Claude:
		list := claudeList{Data: collect(models, claudeModelOf)}
		if n := len(list.Data); n > 0 {
			list.FirstID, list.LastID = &list.Data[0].ID, &list.Data[n-1].ID
		}
		return encode(list)
	case service.Gemini:
		return encode(geminiList{Models: collect(models, geminiModelOf)})
	case service.Ollama:
		return encode(ollamaList{Models: collect(models, ollamaModelOf)})
	default:
		return encode(openAIList{Object: "list", Data: collect(models, openAIModelOf)})
	}
}

// ModelBody returns the answer to GetModel in the operation's protocol.
func (op Operation) ModelBody(m ListedModel) []byte {
	switch op.Protocol {
	case service.Claude:
		return encode(claudeModelOf(m))
	case service.Gemini:
		return encode(geminiModelOf(m))
	case service.Ollama:
		return encode(ollamaModelOf(m))
	default:
		return encode(openAIModelOf(m))
	}
}

// VersionBody returns the answer to Version, Ollama's /api/version.
func VersionBody() []byte {
	return encode(struct {
		Version string `json:"version"`
	}{ollamaVersion})
}

// collect never returns nil: an empty list is [] and not null.
func collect[T any](models []ListedModel, shape func(ListedModel) T) []T {
	list := make([]T, 0, len(models))
	for _, m := range models {
		list = append(list, shape(m))
	}
	return list
}

func openAIModelOf(m ListedModel) openAIModel {
	owner := service.Printable(m.Owner, maxOwner)
	if owner == "" {
		owner = "tokengo"
	}
	return openAIModel{ID: m.ID, Object: "model", Created: m.since().Unix(), OwnedBy: owner}
}

func claudeModelOf(m ListedModel) claudeModel {
	return claudeModel{
		Type: "model", ID: m.ID, DisplayName: m.ID, CreatedAt: stamp(m.Created),
		MaxInputTokens: known(m.MaxCtx), MaxTokens: known(m.MaxOutput), Lifecycle: "active",
	}
}

func known(tokens int) *int {
	if tokens <= 0 {
		return nil
	}
	return &tokens
}

func geminiModelOf(m ListedModel) geminiModel {
	methods := []string{"generateContent", "streamGenerateContent", "countTokens"}
	if slices.Contains(m.Features, "embedding") {
		methods = []string{"embedContent", "batchEmbedContents", "countTokens"}
	}
	return geminiModel{
		Name: resourceName(m.ID), DisplayName: strings.TrimPrefix(m.ID, modelsCollection+"/"),
		InputTokenLimit: m.MaxCtx, OutputTokenLimit: m.MaxOutput, Methods: methods,
		Thinking: slices.Contains(m.Features, "reasoning"),
	}
}

// ollamaModelOf makes a digest out of the name: tools cut it to twelve characters and compare it to see changes, and
// the weights are the exit's.
func ollamaModelOf(m ListedModel) ollamaModel {
	digest := sha256.Sum256([]byte(m.ID))
	return ollamaModel{
		Name: m.ID, Model: m.ID, ModifiedAt: stamp(m.since()), Digest: hex.EncodeToString(digest[:]),
		Details: ollamaDetails{Families: []string{}},
	}
}

// since is when the model was made, or else since when it is on offer.
func (m ListedModel) since() time.Time {
	if m.Created.IsZero() {
		return orEpoch(m.Offered)
	}
	return m.Created
}

// orEpoch is the time, and the beginning of 1970 for none.
func orEpoch(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(0, 0)
	}
	return t
}

func stamp(t time.Time) string { return orEpoch(t).UTC().Format(time.RFC3339) }
