// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/genai"

	"github.com/tokengo/tokengo/service"
)

func geminiSDK() sdk {
	return sdk{
		name: "gemini", protocol: service.Gemini, start: startGemini, status: geminiStatus,
		models: geminiModels, embed: geminiEmbed, count: geminiCount,
	}
}

func geminiClient(at *site) *genai.Client {
	client, err := genai.NewClient(context.Background(), &genai.ClientConfig{
		APIKey: apiKey, Backend: genai.BackendGeminiAPI, HTTPClient: at.client(), HTTPOptions: genai.HTTPOptions{BaseURL: at.url},
	})
	if err != nil {
		panic(err)
	}
	return client
}

func geminiStatus(err error) int {
	if e, ok := errors.AsType[genai.APIError](err); ok {
		return e.Code
	}
	return 0
}

func geminiModels(ctx context.Context, at *site) (ids []string, err error) {
	for model, err := range geminiClient(at).Models.All(ctx) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, strings.TrimPrefix(model.Name, "models/"))
	}
	return ids, nil
}

func geminiEmbed(ctx context.Context, at *site, model string, texts []string) (vectors [][]float32, err error) {
	var contents []*genai.Content
	for _, t := range texts {
		contents = append(contents, genai.NewContentFromText(t, genai.RoleUser))
	}
	list, err := geminiClient(at).Models.EmbedContent(ctx, model, contents, nil)
	if err != nil {
		return nil, err
	}
	for _, e := range list.Embeddings {
		vectors = append(vectors, e.Values)
	}
	return vectors, nil
}

func geminiCount(ctx context.Context, at *site, q question) (int, error) {
	count, err := geminiClient(at).Models.CountTokens(ctx, q.model, genai.Text(q.prompt), nil)
	if err != nil {
		return 0, err
	}
	return int(count.TotalTokens), nil
}

type geminiChat struct {
	client   *genai.Client
	model    string
	contents []*genai.Content
	config   genai.GenerateContentConfig
	calls    []*genai.FunctionCall // of the last turn
}

func startGemini(at *site, q question) chat {
	parts := []*genai.Part{genai.NewPartFromText(q.prompt)}
	if q.image != nil {
		parts = append(parts, genai.NewPartFromBytes(q.image, "image/png"))
	}
	c := &geminiChat{
		client: geminiClient(at), model: q.model, contents: []*genai.Content{genai.NewContentFromParts(parts, genai.RoleUser)},
		config: genai.GenerateContentConfig{SystemInstruction: genai.NewContentFromText("Be brief.", genai.RoleUser), MaxOutputTokens: limit},
	}
	if q.tools {
		c.config.Tools = []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{
			{Name: "weather", Description: "Weather of a city", ParametersJsonSchema: json.RawMessage(weatherParams)},
			{Name: "now", Description: "The time"},
		}}}
	}
	if q.schema != nil {
		c.config.ResponseMIMEType, c.config.ResponseJsonSchema = "application/json", q.schema
	}
	if q.think {
		c.config.ThinkingConfig = &genai.ThinkingConfig{IncludeThoughts: true, ThinkingBudget: genai.Ptr[int32](8000)}
	}
	return c
}

func (c *geminiChat) next(ctx context.Context, streamed bool) (answer, error) {
	var pieces []*genai.GenerateContentResponse
	if streamed {
		for piece, err := range c.client.Models.GenerateContentStream(ctx, c.model, c.contents, &c.config) {
			if err != nil {
				return answer{}, err
			}
			pieces = append(pieces, piece)
		}
	} else {
		full, err := c.client.Models.GenerateContent(ctx, c.model, c.contents, &c.config)
		if err != nil {
			return answer{}, err
		}
		pieces = append(pieces, full)
	}
	return c.read(pieces)
}

var geminiReasons = map[string]reason{
	"STOP": ended, "MAX_TOKENS": limited, "SAFETY": withheld, "PROHIBITED_CONTENT": withheld, "OTHER": withheld,
}

// read puts pieces together; the SDK has nothing that does.
func (c *geminiChat) read(pieces []*genai.GenerateContentResponse) (answer, error) {
	var a answer
	var parts []*genai.Part
	c.calls = nil
	word := ""
	for _, piece := range pieces {
		if u := piece.UsageMetadata; u != nil {
			a.Usage = usage{int64(u.PromptTokenCount), int64(u.CandidatesTokenCount + u.ThoughtsTokenCount), int64(u.CachedContentTokenCount), int64(u.ThoughtsTokenCount)}
		}
		if blocked := piece.PromptFeedback; blocked != nil {
			word = string(blocked.BlockReason)
		}
		for _, candidate := range piece.Candidates {
			if word != "" {
				return answer{}, errors.New("something comes after the finish reason")
			}
			word = string(candidate.FinishReason)
			if candidate.Content != nil {
				parts = append(parts, candidate.Content.Parts...)
			}
		}
	}
	for _, part := range parts {
		switch {
		case part.FunctionCall != nil:
			c.calls = append(c.calls, part.FunctionCall)
			args, err := json.Marshal(part.FunctionCall.Args)
			if err != nil {
				return answer{}, fmt.Errorf("arguments: %w", err)
			}
			if part.FunctionCall.Args == nil {
				args = []byte("{}")
			}
			a.Calls = append(a.Calls, call{part.FunctionCall.Name, arguments(args)})
		case part.Thought:
			a.Thought += part.Text
		default:
			a.Text += part.Text
		}
	}
	parts = slices.DeleteFunc(parts, func(p *genai.Part) bool { return p.Text == "" && p.FunctionCall == nil && p.ThoughtSignature == nil })
	a.Reason = reasonOf(word, geminiReasons, a.Calls)
	c.contents = append(c.contents, genai.NewContentFromParts(parts, genai.RoleModel))
	return a, nil
}

func (c *geminiChat) results(texts ...string) {
	var parts []*genai.Part
	for i, made := range c.calls {
		part := genai.NewPartFromFunctionResponse(made.Name, map[string]any{"output": texts[i]})
		part.FunctionResponse.ID = made.ID
		parts = append(parts, part)
	}
	c.contents = append(c.contents, genai.NewContentFromParts(parts, genai.RoleUser))
}

func (c *geminiChat) say(text string) {
	c.contents = append(c.contents, genai.NewContentFromText(text, genai.RoleUser))
}
