// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
)

// demand is what a request asks of an exit and how it may be sent.
type demand struct {
	route   route.Request
	retry   Retry
	stream  bool // the tool asks for a stream
	effects bool // repeating it may do something twice
}

// demands reads what requests ask for: from their bodies, from header fields that stay here, and from the profile.
type demands struct {
	key      [sha256.Size]byte // of what conversations are known by, so that it means nothing elsewhere or later
	retry    Retry
	affinity Affinity
}

// newDemands takes what holds for requests that do not say. Both must be valid or empty.
func newDemands(retry Retry, affinity Affinity) *demands {
	d := &demands{retry: cmp.Or(retry, RetrySafe), affinity: cmp.Or(affinity, AffinityConversation)}
	rand.Read(d.key[:]) // never fails
	return d
}

// of returns what a request asks for, and its body without what only the client reads. The body passed in is not
// written to. Errors are those of [dialect.Operation.Demand] and CodeInvalidRequest for a preference that cannot be
// read, which name it; and CodeUnknownModel where the choice of the model is left to us.
func (d *demands) of(op dialect.Operation, header http.Header, body []byte) (*demand, []byte, *dialect.Error) {
	asked, fail := op.Demand(body)
	if fail != nil {
		return nil, nil, fail
	}
	own := &ownHeader{header: header}
	own.check()
	out := &demand{stream: asked.Stream, effects: asked.Effects, retry: own.retry(d.retry)}
	out.route = route.Request{
		Protocols:    op.Reaches(),
		Models:       own.models(asked.Models),
		Features:     asked.Features,
		Wishes:       asked.Wishes,
		Modalities:   asked.Modalities,
		Parameters:   asked.Parameters,
		InputTokens:  asked.InputTokens,
		MaxOutput:    asked.MaxOutput,
		Images:       asked.Images,
		Preferences:  own.preferences(asked.Provider),
		Conversation: d.conversation(own.affinity(d.affinity), asked.Beginning),
	}
	switch {
	case own.fail != nil:
		return nil, nil, own.fail
	case slices.ContainsFunc(out.route.Models, isAuto):
		return nil, nil, &dialect.Error{Code: dialect.CodeUnknownModel, Message: autoMessage}
	}
	return out, asked.Body, nil
}

// conversation is the key of a conversation that begins so, "" for none.
func (d *demands) conversation(affinity Affinity, beginning []byte) string {
	if beginning == nil || affinity == AffinityNone {
		return ""
	}
	mac := hmac.New(sha256.New, d.key[:])
	mac.Write(beginning)
	return string(mac.Sum(nil))
}

const autoMessage = `Choosing a model by the prompt is not there yet. Name a model, or several with "models": ["first", "second"].`

// isAuto reports whether a name leaves the choice of the model to us, with or without a suffix such as ":floor".
func isAuto(model string) bool {
	name, _, _ := strings.Cut(strings.ToLower(model), ":")
	return strings.TrimPrefix(name, "openrouter/") == "auto"
}
