// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package conversation

// Sizes in a request that is written, about, in bytes. Ours.
const (
	sizeOfRest = 1 << 10 // besides messages and tools
	sizeOfTool = 128     // besides description and schema
	sizeOfPart = 128     // besides its text or data
)

// SizeHint is about how many bytes a request is long when it is written in a protocol's form, so that a buffer need not
// grow. It promises nothing.
func (r *Request) SizeHint() int {
	n := sizeOfRest
	for i := range r.Tools {
		n += sizeOfTool + len(r.Tools[i].Description) + len(r.Tools[i].Parameters)
	}
	for i := range r.Messages {
		n += sizeOfPart + sizeOfParts(r.Messages[i].Parts)
	}
	return n
}

func sizeOfParts(parts []Part) int {
	n := 0
	for _, part := range parts {
		n += sizeOfPart
		switch part := part.(type) {
		case TextPart:
			n += len(part.Text) + len(part.Text)/16 // of escapes
		case ThinkingPart:
			n += len(part.Text) + len(part.Signature.Value) + len(part.Redacted)
		case CallPart:
			n += len(part.Arguments) + len(part.Arguments)/4
		case ResultPart:
			n += sizeOfParts(part.Parts)
		case ImagePart:
			n += len(part.Data)
		case AudioPart:
			n += len(part.Data)
		case FilePart:
			n += len(part.Data)
		}
	}
	return n
}
