// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"

	"github.com/ollama/ollama/api"

	"github.com/tokengo/tokengo/service"
)

func ollamaSDK() sdk {
	return sdk{
		name: "ollama", protocol: service.Ollama, start: startOllama, status: ollamaStatus,
		models: ollamaModels, embed: ollamaEmbed,
	}
}

func ollamaClient(at *site) *api.Client {
	base, err := url.Parse(at.url)
	if err != nil {
		panic(err)
	}
	return api.NewClient(base, at.client())
}

func ollamaStatus(err error) int {
	if e, ok := errors.AsType[api.StatusError](err); ok {
		return e.StatusCode
	}
	return 0
}

func ollamaModels(ctx context.Context, at *site) (ids []string, err error) {
	list, err := ollamaClient(at).List(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range list.Models {
		ids = append(ids, m.Model)
	}
	return ids, nil
}

func ollamaEmbed(ctx context.Context, at *site, model string, texts []string) ([][]float32, error) {
	list, err := ollamaClient(at).Embed(ctx, &api.EmbedRequest{Model: model, Input: texts})
	if err != nil {
		return nil, err
	}
	return list.Embeddings, nil
}

// ollamaEmbedOlder is how tools ask that were written before /api/embed: one text at a time.
func ollamaEmbedOlder(ctx context.Context, at *site, model string, texts []string) ([][]float32, error) {
	var vectors [][]float32
	for _, text := range texts {
		one, err := ollamaClient(at).Embeddings(ctx, &api.EmbeddingRequest{Model: model, Prompt: text})
		if err != nil {
			return nil, err
		}
		vector := make([]float32, len(one.Embedding))
		for i, f := range one.Embedding {
			vector[i] = float32(f)
		}
		vectors = append(vectors, vector)
	}
	return vectors, nil
}

type ollamaChat struct {
	client *api.Client
	ask    api.ChatRequest
	calls  []api.ToolCall // of the last turn
}

func startOllama(at *site, q question) chat {
	user := api.Message{Role: "user", Content: q.prompt}
	if q.image != nil {
		user.Images = []api.ImageData{q.image}
	}
	c := &ollamaChat{client: ollamaClient(at), ask: api.ChatRequest{
		Model: q.model, Messages: []api.Message{{Role: "system", Content: "Be brief."}, user},
		Format: q.schema, Options: map[string]any{"num_predict": limit},
	}}
	if q.tools {
		weather := api.Tool{Type: "function", Function: api.ToolFunction{Name: "weather", Description: "Weather of a city"}}
		if err := json.Unmarshal([]byte(weatherParams), &weather.Function.Parameters); err != nil {
			panic(err)
		}
		now := api.Tool{Type: "function", Function: api.ToolFunction{
			Name: "now", Description: "The time", Parameters: api.ToolFunctionParameters{Type: "object", Properties: api.NewToolPropertiesMap()},
		}}
		c.ask.Tools = api.Tools{weather, now}
	}
	if q.think {
		c.ask.Think = &api.ThinkValue{Value: true}
	}
	return c
}

// ollamaReasons has a word that Ollama itself does not say: its done_reason is open, and there is none for this.
var ollamaReasons = map[string]reason{"stop": ended, "length": limited, "content_filter": withheld}

func (c *ollamaChat) next(ctx context.Context, streamed bool) (a answer, err error) {
	c.ask.Stream, c.calls = &streamed, nil
	word := ""
	err = c.client.Chat(ctx, &c.ask, func(line api.ChatResponse) error {
		if word != "" {
			return errors.New("something comes after the last line")
		}
		a.Text += line.Message.Content
		a.Thought += line.Message.Thinking
		c.calls = append(c.calls, line.Message.ToolCalls...)
		if line.Done {
			word = line.DoneReason
			a.Usage = usage{Input: int64(line.PromptEvalCount), Output: int64(line.EvalCount)}
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	for _, tool := range c.calls {
		args, err := json.Marshal(tool.Function.Arguments)
		if err != nil {
			return answer{}, err
		}
		a.Calls = append(a.Calls, call{tool.Function.Name, arguments(args)})
	}
	a.Reason = reasonOf(word, ollamaReasons, a.Calls)
	c.ask.Messages = append(c.ask.Messages, api.Message{Role: "assistant", Content: a.Text, Thinking: a.Thought, ToolCalls: c.calls})
	return a, nil
}

func (c *ollamaChat) results(texts ...string) {
	for i, made := range c.calls {
		c.ask.Messages = append(c.ask.Messages, api.Message{Role: "tool", ToolName: made.Function.Name, ToolCallID: made.ID, Content: texts[i]})
	}
}

func (c *ollamaChat) say(text string) {
	c.ask.Messages = append(c.ask.Messages, api.Message{Role: "user", Content: text})
}

// ollamaGenerate asks for the completion of a text.
type ollamaGenerate struct {
	client *api.Client
	ask    api.GenerateRequest
}

func startGenerate(at *site, q question) asker {
	return &ollamaGenerate{ollamaClient(at), api.GenerateRequest{Model: q.model, Prompt: q.prompt}}
}

func (c *ollamaGenerate) next(ctx context.Context, streamed bool) (a answer, err error) {
	c.ask.Stream = &streamed
	err = c.client.Generate(ctx, &c.ask, func(line api.GenerateResponse) error {
		a.Text += line.Response
		a.Thought += line.Thinking
		if line.Done {
			a.Reason = reasonOf(line.DoneReason, ollamaReasons, nil)
			a.Usage = usage{Input: int64(line.PromptEvalCount), Output: int64(line.EvalCount)}
		}
		return nil
	})
	return a, err
}
