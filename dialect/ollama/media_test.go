// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"encoding/base64"
	"testing"
)

// TestSniff reads the media type from the first bytes, whatever comes after them.
func TestSniff(t *testing.T) {
	tests := []struct{ head, want string }{
		{"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"},
		{"\xff\xd8\xff\xe0", "image/jpeg"},
		{"\xff\xd8\xff\xff", "image/jpeg"},
		{"GIF87a\xff", "image/gif"},
		{"GIF89a\x00", "image/gif"},
		{"BM\x00\x01", "image/bmp"},
		{"BM\x46\x01", "image/bmp"},
		{"BM\x9a\x01", "image/bmp"},
		{"BM\xff\xff", "image/bmp"},
		{"RIFF\xff\xff\x00\x00WEBPVP8 ", "image/webp"},
		{"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav"},
		{"RIFF\x24\x00\x00\x00AVI LIST", ""},
		{"%PDF-1.7", ""},
	}
	for _, test := range tests {
		if got := sniff(base64.StdEncoding.EncodeToString([]byte(test.head))); got != test.want {
			t.Errorf("%q is %q, want %q", test.head, got, test.want)
		}
	}
}
