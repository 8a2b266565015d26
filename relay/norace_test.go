// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package relay

// raceDetector says whether the tests are built with it, which makes bulk transfers ten times as slow.
const raceDetector = false
