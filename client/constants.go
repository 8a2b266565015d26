// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import "time"

// What the network's protocol fixes (docs/protocol.md).
const (
	pathIndex      = "/directory"           // the digests of the directory's segments
	pathSegment    = "/directory/segments/" // and a digest
	pathObserved   = "/directory/observed"  // what the relay observes
	pathExits      = "/exits"               // the directory as one document
	pathHealth     = "/healthz"             // whether the relay is there
	pathOHTTP      = "/ohttp/"              // and the hash of the exit's keys
	innerScheme    = "https"                // of a request inside the seal
	innerAuthority = "exit"
)

// Defaults of Config.
const (
	defaultMaxRequestBytes = 64 << 20
	defaultMaxWholeBytes   = 64 << 20
	defaultRefreshInterval = 10 * time.Second
	defaultAnswerTimeout   = 10 * time.Minute
	defaultStallTimeout    = 5 * time.Minute
	defaultShutdownTimeout = 10 * time.Second
)

// Toward relays.
const (
	dialTimeout      = 10 * time.Second // for TCP, and again for TLS
	relayIdleTimeout = 90 * time.Second
	pingAfter        = 15 * time.Second // of silence, longer than between two looks, an HTTP/2 PING finds out whether the relay is there
	pingTimeout      = 10 * time.Second
	streamBuffer     = 1 << 20 // flow control window of one answer: bytes on their way
	maxRelayHeaders  = 32 << 10
	maxProblemBytes  = 16 << 10        // of an answer that is not sealed
	fetchTimeout     = 2 * time.Minute // for a whole look; some 20 MB when 10,000 exits are new
	fetchAtOnce      = 32              // segments that are asked for at once
	maxETagBytes     = 256
	observeInterval  = time.Minute // between two looks at what a relay observes

	refreshSpacing = time.Second // between the beginnings of two looks at one directory, at least
	refreshWait    = 5 * time.Second
	emptyInterval  = time.Second            // between looks at a directory that has no exit yet
	minBackoff     = 250 * time.Millisecond // after a failed look; doubles
	maxBackoff     = 5 * time.Second        // so that a relay that comes back is found at once
)

// Of one request.
const (
	maxSeals    = 3                      // of one attempt, when the relay refuses the stream
	minPause    = 250 * time.Millisecond // before what failed is tried again; doubles
	maxPause    = 4 * time.Second
	smallBuffer = 2 << 10  // of an answer
	largeBuffer = 32 << 10 // an answer of one JSON value that fits into it is delivered with its length

	// maxHeld is how much of an answer is held back until there is content in it. Where OpenAI's Responses API tells of the
	// request that it has taken up, all instructions and tools of that are in its first two events.
	maxHeld = 512 << 10
)

// Toward tools.
const (
	toolHeaderTimeout  = 10 * time.Second
	toolIdleTimeout    = 2 * time.Minute
	toolUploadTimeout  = 5 * time.Minute
	maxToolHeaderBytes = 64 << 10
	maxNamesInMessage  = 8 // models that an error message lists
	maxNameRunes       = 80
)

// tailBytes is how much of a stream tells whether it ended between two events.
const tailBytes = 4
