// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/scrub"
	"github.com/tokengo/tokengo/service"
)

// cacheKeyPeriod is how long a prompt cache is called the same toward an exit: longer than any backend
// keeps one, and short enough that no exit can follow a client for long by it.
const cacheKeyPeriod = 24 * time.Hour

// scrubber takes identity out of requests and warns of what is left.
type scrubber struct {
	options scrub.Options
	block   []scrub.Kind
	logger  *slog.Logger
	secret  [32]byte // what cache keys are made of; it ends with the process

	mu     sync.Mutex // guards warned
	warned map[scrub.Kind]bool
}

func newScrubber(cfg Config) *scrubber {
	s := &scrubber{
		options: scrub.Options{Level: cfg.Scrub, Pseudonyms: cfg.Pseudonyms},
		block:   cfg.Block, logger: cfg.Logger, warned: map[scrub.Kind]bool{},
	}
	rand.Read(s.secret[:]) // never fails
	return s
}

// exit is what scrubbing has to know of an exit.
func (s *scrubber) exit(e Exit, now time.Time) scrub.Exit {
	return scrub.Exit{Betas: e.Info.Betas, CacheKey: s.cacheKey(e.Info.Identity, now)}
}

// cacheKey is the key of this client's session with an exit.
func (s *scrubber) cacheKey(id service.Identity, now time.Time) []byte {
	mac := hmac.New(sha256.New, s.secret[:])
	fmt.Fprintf(mac, "%s %d", id, now.Unix()/int64(cacheKeyPeriod/time.Second))
	return mac.Sum(nil)
}

// inspect looks at the text that is about to leave: it refuses the kinds that the user wants blocked, and
// warns of each other kind once.
func (s *scrubber) inspect(ctx context.Context, body []byte) *dialect.Error {
	kinds := scrub.Kinds(body, func(k scrub.Kind) bool { return slices.Contains(s.block, k) || !s.hasWarned(k) })
	for _, kind := range kinds {
		if slices.Contains(s.block, kind) {
			return s.blocked(body, kind)
		}
		if s.firstOf(kind) {
			s.logger.WarnContext(ctx, "prompts hold something that identifies or gives access; exits read it (said once for each kind)", "kind", string(kind))
		}
	}
	return nil
}

func (s *scrubber) hasWarned(kind scrub.Kind) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.warned[kind]
}

// firstOf reports whether a kind has not been warned of, and counts it as warned of.
func (s *scrubber) firstOf(kind scrub.Kind) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.warned[kind]
	s.warned[kind] = true
	return first
}

// blocked says what was found and where, never what it says.
func (s *scrubber) blocked(body []byte, kind scrub.Kind) *dialect.Error {
	where := "the request"
	for _, f := range scrub.Find(body) {
		if f.Kind == kind {
			where = f.Where
			break
		}
	}
	return &dialect.Error{
		Code: dialect.CodeInvalidRequest,
		Message: fmt.Sprintf("Something in %s looks like this: %s. This client is set to keep such texts back (block_secrets), and has sent nothing. "+
			"Take it out of the conversation, or start the client without that setting.", where, kind),
	}
}
