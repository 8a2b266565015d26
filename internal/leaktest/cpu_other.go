// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package main

import "time"

// cpuTime is not measured on this system.
func cpuTime() time.Duration { return 0 }
