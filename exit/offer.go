// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// offer is what the exit has at one moment, and who serves it. It never changes.
type offer struct {
	protocols []service.Protocol // of the backends, each once
	models    []service.Model
	by        []*backend // who serves the model of the same index
	index     map[modelName]int
	aliases   map[modelName]int // names that are no model's own; the first model that has one answers to it
}

type modelName struct {
	protocol service.Protocol
	id       string
}

// newOffer offers the configured models of the backends, completed by what is listed for the backend of the
// same index if that is given, and for backends without any all that is listed.
func newOffer(backends []*backend, listed ...[]service.Model) *offer {
	o := &offer{index: map[modelName]int{}, aliases: map[modelName]int{}}
	for i, b := range backends {
		if !slices.Contains(o.protocols, b.protocol) {
			o.protocols = append(o.protocols, b.protocol)
		}
		var told []service.Model
		if i < len(listed) {
			told = listed[i]
		}
		for _, m := range b.complete(told) {
			o.add(m, b)
		}
	}
	return o
}

// complete are the models to offer of a backend that has told of some.
func (b *backend) complete(told []service.Model) []service.Model {
	if len(b.models) == 0 {
		return told
	}
	models := slices.Clone(b.models)
	for i := range models {
		name := b.name(models[i].ID)
		at := slices.IndexFunc(told, func(m service.Model) bool { return dialect.SameModel(b.protocol, m.ID, name) })
		if at >= 0 {
			models[i] = completed(models[i], told[at])
		}
	}
	return models
}

// completed is a configured model with what its backend told where nothing is configured.
func completed(m, told service.Model) service.Model {
	m.MaxCtx = cmp.Or(m.MaxCtx, told.MaxCtx)
	m.MaxOutput = cmp.Or(m.MaxOutput, told.MaxOutput)
	m.Quantization = cmp.Or(m.Quantization, told.Quantization)
	if m.Modalities == nil {
		m.Modalities = told.Modalities
	}
	if m.Features == nil {
		m.Features = told.Features
	}
	if m.Pricing == nil {
		m.Pricing = told.Pricing
	}
	return m
}

// add offers a model unless another backend does.
func (o *offer) add(m service.Model, b *backend) {
	name := modelName{m.Protocol, m.ID}
	if _, taken := o.index[name]; taken {
		return
	}
	o.index[name] = len(o.models)
	for _, alias := range m.Aliases {
		if _, taken := o.aliases[modelName{m.Protocol, alias}]; !taken {
			o.aliases[modelName{m.Protocol, alias}] = len(o.models)
		}
	}
	o.models = append(o.models, m)
	o.by = append(o.by, b)
}

// fit leaves out the last models where there are more than a description can hold. room is what models
// may take in it, in bytes of JSON.
func (o *offer) fit(room int) (left int, err error) {
	n := 0
	for n < len(o.models) && n < service.MaxModels {
		raw, err := json.Marshal(o.models[n])
		if err != nil {
			return 0, fmt.Errorf("write model %d: %w", n+1, err)
		}
		if room -= len(raw) + 1; room < 0 {
			break
		}
		n++
	}
	for _, m := range o.models[n:] {
		delete(o.index, modelName{m.Protocol, m.ID})
	}
	maps.DeleteFunc(o.aliases, func(_ modelName, i int) bool { return i >= n })
	left = len(o.models) - n
	o.models, o.by = o.models[:n], o.by[:n]
	return left, nil
}

// served is where a model is to be had.
type served struct {
	backend *backend
	model   string // what the backend calls it
	renamed bool   // whether that is not what was asked for, and the request must be changed
	limits  []*limiter

	described service.Model // what the description says of it
}

// serve is where the model of index i is to be had, for a request that asked for it as the name given.
func (o *offer) serve(i int, asked modelName) served {
	b, m := o.by[i], &o.models[i]
	name := b.name(m.ID)
	return served{
		backend: b, model: name, limits: b.limits.of(m.ID),
		renamed: !dialect.SameModel(asked.protocol, asked.id, name), described: *m,
	}
}

// find returns where a model is to be had over the tool's own protocol. Ids go before aliases.
func (o *offer) find(protocol service.Protocol, id string) (s served, ok bool) {
	asked := modelName{protocol, id}
	if i, ok := o.index[asked]; ok {
		return o.serve(i, asked), true
	}
	if i, ok := o.aliases[asked]; ok {
		return o.serve(i, asked), true
	}
	for i := range o.models {
		if m := &o.models[i]; m.Protocol == protocol && answersTo(m, id) {
			return o.serve(i, asked), true
		}
	}
	return served{}, false
}

// answersTo reports whether the model has the name, in whatever form its protocol allows.
func answersTo(m *service.Model, name string) bool {
	same := func(own string) bool { return dialect.SameModel(m.Protocol, own, name) }
	return same(m.ID) || slices.ContainsFunc(m.Aliases, same)
}

// findTranslated returns where a model is to be had over another protocol than the tool's own, for an
// operation that can be translated.
func (o *offer) findTranslated(op dialect.Operation, id string) (s served, ok bool) {
	for _, p := range op.Reaches()[1:] {
		if s, ok = o.find(p, id); ok {
			return s, true
		}
	}
	return served{}, false
}

// listed is what can be used over a protocol, natively or translated, each name once.
func (o *offer) listed(op dialect.Operation) []dialect.ListedModel {
	var models []dialect.ListedModel
	taken := map[string]bool{}
	for _, p := range op.Reaches() {
		for i := range o.models {
			m := &o.models[i]
			if m.Protocol != p || taken[m.ID] {
				continue
			}
			taken[m.ID] = true
			models = append(models, shown(m))
		}
	}
	return models
}

// shown is what lists show of a model.
func shown(m *service.Model) dialect.ListedModel {
	return dialect.ListedModel{
		ID: m.ID, Protocols: []service.Protocol{m.Protocol},
		MaxCtx: m.MaxCtx, MaxOutput: m.MaxOutput, Features: m.Features,
	}
}

// unknownModel says what the operation could be had with instead, natively or translated. It does not repeat what was
// asked for.
func (o *offer) unknownModel(op dialect.Operation) *dialect.Error {
	models := o.listed(op)
	e := &dialect.Error{Code: dialect.CodeUnknownModel}
	switch {
	case !slices.ContainsFunc(op.Reaches(), func(p service.Protocol) bool { return slices.Contains(o.protocols, p) }):
		e.Message = fmt.Sprintf("This exit has no backend that can answer this %s request. Its protocols: %s.", op.Protocol, join(o.protocols))
		return e
	case len(models) == 0:
		e.Message = fmt.Sprintf("This exit offers no model for this %s request at the moment. Choose another exit.", op.Protocol)
		return e
	}
	names := make([]string, min(len(models), maxMessageModels))
	for i := range names {
		names[i] = service.Printable(models[i].ID, maxMessageRunes)
	}
	e.Message = "This exit does not offer the model. Its models: " + strings.Join(names, ", ")
	if more := len(models) - len(names); more > 0 {
		e.Message += fmt.Sprintf(" and %d more", more)
	}
	e.Message += "."
	return e
}

func join(protocols []service.Protocol) string {
	words := make([]string, len(protocols))
	for i, p := range protocols {
		words[i] = string(p)
	}
	return strings.Join(words, ", ")
}
