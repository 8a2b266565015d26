// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demobackend

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
)

// Label is the first word of every answer. It tells a reader, and a program,
// that no AI model wrote what follows.
const Label = "[demo]"

// How long answers are, in words. Our own choice: long enough to watch a
// stream, short enough to be over within a second or so at the default pace.
const (
	minBodyTokens    = 20
	bodyTokensSpread = 20
	maxBodyTokens    = 100 // a bound for the walk, which ends with a sentence long before
)

// Text returns the answer that every protocol gives to prompt, so that demos
// and tests can predict it. The prompt of a conversation is the texts of its
// system instructions and its messages, in order, empty ones left out, joined
// by single newlines.
//
// The same prompt always has the same answer. It begins with [Label], contains
// characters outside ASCII, and of the prompt it gives away only the number of
// words. A token is a word with the space before it; the answer is cut after
// maxTokens of them, and is whole when maxTokens is zero or less.
func Text(prompt string, maxTokens int) string {
	return newAnswer(prompt, maxTokens).text()
}

// answer is what the generator says to one prompt. It is never empty.
type answer struct {
	pieces       []string // tokens; concatenated they are the text
	cut          bool     // maxTokens ended it, not the generator
	promptTokens int
}

func newAnswer(prompt string, maxTokens int) answer {
	words := countWords(prompt)
	noun := "words"
	if words == 1 {
		noun = "word"
	}
	preface := fmt.Sprintf("%s No AI model read your %d %s — here is a little generated text instead:", Label, words, noun)

	pieces := strings.Fields(preface)
	pieces = append(pieces, loadChain().walk(newRand(prompt))...)
	for i := 1; i < len(pieces); i++ {
		pieces[i] = " " + pieces[i]
	}
	a := answer{pieces: pieces, promptTokens: words}
	if maxTokens > 0 && maxTokens < len(pieces) {
		a.pieces, a.cut = pieces[:maxTokens], true
	}
	return a
}

func (a answer) text() string      { return strings.Join(a.pieces, "") }
func (a answer) outputTokens() int { return len(a.pieces) }
func (a answer) totalTokens() int  { return a.promptTokens + len(a.pieces) }

// finish returns whole or cut, whichever names the way this answer ended.
func (a answer) finish(whole, cut string) string {
	if a.cut {
		return cut
	}
	return whole
}

// joinPrompt makes the one prompt of a conversation, as [Text] documents it.
func joinPrompt(texts ...string) string {
	var kept []string
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
	}
	return strings.Join(kept, "\n")
}

// countWords is this backend's tokenizer.
func countWords(text string) int {
	n := 0
	for range strings.FieldsSeq(text) {
		n++
	}
	return n
}

// newRand returns a random source that depends on nothing but text.
func newRand(text string) *rand.Rand {
	sum := sha256.Sum256([]byte(text))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))
}

// corpus was written for this package: one sentence a line, with phrases that
// recur so that the walk has choices.
//
//go:embed corpus.txt
var corpus string

// chain is a second-order Markov chain: each pair of words with the words that
// followed it in the corpus. Empty strings stand before a sentence, and a
// sentence's last word is followed by an empty string.
type chain map[[2]string][]string

var loadChain = sync.OnceValue(func() chain {
	c := chain{}
	for sentence := range strings.Lines(corpus) {
		var state [2]string
		for _, word := range append(strings.Fields(sentence), "") {
			c[state] = append(c[state], word)
			state = [2]string{state[1], word}
		}
	}
	return c
})

// walk returns the words of some sentences. It ends with a sentence.
func (c chain) walk(r *rand.Rand) []string {
	enough := minBodyTokens + r.IntN(bodyTokensSpread)
	var words []string
	var state [2]string
	for len(words) < maxBodyTokens {
		next := c[state]
		word := next[r.IntN(len(next))]
		if word == "" {
			if len(words) >= enough {
				break
			}
			state = [2]string{}
			continue
		}
		words = append(words, word)
		state = [2]string{state[1], word}
	}
	return words
}
