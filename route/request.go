// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"slices"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// Request is what a request asks of an exit. Its content is none of this package's business.
type Request struct {
	// Protocols are the native protocols that can serve the request, the one that the tool speaks first: an exit with
	// that one is preferred to one that has to translate. At least one.
	Protocols []service.Protocol
	// Models are the names of the models to use, the later ones when no exit can serve the earlier. At least one. A name
	// that ends in ":floor" asks for the cheapest exit and one in ":nitro" for the fastest, unless only the whole name is a
	// model's or a configured alias.
	Models []string
	// Features are what the model must be able to do, by the names of [service.Model]: see [Tools] and the others.
	Features []string
	// Wishes are features that the request asks for and can do without, since who translates leaves them out: a model
	// that does not list one comes after those that do. With parameters required they are needed like Features.
	Wishes []string
	// Modalities are what the request contains besides text, such as "image".
	Modalities []string
	// Parameters are the names of the request's further fields. They count when parameters are required: then an exit
	// must list each among its features, but for those that every model knows.
	Parameters []string
	// InputTokens is how long the request is, roughly, and MaxOutput the longest answer that it allows; 0 is unknown.
	InputTokens, MaxOutput int
	// ExpectedOutput is how long the answer will probably be, in tokens, for its price. Default: 512, or MaxOutput if less.
	ExpectedOutput int
	// Images is the number of images in the request, for its price.
	Images int
	// Preferences are the request's own, nil for none. They must be valid.
	Preferences *Preferences
	// Conversation is an opaque key of the conversation that the request continues, which stays with its exit while
	// that works. It never leaves the client; make it a keyed hash of the conversation's beginning. Empty: none.
	Conversation string
}

// Features that requests ask for, as descriptions name them.
const (
	Tools         = "tools"          // the model can call functions
	ParallelTools = "parallel_tools" // several at once
	Vision        = "vision"         // it reads images; the modality "image" says the same
	JSONSchema    = "json_schema"    // its answer follows a schema
	Reasoning     = "reasoning"      // it can think before it answers
	CachedInput   = "cached_input"   // input that was read before costs less
	Embedding     = "embedding"      // it makes vectors of texts
)

// image is the modality that is as good as the feature Vision.
const image = "image"

// universal are the parameters that every model knows, so that no exit lists them.
var universal = []string{
	"model", "messages", "input", "contents", "prompt", "system", "instructions", "stream", "stream_options", "max_tokens",
	"max_completion_tokens", "max_output_tokens", "temperature", "top_p", "stop", "stop_sequences", "user", "metadata", "store",
}

const (
	defaultInput  = 1024 // tokens, when it is not known how long a request is
	defaultOutput = 512  // tokens, when nothing is known of the answer
)

// size is what a request is expected to be billed for.
type size struct{ input, output, images float64 }

func (r *Request) size() size {
	s := size{input: float64(r.InputTokens), output: float64(r.ExpectedOutput), images: float64(r.Images)}
	if s.input <= 0 {
		s.input = defaultInput
	}
	if s.output <= 0 {
		s.output = defaultOutput
		if r.MaxOutput > 0 {
			s.output = min(s.output, float64(r.MaxOutput))
		}
	}
	return s
}

// parameters are those that an exit must list where parameters are required.
func (r *Request) parameters() []string {
	return slices.DeleteFunc(slices.Clone(r.Parameters), func(p string) bool { return slices.Contains(universal, p) })
}

// suffixes are what a model's name may end in, and the sort that each asks for.
var suffixes = map[string]Sort{":floor": SortPrice, ":nitro": SortThroughput}

// SplitSuffix takes ":floor" or ":nitro" off a model's name and says what it asks for. A name without one of them is
// returned as it is. Whether only the whole name is a model's is for the caller to find out.
func SplitSuffix(name string) (string, Sort) {
	for suffix, sort := range suffixes {
		if base, ok := strings.CutSuffix(name, suffix); ok && base != "" {
			return base, sort
		}
	}
	return name, ""
}

// native is the place of the protocol that the tool speaks.
func native(r *Request) uint8 { return uint8(slices.Index(service.Protocols(), r.Protocols[0])) }
