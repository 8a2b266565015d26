// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import "bytes"

// obfuscationMember is the member of random text that OpenAI adds to streamed events, chat completions and
// Responses alike, so that their lengths say less to who watches the connection.
var obfuscationMember = []byte(`"obfuscation"`)

// WithoutObfuscation takes the member "obfuscation" out of a JSON object: where lengths are hidden in another
// way it only costs bytes. Members of that name further inside, which are somebody's data, stay; so does all
// of what is not a JSON object. The result shares the memory of object, which is overwritten.
func WithoutObfuscation(object []byte) []byte {
	if !bytes.Contains(object, obfuscationMember) {
		return object
	}
	start, end := memberSpan(object, obfuscationMember)
	if start < 0 {
		return object
	}
	switch before := bytes.TrimRight(object[:start], " \t"); {
	case object[end] == ',':
		end++ // of the members that follow
	case before[len(before)-1] == ',':
		start = len(before) - 1
	}
	return append(object[:start], object[end:]...)
}

// memberSpan finds the member of the outermost object whose name, with quotes, is name: from its name to the
// comma or brace behind it. Start is -1 when there is none.
func memberSpan(object, name []byte) (start, end int) {
	start, depth := -1, 0
	key := false // a string here is a name of the outermost object
	for i := 0; i < len(object); i++ {
		switch c := object[i]; c {
		case '"':
			n := stringLen(object[i:])
			if key && start < 0 && bytes.Equal(object[i:i+n], name) {
				start = i
			}
			key = false
			i += n - 1
		case '{', '[':
			depth++
			key = depth == 1 && c == '{'
		case '}', ']', ',':
			if depth == 1 && start >= 0 {
				return start, i
			}
			if key = depth == 1 && c == ','; c != ',' {
				depth--
			}
		}
	}
	return -1, 0
}

// stringLen is the length of the JSON string that s begins with, quotes included, or of all when it has no end.
func stringLen(s []byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}
