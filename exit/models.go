// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// modelsPaths are where backends list their models, in as few pages as they allow.
var modelsPaths = map[service.Protocol]string{
	service.OpenAI: "/v1/models",
	service.Claude: "/v1/models?limit=1000",
	service.Gemini: "/v1beta/models?pageSize=1000",
	service.Ollama: "/api/tags",
}

// modelsPage is one page of a list of models, in any of the protocols.
type modelsPage struct {
	Data          listedModels `json:"data"`   // openai, claude
	Models        listedModels `json:"models"` // gemini, ollama
	HasMore       bool         `json:"has_more"`
	LastID        string       `json:"last_id"`
	NextPageToken string       `json:"nextPageToken"`
}

// listedModels are the models of one page, as many as are read of a list: one that is much longer than a description
// can be would cost hundreds of megabytes, and seconds whenever the offer is made.
type listedModels []listedModel

// UnmarshalJSON implements [json.Unmarshaler].
func (l *listedModels) UnmarshalJSON(p []byte) error {
	*l = nil
	if string(p) == "null" {
		return nil
	}
	list := json.NewDecoder(bytes.NewReader(p))
	if begin, err := list.Token(); err != nil || begin != json.Delim('[') {
		return errors.New("no list")
	}
	for len(*l) < maxListed && list.More() {
		var m listedModel
		if err := list.Decode(&m); err != nil {
			return err
		}
		*l = append(*l, m)
	}
	return nil
}

// listing is what a backend says that it has.
type listing struct {
	models []service.Model // sorted by id
	odd    []string        // what it said and cannot be meant, for the operator
}

// listModels asks the backend for its models. They come sorted, so that the same ones make the same
// description.
func (b *backend) listModels(ctx context.Context) (listing, error) {
	ctx, cancel := context.WithTimeout(ctx, modelsTimeout)
	defer cancel()
	var found []listedModel
	path := modelsPaths[b.protocol]
	for range maxModelsPages {
		page, err := b.modelsPage(ctx, path)
		if err != nil {
			return listing{}, fmt.Errorf("list the models of %s: %w", b.base.host, err)
		}
		found = append(append(found, page.Data...), page.Models...)
		if path = b.nextPage(page); path == "" || len(found) >= maxListed {
			break
		}
	}
	found = found[:min(len(found), maxListed)]
	if b.protocol == service.Ollama {
		b.show(ctx, found)
	}
	return b.listing(found), nil
}

// listing makes publishable models of those that a backend lists.
func (b *backend) listing(found []listedModel) listing {
	var l listing
	for i := range found {
		model, odd, ok := b.model(&found[i])
		if !ok {
			continue
		}
		l.models = append(l.models, model)
		for _, field := range odd {
			l.odd = append(l.odd, fmt.Sprintf("model %s: %s", service.Printable(model.ID, maxMessageRunes), field))
		}
	}
	if len(found) == maxListed {
		l.odd = append(l.odd, fmt.Sprintf("models after the first %d", maxListed))
	}
	l.models = append(l.models, b.aliased(l.models)...)
	slices.SortStableFunc(l.models, func(x, y service.Model) int { return cmp.Compare(x.ID, y.ID) })
	l.models = slices.CompactFunc(l.models, func(x, y service.Model) bool { return x.ID == y.ID })
	return l
}

// aliased are the aliases of models, under their published names.
func (b *backend) aliased(models []service.Model) []service.Model {
	var more []service.Model
	for published, id := range b.aliases {
		i := slices.IndexFunc(models, func(m service.Model) bool { return dialect.SameModel(b.protocol, m.ID, id) })
		if i >= 0 && publishable(published) {
			m := models[i]
			m.ID = published
			more = append(more, m)
		}
	}
	return more
}

func (b *backend) modelsPage(ctx context.Context, path string) (*modelsPage, error) {
	raw, err := b.fetch(ctx, &asked{op: dialect.Operation{Path: path}, method: http.MethodGet}, maxModelsBody)
	if err != nil {
		return nil, err
	}
	var page modelsPage
	if raw = bytes.TrimSpace(raw); bytes.HasPrefix(raw, []byte("[")) { // as some openai-compatible services do
		err = json.Unmarshal(raw, &page.Data)
	} else {
		err = json.Unmarshal(raw, &page)
	}
	if err != nil {
		return nil, errors.New("its list cannot be read")
	}
	return &page, nil
}

// fetch returns what the backend answers to a question of the exit's own, at most so many bytes.
func (b *backend) fetch(ctx context.Context, q *asked, limit int64) ([]byte, error) {
	r, err := b.request(ctx, q)
	if err != nil {
		return nil, err
	}
	resp, err := b.transport.RoundTrip(r)
	if err != nil {
		b.complaints.about(roundTripCode(ctx, err), err)
		return nil, errors.New("it cannot be reached")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered with status %d", resp.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil || int64(len(raw)) > limit {
		return nil, errors.New("its list breaks off or is too long")
	}
	return raw, nil
}

// nextPage is the path of the page after one, "" when there is none.
func (b *backend) nextPage(page *modelsPage) string {
	switch {
	case b.protocol == service.Claude && page.HasMore && page.LastID != "":
		return modelsPaths[b.protocol] + "&after_id=" + url.QueryEscape(page.LastID)
	case b.protocol == service.Gemini && page.NextPageToken != "":
		return modelsPaths[b.protocol] + "&pageToken=" + url.QueryEscape(page.NextPageToken)
	default:
		return ""
	}
}
