// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package conversation

// Event is one step of an answer. The sequence is, for every answer of every backend:
//
//	Begin, ( PartBegin, Delta…, [Signed], PartEnd )…, [Usage…], Finish
//
// Parts may interleave; each has its own Index, counted from 0 over all kinds. Every part that began
// ends before Finish. Usage may come at any place after Begin, each time with all that is known so far.
// Failed may come instead of anything after it and is then the last. A reader of a backend's answer
// makes this sequence whatever the backend sends: the role first, a missing end, calls in one piece.
type Event struct {
	Kind  EventKind
	Index int // of the part

	// Begin. ID and Model as the backend names them, "" if it does not; Created in Unix seconds, 0 if not known.
	ID      string
	Model   string
	Created int64

	// PartBegin
	Part PartKind
	Call Call // with PartCall

	// Delta: the next piece of text, thinking or refusal, or of the arguments of a call as JSON text.
	Text     string
	Logprobs []Logprob // of the tokens in Text, when asked for

	// Signed: what the backend wants back with the part. Redacted is of a part without text.
	Signature Signature
	Redacted  string

	// Usage
	Usage Usage

	// Finish
	Reason       Reason
	StopSequence string // the one that was met, if it is known

	// Failed: the backend reported an error in the middle of its answer.
	Failure Failure
}

// EventKind is the kind of an [Event].
type EventKind uint8

// Kinds of events.
const (
	Begin EventKind = iota + 1
	PartBegin
	Delta
	Signed
	PartEnd
	UsageKnown
	Finish
	Failed
)

// PartKind is the kind of a part of an answer.
type PartKind uint8

// Kinds of parts of an answer.
const (
	PartText PartKind = iota + 1
	PartThinking
	PartCall
	PartRefusal
)

// Call identifies a tool call. ID is never empty: readers of protocols without ids make one, unique
// within the answer, with [CallID].
type Call struct {
	ID   string
	Name string
}

// Usage counts tokens. A field that is not known is 0; merging never lowers a known one.
type Usage struct {
	Input      int // all tokens read, those from a cache included
	CacheRead  int // of Input
	CacheWrite int // of Input (claude)
	Output     int // all tokens written, reasoning included
	Reasoning  int // of Output
}

// Merge takes in what another report knows: each count that is larger.
func (u *Usage) Merge(v Usage) {
	u.Input = max(u.Input, v.Input)
	u.CacheRead = max(u.CacheRead, v.CacheRead)
	u.CacheWrite = max(u.CacheWrite, v.CacheWrite)
	u.Output = max(u.Output, v.Output)
	u.Reasoning = max(u.Reasoning, v.Reasoning)
}

// Total is Input and Output together.
func (u Usage) Total() int { return u.Input + u.Output }

// Reason is why an answer ended.
type Reason uint8

// Reasons.
const (
	Stopped   Reason = iota + 1 // the model was done, or met a stop sequence
	Length                      // the limit of tokens
	ToolCalls                   // the model waits for the results of calls
	Filtered                    // the backend withheld the rest
	Refused                     // the model refused (claude's refusal)
	Paused                      // the backend wants to be asked to go on (claude's pause_turn)
)

// Failure is an error that a backend reported within its answer, by class; its text is not repeated.
type Failure struct {
	Code       string // a dialect.Code
	RetryAfter string
}

// Logprob is one token with its probability.
type Logprob struct {
	Token   string
	Logprob float64
	Bytes   []byte
	Top     []Logprob
}
