// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Patience bounds how long and how often a request is tried before any of its answer has come.
type Patience struct {
	// Time is how long after it came a request may still be sent to another exit. Default: 2 min. Zero is the default,
	// and a negative one an error.
	Time time.Duration
	// Attempts is how many times it is sent at most, to whatever exits and through whatever relays. Default: 6. What
	// certainly reached no exit is not counted one by one: as many of these, or fewer when nobody else is left, are a round,
	// after which the client waits a moment, and which counts once.
	Attempts int
	// FirstByte is how long an exit may take to begin its answer to a request for a stream, with content, while there is
	// another exit that could. Others may take Config.AnswerTimeout: whole answers begin when they are complete. It is also
	// how long signs of life are held back that come before an answer. Default: 30 s.
	FirstByte time.Duration
}

const (
	defaultPatienceTime = 2 * time.Minute
	defaultAttempts     = 6
	defaultFirstByte    = 30 * time.Second
	maxPatienceAttempts = 100
)

func (p Patience) withDefaults() Patience {
	return Patience{
		Time: cmp.Or(p.Time, defaultPatienceTime), Attempts: cmp.Or(p.Attempts, defaultAttempts),
		FirstByte: cmp.Or(p.FirstByte, defaultFirstByte),
	}
}

func (p Patience) validate() error {
	if p.Time < 0 || p.FirstByte < 0 || p.Attempts < 0 || p.Attempts > maxPatienceAttempts {
		return fmt.Errorf("patience: want times that are not negative and at most %d attempts", maxPatienceAttempts)
	}
	return nil
}

// Retry is what may be sent once more when it is not known whether an exit worked on it. What certainly reached no exit,
// and what an exit refused, may always be.
type Retry string

// The values of Retry.
const (
	RetryNever  Retry = "never"  // nothing
	RetrySafe   Retry = "safe"   // requests that only generate text: what it may cost twice is money
	RetryAlways Retry = "always" // also those whose tools the backend itself runs
)

// ParseRetry returns the value with this name; empty is the default.
func ParseRetry(s string) (Retry, error) {
	if r := cmp.Or(Retry(s), RetrySafe); slices.Contains([]Retry{RetryNever, RetrySafe, RetryAlways}, r) {
		return r, nil
	}
	return "", errors.New("retry: want never, safe or always")
}

// Affinity is whether a conversation stays with the exit that answered it last, which may have its beginning in a cache.
// It is recognised by a keyed hash that never leaves the client.
type Affinity string

// The values of Affinity.
const (
	AffinityConversation Affinity = "conversation"
	AffinityNone         Affinity = "none"
)

// ParseAffinity returns the value with this name; empty is the default.
func ParseAffinity(s string) (Affinity, error) {
	if a := cmp.Or(Affinity(s), AffinityConversation); a == AffinityConversation || a == AffinityNone {
		return a, nil
	}
	return "", errors.New("affinity: want conversation or none")
}

// checkChoice checks what is said about choosing.
func (cfg *Config) checkChoice() error {
	if _, err := ParseRetry(string(cfg.Retry)); err != nil {
		return err
	}
	if _, err := ParseAffinity(string(cfg.Affinity)); err != nil {
		return err
	}
	if slices.Contains(cfg.Models, "") {
		return errors.New("models: a name is empty")
	}
	if slices.ContainsFunc(cfg.Models, isAuto) {
		return errors.New("models: choosing a model by the prompt is not there yet")
	}
	return cfg.Patience.validate()
}
