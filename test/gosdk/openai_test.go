// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/respjson"
	"github.com/openai/openai-go/v3/shared"

	"github.com/tokengo/tokengo/service"
)

var errRefused = errors.New("the SDK's accumulator refuses an event")

func openaiSDK() sdk {
	return sdk{
		name: "openai", protocol: service.OpenAI, start: startOpenAI, status: openaiStatus,
		models: openaiModels, embed: openaiEmbed,
	}
}

func openaiClient(at *site) openai.Client {
	return openai.NewClient(option.WithBaseURL(at.url+"/v1"), option.WithAPIKey(apiKey), option.WithHTTPClient(at.client()), option.WithMaxRetries(0))
}

func openaiStatus(err error) int {
	if e, ok := errors.AsType[*openai.Error](err); ok {
		return e.StatusCode
	}
	return 0
}

func openaiModels(ctx context.Context, at *site) (ids []string, err error) {
	client := openaiClient(at)
	models := client.Models.ListAutoPaging(ctx)
	for models.Next() {
		ids = append(ids, models.Current().ID)
	}
	return ids, models.Err()
}

func openaiEmbed(ctx context.Context, at *site, model string, texts []string) (vectors [][]float32, err error) {
	client := openaiClient(at)
	list, err := client.Embeddings.New(ctx, openai.EmbeddingNewParams{
		Model: model, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: texts},
	})
	if err != nil {
		return nil, err
	}
	vectors = make([][]float32, len(list.Data))
	for _, e := range list.Data {
		vector := make([]float32, len(e.Embedding))
		for i, v := range e.Embedding {
			vector[i] = float32(v)
		}
		if e.Index < 0 || e.Index >= int64(len(vectors)) || vectors[e.Index] != nil {
			return nil, fmt.Errorf("%d vectors, one with the index %d", len(vectors), e.Index)
		}
		vectors[e.Index] = vector
	}
	return vectors, nil
}

type openaiChat struct {
	client openai.Client
	params openai.ChatCompletionNewParams
	last   openai.ChatCompletionMessage
}

func startOpenAI(at *site, q question) chat {
	content := []openai.ChatCompletionContentPartUnionParam{openai.TextContentPart(q.prompt)}
	if q.image != nil {
		content = append(content, openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: dataURI(q.image)}))
	}
	params := openai.ChatCompletionNewParams{
		Model: q.model, MaxCompletionTokens: openai.Int(limit),
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Be brief."), openai.UserMessage(content)},
	}
	if q.tools {
		params.Tools = []openai.ChatCompletionToolUnionParam{
			openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
				Name: "weather", Description: openai.String("Weather of a city"), Parameters: object([]byte(weatherParams)),
			}),
			openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: "now", Description: openai.String("The time")}),
		}
	}
	if q.schema != nil {
		params.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "place", Strict: openai.Bool(true), Schema: q.schema},
		}
	}
	if q.think {
		params.ReasoningEffort = shared.ReasoningEffortHigh
	}
	return &openaiChat{client: openaiClient(at), params: params}
}

func dataURI(png []byte) string {
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(png)
}

func (c *openaiChat) next(ctx context.Context, streamed bool) (answer, error) {
	if streamed {
		return c.stream(ctx)
	}
	full, err := c.client.Chat.Completions.New(ctx, c.params)
	if err != nil {
		return answer{}, err
	}
	if len(full.Choices) != 1 {
		return answer{}, errors.New("not one choice")
	}
	return c.read(full, reasoningContent(full.Choices[0].Message.JSON.ExtraFields))
}

func (c *openaiChat) stream(ctx context.Context) (answer, error) {
	params := c.params
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := c.client.Chat.Completions.NewStreaming(ctx, params)
	defer stream.Close()
	var full openai.ChatCompletionAccumulator
	thought := ""
	for stream.Next() {
		chunk := stream.Current()
		if !full.AddChunk(chunk) {
			return answer{}, errRefused
		}
		for _, choice := range chunk.Choices {
			thought += reasoningContent(choice.Delta.JSON.ExtraFields)
		}
	}
	if err := stream.Err(); err != nil {
		return answer{}, err
	}
	if len(full.Choices) != 1 {
		return answer{}, errors.New("not one choice")
	}
	return c.read(&full.ChatCompletion, thought)
}

// reasoningContent is the field that many services have and the SDK does not know.
func reasoningContent(extra map[string]respjson.Field) (thought string) {
	if raw := extra["reasoning_content"].Raw(); raw != "" && json.Unmarshal([]byte(raw), &thought) != nil {
		return "not a string: " + raw
	}
	return thought
}

var openaiReasons = map[string]reason{"stop": ended, "tool_calls": called, "length": limited, "content_filter": withheld}

func (c *openaiChat) read(full *openai.ChatCompletion, thought string) (answer, error) {
	choice := full.Choices[0]
	c.last = choice.Message
	c.params.Messages = append(c.params.Messages, c.last.ToParam())
	a := answer{Text: c.last.Content, Thought: thought}
	for _, tool := range c.last.ToolCalls {
		a.Calls = append(a.Calls, call{tool.Function.Name, arguments([]byte(tool.Function.Arguments))})
	}
	a.Reason = reasonOf(choice.FinishReason, openaiReasons, a.Calls)
	if c.last.Refusal != "" {
		a.Text, a.Reason = a.Text+c.last.Refusal, withheld
	}
	a.Usage = usage{
		full.Usage.PromptTokens, full.Usage.CompletionTokens,
		full.Usage.PromptTokensDetails.CachedTokens, full.Usage.CompletionTokensDetails.ReasoningTokens,
	}
	return a, nil
}

func (c *openaiChat) results(texts ...string) {
	for i, tool := range c.last.ToolCalls {
		c.params.Messages = append(c.params.Messages, openai.ToolMessage(texts[i], tool.ID))
	}
}

func (c *openaiChat) say(text string) {
	c.params.Messages = append(c.params.Messages, openai.UserMessage(text))
}

// openaiCompletion asks for the completion of a text.
type openaiCompletion struct {
	client openai.Client
	params openai.CompletionNewParams
}

func startCompletion(at *site, q question) asker {
	return &openaiCompletion{openaiClient(at), openai.CompletionNewParams{
		Model: openai.CompletionNewParamsModel(q.model), Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String(q.prompt)},
	}}
}

func (c *openaiCompletion) next(ctx context.Context, streamed bool) (a answer, err error) {
	add := func(piece openai.Completion) {
		for _, choice := range piece.Choices {
			a.Text += choice.Text
			if choice.FinishReason != "" {
				a.Reason = reasonOf(string(choice.FinishReason), openaiReasons, nil)
			}
		}
		if u := piece.Usage; u.TotalTokens > 0 {
			a.Usage = usage{u.PromptTokens, u.CompletionTokens, u.PromptTokensDetails.CachedTokens, u.CompletionTokensDetails.ReasoningTokens}
		}
	}
	if !streamed {
		full, err := c.client.Completions.New(ctx, c.params)
		if err == nil {
			add(*full)
		}
		return a, err
	}
	c.params.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := c.client.Completions.NewStreaming(ctx, c.params)
	defer stream.Close()
	for stream.Next() {
		add(stream.Current())
	}
	return a, stream.Err()
}
