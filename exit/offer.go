// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"encoding/json"
	"fmt"
	"reflect"
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
}

type modelName struct {
	protocol service.Protocol
	id       string
}

// newOffer offers the configured models of the backends, and for those without any what is listed for
// the backend of the same index, if that is given.
func newOffer(backends []*backend, listed ...[]service.Model) *offer {
	o := &offer{index: map[modelName]int{}}
	for i, b := range backends {
		if !slices.Contains(o.protocols, b.protocol) {
			o.protocols = append(o.protocols, b.protocol)
		}
		models := b.models
		if len(models) == 0 && i < len(listed) {
			models = listed[i]
		}
		for _, m := range models {
			o.add(m, b)
		}
	}
	return o
}

// add offers a model unless another backend does.
func (o *offer) add(m service.Model, b *backend) {
	name := modelName{m.Protocol, m.ID}
	if _, taken := o.index[name]; taken {
		return
	}
	o.index[name] = len(o.models)
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
	left = len(o.models) - n
	o.models, o.by = o.models[:n], o.by[:n]
	return left, nil
}

// same reports whether two offers make the same description.
func (o *offer) same(other *offer) bool {
	return slices.Equal(o.protocols, other.protocols) && reflect.DeepEqual(o.models, other.models)
}

// find returns who serves a model over the tool's own protocol, and the name under which it is published.
func (o *offer) find(protocol service.Protocol, id string) (b *backend, published string, ok bool) {
	if i, ok := o.index[modelName{protocol, id}]; ok {
		return o.by[i], id, true
	}
	for i := range o.models {
		if m := &o.models[i]; m.Protocol == protocol && dialect.SameModel(protocol, m.ID, id) {
			return o.by[i], m.ID, true
		}
	}
	return nil, "", false
}

// findTranslated returns who serves a model over another protocol than the tool's own, for an operation
// that can be translated.
func (o *offer) findTranslated(op dialect.Operation, id string) (b *backend, published string, ok bool) {
	for _, p := range op.Reaches()[1:] {
		if b, published, ok = o.find(p, id); ok {
			return b, published, true
		}
	}
	return nil, "", false
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

// described is what the description says about a published model.
func (o *offer) described(protocol service.Protocol, published string) service.Model {
	if i, ok := o.index[modelName{protocol, published}]; ok {
		return o.models[i]
	}
	return service.Model{ID: published, Protocol: protocol}
}

func join(protocols []service.Protocol) string {
	words := make([]string, len(protocols))
	for i, p := range protocols {
		words[i] = string(p)
	}
	return strings.Join(words, ", ")
}
