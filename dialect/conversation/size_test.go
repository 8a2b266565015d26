// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"strings"
	"testing"
)

func TestSizeHint(t *testing.T) {
	long := strings.Repeat("x", 1<<16)
	empty := (&Request{}).SizeHint()
	for name, parts := range map[string][]Part{
		"text":   {TextPart{Text: long}},
		"reason": {ThinkingPart{Text: long}},
		"call":   {CallPart{Arguments: long}},
		"result": {ResultPart{Parts: []Part{TextPart{Text: long}}}},
		"image":  {ImagePart{Media: Media{Data: long}}},
	} {
		req := &Request{Messages: []Message{{Parts: parts}}}
		if got := req.SizeHint(); got < empty+len(long) || got > empty+2*len(long) {
			t.Errorf("%s of %d bytes: %d", name, len(long), got)
		}
	}
	req := &Request{Tools: []Tool{{Description: long, Parameters: []byte(long)}}}
	if got := req.SizeHint(); got < empty+2*len(long) || got > empty+3*len(long) {
		t.Errorf("a tool of %d bytes: %d", 2*len(long), got)
	}
}
