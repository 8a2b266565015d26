// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"encoding/base64"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
)

// magic is how content in base64 begins, by its media type. The protocol does not say it, others must know it.
var magic = []struct{ head, mediaType string }{
	{"iVBORw0KGgo", "image/png"},
	{"/9j/", "image/jpeg"},
	{"R0lGODdh", "image/gif"},
	{"R0lGODlh", "image/gif"},
	{"Qk0", "image/bmp"}, // the third character has two bits of the length, which comes next
	{"Qk1", "image/bmp"},
	{"Qk2", "image/bmp"},
	{"Qk3", "image/bmp"},
}

// riffHead is how RIFF begins, a container of more than one kind; which one stands after the length.
const riffHead = "UklGR"

// mediaOf is an image as the protocol has it: base64 in a text. Some tools send a data URI. It reports false for what is
// neither.
func mediaOf(text string) (conversation.Media, bool) {
	var m conversation.Media
	if rest, ok := strings.CutPrefix(text, "data:"); ok {
		head, data, _ := strings.Cut(rest, ",")
		mediaType, isBase64 := strings.CutSuffix(head, ";base64")
		if !isBase64 {
			return m, false
		}
		m.MediaType, _, _ = strings.Cut(mediaType, ";")
		text = data
	}
	data, ok := standardBase64(text)
	if !ok {
		return m, false
	}
	m.Data = data
	if m.MediaType == "" {
		m.MediaType = sniff(data)
	}
	return m, true
}

// sniff is the media type of content in base64, "" if it is not known.
func sniff(data string) string {
	for _, m := range magic {
		if strings.HasPrefix(data, m.head) {
			return m.mediaType
		}
	}
	if strings.HasPrefix(data, riffHead) && len(data) >= 16 {
		head, err := base64.StdEncoding.DecodeString(data[:16])
		switch {
		case err != nil:
		case string(head[8:]) == "WEBP":
			return "image/webp"
		case string(head[8:]) == "WAVE":
			return "audio/wav"
		}
	}
	return ""
}

// standardBase64 is base64 in the one form that Ollama reads: the standard alphabet, padded, on one line. It reports
// false for what is no base64, or nothing.
func standardBase64(s string) (string, bool) {
	if strings.ContainsAny(s, "-_\r\n\t ") {
		s = strings.NewReplacer("-", "+", "_", "/", "\r", "", "\n", "", "\t", "", " ", "").Replace(s)
	}
	bare := strings.TrimRight(s, "=")
	if len(bare) == 0 || len(bare)%4 == 1 || len(s)-len(bare) > 2 {
		return "", false
	}
	for i := range len(bare) {
		if c := bare[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/') {
			return "", false
		}
	}
	if want := (len(bare) + 3) / 4 * 4; want != len(s) {
		return bare + "=="[:want-len(bare)], true
	}
	return s, true
}

// inlineText is a file that is text, as text. It reports false for other files.
func inlineText(file *conversation.FilePart) (string, bool) {
	mediaType, _, _ := strings.Cut(strings.ToLower(file.MediaType), ";")
	mediaType = strings.TrimSpace(mediaType)
	if file.Data == "" || !textual(mediaType) {
		return "", false
	}
	text, err := base64.StdEncoding.DecodeString(file.Data)
	if err != nil {
		return "", false
	}
	if file.Name == "" {
		return string(text), true
	}
	return file.Name + ":\n" + string(text), true
}

// textual reports whether a media type is text, whatever it is called.
func textual(mediaType string) bool {
	switch mediaType {
	case "application/json", "application/xml", "application/yaml", "application/x-yaml":
		return true
	}
	return strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "+json") ||
		strings.HasSuffix(mediaType, "+xml")
}
