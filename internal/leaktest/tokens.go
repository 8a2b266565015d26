// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// token is a piece of text, and how long after the one before it the model has it.
type token struct {
	text string
	gap  time.Duration
}

// How a model speaks. Published measurements of hosted models lie between 30 and 100 tokens a second; what matters to
// the test is that gaps depend on the text, as they do with speculative decoding: pieces of a word that has
// begun are guessed well and come at once, long words that begin are guessed badly.
const (
	firstToken   = 400 * time.Millisecond
	baseGap      = 18 * time.Millisecond
	gapPerLetter = 1200 * time.Microsecond // of a word that begins
	guessedGap   = 4 * time.Millisecond    // before a piece of a word that has begun
	jitter       = 0.3                     // standard deviation of the logarithm

	wholeWord  = 7 // letters of the longest word that is one token
	pieceWidth = 5 // letters of a piece of a longer one, give or take one
)

// tokens makes the stream of a text. Seed decides on jitter alone.
func tokens(text string, seed uint64) []token {
	rng := rand.New(rand.NewPCG(seed, 3))
	var all []token
	add := func(piece string, gap time.Duration) {
		all = append(all, token{piece, time.Duration(float64(gap) * math.Exp(jitter*rng.NormFloat64()))})
	}
	for i, word := range strings.Fields(text) {
		bare := strings.TrimRight(word, ".,;")
		space := " "
		if i == 0 {
			space = ""
		}
		for n, piece := range pieces(bare, rng) {
			if n > 0 {
				add(piece, guessedGap)
				continue
			}
			add(space+piece, baseGap+gapPerLetter*time.Duration(len(bare)))
		}
		if mark := word[len(bare):]; mark != "" {
			add(mark, guessedGap)
		}
	}
	all[0].gap = time.Duration(float64(firstToken) * math.Exp(jitter*rng.NormFloat64()))
	return all
}

// pieces splits a long word about as the vocabularies of models do.
func pieces(word string, rng *rand.Rand) []string {
	if len(word) <= wholeWord {
		return []string{word}
	}
	var all []string
	for len(word) > 0 {
		n := min(len(word), pieceWidth-1+rng.IntN(3))
		if len(word)-n == 1 {
			n++
		}
		all, word = append(all, word[:n]), word[n:]
	}
	return all
}
