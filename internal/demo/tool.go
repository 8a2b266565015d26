// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// ask is what an AI tool does: it posts one chat in OpenAI's protocol to the client. The answer's status is 200, and
// its body must be closed.
func ask(ctx context.Context, clientURL string, fields http.Header, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, clientURL+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range fields {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		defer answer.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<12))
		return nil, fmt.Errorf("ask: %s: %s", answer.Status, text)
	}
	return answer, nil
}

// completion is what the demo reads of an answer or of a piece of a streamed one.
type completion struct {
	Choices []struct {
		Message, Delta struct{ Content string }
	}
}

// readPlain reads an answer in one piece, and prints it.
func readPlain(body io.Reader, progress io.Writer) (string, error) {
	var c completion
	if err := json.NewDecoder(body).Decode(&c); err != nil {
		return "", fmt.Errorf("read answer: %w", err)
	}
	if len(c.Choices) == 0 {
		return "", errors.New("read answer: it is empty")
	}
	io.WriteString(progress, c.Choices[0].Message.Content)
	return c.Choices[0].Message.Content, nil
}

// readStream reads server-sent events and prints each piece when it comes.
func readStream(body io.Reader, progress io.Writer) (string, error) {
	var text strings.Builder
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if data == "[DONE]" {
			return text.String(), nil
		}
		var c completion
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			return "", fmt.Errorf("read stream: %w", err)
		}
		if len(c.Choices) > 0 {
			io.WriteString(progress, c.Choices[0].Delta.Content)
			text.WriteString(c.Choices[0].Delta.Content)
		}
	}
	return "", errors.Join(errors.New("read stream: it ended early"), lines.Err())
}
