// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gosdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/tokengo/tokengo/service"
)

func responsesSDK() sdk {
	return sdk{
		name: "responses", protocol: service.OpenAI, start: startResponses, status: openaiStatus,
		models: openaiModels, embed: openaiEmbed,
	}
}

type responsesChat struct {
	client openai.Client
	params responses.ResponseNewParams
	calls  []responses.ResponseFunctionToolCall // of the last turn
}

func startResponses(at *site, q question) chat {
	content := responses.ResponseInputMessageContentListParam{responses.ResponseInputContentParamOfInputText(q.prompt)}
	if q.image != nil {
		content = append(content, responses.ResponseInputContentUnionParam{OfInputImage: &responses.ResponseInputImageParam{
			ImageURL: openai.String(dataURI(q.image)), Detail: responses.ResponseInputImageDetailAuto,
		}})
	}
	params := responses.ResponseNewParams{
		Model: q.model, Instructions: openai.String("Be brief."), MaxOutputTokens: openai.Int(limit), Store: openai.Bool(false),
		Include: []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent},
	}
	params.Input.OfInputItemList = append(params.Input.OfInputItemList, responses.ResponseInputItemParamOfMessage(content, responses.EasyInputMessageRoleUser))
	if q.tools {
		params.Tools = []responses.ToolUnionParam{
			{OfFunction: &responses.FunctionToolParam{Name: "weather", Description: openai.String("Weather of a city"), Parameters: object([]byte(weatherParams)), Strict: openai.Bool(false)}},
			{OfFunction: &responses.FunctionToolParam{Name: "now", Description: openai.String("The time"), Parameters: map[string]any{"type": "object", "properties": map[string]any{}}, Strict: openai.Bool(false)}},
		}
	}
	if q.schema != nil {
		params.Text.Format.OfJSONSchema = &responses.ResponseFormatTextJSONSchemaConfigParam{Name: "place", Strict: openai.Bool(true), Schema: object(q.schema)}
	}
	if q.think {
		params.Reasoning = shared.ReasoningParam{Effort: shared.ReasoningEffortHigh, Summary: shared.ReasoningSummaryAuto}
	}
	return &responsesChat{client: openaiClient(at), params: params}
}

func (c *responsesChat) next(ctx context.Context, streamed bool) (answer, error) {
	if streamed {
		return c.stream(ctx)
	}
	full, err := c.client.Responses.New(ctx, c.params)
	if err != nil {
		return answer{}, err
	}
	return c.read(full)
}

// stream reads the events twice: what the SDK's accumulator makes of the pieces must be what the last event has whole.
func (c *responsesChat) stream(ctx context.Context) (answer, error) {
	stream := c.client.Responses.NewStreaming(ctx, c.params)
	defer stream.Close()
	var pieces responses.ResponseAccumulator
	var full *responses.Response
	refusal := "" // of which the accumulator's snapshot has nothing
	for n := int64(0); stream.Next(); n++ {
		event := stream.Current()
		if event.SequenceNumber != n {
			return answer{}, fmt.Errorf("event %d has the number %d", n, event.SequenceNumber)
		}
		if err := accumulate(&pieces, event); err != nil {
			return answer{}, err
		}
		switch e := event.AsAny().(type) {
		case responses.ResponseErrorEvent:
			return answer{}, fmt.Errorf("error event %s", e.Code)
		case responses.ResponseFailedEvent:
			return answer{}, fmt.Errorf("the response failed: %s", e.Response.Error.Code)
		case responses.ResponseRefusalDeltaEvent:
			refusal += e.Delta
		case responses.ResponseCompletedEvent:
			full = &e.Response
		case responses.ResponseIncompleteEvent:
			full = &e.Response
		}
	}
	if err := stream.Err(); err != nil {
		return answer{}, err
	}
	if full == nil {
		return answer{}, errors.New("no event ends the stream")
	}
	a, err := c.read(full)
	if err != nil {
		return answer{}, err
	}
	return a, samePieces(pieces.Snapshot(), refusal, a)
}

// accumulate hands an event to an accumulator that is made for the same events as they come over a WebSocket.
func accumulate(pieces *responses.ResponseAccumulator, event responses.ResponseStreamEventUnion) error {
	var same responses.ResponsesServerEventUnion
	if err := json.Unmarshal([]byte(event.RawJSON()), &same); err != nil {
		return fmt.Errorf("read an event: %w", err)
	}
	if err := pieces.AddEvent(same); err != nil {
		return fmt.Errorf("accumulate: %w", err)
	}
	return nil
}

// samePieces compares the deltas of a stream with the response at its end.
func samePieces(pieces responses.ResponseAccumulatorSnapshot, refusal string, a answer) error {
	text, calls := "", 0
	for _, item := range pieces.Output {
		for _, index := range slices.Sorted(maps.Keys(item.Text)) {
			text += item.Text[index]
		}
		if item.Arguments == "" {
			continue
		}
		if calls == len(a.Calls) || arguments([]byte(item.Arguments)) != a.Calls[calls].Args {
			return fmt.Errorf("the arguments came as %q", item.Arguments)
		}
		calls++
	}
	text += refusal
	if text != a.Text || calls != len(a.Calls) {
		return fmt.Errorf("%q and %d calls came in pieces, and at the end there are %q and %d", text, calls, a.Text, len(a.Calls))
	}
	return nil
}

var responsesReasons = map[string]reason{"completed": ended, "incomplete/max_output_tokens": limited, "incomplete/content_filter": withheld}

func (c *responsesChat) read(full *responses.Response) (answer, error) {
	a, refusal := answer{Text: full.OutputText()}, ""
	c.calls = nil
	for _, item := range full.Output {
		c.params.Input.OfInputItemList = append(c.params.Input.OfInputItemList, param.Override[responses.ResponseInputItemUnionParam](json.RawMessage(item.RawJSON())))
		switch item := item.AsAny().(type) {
		case responses.ResponseOutputMessage:
			refusal += refusalOf(item)
		case responses.ResponseReasoningItem:
			for _, s := range item.Summary {
				a.Thought += s.Text
			}
		case responses.ResponseFunctionToolCall:
			c.calls = append(c.calls, item)
			a.Calls = append(a.Calls, call{item.Name, arguments([]byte(item.Arguments))})
		default:
			return answer{}, fmt.Errorf("output of type %T", item)
		}
	}
	word := string(full.Status)
	if full.IncompleteDetails.Reason != "" {
		word += "/" + full.IncompleteDetails.Reason
	}
	a.Reason = reasonOf(word, responsesReasons, a.Calls)
	if refusal != "" {
		a.Text, a.Reason = a.Text+refusal, withheld
	}
	a.Usage = usage{
		full.Usage.InputTokens, full.Usage.OutputTokens,
		full.Usage.InputTokensDetails.CachedTokens, full.Usage.OutputTokensDetails.ReasoningTokens,
	}
	return a, nil
}

// refusalOf is what the model says instead of an answer.
func refusalOf(message responses.ResponseOutputMessage) (text string) {
	for _, part := range message.Content {
		text += part.Refusal
	}
	return text
}

func (c *responsesChat) results(texts ...string) {
	for i, made := range c.calls {
		result := responses.ResponseInputItemParamOfFunctionCallOutput(texts[i])
		result.OfFunctionCallOutput.CallID = openai.String(made.CallID)
		c.params.Input.OfInputItemList = append(c.params.Input.OfInputItemList, result)
	}
}

func (c *responsesChat) say(text string) {
	c.params.Input.OfInputItemList = append(c.params.Input.OfInputItemList, responses.ResponseInputItemParamOfMessage(text, responses.EasyInputMessageRoleUser))
}
