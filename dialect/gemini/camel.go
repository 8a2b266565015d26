// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package gemini

// camel is a field's name as it is written in camelCase; the service takes snake_case as well.
func camel(key []byte) []byte {
	under := false
	for _, c := range key {
		under = under || c == '_'
	}
	if !under {
		return key
	}
	name := make([]byte, 0, len(key))
	upper := false
	for _, c := range key {
		switch {
		case c == '_':
			upper = len(name) > 0
			continue
		case upper && 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		name, upper = append(name, c), false
	}
	return name
}
