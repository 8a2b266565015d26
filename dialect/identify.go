// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tokengo/tokengo/service"
)

type route struct {
	protocol service.Protocol
	kind     Kind
	method   string
}

// routes are the paths without a variable part. Those of model lists and of single models are found by identifyModels.
var routes = map[string]route{
	"/":                         {service.Ollama, Root, http.MethodGet},
	"/v1/chat/completions":      {service.OpenAI, Chat, http.MethodPost},
	"/v1/completions":           {service.OpenAI, Completion, http.MethodPost},
	"/v1/responses":             {service.OpenAI, Responses, http.MethodPost},
	"/v1/embeddings":            {service.OpenAI, Embedding, http.MethodPost},
	"/v1/messages":              {service.Claude, Chat, http.MethodPost},
	"/v1/messages/count_tokens": {service.Claude, CountTokens, http.MethodPost},
	"/api/chat":                 {service.Ollama, Chat, http.MethodPost},
	"/api/generate":             {service.Ollama, Completion, http.MethodPost},
	"/api/embed":                {service.Ollama, Embedding, http.MethodPost},
	"/api/embeddings":           {service.Ollama, Embedding, http.MethodPost}, // older than /api/embed, and in use
	"/api/show":                 {service.Ollama, ShowModel, http.MethodPost},
	"/api/tags":                 {service.Ollama, ListModels, http.MethodGet},
	"/api/ps":                   {service.Ollama, ListLoaded, http.MethodGet},
	"/api/version":              {service.Ollama, Version, http.MethodGet},
}

// geminiVerb is what follows the last colon of a gemini path.
type geminiVerb struct {
	kind   Kind
	stream bool
}

var geminiVerbs = map[string]geminiVerb{
	"generateContent":       {Chat, false},
	"streamGenerateContent": {Chat, true},
	"countTokens":           {CountTokens, false},
	"embedContent":          {Embedding, false},
	"batchEmbedContents":    {Embedding, false},
}

// Names of gemini's collections of models. A tuned model's id keeps its collection, because the two are different names.
const (
	modelsCollection = "models"
	tunedCollection  = "tunedModels"
)

// Identify returns the operation that a request asks for. The path is the escaped one of the request line
// ([url.URL.EscapedPath]); doubled and trailing slashes and percent-encoding do not matter. Of the query only gemini's
// alt=sse is looked at, of the header only anthropic-version, upgrade and x-goog-api-key.
//
// Errors are CodeUnknownPath, CodeMethod (with Allow) and, for a WebSocket on /v1/responses, CodeUpgrade. The operation
// that comes with an error has the most likely protocol, so that the error can be shaped.
func Identify(method, path, rawQuery string, h http.Header) (Operation, *Error) {
	segments, ok := splitPath(path)
	if !ok {
		return Operation{Protocol: guessProtocol(nil, h)}, &Error{Code: CodeUnknownPath}
	}
	clean := "/" + strings.Join(segments, "/")
	if rt, ok := routes[clean]; ok {
		return rt.operation(method, clean, h)
	}
	if op, problem, ok := identifyModels(method, segments, rawQuery, h); ok {
		return op, problem
	}
	return Operation{Protocol: guessProtocol(segments, h)}, unknownPath(segments)
}

func (rt route) operation(method, path string, h http.Header) (Operation, *Error) {
	op := Operation{Protocol: rt.protocol, Kind: rt.kind, Path: path}
	switch {
	case rt.kind == Root && h.Get("Anthropic-Version") != "":
		op.Protocol = service.Claude
	case rt.kind == Responses && method == http.MethodGet && h.Get("Upgrade") != "":
		return op, &Error{Code: CodeUpgrade}
	}
	return op, checkMethod(method, rt.method)
}

func checkMethod(got, want string) *Error {
	if got == want || want == http.MethodGet && got == http.MethodHead {
		return nil
	}
	if want == http.MethodGet {
		return &Error{Code: CodeMethod, Allow: "GET, HEAD", Message: "This path answers GET requests only."}
	}
	return &Error{Code: CodeMethod, Allow: want, Message: "This path takes " + want + " requests only."}
}

// identifyModels finds the paths with a model in them and the model lists of openai, claude and gemini. The last result
// is false where the path is none of these.
func identifyModels(method string, segments []string, rawQuery string, h http.Header) (Operation, *Error, bool) {
	if len(segments) < 2 || !geminiVersion(segments[0]) {
		return Operation{}, nil, false
	}
	version, collection, id := segments[0], segments[1], strings.Join(segments[2:], "/")
	if collection != modelsCollection && (collection != tunedCollection || id == "") {
		return Operation{}, nil, false
	}
	model, name := id, ""
	if i := strings.LastIndexByte(id, ':'); i >= 0 {
		model, name = id[:i], id[i+1:]
	}
	verb, isVerb := geminiVerbs[name]
	switch {
	case isVerb && model != "":
		op := Operation{Protocol: service.Gemini, Kind: verb.kind, Model: model, Stream: verb.stream}
		op.Path = "/" + version + "/" + collection + "/" + escapeID(model) + ":" + name
		if collection == tunedCollection {
			op.Model = tunedCollection + "/" + model
		}
		if verb.stream && wantsSSE(rawQuery) {
			op.Path += "?alt=sse"
		}
		return op, checkMethod(method, http.MethodPost), true
	case isVerb, version != "v1" && name != "" && method == http.MethodPost, version == "v1" && collection == tunedCollection:
		return Operation{}, nil, false
	}
	op, problem := readModels(method, segments, h)
	return op, problem, true
}

// readModels is a list of models or one model, to be read.
func readModels(method string, segments []string, h http.Header) (Operation, *Error) {
	op := Operation{Protocol: guessProtocol(segments, h), Kind: ListModels, Path: "/" + segments[0] + "/" + segments[1]}
	if id := strings.Join(segments[2:], "/"); id != "" {
		op.Kind, op.Model = GetModel, id
		op.Path += "/" + escapeID(id)
		if segments[1] == tunedCollection {
			op.Model = tunedCollection + "/" + id
		}
	}
	return op, checkMethod(method, http.MethodGet)
}

// guessProtocol returns the protocol that a request most likely speaks when its path does not say, or says only half.
// On /v1/models a version header decides between claude and openai; it is never gemini's.
func guessProtocol(segments []string, h http.Header) service.Protocol {
	first, second := "", ""
	if len(segments) > 0 {
		first = segments[0]
	}
	if len(segments) > 1 {
		second = segments[1]
	}
	switch {
	case first == "api":
		return service.Ollama
	case first != "v1" && geminiVersion(first), first == "upload":
		return service.Gemini
	case second == "messages", h.Get("Anthropic-Version") != "":
		return service.Claude
	case second != modelsCollection && h.Get("X-Goog-Api-Key") != "":
		return service.Gemini
	default:
		return service.OpenAI
	}
}

func geminiVersion(segment string) bool {
	return segment == "v1beta" || segment == "v1" || segment == "v1alpha"
}

func wantsSSE(rawQuery string) bool {
	values, _ := url.ParseQuery(rawQuery) // what does not parse is dropped like any unknown key
	return values.Get("alt") == "sse"
}

// splitPath decodes an escaped path into its segments, without empty ones. It reports false for what no canonical path
// can hold: bad escapes, control characters, invalid UTF-8, and the dot segments with which a path could climb.
func splitPath(path string) ([]string, bool) {
	decoded, err := url.PathUnescape(path)
	if err != nil || !strings.HasPrefix(decoded, "/") || !printablePath(decoded) {
		return nil, false
	}
	segments := make([]string, 0, 8)
	for s := range strings.SplitSeq(decoded, "/") {
		switch s {
		case "":
		case ".", "..":
			return nil, false
		default:
			segments = append(segments, s)
		}
	}
	return segments, true
}

func printablePath(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// escapeID escapes a model id for a path. Slashes stay: gemini's resource names have them.
func escapeID(id string) string {
	return strings.ReplaceAll(url.PathEscape(id), "%2F", "/")
}
