// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package marked

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Request is what a tool asks, and all that it was told.
type Request struct {
	Number int
	Form   *Form
	Long   bool // the answer goes on until [Backend.Release]

	Asked  time.Time
	Begun  time.Time // when the first piece came, zero if none did
	Ended  time.Time
	Status int
	Header http.Header
	Text   string
	Err    error // how the answer ended, nil for properly
}

// Ask is what a tool does. It calls begun when the first piece has come.
func (q *Request) Ask(ctx context.Context, client *http.Client, url string, begun func()) {
	q.Asked = time.Now()
	defer func() { q.Ended = time.Now() }()
	length := short
	if q.Long {
		length = long
	}
	body := fmt.Sprintf(q.Form.body, prompt(q.Number, length))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+q.Form.Path, strings.NewReader(body))
	if err != nil {
		q.Err = err
		return
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		q.Err = err
		return
	}
	defer answer.Body.Close()
	q.Status, q.Header = answer.StatusCode, answer.Header
	q.read(answer, begun)
}

func (q *Request) read(answer *http.Response, begun func()) {
	var text strings.Builder
	defer func() { q.Text = text.String() }()
	buf := make([]byte, 4<<10)
	for {
		n, err := answer.Body.Read(buf)
		text.Write(buf[:n])
		if q.Begun.IsZero() && markPattern.MatchString(text.String()) {
			q.Begun = time.Now()
			begun()
		}
		if err != nil {
			if err != io.EOF {
				q.Err = err
			}
			return
		}
	}
}

// State is what a tool must think of an answer.
type State string

// The values of State.
const (
	Complete State = "complete"
	Broken   State = "broken"
	Refused  State = "refused"
	Garbled  State = "garbled" // none of the others: no tool may be told so
)

// State judges the answer by its protocol's rules.
func (q *Request) State() State {
	wholes := strings.Count(q.Text, q.Form.whole)
	failed := q.Form.broken != "" && strings.Contains(q.Text, q.Form.broken)
	switch {
	case q.Status == http.StatusOK && q.Err == nil && wholes == 1 && !failed:
		return Complete
	case q.Status == http.StatusOK && q.Err != nil && wholes == 0 && (failed || q.Form.broken == ""):
		return Broken
	case q.Status >= 400 && q.Err == nil && saysError(q.Text):
		return Refused
	}
	return Garbled
}

// saysError reports whether text is an error in a protocol's shape: all of them have this member.
func saysError(text string) bool {
	var shape struct {
		Error json.RawMessage `json:"error"`
	}
	return json.Unmarshal([]byte(text), &shape) == nil && shape.Error != nil
}

// String is for the messages of tests.
func (q *Request) String() string {
	text := q.Text
	if len(text) > 600 {
		text = text[:300] + " … " + text[len(text)-300:]
	}
	return fmt.Sprintf("request %d (%s): %s, status %d, error %v, after %v: %q",
		q.Number, q.Form.Name, q.State(), q.Status, q.Err, q.Ended.Sub(q.Asked).Round(time.Millisecond), text)
}
