// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package network_test

// slowdown is how much longer things may take than without the race detector.
const slowdown = 3
