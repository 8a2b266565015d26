// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "syscall"

// prSetDumpable is PR_SET_DUMPABLE of prctl(2).
const prSetDumpable = 4

// undumpable keeps what is in memory out of core dumps, also where those are piped to a program and the limit of
// their size does not count (core(5)), and out of reach of other processes of the same user (ptrace(2)).
func undumpable() {
	syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0)
	noCores()
}
