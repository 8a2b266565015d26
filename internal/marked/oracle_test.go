// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package marked

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestOracle shows the oracle answers that are wrong, each in one way.
func TestOracle(t *testing.T) {
	now := time.Now()
	openai := Forms()[0]
	piece := func(m Mark) string { return fmt.Sprintf(openai.piece, m) }
	of := func(serial, n int) Mark { return Mark{Request: 1, Attempt: serial, Piece: n} }
	whole := piece(of(0, 0)) + piece(of(0, 1)) + openai.end
	cut := piece(of(0, 0)) + openai.broken + "{}}\n\n"
	done := Attempt{Mark: of(0, 1), Arrived: now, Finished: true}
	begun := Attempt{Mark: of(0, 0), Arrived: now}
	breaks := errors.New("the connection broke")
	tests := []struct {
		name     string
		told     Request
		attempts []Attempt
		state    State
		wrong    string
	}{
		{"complete", Request{Status: 200, Text: whole}, []Attempt{done}, Complete, ""},
		{"broken", Request{Status: 200, Text: cut, Err: breaks}, []Attempt{begun}, Broken, ""},
		{"refused", Request{Status: 503, Text: `{"error":"x"}`}, nil, Refused, ""},
		{"complete and yet not finished", Request{Status: 200, Text: whole}, []Attempt{begun}, Complete, "not what a backend has finished"},
		{"two answers in one", Request{Status: 200, Text: piece(of(0, 0)) + piece(of(1, 1)) + openai.end}, []Attempt{done}, Complete, "of another answer"},
		{"a piece is missing", Request{Status: 200, Text: piece(of(0, 1)) + openai.end}, []Attempt{done}, Complete, "in the wrong place"},
		{"another's answer", Request{Status: 200, Text: piece(Mark{Request: 2}) + openai.end}, []Attempt{done}, Complete, "of another answer"},
		{"answered twice", Request{Status: 200, Text: whole}, []Attempt{done, {Mark: of(1, 1), Finished: true}}, Complete, "to the end 2 times"},
		{"asked elsewhere after it had begun", Request{Status: 200, Text: cut, Err: breaks, Begun: now}, []Attempt{begun, {Mark: of(1, 0), Arrived: now.Add(1)}}, Broken, "after the tool had some"},
		{"ends early and properly", Request{Status: 200, Text: piece(of(0, 0))}, []Attempt{begun}, Garbled, "neither"},
		{"breaks and does not say so", Request{Status: 200, Text: piece(of(0, 0)), Err: breaks}, []Attempt{begun}, Garbled, "neither"},
		{"an error at the end of a proper answer", Request{Status: 200, Text: cut}, []Attempt{begun}, Garbled, "neither"},
		{"refused in no shape", Request{Status: 503, Text: "sorry"}, nil, Garbled, "neither"},
		{"no answer at all", Request{Err: breaks}, nil, Garbled, "neither"},
	}
	for _, test := range tests {
		q := test.told
		q.Number, q.Form = 1, openai
		var l Ledger
		for _, a := range test.attempts {
			a.Request = 1
			l.attempts = append(l.attempts, &a)
		}
		got := strings.Join(q.Wrongs(&l), "; ")
		if q.State() != test.state || (got == "") != (test.wrong == "") || !strings.Contains(got, test.wrong) {
			t.Errorf("%s: %s, %q, want %s, %q", test.name, q.State(), got, test.state, test.wrong)
		}
	}
}
