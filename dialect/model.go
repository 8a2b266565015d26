// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tokengo/tokengo/service"
)

// RequestModel returns the model that a request asks for: the one that the path names, else the top-level "model" of
// the body (of /api/show also "name", its older spelling). The body is checked as a whole and must be one JSON object,
// also where the path names the model; it is not read for local operations, whose model may be "".
//
// Errors are CodeNotJSON and CodeNoModel. A body that could be read as naming two models has none: a key given twice,
// or in another case as well, or a gemini body that contradicts its path.
func (op Operation) RequestModel(body []byte) (string, *Error) {
	if op.Local() {
		return op.Model, nil
	}
	model, _, problem := op.names(body)
	return model, problem
}

// names returns the model of a request and every place in the body that names it.
func (op Operation) names(body []byte) (string, []span, *Error) {
	f, err := scanObject(body, search{name: op.Kind == ShowModel, inner: op.Protocol == service.Gemini})
	if err != nil {
		return "", nil, notJSON(err)
	}
	return op.agreed(body, f)
}

// agreed returns the one model that a path and a body name, and the places in the body.
func (op Operation) agreed(body []byte, f found) (string, []span, *Error) {
	if f.odd || len(f.models) > 1 || len(f.names) > 1 {
		return "", nil, noModel("The request's model is not one string, given once.")
	}
	model := op.Model
	if op.Kind == ShowModel {
		f = f.withoutEmpty(body)
	}
	places := slices.Concat(f.models, f.names, f.inner)
	for _, at := range places {
		name := decode(body[at.start:at.end])
		switch {
		case name == "" || strings.ContainsRune(name, utf8.RuneError):
			return "", nil, noModel("The request's model is empty or not valid text.")
		case model == "":
			model = name
		case !SameModel(op.Protocol, model, name):
			return "", nil, noModel("The request names two different models.")
		}
	}
	if model == "" {
		return "", nil, noModel("The request names no model.")
	}
	return model, places, nil
}

// withoutEmpty leaves out the one of model and name that is empty while the other is not: Ollama's own tool sends both,
// and writes into one of them.
func (f found) withoutEmpty(body []byte) found {
	if len(f.models) != 1 || len(f.names) != 1 {
		return f
	}
	isEmpty := func(at span) bool { return string(body[at.start:at.end]) == `""` }
	if isEmpty(f.models[0]) {
		f.models = nil
	} else if isEmpty(f.names[0]) {
		f.names = nil
	}
	return f
}

func notJSON(err error) *Error {
	return &Error{
		Code:    CodeNotJSON,
		Message: "The request body cannot be read as a JSON object: " + err.Error() + ". Correct it and send it again.",
	}
}

func noModel(what string) *Error {
	return &Error{Code: CodeNoModel, Message: what + " Set it to one that the list of models shows."}
}

// WithModel returns the operation and the body with another model, for a backend that knows it by another name. Only
// the bytes of the model change: those of its JSON string (or of its part of a gemini path, and wherever a gemini body
// repeats it). The body passed in is never written to; it is also what is returned when the model is the same already.
//
// The error is an [*Error] of RequestModel when the request names no model, or says that the new model is no text or
// cannot stand in a path.
func (op Operation) WithModel(body []byte, model string) (Operation, []byte, error) {
	if model == "" || !utf8.ValidString(model) {
		return op, nil, errors.New("change the model: the new one is empty or not valid UTF-8")
	}
	var places []span
	if !op.Local() {
		_, found, problem := op.names(body)
		if problem != nil {
			return op, nil, problem
		}
		places = found
	}
	if op.Model != "" {
		var err error
		if op, err = op.withPathModel(model); err != nil {
			return op, nil, err
		}
	}
	return op, op.splice(body, places, model), nil
}

// splice writes a model into the places, which do not overlap, in whatever order they are.
func (op Operation) splice(body []byte, places []span, model string) []byte {
	slices.SortFunc(places, func(a, b span) int { return a.start - b.start })
	var changed []byte
	copied := 0
	for _, at := range places {
		old := decode(body[at.start:at.end])
		name := op.spelling(old, model)
		if name == old {
			continue
		}
		if changed == nil {
			changed = make([]byte, 0, len(body)+len(places)*(len(model)+len(modelsCollection)+16))
		}
		changed = append(append(changed, body[copied:at.start]...), encode(name)...)
		copied = at.end
	}
	if changed == nil {
		return body
	}
	return append(changed, body[copied:]...)
}

// spelling returns how a model is written where old stood: gemini bodies write resource names.
func (op Operation) spelling(old, model string) string {
	if op.Protocol == service.Gemini && strings.HasPrefix(old, modelsCollection+"/") {
		return resourceName(model)
	}
	return model
}

// withPathModel returns the operation with another model in its path.
func (op Operation) withPathModel(model string) (Operation, error) {
	path, query, hasQuery := strings.Cut(op.Path, "?")
	parts := strings.SplitN(path, "/", 4) // before the first slash, version, collection, id
	if len(parts) != 4 {
		return op, errors.New("change the model: the operation's path has none")
	}
	collection, id, verb := modelsCollection, model, ""
	if op.Protocol == service.Gemini {
		collection, id, _ = strings.Cut(resourceName(model), "/")
		if op.Kind != GetModel {
			verb = parts[3][strings.LastIndexByte(parts[3], ':'):]
		}
	}
	if segments, ok := splitPath("/" + escapeID(id)); !ok || strings.Join(segments, "/") != id || id == "" {
		return op, errors.New("change the model: the new one cannot stand in a path")
	}
	op.Model = strings.TrimPrefix(model, modelsCollection+"/")
	op.Path = "/" + parts[1] + "/" + collection + "/" + escapeID(id) + verb
	if hasQuery {
		op.Path += "?" + query
	}
	return op, nil
}

// resourceName returns gemini's name of a model, "models/x" or "tunedModels/x".
func resourceName(model string) string {
	if strings.HasPrefix(model, modelsCollection+"/") || strings.HasPrefix(model, tunedCollection+"/") {
		return model
	}
	return modelsCollection + "/" + model
}

// SameModel reports whether two names are the same model in a protocol: ollama's "x" is "x:latest", gemini's "x" is
// "models/x", and everywhere else only equal names are.
func SameModel(p service.Protocol, a, b string) bool {
	switch p {
	case service.Gemini:
		return resourceName(a) == resourceName(b)
	case service.Ollama:
		return tagged(a) == tagged(b)
	default:
		return a == b
	}
}

// NormalModel returns the shortest spelling of a name in a protocol. Names with the same one are the same model.
func NormalModel(p service.Protocol, name string) string {
	short := name
	switch p {
	case service.Gemini:
		short = strings.TrimPrefix(name, modelsCollection+"/")
	case service.Ollama:
		short = strings.TrimSuffix(name, ":latest")
	}
	if !SameModel(p, short, name) {
		return name
	}
	return short
}

// tagged returns an ollama name with its tag. A colon before the last slash is a registry's port, not a tag's.
func tagged(model string) string {
	if strings.Contains(model[strings.LastIndexByte(model, '/')+1:], ":") {
		return model
	}
	return model + ":latest"
}
