// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"slices"

	"github.com/tokengo/tokengo/service"
)

// Demand is what a request asks of whoever answers it, for choosing an exit. Nothing of it is sent anywhere. It says
// what the body says: what tools send by default counts like what a person has set.
//
// Three fields of the body are the client's and no protocol's: "provider", where it is an object, "models", where it is a
// list, and beside such a list "route", where it is a text; and each of them where it is null. They have OpenRouter's
// meaning and are not in Body any more. So a field of a backend's own with one of these names and forms cannot be sent;
// in another form ("provider": "x") it goes on like any unknown field.
type Demand struct {
	// Models are the names to use, the later ones when the earlier cannot be had: that of "model" or of the path, then
	// those of "models", each once. At least one.
	Models []string
	// Provider is the object of that name as it is written, nil for none.
	Provider []byte
	// Body is the request without the client's own fields, otherwise byte for byte. It names the first of Models: where
	// only "models" named any, "model" stands in its place.
	Body []byte

	// Features are what the model must be able to do: some of FeatureTools, FeatureJSONSchema and FeatureEmbedding.
	Features []string
	// Wishes are what the request asks for and a translation can leave out: some of FeatureReasoning and
	// FeatureParallelTools. Coding agents ask for both whatever the model.
	Wishes []string
	// Modalities are what the request contains besides text: some of ModalityImage, ModalityAudio, ModalityVideo and
	// ModalityFile.
	Modalities []string
	// Images is the number of images.
	Images int
	// Parameters are the names of further settings, those of Chat Completions where it has one for the same ("stop" for
	// "stop_sequences"), else as written; without those that other fields of Demand tell, those that hold the conversation,
	// and those that change nothing about the answer. Each once, at most 64.
	Parameters []string
	// InputTokens is roughly how many tokens the request is long: a quarter of its bytes, without what escapes add and
	// without images and other files.
	InputTokens int
	// MaxOutput is the longest answer that the request allows, in tokens, at most 2^31-1; 0 when it does not say.
	MaxOutput int
	// Stream is whether the tool asks for a stream.
	Stream bool
	// Effects is whether the request names tools that its backend runs and that may act on something, such as MCP servers
	// and code: then to send it twice may do something twice. What only looks something up does not count, nor does what
	// the AI tool runs itself.
	Effects bool
	// Beginning is a SHA-256 of what all requests of one conversation begin with, nil where there is none. Use it under a
	// key only: whoever can guess the text can make it too.
	Beginning []byte
}

// What models can do and requests contain, by the names of service descriptions.
const (
	FeatureTools         = "tools"
	FeatureParallelTools = "parallel_tools"
	FeatureJSONSchema    = "json_schema"
	FeatureReasoning     = "reasoning"
	FeatureEmbedding     = "embedding"

	ModalityImage = "image"
	ModalityAudio = "audio"
	ModalityVideo = "video"
	ModalityFile  = "file"
)

// Limits of what is kept of a request.
const (
	maxModels     = 16
	maxParameters = 64
)

// responseFormat is the parameter that asks for JSON of any kind. Who knows schemas knows it.
const responseFormat = "response_format"

// bytesPerToken is the usual rough figure for English and code.
const bytesPerToken = 4

// Demand reads what a request asks for, in one pass over the body, which must be one JSON object. A local operation asks
// for nothing.
//
// Errors are those of [Operation.RequestModel], and CodeInvalidRequest for a field of the client's own that is given
// twice or is not as it should be. What Provider holds is not looked at.
func (op Operation) Demand(body []byte) (*Demand, *Error) {
	if op.Local() {
		return &Demand{Body: body}, nil
	}
	r := &demander{reader: reader{s: scanner{data: body}}, op: op, demand: &Demand{Stream: op.streams()}}
	if op.Kind == Embedding {
		r.demand.Features = []string{FeatureEmbedding}
	}
	if r.request(); r.err != nil {
		return nil, notJSON(r.err)
	}
	return r.result()
}

// streams reports whether a request asks for a stream when its body does not say.
func (op Operation) streams() bool {
	return op.Stream || op.Protocol == service.Ollama && (op.Kind == Chat || op.Kind == Completion)
}

// converses reports whether the operation is about a conversation, which may go on.
func (op Operation) converses() bool {
	return slices.Contains([]Kind{Chat, Completion, Responses, CountTokens}, op.Kind)
}

// demander reads a request into a Demand.
type demander struct {
	reader
	op      Operation
	demand  *Demand
	own     ownFields
	problem *Error // with one of the client's own fields

	media   int      // bytes of images and other files
	said    [][]byte // the texts of the message that is being read, as they are written, with their quotes
	begin   beginning
	camelID [longestKey]byte
}

// request reads the whole body.
func (r *demander) request() {
	if r.s.space(); r.s.peek() != '{' {
		r.err = errNotObject
		return
	}
	r.due = r.s.pos
	r.object(r.member)
	if r.s.space(); r.err == nil && r.s.pos != len(r.s.data) {
		r.err = r.s.bad("text after the object")
	}
}

// member reads a field of the request.
func (r *demander) member(name []byte) {
	switch {
	case r.ownMember(name), r.modelMember(name):
	case r.op.Protocol == service.Gemini:
		r.geminiMember(name)
	case r.s.peek() != 'n': // null is as good as nothing
		f, known := fields[string(name)]
		r.setting(f, known, name)
	}
}

// modelMember notes a field that names the request's model.
func (r *demander) modelMember(name []byte) bool {
	switch {
	case isModel(name):
		r.err = r.s.named(string(name) == "model", &r.s.found.models)
	case r.op.Kind == ShowModel && isName(name):
		r.err = r.s.named(string(name) == "name", &r.s.found.names)
	default:
		return false
	}
	return true
}

// result puts together what was read.
func (r *demander) result() (*Demand, *Error) {
	d, f := r.demand, &r.s.found
	if r.problem != nil {
		return nil, r.problem
	}
	lead := "" // to be written into the body, which names no model but in the list
	if r.op.Model == "" && len(f.models)+len(f.names) == 0 && !f.odd && len(r.own.models) > 0 {
		lead = r.own.models[0]
	} else {
		model, _, problem := r.op.agreed(r.s.data, *f)
		if problem != nil {
			return nil, problem
		}
		d.Models = append(d.Models, model)
	}
	for _, model := range r.own.models {
		if !slices.Contains(d.Models, model) {
			d.Models = append(d.Models, model)
		}
	}
	if slices.Contains(d.Features, FeatureJSONSchema) {
		d.Parameters = slices.DeleteFunc(d.Parameters, func(name string) bool { return name == responseFormat })
	}
	d.Provider, d.Body = r.own.provider, r.own.cut(r.s.data, lead)
	d.InputTokens = max(0, len(d.Body)-r.media-r.s.slack) / bytesPerToken
	if r.op.converses() {
		d.Beginning = r.begin.sum()
	}
	return d, nil
}

// setting reads a field, and notes its name unless something else says what it means.
func (r *demander) setting(f field, known bool, name []byte) {
	switch {
	case !known:
		r.parameter(string(name))
	case f.parameter != "":
		r.parameter(f.parameter)
	}
	if f.read != nil {
		f.read(r)
	}
}

func (r *demander) parameter(name string) { add(&r.demand.Parameters, name, maxParameters) }
func (r *demander) needs(feature string)  { add(&r.demand.Features, feature, maxParameters) }
func (r *demander) wishes(feature string) { add(&r.demand.Wishes, feature, maxParameters) }

// add adds a name to a list that has it not, and has room.
func add(list *[]string, name string, limit int) {
	if len(*list) < limit && !slices.Contains(*list, name) {
		*list = append(*list, name)
	}
}
