// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// model is the only model of the mock backend.
const model = "bench-model"

// The OpenAI protocol's paths and types that are used.
const (
	pathChat   = "/v1/chat/completions"
	pathModels = "/v1/models"
	typeJSON   = "application/json"
	typeStream = "text/event-stream"
)

// The two requests.
const (
	prompt        = `"messages":[{"role":"user","content":"What does it cost to keep a question to oneself?"}]`
	plainRequest  = `{"model":"` + model + `",` + prompt + `}`
	streamRequest = `{"model":"` + model + `","stream":true,` + prompt + `}`
)

// plainAnswer is the backend's answer to every plain request.
var plainAnswer = makePlainAnswer()

// plainBytes is how long it is.
const plainBytes = 1024

func makePlainAnswer() []byte {
	const head = `{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"` + model +
		`","choices":[{"index":0,"message":{"role":"assistant","content":"`
	const tail = `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":160,"total_tokens":172}}`
	text := strings.Repeat("as little as it can ", plainBytes)[:plainBytes-len(head)-len(tail)]
	return []byte(head + text + tail)
}

// A chunk of a stream is an event of fixed length with its number and the time it was sent.
const (
	chunkHead = `data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"` + model +
		`","choices":[{"index":0,"delta":{"content":" token `
	chunkMiddle = `"},"finish_reason":null}],"sent_unix_ns":`
	chunkTail   = "}\n\n"
	streamEnd   = "data: [DONE]\n\n"

	numberDigits = 4
	timeDigits   = 19 // of the nanoseconds since 1970, from 2001 to 2262
	timeOffset   = len(chunkHead) + numberDigits + len(chunkMiddle)
	chunkBytes   = timeOffset + timeDigits + len(chunkTail)
	maxChunks    = 9999
)

// appendChunk appends chunk number n, sent at sent.
func appendChunk(dst []byte, n int, sent time.Time) []byte {
	dst = append(dst, chunkHead...)
	number := strconv.Itoa(n)
	dst = append(dst, "0000"[len(number):]...)
	dst = append(dst, number...)
	dst = append(dst, chunkMiddle...)
	dst = strconv.AppendInt(dst, sent.UnixNano(), 10)
	return append(dst, chunkTail...)
}

// streamCheck compares a stream with what the backend sends, byte for byte, and takes the time that each
// chunk took. It reads the clock of the machine that both ends share; a clock that is set back within a
// stream makes the stream fail.
type streamCheck struct {
	chunks int             // expected
	delays []time.Duration // of the chunks so far
	rest   []byte          // of the stream, not yet a whole chunk
	want   []byte
}

var errStreamDiffers = errors.New("the stream differs from what the backend sent")

// feed takes the next bytes of the stream, which came at now.
func (c *streamCheck) feed(p []byte, now time.Time) error {
	c.rest = append(c.rest, p...)
	taken := 0
	for len(c.rest)-taken >= chunkBytes && len(c.delays) < c.chunks {
		if err := c.chunk(c.rest[taken:taken+chunkBytes], now); err != nil {
			return err
		}
		taken += chunkBytes
	}
	c.rest = c.rest[:copy(c.rest, c.rest[taken:])]
	if len(c.delays) == c.chunks && len(c.rest) > len(streamEnd) {
		return fmt.Errorf("%w: it goes on after its end", errStreamDiffers)
	}
	return nil
}

func (c *streamCheck) chunk(p []byte, now time.Time) error {
	nanos, err := strconv.ParseInt(string(p[timeOffset:timeOffset+timeDigits]), 10, 64)
	if err != nil {
		return fmt.Errorf("%w: chunk %d has no time", errStreamDiffers, len(c.delays))
	}
	sent := time.Unix(0, nanos)
	c.want = appendChunk(c.want[:0], len(c.delays), sent)
	if !bytes.Equal(p, c.want) {
		return fmt.Errorf("%w: chunk %d", errStreamDiffers, len(c.delays))
	}
	delay := time.Duration(now.UnixNano() - nanos)
	if delay < 0 {
		return fmt.Errorf("chunk %d came before it was sent: the clock was set", len(c.delays))
	}
	c.delays = append(c.delays, delay)
	return nil
}

// finish tells whether the stream was complete.
func (c *streamCheck) finish() error {
	if len(c.delays) != c.chunks || string(c.rest) != streamEnd {
		return fmt.Errorf("%w: it ended after %d of %d chunks and %d bytes", errStreamDiffers, len(c.delays), c.chunks, len(c.rest))
	}
	return nil
}
