// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package conversation is what a request for an AI model and its answer mean, in no protocol in particular.
//
// It is the hub of translation: for each protocol a codec (packages dialect/openai, responses, claude,
// gemini and ollama) reads its requests and answers into the types here, and writes them from these.
// With five protocols that is ten directions to write instead of twenty pairs.
//
// Nothing here is lost by accident. What a protocol can say and no other can is in a named field all the
// same; what the codec of a target cannot express it reports by name through [Dropped], or refuses with
// an error where leaving it out would change what was asked.
//
// Answers are sequences of [Event]s, whether they come at once or as a stream, so that each codec
// understands only one form of them: a whole answer is a stream that arrived in one piece. [Collect]
// puts a sequence together.
//
// The package has no I/O and keeps nothing. Values are not safe for concurrent use.
package conversation

import (
	"encoding/json"

	"github.com/tokengo/tokengo/service"
)

// Request is one request for an answer by a model.
type Request struct {
	Model    string
	Messages []Message // system and developer messages stay in their place
	Tools    []Tool
	Choice   Choice
	// Parallel says whether several tools may be called at once; nil is the protocol's default.
	Parallel *bool

	// MaxTokens is the longest answer, in tokens, reasoning included; 0 is not stated.
	MaxTokens int
	// MaxOutput is the longest answer that the model can give, in tokens, as the exit knows it; 0 is not known. No
	// tool states it.
	MaxOutput int
	// Room is about how many tokens the model's context window leaves to the answer, as the exit knows and counts; 0 is not
	// known. No tool states it.
	Room     int
	Sampling Sampling
	Stop     []string
	// Candidates is how many answers are wanted; 0 and 1 are one. A request for several is refused: events are of one.
	Candidates int
	// Logprobs asks for the probabilities of the chosen tokens, and of so many alternatives to each.
	Logprobs    bool
	TopLogprobs int

	Format    Format
	Reasoning Reasoning

	Stream bool
	// StreamUsage says that the tool wants the usage at the end of a stream (OpenAI's stream_options).
	// Codecs toward a backend ask for it in any case.
	StreamUsage bool

	// Suffix is the text after the gap that a completion fills (openai's and ollama's completions).
	Suffix string
	// Unmapped names fields that the tool sent and that have no counterpart in any other protocol, for
	// [Dropped]: the list is explicit in each codec, never "whatever is left".
	Unmapped []string
}

// Bound is the longest answer to ask a backend for, in tokens: MaxTokens, lowered to what the model can give. It is 0 where
// the tool states none.
func (r *Request) Bound() int {
	bound := r.MaxTokens
	for _, limit := range []int{r.MaxOutput, r.Room} {
		if limit > 0 {
			bound = min(bound, limit)
		}
	}
	return bound
}

// Sampling is how tokens are chosen. A nil field is the model's default.
type Sampling struct {
	Temperature      *float64 // 0 to 2
	TopP             *float64
	TopK             *int
	MinP             *float64
	FrequencyPenalty *float64
	PresencePenalty  *float64
	RepeatPenalty    *float64 // ollama's: 1 is none
	Seed             *int64
}

// Role says who speaks.
type Role uint8

// The roles. Results of tools are messages of their own; codecs whose protocol has them inside the user's
// turn split and join them, in order.
const (
	System Role = iota + 1
	Developer
	User
	Assistant
	ToolResults // Parts are all ResultPart
)

// Message is one turn, or part of one: neighbours may have the same role.
type Message struct {
	Role  Role
	Parts []Part // assistant turns have no empty text part
	Name  string // of the speaker, where the protocol has one
}

// Part is one piece of a message: one of the types that end in Part.
type Part interface{ part() }

// TextPart is text.
type TextPart struct {
	Text  string
	Cache *CacheControl
}

// Media is an image, a sound or a file: its content or where it is, never both.
type Media struct {
	MediaType string // "image/png"; may be empty with a URL
	Data      string // standard base64, as it was sent
	URL       string // http, https or a protocol's own scheme; passed on or refused, never fetched
	// FileID is a file that a service has, by an id that only the service FileBy understands. Others refuse it.
	FileID string
	FileBy service.Protocol
	Name   string
	Detail string // openai's detail of an image: low, high, auto
}

// ImagePart is a picture, AudioPart a sound, FilePart a document.
type (
	ImagePart struct {
		Media
		Cache *CacheControl
	}
	AudioPart struct{ Media }
	FilePart  struct {
		Media
		Cache *CacheControl
	}
)

// CallPart is a tool call by the assistant.
type CallPart struct {
	ID        string // "" where the protocol has none (gemini, ollama): results then match by name and order
	Name      string
	Arguments string // a JSON object; "{}" when there are none
	Signature Signature
	Cache     *CacheControl
}

// ResultPart is what a tool answered.
type ResultPart struct {
	CallID  string
	Name    string // of the tool, where it is known
	Parts   []Part // TextPart, ImagePart, FilePart
	IsError bool
	// JSON is the answer as an object, where the protocol has it so (gemini); Parts then holds it as text.
	JSON  json.RawMessage
	Cache *CacheControl
}

// ThinkingPart is reasoning in the open. One without text but with a signature is reasoning withheld.
type ThinkingPart struct {
	Text      string
	Signature Signature
	// Redacted is reasoning that only its backend can read (claude's redacted_thinking data).
	Redacted string
	ID       string // of the reasoning item (responses)
}

// RefusalPart is what the assistant said instead of answering (openai).
type RefusalPart struct{ Text string }

func (TextPart) part()     {}
func (ImagePart) part()    {}
func (AudioPart) part()    {}
func (FilePart) part()     {}
func (CallPart) part()     {}
func (ResultPart) part()   {}
func (ThinkingPart) part() {}
func (RefusalPart) part()  {}

// Signature proves to a backend that reasoning or a call is its own. It goes back byte for byte to a
// backend of the protocol that made it and to no other.
type Signature struct {
	By    service.Protocol
	Value string
}

// CacheControl marks a prefix to be cached (claude).
type CacheControl struct {
	TTL string // "5m", "1h" or ""
}

// Tool is a function that the model may call.
type Tool struct {
	Name        string
	Description string
	Parameters  json.RawMessage // JSON schema; nil when the tool takes none
	Strict      *bool
	Cache       *CacheControl
	// Builtin is the protocol's own type of a tool that its backend runs itself (web search and the like),
	// which no other protocol has; "" for a function.
	Builtin string
	Raw     json.RawMessage // the builtin as it was sent
}

// Choice says whether tools are to be called.
type Choice struct {
	Mode ChoiceMode
	Name string // with ChoiceNamed
}

// ChoiceMode is the kind of a [Choice].
type ChoiceMode uint8

// Choices of tools. The zero value is the protocol's default.
const (
	ChoiceDefault ChoiceMode = iota
	ChoiceAuto
	ChoiceNone
	ChoiceRequired // some tool
	ChoiceNamed    // this one
)

// Format is the form that the answer must have.
type Format struct {
	Kind        FormatKind
	Name        string
	Description string
	Schema      json.RawMessage // with FormatSchema
	Strict      *bool
}

// FormatKind is the kind of a [Format].
type FormatKind uint8

// Forms of an answer.
const (
	FormatText FormatKind = iota
	FormatJSON
	FormatSchema
)

// Reasoning says how much the model is to think first. The zero value is its default.
type Reasoning struct {
	Mode    ReasoningMode
	Effort  string // "minimal", "low", "medium", "high", "xhigh", "max"; "" when not stated
	Budget  int    // tokens; 0 when not stated
	Visible *bool  // whether the tool wants to see it
	Summary string // responses: auto, concise, detailed
}

// ReasoningMode is the kind of a [Reasoning].
type ReasoningMode uint8

// Modes of reasoning.
const (
	ReasoningDefault ReasoningMode = iota
	ReasoningOff
	ReasoningOn       // with Effort or Budget, if stated
	ReasoningAdaptive // the model decides (claude's adaptive thinking)
)
