// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

// Action is what was done to a field.
type Action string

// The actions.
const (
	Removed   Action = "removed"
	Replaced  Action = "replaced"  // by a value that tells nothing
	Rewritten Action = "rewritten" // with the same meaning
)

// Change is one field that does not leave as the tool sent it.
type Change struct {
	// Path says where it was: a header field's name, or a path such as "metadata.user_id" or "system[0]". It may repeat
	// names that the tool made up, so it is for the user's eyes and not for logs.
	Path string `json:"path"`
	// Action is what was done.
	Action Action `json:"action"`
	// Why is our reason.
	Why string `json:"why"`
}

// Report says what was changed in a request. It holds no values.
type Report struct {
	Header []Change `json:"header,omitempty"`
	Body   []Change `json:"body,omitempty"`
}
