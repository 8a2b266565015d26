// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// Answers to GET /, by which tools see whether anybody is there. Many that are made for Ollama compare the text with
// Ollama's, to the letter; only browsers ask for HTML.
const (
	rootText       = "Ollama is running"
	rootForPersons = "TokenGo is running\n"
)

// local answers from the directory what needs no exit, so that nobody learns of the question.
func (p *proxy) local(w http.ResponseWriter, r *http.Request, op dialect.Operation) result {
	ctx := r.Context()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	switch op.Kind {
	case dialect.Root:
		h.Set("Content-Type", "text/plain; charset=utf-8")
		write(w, http.StatusOK, []byte(rootAnswer(r)))
	case dialect.ListLoaded:
		write(w, http.StatusOK, op.ModelsBody(nil))
	case dialect.Version:
		write(w, http.StatusOK, dialect.VersionBody())
	case dialect.ListModels:
		models, fail := p.models(ctx, op)
		if fail != nil {
			return p.fail(w, op, fail)
		}
		write(w, http.StatusOK, op.ModelsBody(models))
	case dialect.GetModel:
		return p.model(ctx, w, op)
	default:
		return p.fail(w, op, &dialect.Error{Code: dialect.CodeInternal})
	}
	return result{outcome: outcomeOK}
}

func rootAnswer(r *http.Request) string {
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		return rootForPersons
	}
	return rootText
}

// model answers what is known of one model, by whatever name it is asked for.
func (p *proxy) model(ctx context.Context, w http.ResponseWriter, op dialect.Operation) result {
	var models []dialect.ListedModel
	p.refreshed(ctx, func([]Exit) bool {
		models = p.listModels(op, op.Model)
		return len(models) > 0
	})
	if len(models) == 0 {
		return p.fail(w, op, p.noModel(op, op.Model))
	}
	i := max(0, slices.IndexFunc(models, func(m dialect.ListedModel) bool { return dialect.SameModel(op.Protocol, m.ID, op.Model) }))
	write(w, http.StatusOK, op.ModelBody(models[i]))
	return result{outcome: outcomeOK}
}

// models are the models that a tool of the protocol can use now, sorted by id. An empty list means that
// there are none; that nobody could be asked is an error.
func (p *proxy) models(ctx context.Context, op dialect.Operation) (models []dialect.ListedModel, fail *dialect.Error) {
	p.refreshed(ctx, func(exits []Exit) bool {
		fail = p.noExits(exits)
		models = p.listModels(op, "")
		return len(exits) > 0
	})
	if fail != nil && fail.Code != dialect.CodeRelayUnreachable {
		fail = nil
	}
	return models, fail
}

// listModels is what exits that may be used offer for the protocol, under one name or all. Where several offer a model it
// is listed with what all of them grant, because any of them may be chosen.
func (p *proxy) listModels(op dialect.Operation, name string) []dialect.ListedModel {
	listed := map[string]*dialect.ListedModel{}
	now := time.Now()
	for _, o := range p.offered(op, name) {
		m, since := o.Model, o.Exit.Service().NotBefore
		if since.After(now) { // by the clock of the exit
			since = now
		}
		l := listed[m.ID]
		if l == nil {
			listed[m.ID] = &dialect.ListedModel{
				ID: m.ID, Protocols: []service.Protocol{m.Protocol}, Offered: since,
				MaxCtx: m.MaxCtx, MaxOutput: m.MaxOutput, Features: slices.Clone(m.Features),
			}
			continue
		}
		if since.Before(l.Offered) {
			l.Offered = since
		}
		l.MaxCtx = lesser(l.MaxCtx, m.MaxCtx)
		l.MaxOutput = lesser(l.MaxOutput, m.MaxOutput)
		l.Features = slices.DeleteFunc(l.Features, func(f string) bool { return !slices.Contains(m.Features, f) })
	}
	models := make([]dialect.ListedModel, 0, len(listed))
	for _, id := range slices.Sorted(maps.Keys(listed)) {
		models = append(models, *listed[id])
	}
	return models
}

// offered are the models on offer under one name, or all that may be used.
func (p *proxy) offered(op dialect.Operation, name string) (models []route.Offering) {
	p.router.update(time.Now())
	names := []string{name}
	if name == "" && len(p.cfg.Models) > 0 {
		names = p.cfg.Models
	}
	for _, n := range names {
		models = append(models, p.router.chooser.Offerings(op.Reaches(), n)...)
	}
	return models
}

// lesser is the smaller of two limits of which 0 is unknown.
func lesser(a, b int) int {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}
