// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package translate

import (
	"bytes"
	"encoding/json"
)

// What follows changes places in a JSON text and leaves the bytes of all others alone. The text must be valid: whoever
// looks for a request's model has checked it.

// editObject returns an object with each member's value as edit returns it: the same, another, or nil to leave the member
// out. Where nothing changes it returns the object itself. What is not an object is returned as it is.
func editObject(object []byte, edit func(key string, value []byte) []byte) []byte {
	return rebuild(object, '{', func(member []byte) []byte {
		end := skipString(member, 0)
		var key string
		if json.Unmarshal(member[:end], &key) != nil {
			return member
		}
		at := skipSpace(member, skipSpace(member, end)+1) // past the colon
		value := edit(key, member[at:])
		switch {
		case value == nil:
			return nil
		case same(value, member[at:]):
			return member
		}
		return append(bytes.Clone(member[:at]), value...)
	})
}

// editArray does the same with the elements of an array.
func editArray(array []byte, edit func(element []byte) []byte) []byte {
	return rebuild(array, '[', edit)
}

// rebuild puts an object or array together of what is left of its items.
func rebuild(text []byte, open byte, edit func(item []byte) []byte) []byte {
	if len(text) == 0 || text[0] != open {
		return text
	}
	changed := false
	var kept [][]byte
	for at := skipSpace(text, 1); at < len(text)-1; {
		end := at
		if open == '{' {
			end = skipSpace(text, skipSpace(text, skipString(text, at))+1)
		}
		end = skipValue(text, end)
		item := text[at:end]
		edited := edit(item)
		changed = changed || !same(edited, item)
		if edited != nil {
			kept = append(kept, edited)
		}
		if at = skipSpace(text, end); at < len(text) && text[at] == ',' {
			at = skipSpace(text, at+1)
		}
	}
	if !changed {
		return text
	}
	out := append(make([]byte, 0, len(text)), open)
	out = append(out, bytes.Join(kept, []byte{','})...)
	return append(out, text[len(text)-1])
}

// same reports whether two slices are the same bytes of memory.
func same(a, b []byte) bool {
	return len(a) > 0 && len(a) == len(b) && &a[0] == &b[0]
}

func skipSpace(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') {
		at++
	}
	return at
}

// skipString returns where the string that begins at a place ends.
func skipString(text []byte, at int) int {
	for at++; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return len(text)
}

// skipValue returns where the value that begins at a place ends.
func skipValue(text []byte, at int) int {
	for depth := 0; at < len(text); {
		switch text[at] {
		case '"':
			at = skipString(text, at)
		case '{', '[':
			depth++
			at++
			continue
		case '}', ']':
			if depth == 0 {
				return at // of what is around the value
			}
			depth--
			at++
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return at
			}
			at++
			continue
		default:
			at++
			continue
		}
		if depth == 0 {
			return at
		}
	}
	return len(text)
}
