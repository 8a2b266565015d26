// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"io"
	"testing"
)

func TestRunRefusesNumbersOfExits(t *testing.T) {
	for _, exits := range []int{-1, MinExits - 1, MaxExits + 1} {
		if err := Run(t.Context(), Config{Out: io.Discard, Exits: exits}); err == nil {
			t.Errorf("Run() with %d exits returned no error", exits)
		}
	}
}

// interrupter calls stop when a story first prints something, which is when its network works.
type interrupter struct{ stop func() }

func (i interrupter) Write(p []byte) (int, error) {
	i.stop()
	return len(p), nil
}

func TestRunEndsWhenItIsInterrupted(t *testing.T) {
	interrupted := errors.New("interrupted")
	for name, exits := range map[string]int{"privacy": 0, "choosing": MinExits} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancelCause(t.Context())
			err := Run(ctx, Config{Out: interrupter{func() { stop(interrupted) }}, Exits: exits})
			if !errors.Is(err, interrupted) {
				t.Errorf("Run() = %v, want the cause of its context's end", err)
			}
		})
	}
}
