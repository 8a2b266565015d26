// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"time"

	"github.com/tokengo/tokengo/ohttp"
)

// What specifications fix.
const (
	innerScheme = "https" // of a request inside the seal

	// claudeVersion is the version of Claude's API that is asked for when a tool names none.
	claudeVersion = "2023-06-01"

	// statusOverloaded is Claude's own status for an overloaded service.
	statusOverloaded = 529
)

// Defaults of Config.
const (
	defaultTier            = "standard"
	defaultKeyLifetime     = 24 * time.Hour
	defaultKeyOverlap      = time.Hour
	defaultDrainTimeout    = 30 * time.Second
	defaultMaxRequestBytes = 64 << 20
	defaultMaxAnswerBytes  = 64 << 20
	defaultMaxHeldBytes    = 1 << 30
	defaultMaxConcurrent   = 1000
	defaultRequestTimeout  = 30 * time.Second
	defaultHeaderTimeout   = 5 * time.Minute
	defaultStallTimeout    = 2 * time.Minute
	defaultModelsRefresh   = 5 * time.Minute
)

// Bounds of Config.
const (
	maxOverlapLifetimes = 100 // so that the identifiers of keys, a byte, do not run out
	maxRelays           = 64
	maxBackends         = 64
	minTimeout          = time.Millisecond
)

// Texts.
const (
	userAgent          = "tokengo"              // toward backends
	rootText           = "TokenGo is running\n" // what GET / within a seal finds
	defaultContentType = "application/json"     // of a tool's request that names none
	maxMessageModels   = 8                      // models that an error message lists
	maxMessageRunes    = 80                     // of each of them
	complaintInterval  = time.Minute            // between two log lines about the same fault of a backend
)

// Features of models: the words of service descriptions that have a meaning, and that a backend's own words
// are read as.
const (
	featureTools         = "tools"
	featureParallelTools = "parallel_tools"
	featureVision        = "vision"
	featureJSONSchema    = "json_schema"
	featureReasoning     = "reasoning"
	featureCachedInput   = "cached_input"
	featureEmbedding     = "embedding"
)

// What clients know to ask for. Others may be published, and mean nothing to them.
var (
	knownFeatures = []string{
		featureTools, featureParallelTools, featureVision, featureJSONSchema, featureReasoning, featureCachedInput, featureEmbedding,
	}
	knownModalities = []string{"text", "image", "audio", "video", "file"}
)

// Times of the exit's own.
const (
	supersededDrain = time.Hour             // how long requests on a replaced tunnel may go on
	wakeInterval    = time.Minute           // between two looks at the clock, at most: a machine may have slept
	minTick         = 50 * time.Millisecond // between two looks at keys and models, at least
	firstModelGap   = time.Second           // before a backend that failed is asked for its models again; doubles
	followInterval  = time.Second           // between two looks of a follower at what its leader published
	minKeyAge       = 10 * time.Minute      // of keys that are replaced because a relay says they are another's

	meanWeight    = 8               // of a request's duration in the mean, one in so many
	maxRetryAfter = 5 * time.Minute // that a busy exit tells a client to wait, at most

	minUploadBytesPerSecond = 32 << 10 // what extends RequestTimeout
)

// Reconnecting to a relay.
const (
	minBackoff = 200 * time.Millisecond // doubles
	maxBackoff = 30 * time.Second       // also for registrations that a relay refuses
	livedLong  = time.Minute            // after which the backoff starts over
)

// Sizes in bytes.
const (
	// smallRead is the first buffer of an answer: most reads are a token, and a thousand streams may wait
	// at once. The next sizes take over while reads fill those before: largeRead is two full chunks with their framing.
	smallRead  = 2 << 10
	mediumRead = 8 << 10
	largeRead  = 2*ohttp.MaxChunk - framing

	// framing is the most that Binary HTTP adds to a read: the length of a chunk of content.
	framing = 4

	// smallAnswer is the largest answer of known length that is read whole and sealed in one piece.
	smallAnswer = ohttp.MaxChunk

	maxText          = 256      // of a string in a service description
	infoRoom         = 512      // what signing adds to a description without models
	maxErrorBody     = 64 << 10 // of a backend's error that is passed on
	maxModelsBody    = 8 << 20  // of one page of a backend's list of models
	maxModelsPages   = 20
	maxListed        = 10_000   // models of a backend's list: ten times what a description holds
	maxAbilityBody   = 64 << 10 // of the answer to whether a backend has something, and of a count of tokens
	maxShowBody      = 4 << 20  // of what an Ollama says of one model: licences and templates are in it
	maxWords         = 32       // features or modalities of a model in a service description
	maxBackendHeader = 64 << 10
	maxHint          = 32 << 10 // made ready for a body before any of it has come, whatever it announces
)

// idleInterval is how long a backend may be silent in a translated stream before the tool gets a sign of life, where its
// protocol has one: shorter than the 15 s after which the strictest proxies and tools give up.
const idleInterval = 10 * time.Second

// Toward backends.
const (
	dialTimeout   = 10 * time.Second // for TCP, and again for TLS
	pingAfter     = 15 * time.Second // of silence, an HTTP/2 PING finds out whether the backend is there
	pingTimeout   = 10 * time.Second
	modelsTimeout = 15 * time.Second // for one backend's list of models
	showTimeout   = 5 * time.Second  // within that, for what an Ollama says of each
	showsAtOnce   = 4                // models that an Ollama is asked about

	abilityTimeout = 5 * time.Second // for finding out what a backend has
	countTimeout   = 2 * time.Second // for a count of tokens, which tools wait for before they ask
	countPause     = time.Minute     // without asking for one, after a backend was slow or failed
	lackPause      = time.Hour       // likewise, after it said that it has no such thing

	idleTimeout  = 90 * time.Second
	maxIdleConns = 128 // kept to one backend
)
