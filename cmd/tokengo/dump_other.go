// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

// undumpable keeps what is in memory out of core dumps, where the system has them.
func undumpable() { noCores() }
