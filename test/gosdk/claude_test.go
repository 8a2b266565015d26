// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/tokengo/tokengo/service"
)

func claudeSDK() sdk {
	return sdk{
		name: "claude", protocol: service.Claude, start: startClaude, status: claudeStatus,
		models: claudeModels, count: claudeCount,
	}
}

func claudeClient(at *site) anthropic.Client {
	return anthropic.NewClient(option.WithBaseURL(at.url), option.WithAPIKey(apiKey), option.WithHTTPClient(at.client()), option.WithMaxRetries(0))
}

func claudeStatus(err error) int {
	if e, ok := errors.AsType[*anthropic.Error](err); ok {
		return e.StatusCode
	}
	return 0
}

func claudeModels(ctx context.Context, at *site) (ids []string, err error) {
	client := claudeClient(at)
	models := client.Models.ListAutoPaging(ctx, anthropic.ModelListParams{})
	for models.Next() {
		ids = append(ids, models.Current().ID)
	}
	return ids, models.Err()
}

func claudeCount(ctx context.Context, at *site, q question) (int, error) {
	params := startClaude(at, q).(*claudeChat).params
	client := claudeClient(at)
	count, err := client.Messages.CountTokens(ctx, anthropic.MessageCountTokensParams{
		Model: params.Model, Messages: params.Messages,
		System: anthropic.MessageCountTokensParamsSystemUnion{OfTextBlockArray: params.System},
	})
	if err != nil {
		return 0, err
	}
	return int(count.InputTokens), nil
}

type claudeChat struct {
	client anthropic.Client
	params anthropic.MessageNewParams
	calls  []string // ids of the last turn's
}

func startClaude(at *site, q question) chat {
	content := []anthropic.ContentBlockParamUnion{anthropic.NewTextBlock(q.prompt)}
	if q.image != nil {
		content = append(content, anthropic.NewImageBlockBase64("image/png", base64.StdEncoding.EncodeToString(q.image)))
	}
	params := anthropic.MessageNewParams{
		Model: anthropic.Model(q.model), MaxTokens: limit, System: []anthropic.TextBlockParam{{Text: "Be brief."}},
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(content...)},
	}
	if q.tools {
		properties := object([]byte(weatherParams))["properties"]
		params.Tools = []anthropic.ToolUnionParam{
			{OfTool: &anthropic.ToolParam{
				Name: "weather", Description: anthropic.String("Weather of a city"),
				InputSchema: anthropic.ToolInputSchemaParam{Properties: properties, Required: []string{"city"}},
			}},
			{OfTool: &anthropic.ToolParam{Name: "now", Description: anthropic.String("The time"), InputSchema: anthropic.ToolInputSchemaParam{Properties: map[string]any{}}}},
		}
	}
	if q.schema != nil {
		params.OutputConfig.Format.Schema = object(q.schema)
	}
	if q.think {
		params.Thinking = anthropic.ThinkingConfigParamOfEnabled(8000)
	}
	return &claudeChat{client: claudeClient(at), params: params}
}

func (c *claudeChat) next(ctx context.Context, streamed bool) (answer, error) {
	if streamed {
		return c.stream(ctx)
	}
	full, err := c.client.Messages.New(ctx, c.params)
	if err != nil {
		return answer{}, err
	}
	return c.read(full)
}

func (c *claudeChat) stream(ctx context.Context) (answer, error) {
	stream := c.client.Messages.NewStreaming(ctx, c.params)
	defer stream.Close()
	var full anthropic.Message
	last := ""
	for stream.Next() {
		event := stream.Current()
		if err := full.Accumulate(event); err != nil {
			return answer{}, fmt.Errorf("accumulate: %w", err)
		}
		last = event.Type
	}
	if err := stream.Err(); err != nil {
		return answer{}, err
	}
	if last != "message_stop" {
		return answer{}, fmt.Errorf("the stream ends with %s", last)
	}
	return c.read(&full)
}

var claudeReasons = map[string]reason{
	"end_turn": ended, "stop_sequence": ended, "tool_use": called, "max_tokens": limited, "refusal": withheld,
}

func (c *claudeChat) read(full *anthropic.Message) (answer, error) {
	c.params.Messages = append(c.params.Messages, full.ToParam())
	c.calls = nil
	var a answer
	for _, block := range full.Content {
		switch block := block.AsAny().(type) {
		case anthropic.TextBlock:
			a.Text += block.Text
		case anthropic.ThinkingBlock:
			a.Thought += block.Thinking
		case anthropic.RedactedThinkingBlock:
		case anthropic.ToolUseBlock:
			c.calls = append(c.calls, block.ID)
			a.Calls = append(a.Calls, call{block.Name, arguments(block.Input)})
		default:
			return answer{}, fmt.Errorf("content of type %T", block)
		}
	}
	a.Reason = reasonOf(string(full.StopReason), claudeReasons, a.Calls)
	u := full.Usage
	a.Usage = usage{u.InputTokens + u.CacheReadInputTokens + u.CacheCreationInputTokens, u.OutputTokens, u.CacheReadInputTokens, u.OutputTokensDetails.ThinkingTokens}
	return a, nil
}

func (c *claudeChat) results(texts ...string) {
	var blocks []anthropic.ContentBlockParamUnion
	for i, id := range c.calls {
		blocks = append(blocks, anthropic.NewToolResultBlock(id, texts[i], false))
	}
	c.params.Messages = append(c.params.Messages, anthropic.NewUserMessage(blocks...))
}

func (c *claudeChat) say(text string) {
	c.params.Messages = append(c.params.Messages, anthropic.NewUserMessage(anthropic.NewTextBlock(text)))
}
