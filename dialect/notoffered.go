// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import "strings"

// absent is a part of the vendors' APIs that TokenGo has not, and what a tool can do instead.
type absent struct{ what, instead string }

var (
	absentFiles    = absent{"files that are uploaded and kept", "Put the file into the request itself."}
	absentBatches  = absent{"batches", "Send the requests one by one."}
	absentSpeech   = absent{"speech and transcription", "A model that hears takes sound within a chat."}
	absentState    = absent{"conversations that are kept", "Send the whole conversation with each request."}
	absentStores   = absent{"stores of documents", "Put the text into the request itself."}
	absentPictures = absent{"the making of pictures and films", ""}
	absentTuning   = absent{"the training of models", ""}
	absentAccount  = absent{"accounts", "The tool's key is a placeholder, and no vendor knows of it."}
	absentKeeping  = absent{"the installing of models", "Exits run them: choose one that the list of models shows."}
	absentLive     = absent{"live sessions", "Send plain requests, which can be streamed."}
	absentCaches   = absent{"caches of prompts that are kept by name", "Send the whole prompt with each request."}
)

// collections are what stands behind the version in the paths of OpenAI, Claude and Gemini, and behind /api of Ollama.
var collections = map[string]absent{
	"files": absentFiles, "uploads": absentFiles, "containers": absentFiles, "skills": absentFiles,
	"batches": absentBatches, "operations": absentBatches,
	"audio":  absentSpeech,
	"images": absentPictures, "videos": absentPictures,
	"assistants": absentState, "threads": absentState, "conversations": absentState, "responses": absentState, "interactions": absentState,
	"agents": absentState, "sessions": absentState, "environments": absentState,
	"vector_stores": absentStores, "fileSearchStores": absentStores, "corpora": absentStores,
	"fine_tuning": absentTuning, "fine-tunes": absentTuning, "tunedModels": absentTuning, "evals": absentTuning,
	"organization": absentAccount, "organizations": absentAccount, "me": absentAccount, "signout": absentAccount,
	"realtime":       absentLive,
	"cachedContents": absentCaches,
	"moderations":    {"moderation", ""},
	"rerank":         {"reranking", ""},
	"complete":       {"Claude's older text completions", "Use /v1/messages."},
	"pull":           absentKeeping, "push": absentKeeping, "create": absentKeeping, "copy": absentKeeping, "delete": absentKeeping, "blobs": absentKeeping,
	"web_search": {"searches of the web", ""}, "web_fetch": {"searches of the web", ""}, "experimental": {"Ollama's experiments", ""},
}

// absentVerbs are what follows the last colon of a gemini path.
var absentVerbs = map[string]absent{
	"predict": absentPictures, "predictLongRunning": absentPictures,
	"batchGenerateContent": absentBatches, "asyncBatchEmbedContent": absentBatches,
	"bidiGenerateContent": absentLive,
}

// unknownPath is the error of a path that is no operation's. Where the path belongs to a part of the vendors' APIs that
// TokenGo has not, the error says so: its reader would look for a mistake in the base URL otherwise.
func unknownPath(segments []string) *Error {
	missing, ok := findAbsent(segments)
	if !ok {
		return &Error{Code: CodeUnknownPath}
	}
	text := "TokenGo does not offer " + missing.what + ", only chats, completions, embeddings, counts of tokens and lists of models."
	if missing.instead != "" {
		text += " " + missing.instead
	}
	return &Error{Code: CodeUnknownPath, Message: text}
}

func findAbsent(segments []string) (missing absent, ok bool) {
	if len(segments) > 1 && segments[0] == "upload" { // gemini has it before the version
		segments = segments[1:]
	}
	if len(segments) < 2 || !geminiVersion(segments[0]) && segments[0] != "api" {
		return absent{}, false
	}
	last := segments[len(segments)-1]
	_, verb, isVerb := strings.Cut(last, ":")
	switch {
	case isVerb && segments[1] == modelsCollection:
		missing, ok = absentVerbs[verb]
	case segments[1] == "messages" && len(segments) > 2:
		missing, ok = collections[segments[2]]
	case segments[1] == "chat" && len(segments) > 3 && segments[2] == "completions":
		return absentState, true
	default:
		missing, ok = collections[segments[1]]
	}
	return missing, ok
}
