// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demobackend

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func ExampleText() {
	fmt.Println(Text("Why is the sky blue?", 12))
	// Output: [demo] No AI model read your 5 words — here is a
}

func TestTextDependsOnPromptAlone(t *testing.T) {
	seen := map[string]bool{}
	for i := range 200 {
		prompt := fmt.Sprintf("question number %d", i)
		text := Text(prompt, 0)
		if again := Text(prompt, 0); again != text {
			t.Fatalf("Text(%q) is %q, then %q", prompt, text, again)
		}
		seen[text] = true
	}
	if len(seen) < 195 {
		t.Errorf("200 prompts have only %d different answers", len(seen))
	}
}

func TestTextIsWellFormed(t *testing.T) {
	for _, prompt := range []string{"", "one", "two words", "日本語 のプロンプト", "bad \xff utf-8", strings.Repeat("many ", 10_000)} {
		text := Text(prompt, 0)
		switch words := countWords(text); {
		case !strings.HasPrefix(text, Label+" "):
			t.Errorf("answer %q does not begin with %q", text, Label)
		case !utf8.ValidString(text) || utf8.RuneCountInString(text) == len(text):
			t.Errorf("answer %q is not UTF-8 with characters outside ASCII", text)
		case words < minBodyTokens || words > maxBodyTokens+20:
			t.Errorf("answer %q has %d words", text, words)
		case !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "…"):
			t.Errorf("answer %q does not end with a sentence", text)
		}
	}
}

func TestTextStopsAtMaxTokens(t *testing.T) {
	const prompt = "Why is the sky blue?"
	whole := newAnswer(prompt, 0)
	for limit := 1; limit <= whole.outputTokens()+1; limit++ {
		a := newAnswer(prompt, limit)
		if got, want := a.outputTokens(), min(limit, whole.outputTokens()); got != want {
			t.Errorf("limit %d: %d tokens, want %d", limit, got, want)
		}
		if got, want := a.cut, limit < whole.outputTokens(); got != want {
			t.Errorf("limit %d: cut = %t, want %t", limit, got, want)
		}
		if got := countWords(a.text()); got != a.outputTokens() {
			t.Errorf("limit %d: usage says %d tokens, the text has %d words", limit, a.outputTokens(), got)
		}
		if !strings.HasPrefix(whole.text(), a.text()) {
			t.Errorf("limit %d: %q is not the beginning of the whole answer", limit, a.text())
		}
	}
}

func TestTextKeepsThePromptToItself(t *testing.T) {
	const secret = "xylograph-canary-7731"
	if text := Text("please remember "+secret, 0); strings.Contains(text, secret) {
		t.Errorf("answer %q repeats the prompt", text)
	}
}

func TestEmbeddingHasLengthOne(t *testing.T) {
	for _, dimensions := range []int{0, 1, 3, maxDimensions} {
		v, err := embedding("Why is the sky blue?", dimensions)
		if err != nil {
			t.Fatalf("embedding with %d dimensions: %v", dimensions, err)
		}
		var sum float64
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		if sum < 0.999 || sum > 1.001 {
			t.Errorf("%d dimensions: squares add up to %g, want 1", dimensions, sum)
		}
	}
}
