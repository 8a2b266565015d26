// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// ResponsesMode says how requests of OpenAI's Responses API reach an openai backend.
type ResponsesMode string

// The modes. The zero value is ResponsesAuto.
const (
	// ResponsesAuto asks the backend whether it has /v1/responses, at the start and then as often as for its
	// models: natively if it has, or cannot be asked, else translated to chat completions.
	ResponsesAuto ResponsesMode = "auto"
	// ResponsesNative sends them byte for byte to the backend's /v1/responses.
	ResponsesNative ResponsesMode = "native"
	// ResponsesTranslate sends them to its /v1/chat/completions, translated.
	ResponsesTranslate ResponsesMode = "translate"
)

// ParseResponsesMode reads a mode from a configuration; "" is ResponsesAuto.
func ParseResponsesMode(s string) (ResponsesMode, error) {
	switch m := ResponsesMode(s); m {
	case "":
		return ResponsesAuto, nil
	case ResponsesAuto, ResponsesNative, ResponsesTranslate:
		return m, nil
	default:
		return "", fmt.Errorf("%q is no way to answer Responses requests; there are %s, %s and %s",
			service.Printable(s, maxMessageRunes), ResponsesAuto, ResponsesNative, ResponsesTranslate)
	}
}

// abilities is what is known of what a backend lacks of its protocol: most services speak most of one.
type abilities struct {
	noResponses  atomic.Bool  // requests of the Responses API are translated to chat completions
	asksAt       time.Time    // when to ask about responses; used by the maintainer alone
	countsAgain  atomic.Int64 // Unix milliseconds before which it is not asked for a count of tokens
	askResponses bool         // whether to ask at all; never changes
}

// learnMode checks and takes over what is configured.
func (a *abilities) learnMode(cfg Backend) error {
	mode, err := ParseResponsesMode(string(cfg.Responses))
	if err != nil {
		return err
	}
	if cfg.Protocol != service.OpenAI {
		if cfg.Responses != "" {
			return fmt.Errorf("a backend of protocol %q has no Responses API to configure", cfg.Protocol)
		}
		return nil
	}
	a.askResponses = mode == ResponsesAuto
	a.noResponses.Store(mode == ResponsesTranslate)
	return nil
}

// lacks reports whether the backend cannot answer an operation of its own protocol, which is then translated.
func (b *backend) lacks(op dialect.Operation) bool {
	return op.Kind == dialect.Responses && b.abilities.noResponses.Load()
}

// askBackends asks the backends for what is due, all of them and for everything at once.
func (m *maintainer) askBackends(ctx context.Context) {
	now := m.cfg.Clock()
	var asking sync.WaitGroup
	for _, b := range m.backends {
		a := &b.abilities
		if !a.askResponses || now.Before(a.asksAt) {
			continue
		}
		asking.Go(func() {
			a.asksAt = now.Add(min(m.cfg.ModelsRefresh, wakeInterval))
			if has, known := b.hasResponses(ctx); known {
				b.noteResponses(has)
				a.asksAt = now.Add(m.cfg.ModelsRefresh)
			}
		})
	}
	m.askModels(ctx)
	asking.Wait()
}

// noteResponses takes in what was found out, and tells the operator when it is news.
func (b *backend) noteResponses(has bool) {
	switch had := !b.abilities.noResponses.Swap(!has); {
	case had && !has:
		b.complaints.logger.Info("the backend has no Responses API; such requests are translated to chat completions")
	case !had && has:
		b.complaints.logger.Info("the backend has a Responses API now; such requests are no longer translated")
	}
}

// hasResponses finds out whether an openai backend has the Responses API. It sends a request that names no model and has
// no input, which whoever has the API refuses and nobody charges for. known is false where the answer does not tell.
func (b *backend) hasResponses(ctx context.Context) (has, known bool) {
	ctx, cancel := context.WithTimeout(ctx, abilityTimeout)
	defer cancel()
	r, err := b.request(ctx, &asked{
		op: dialect.Operation{Path: "/v1/responses"}, method: http.MethodPost, body: []byte("{}"),
	})
	if err != nil {
		return false, false
	}
	resp, err := b.transport.RoundTrip(r)
	if err != nil {
		return false, false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAbilityBody))
	if err != nil {
		return false, false
	}
	return meansResponses(resp.StatusCode, body)
}

// meansResponses reads the answer to an empty Responses request.
func meansResponses(status int, body []byte) (has, known bool) {
	switch {
	case status >= 200 && status <= 299:
		// LM Studio answers a path that it does not know with 200 and an error.
		var answer struct {
			Error any `json:"error"`
		}
		return json.Unmarshal(body, &answer) == nil && answer.Error == nil, true
	case status == http.StatusNotFound:
		// That there is no such model is also a 404, of who has the path.
		return bytes.Contains(bytes.ToLower(body), []byte("model")), true
	case lacksPath(status):
		return false, true
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusTooManyRequests,
		status == http.StatusRequestTimeout, status == http.StatusPaymentRequired:
		return false, false // many check this before they look at the path
	default:
		return true, status >= 400 && status <= 499
	}
}

// lacksPath reports whether a status says that a service does not have what was asked for.
func lacksPath(status int) bool {
	return status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented
}
