// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"
)

func TestAnswers(t *testing.T) {
	for i := range topics {
		topic := &topics[i]
		seen := make(map[string]bool)
		for n := range 300 {
			text := topic.answer(n)
			if seen[text] || strings.ContainsAny(text, "{}|") || text != topic.answer(n) {
				t.Errorf("%s %d is repeated, not filled in or not always the same: %q", topic.name, n, text)
			}
			seen[text] = true
			var joined strings.Builder
			var took time.Duration
			for _, tok := range tokens(text, 1) {
				joined.WriteString(tok.text)
				took += tok.gap
			}
			if joined.String() != text || took > 16*time.Second {
				t.Errorf("%s %d: tokens do not make the text, or take %v", topic.name, n, took)
			}
		}
	}
}

func TestOptions(t *testing.T) {
	if opt, err := parse([]string{"--quick"}); err != nil || opt.answers != 60 || opt.users != 120 {
		t.Errorf("quick: %+v, %v", opt, err)
	}
	for _, args := range [][]string{{"--answers", "3"}, {"--users", "0"}, {"--seeds", "0"}, {"--none"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}

// TestTrial runs a few answers through a network, shaped, and looks at what was recorded.
func TestTrial(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as answers do")
	}
	tr := newTrial("pad", 2, 4)
	for _, s := range tr.scripts {
		s.tokens = s.tokens[:40]
	}
	if err := tr.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range tr.scripts {
		total := 0
		for _, e := range s.trace {
			total += e.size
		}
		if len(s.sent) != 40 || len(s.received) != 40 || total != 16+64*1042 {
			t.Errorf("%d tokens sent, %d received, %d bytes seen; want 40, 40 and 64 cells", len(s.sent), len(s.received), total)
		}
	}
}
