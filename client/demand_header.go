// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// The header fields in which a tool says what it wants of an exit. They are never sent on.
const (
	headerProvider = "X-Tokengo-Provider"  // the provider object, in place of the body's
	headerModels   = "X-Tokengo-Models"    // models, separated by commas, in place of the body's list
	headerSort     = "X-Tokengo-Sort"      // provider.sort
	headerMaxPrice = "X-Tokengo-Max-Price" // provider.max_price in one line: see route.ParseMaxPrice
	headerTiers    = "X-Tokengo-Tiers"     // provider.tiers, separated by commas
	headerRetry    = "X-Tokengo-Retry"
	headerAffinity = "X-Tokengo-Affinity"
)

// requestHeaders are all fields of this prefix that a request may have.
var requestHeaders = []string{
	headerProvider, headerModels, headerSort, headerMaxPrice, headerTiers, headerRetry, headerAffinity, fieldShape,
}

const ownPrefix = "X-Tokengo-"

// maxModels is how many models a header field may name, as many as a body.
const maxModels = 16

// ownHeader reads these fields. The first that cannot be read is kept as fail.
type ownHeader struct {
	header http.Header
	fail   *dialect.Error
}

// check refuses a field that looks like one of ours and is none: it would count for nothing without a word.
func (o *ownHeader) check() {
	for name := range o.header {
		if strings.HasPrefix(name, ownPrefix) && !slices.Contains(requestHeaders, name) {
			o.refuse(service.Printable(name, maxNameRunes), errors.New("there are "+strings.Join(requestHeaders, ", ")))
		}
	}
}

// value is what a field says, "" when it is not there.
func (o *ownHeader) value(name string) string {
	values := o.header.Values(name)
	if len(values) > 1 {
		o.refuse(name, errors.New("it is given more than once"))
		return ""
	}
	return strings.TrimSpace(strings.Join(values, ""))
}

// refuse notes what is wrong with a field of the header, or of the body.
func (o *ownHeader) refuse(name string, err error) {
	if o.fail == nil {
		o.fail = &dialect.Error{
			Code: dialect.CodeInvalidRequest, Message: fmt.Sprintf("%s cannot be used: %v.", name, err),
		}
	}
}

func (o *ownHeader) retry(profile Retry) Retry {
	text := o.value(headerRetry)
	if text == "" {
		return profile
	}
	retry, err := ParseRetry(text)
	if err != nil {
		o.refuse(headerRetry, err)
	}
	return retry
}

func (o *ownHeader) affinity(profile Affinity) Affinity {
	text := o.value(headerAffinity)
	if text == "" {
		return profile
	}
	affinity, err := ParseAffinity(text)
	if err != nil {
		o.refuse(headerAffinity, err)
	}
	return affinity
}

// models adds those of the header to the one that the body names.
func (o *ownHeader) models(body []string) []string {
	list := o.list(headerModels)
	switch {
	case len(list) == 0:
		return body
	case len(body) > 1:
		o.refuse(headerModels, errors.New(`the body has "models" too`))
	case len(list) > maxModels:
		o.refuse(headerModels, fmt.Errorf("it names more than %d models", maxModels))
	case slices.ContainsFunc(list, func(name string) bool { return !utf8.ValidString(name) }):
		o.refuse(headerModels, errors.New("a name in it is not valid text"))
	}
	models := slices.Clone(body)
	for _, name := range list {
		if !slices.Contains(models, name) {
			models = append(models, name)
		}
	}
	return models
}

// list splits a field at its commas. Empty entries count for nothing.
func (o *ownHeader) list(name string) []string {
	list := strings.Split(o.value(name), ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return slices.DeleteFunc(list, func(entry string) bool { return entry == "" })
}

// preferences are those of the body's provider object or of the header's, and those that have fields of their own. Nil
// when there are none.
func (o *ownHeader) preferences(provider []byte) *route.Preferences {
	where := `The field "provider"`
	if text := o.value(headerProvider); text != "" {
		if provider != nil {
			o.refuse(headerProvider, errors.New(`the body has "provider" too`))
		}
		provider, where = []byte(text), headerProvider
	}
	p := &route.Preferences{}
	if provider != nil {
		parsed, err := route.ParsePreferences(provider)
		if err != nil {
			o.refuse(where, errors.New(strings.TrimPrefix(err.Error(), "preferences: ")))
			return nil
		}
		p = parsed
	}
	if !o.shortcuts(p) && provider == nil {
		return nil
	}
	return p
}

// shortcuts reads the fields that stand for one key of the object each, and reports whether there are any.
func (o *ownHeader) shortcuts(p *route.Preferences) (found bool) {
	for _, s := range []struct {
		field string
		set   bool // by the object
		read  func(text string) error
	}{
		{headerSort, p.Sort != "", func(text string) error {
			p.Sort = route.Sort(text)
			return p.Validate()
		}},
		{headerMaxPrice, p.MaxPrice != nil, func(text string) (err error) {
			p.MaxPrice, err = route.ParseMaxPrice(text)
			return err
		}},
		{headerTiers, len(p.Tiers) > 0, func(string) error {
			for _, tier := range o.list(headerTiers) {
				p.Tiers = append(p.Tiers, service.Tier(tier))
			}
			return p.Validate()
		}},
	} {
		text := o.value(s.field)
		switch {
		case text == "":
			continue
		case s.set:
			o.refuse(s.field, errors.New("the provider object says it too"))
		default:
			if err := s.read(text); err != nil {
				o.refuse(s.field, err)
			}
		}
		found = true
	}
	return found
}
