// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package readbuf_test

import (
	"testing"

	"github.com/tokengo/tokengo/internal/readbuf"
)

// Memory has more room than the last read brought, up to the largest size, also after it was given back.
func TestTake(t *testing.T) {
	p := readbuf.Bytes(4, 16, 64)
	for range 3 {
		for _, tt := range []struct{ read, want int }{{0, 4}, {3, 4}, {4, 16}, {15, 16}, {16, 64}, {64, 64}, {1000, 64}} {
			b := p.Take(tt.read)
			if len(*b) != tt.want || p.Size(tt.read) != tt.want {
				t.Errorf("after %d bytes: %d, and Size says %d, want %d", tt.read, len(*b), p.Size(tt.read), tt.want)
			}
			p.Put(b, len(*b))
		}
	}
}
