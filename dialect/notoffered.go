// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import "strings"

// absent is a part of the vendors' APIs that TokenGo has not, and what a tool can do instead.
type absent struct{ what, instead string }

var (
	absentFiles    = absent{"file uploads", "Put the file into the request itself."}
	absentBatches  = absent{"batches", "Send the requests one by one."}
	absentSpeech   = absent{"speech and transcription", "A model that hears takes sound within a chat."}
	absentState    = absent{"stored conversations and responses", "Send the whole conversation with each request."}
	absentStores   = absent{"vector stores", "Put the text into the request itself."}
	absentImages   = absent{"image and video generation", ""}
	absentTraining = absent{"fine-tuning and evaluations", ""}
	absentAccounts = absent{"accounts", "The tool's key is a placeholder, and no vendor knows of it."}
	absentManaging = absent{"the management of Ollama's models", "Exits run them: choose one that the list of models shows."}
	absentRealtime = absent{"realtime sessions", "Send plain requests, which can be streamed."}
	absentCaches   = absent{"named prompt caches", "Send the whole prompt with each request."}
)

// collections are what stands behind the version in the paths of OpenAI, Claude and Gemini, and behind /api of Ollama.
var collections = map[string]absent{
	"files": absentFiles, "uploads": absentFiles, "containers": absentFiles,
	"batches": absentBatches, "operations": absentBatches,
	"audio":  absentSpeech,
	"images": absentImages, "videos": absentImages,
	"assistants": absentState, "threads": absentState, "conversations": absentState, "responses": absentState, "interactions": absentState,
	"vector_stores": absentStores, "fileSearchStores": absentStores, "corpora": absentStores,
	"fine_tuning": absentTraining, "fine-tunes": absentTraining, "tunedModels": absentTraining, "evals": absentTraining,
	"organization": absentAccounts, "organizations": absentAccounts, "me": absentAccounts, "signout": absentAccounts,
	"realtime": absentRealtime, "cachedContents": absentCaches,
	"pull": absentManaging, "push": absentManaging, "create": absentManaging, "copy": absentManaging, "delete": absentManaging, "blobs": absentManaging,
	"moderations": {"moderation", ""},
	"rerank":      {"reranking", ""},
	"skills":      {"skills that are uploaded", "Put the text into the request itself."},
	"agents":      {"agents that the vendor runs", ""}, "sessions": {"agents that the vendor runs", ""}, "environments": {"agents that the vendor runs", ""},
	"complete":   {"the older text completions of Claude", "Use /v1/messages."},
	"web_search": {"web search", ""}, "web_fetch": {"web search", ""},
}

// below are paths below one that is an operation's, and say more than its collection.
var below = map[string]absent{
	"responses/compact":      {"compaction of conversations", "Have the tool summarize them with a request of its own."},
	"responses/input_tokens": {"token counts of Responses", "Claude's and Gemini's protocols count tokens."},
	"messages/batches":       absentBatches,
	"chat/completions":       absentState,
}

// absentVerbs are what follows the last colon of a gemini path.
var absentVerbs = map[string]absent{
	"predict": absentImages, "predictLongRunning": absentImages,
	"batchGenerateContent": absentBatches, "asyncBatchEmbedContent": absentBatches,
	"bidiGenerateContent": absentRealtime,
}

// unknownPath is the error of a path that is no operation's. Where the path belongs to a part of the vendors' APIs that
// TokenGo has not, the error says so: its reader would look for a mistake in the base URL otherwise.
func unknownPath(segments []string) *Error {
	missing, ok := findAbsent(segments)
	if !ok {
		return &Error{Code: CodeUnknownPath}
	}
	text := "TokenGo does not offer " + missing.what + "; it offers chat, completions, embeddings, token counts and model lists."
	if missing.instead != "" {
		text += " " + missing.instead
	}
	return &Error{Code: CodeUnknownPath, Message: text}
}

// findAbsent looks a path up that is no operation's.
func findAbsent(segments []string) (missing absent, ok bool) {
	if len(segments) > 1 && segments[0] == "upload" { // gemini has it before the version
		segments = segments[1:]
	}
	if len(segments) < 2 || !geminiVersion(segments[0]) && segments[0] != "api" {
		return absent{}, false
	}
	if _, verb, isVerb := strings.Cut(segments[len(segments)-1], ":"); isVerb && segments[1] == modelsCollection {
		missing, ok = absentVerbs[verb]
		return missing, ok
	}
	if len(segments) > 2 {
		if missing, ok = below[segments[1]+"/"+segments[2]]; ok {
			return missing, true
		}
	}
	missing, ok = collections[segments[1]]
	return missing, ok
}
