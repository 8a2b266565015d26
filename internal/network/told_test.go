// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// told is all that a tool was told in answer to one request.
type told struct {
	id     int
	form   *form
	held   bool
	asked  time.Time
	begun  time.Time // when the first piece came, zero if none did
	ended  time.Time
	status int
	text   string
	err    error // how the answer ended, nil for properly
}

// ask is what a tool does. It calls begun when the first piece has come.
func (q *told) ask(ctx context.Context, client *http.Client, url string, begun func()) {
	q.asked = time.Now()
	defer func() { q.ended = time.Now() }()
	body := fmt.Sprintf(q.form.body, prompt(q.id, q.held))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+q.form.path, strings.NewReader(body))
	if err != nil {
		q.err = err
		return
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		q.err = err
		return
	}
	defer answer.Body.Close()
	q.status = answer.StatusCode
	q.read(answer, begun)
}

func (q *told) read(answer *http.Response, begun func()) {
	var text strings.Builder
	defer func() { q.text = text.String() }()
	buf := make([]byte, 4<<10)
	for {
		n, err := answer.Body.Read(buf)
		text.Write(buf[:n])
		if q.begun.IsZero() && markPattern.MatchString(text.String()) {
			q.begun = time.Now()
			begun()
		}
		if err != nil {
			if err != io.EOF {
				q.err = err
			}
			return
		}
	}
}

// state is what a tool must think of an answer.
type state string

const (
	complete state = "complete"
	broken   state = "broken"
	refused  state = "refused"
	garbled  state = "garbled" // none of the others: no tool may be told so
)

func (q *told) state() state {
	wholes := strings.Count(q.text, q.form.whole)
	failed := q.form.broken != "" && strings.Contains(q.text, q.form.broken)
	switch {
	case q.status == http.StatusOK && q.err == nil && wholes == 1 && !failed:
		return complete
	case q.status == http.StatusOK && q.err != nil && wholes == 0 && (failed || q.form.broken == ""):
		return broken
	case q.status >= 400 && q.err == nil && saysError(q.text):
		return refused
	}
	return garbled
}

// saysError reports whether text is an error in a protocol's shape: all of them have this member.
func saysError(text string) bool {
	var shape struct {
		Error json.RawMessage `json:"error"`
	}
	return json.Unmarshal([]byte(text), &shape) == nil && shape.Error != nil
}

// String is for the messages of tests.
func (q *told) String() string {
	text := q.text
	if len(text) > 600 {
		text = text[:300] + " … " + text[len(text)-300:]
	}
	return fmt.Sprintf("request %d (%s): %s, status %d, error %v, after %v: %q",
		q.id, q.form.name, q.state(), q.status, q.err, q.ended.Sub(q.asked).Round(time.Millisecond), text)
}

// wrongs are what an answer must never be, whatever has failed.
func (q *told) wrongs(l *ledger) (all []string) {
	attempts := l.of(q.id)
	finished := 0
	for _, a := range attempts {
		if a.finished {
			finished++
		}
		if !q.begun.IsZero() && a.arrived.After(q.begun) {
			all = append(all, fmt.Sprintf("was sent to exit %d after the tool had some of an answer", a.exit))
		}
	}
	if finished > 1 {
		all = append(all, fmt.Sprintf("was answered to the end %d times", finished))
	}
	pieces := marks(q.text)
	for i, m := range pieces {
		if m.id != q.id || m.serial != pieces[0].serial || m.piece != i {
			all = append(all, fmt.Sprintf("has %v as piece %d: of another answer, or in the wrong place", m, i))
			break
		}
	}
	switch s := q.state(); {
	case s == complete && !isWhole(pieces, attempts):
		all = append(all, fmt.Sprintf("looks complete and is not what a backend has finished: %+v", attempts))
	case s == refused && len(pieces) > 0:
		all = append(all, "is refused and has pieces")
	case s == garbled:
		all = append(all, "is neither complete nor broken nor refused")
	}
	return all
}

// checkAnswer reports what is wrong with an answer.
func checkAnswer(t *testing.T, q *told, l *ledger) {
	t.Helper()
	for _, wrong := range q.wrongs(l) {
		t.Errorf("%v\n%s", q, wrong)
	}
}

// isWhole reports whether the pieces are all that an attempt which was finished has written.
func isWhole(pieces []mark, attempts []attempt) bool {
	for _, a := range attempts {
		if a.finished && len(pieces) > 0 && pieces[len(pieces)-1] == a.mark {
			return true
		}
	}
	return false
}

// TestOracle shows the oracle of the matrix answers that are wrong, each in one way.
func TestOracle(t *testing.T) {
	now := time.Now()
	openai := forms[0]
	piece := func(m mark) string { return fmt.Sprintf(openai.piece, m) }
	of := func(serial, n int) mark { return mark{id: 1, serial: serial, piece: n} }
	whole := piece(of(0, 0)) + piece(of(0, 1)) + openai.end
	cut := piece(of(0, 0)) + openai.broken + "{}}\n\n"
	done := attempt{mark: of(0, 1), arrived: now, finished: true}
	begun := attempt{mark: of(0, 0), arrived: now}
	breaks := errors.New("the connection broke")
	tests := []struct {
		name     string
		told     told
		attempts []attempt
		state    state
		wrong    string
	}{
		{"complete", told{status: 200, text: whole}, []attempt{done}, complete, ""},
		{"broken", told{status: 200, text: cut, err: breaks}, []attempt{begun}, broken, ""},
		{"refused", told{status: 503, text: `{"error":"x"}`}, nil, refused, ""},
		{"complete and yet not finished", told{status: 200, text: whole}, []attempt{begun}, complete, "not what a backend has finished"},
		{"two answers in one", told{status: 200, text: piece(of(0, 0)) + piece(of(1, 1)) + openai.end}, []attempt{done}, complete, "of another answer"},
		{"a piece is missing", told{status: 200, text: piece(of(0, 1)) + openai.end}, []attempt{done}, complete, "in the wrong place"},
		{"another's answer", told{status: 200, text: piece(mark{id: 2}) + openai.end}, []attempt{done}, complete, "of another answer"},
		{"answered twice", told{status: 200, text: whole}, []attempt{done, {mark: of(1, 1), finished: true}}, complete, "to the end 2 times"},
		{"asked elsewhere after it had begun", told{status: 200, text: cut, err: breaks, begun: now}, []attempt{begun, {mark: of(1, 0), arrived: now.Add(1)}}, broken, "after the tool had some"},
		{"ends early and properly", told{status: 200, text: piece(of(0, 0))}, []attempt{begun}, garbled, "neither"},
		{"breaks and does not say so", told{status: 200, text: piece(of(0, 0)), err: breaks}, []attempt{begun}, garbled, "neither"},
		{"an error at the end of a proper answer", told{status: 200, text: cut}, []attempt{begun}, garbled, "neither"},
		{"refused in no shape", told{status: 503, text: "sorry"}, nil, garbled, "neither"},
		{"no answer at all", told{err: breaks}, nil, garbled, "neither"},
	}
	for _, test := range tests {
		q := test.told
		q.id, q.form = 1, openai
		var l ledger
		for _, a := range test.attempts {
			a.id = 1
			l.attempts = append(l.attempts, &a)
		}
		got := strings.Join(q.wrongs(&l), "; ")
		if q.state() != test.state || (got == "") != (test.wrong == "") || !strings.Contains(got, test.wrong) {
			t.Errorf("%s: %s, %q, want %s, %q", test.name, q.state(), got, test.state, test.wrong)
		}
	}
}
