// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

// noCores does nothing: Windows writes no dumps of memory unless a debugger is set up to.
func noCores() {}
