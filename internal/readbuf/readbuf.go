// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package readbuf lends the memory that answers are read into on their way through a role. Most reads are a token, and
// thousands of streams may wait at once, so each has the smallest size that holds more than its last read brought.
//
// Who gives memory back clears it first where it held what nobody else may see.
package readbuf

import "sync"

// Pool holds memory of a few sizes. It is safe for concurrent use.
type Pool[T any] struct {
	sizes []int
	alloc func(size int) *T
	free  []sync.Pool // of *T, of each size
}

// New returns a pool that makes memory of these sizes in bytes, which ascend.
func New[T any](alloc func(size int) *T, sizes ...int) *Pool[T] {
	return &Pool[T]{sizes: sizes, alloc: alloc, free: make([]sync.Pool, len(sizes))}
}

// Bytes returns a pool of plain buffers.
func Bytes(sizes ...int) *Pool[[]byte] {
	return New(func(size int) *[]byte { b := make([]byte, size); return &b }, sizes...)
}

// Size is the one to read into after a read of n bytes: the smallest above n, or the largest.
func (p *Pool[T]) Size(n int) int { return p.sizes[p.index(n)] }

func (p *Pool[T]) index(n int) int {
	i := 0
	for i < len(p.sizes)-1 && p.sizes[i] <= n {
		i++
	}
	return i
}

// Take returns memory of the size for a read after one of n bytes. Put gives it back.
func (p *Pool[T]) Take(n int) *T {
	i := p.index(n)
	if b, ok := p.free[i].Get().(*T); ok {
		return b
	}
	return p.alloc(p.sizes[i])
}

// Put takes memory back that has one of the sizes.
func (p *Pool[T]) Put(b *T, size int) { p.free[p.index(size-1)].Put(b) }
