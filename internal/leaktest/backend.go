// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const model = "scripted"

// backend streams scripts in the form of OpenAI's chat completions.
type backend struct{ scripts []*script }

// script is one answer: what is to be said, and what became of it.
type script struct {
	label  string // the topic
	group  string // answers that have sentences in common
	tokens []token

	sent     []time.Time // of each token, by the backend
	received []time.Time // of each token, by the user
	trace    []event     // what the relay saw
	asked    time.Time   // when the relay got the request
}

// ServeHTTP implements [http.Handler].
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		io.WriteString(w, `{"object":"list","data":[{"id":"`+model+`","object":"model","created":1700000000,"owned_by":"leaktest"}]}`)
		return
	}
	var body struct {
		Messages []struct{ Content string }
	}
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&body)
	number := -1
	if err == nil && len(body.Messages) == 1 {
		number, err = strconv.Atoi(body.Messages[0].Content)
	}
	if err != nil || number < 0 || number >= len(b.scripts) {
		http.Error(w, "not the number of a script", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	b.scripts[number].play(w, r)
}

// play streams the script and notes when each token went.
func (s *script) play(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for _, t := range s.tokens {
		next = next.Add(t.gap)
		timer.Reset(time.Until(next))
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
		s.sent = append(s.sent, time.Now())
		io.WriteString(w, streamed(t.text))
		control.Flush()
	}
	io.WriteString(w, "data: [DONE]\n\n")
}

// streamed is a token as OpenAI streams it.
func streamed(text string) string {
	content, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always encodes
	}
	return fmt.Sprintf(`data: {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","created":1741569952,`+
		`"model":"%s","service_tier":"default","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"content":%s},`+
		`"logprobs":null,"finish_reason":null}]}`+"\n\n", model, content)
}
