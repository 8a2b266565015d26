// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package shape

import (
	"bytes"
	"io"
	"testing"
)

// discard is a sink that seals nothing.
type discard struct{}

func (discard) WriteChunk([]byte) error { return nil }
func (discard) Close([]byte) error      { return nil }
func (discard) Flush() error            { return nil }

// BenchmarkCell is what shaping adds to a cell before it is sealed, with and without content.
func BenchmarkCell(b *testing.B) {
	for name, data := range map[string][]byte{"cover": nil, "full": make([]byte, room(1))} {
		b.Run(name, func(b *testing.B) {
			w, err := NewWriter(Constant, discard{})
			if err != nil {
				b.Fatal(err)
			}
			buf := make([]byte, 0, CellSize+finalExtra)
			b.ReportAllocs()
			b.SetBytes(CellSize)
			for b.Loop() {
				if err := w.WriteChunk(data); err != nil {
					b.Fatal(err)
				}
				if err := w.batch(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReader is what the client does for a cell of cover.
func BenchmarkReader(b *testing.B) {
	cells := append(bytes.Repeat(make([]byte, CellSize), 100), kindEnd, 0, 0)
	b.SetBytes(int64(len(cells)))
	for b.Loop() {
		if _, err := io.Copy(io.Discard, NewReader(bytes.NewReader(cells))); err != nil {
			b.Fatal(err)
		}
	}
}
