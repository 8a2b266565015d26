// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"

	"github.com/tokengo/tokengo/internal/relayurl"
)

type paths struct{}

func newPaths(Config, *directory) *paths { return &paths{} }

func (*paths) of(e Exit) []Path { return e.Paths }

func (*paths) failed(relayurl.URL)   {}
func (*paths) answered(relayurl.URL) {}

func (*paths) watch(context.Context, relayurl.URL, context.CancelCauseFunc) func() { return func() {} }
