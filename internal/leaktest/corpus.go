// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	_ "embed"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
)

var (
	//go:embed topics/medicine.txt
	medicineText string
	//go:embed topics/cooking.txt
	cookingText string
)

// topic is what answers are about: sentences with gaps, and the words that fill them.
type topic struct {
	name      string
	sentences []string
	lists     map[string][]string
}

var topics = []topic{parseTopic("medicine", medicineText), parseTopic("cooking", cookingText)}

// parseTopic reads the format of the files in topics: sentences that end with a full stop, lists as
// "name: word | word", comments behind a number sign.
func parseTopic(name, text string) topic {
	t := topic{name: name, lists: make(map[string][]string)}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		list, words, isList := strings.Cut(line, ": ")
		switch {
		case line == "", line[0] == '#':
		case isList && !strings.HasSuffix(line, "."):
			t.lists[list] = strings.Split(words, " | ")
		default:
			t.sentences = append(t.sentences, line)
		}
	}
	return t
}

const (
	groupSize      = 6 // answers that draw from the same sentences
	groupSentences = 9
	minSentences   = 5 // of an answer; lengths are spread evenly by their logarithm
	maxSentences   = 28
)

var gap = regexp.MustCompile(`\{\w+\}`)

// answer returns the text of the answer with this number, always the same. Answers of one group, which is number
// divided by groupSize, have sentences in common; those of different groups by chance alone.
func (t *topic) answer(number int) string {
	group := rand.New(rand.NewPCG(uint64(number/groupSize), 1)).Perm(len(t.sentences))[:groupSentences]
	rng := rand.New(rand.NewPCG(uint64(number), 2))
	var text []string
	for range int(minSentences * math.Pow(float64(maxSentences+1)/minSentences, rng.Float64())) {
		sentence := t.sentences[group[rng.IntN(len(group))]]
		sentence = gap.ReplaceAllStringFunc(sentence, func(name string) string {
			words := t.lists[name[1:len(name)-1]]
			return words[rng.IntN(len(words))]
		})
		text = append(text, strings.ToUpper(sentence[:1])+sentence[1:])
	}
	return strings.Join(text, " ")
}
