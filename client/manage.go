// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// managementPrefix begins the paths that are the user's, not the tools'. They always need a token.
const managementPrefix = "/tokengo/"

// Status is what GET /tokengo/status answers, in JSON.
type Status struct {
	// Relays are the configured relays, in their order.
	Relays []RelayReport `json:"relays"`
	// Exits is how many exits are known and verified.
	Exits int `json:"exits"`
}

// RelayReport is how one relay does.
type RelayReport struct {
	// Relay is its host and port.
	Relay string `json:"relay"`
	// Exits is how many of its exits can be used.
	Exits int `json:"exits"`
	// Problem says why the last look at its directory failed; empty when it did not.
	Problem string `json:"problem,omitempty"`
}

// isManagement reports whether a request is for a management path.
func isManagement(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, managementPrefix) }

// manage answers management paths.
func (p *proxy) manage(w http.ResponseWriter, r *http.Request) {
	op := dialect.Operation{Protocol: service.OpenAI}
	if fail := p.door.checkManagement(r); fail != nil {
		p.fail(w, op, fail)
		return
	}
	switch strings.TrimPrefix(r.URL.Path, managementPrefix) {
	case "status":
		writeJSON(w, p.statusReport())
	case "debug/scrub":
		if !p.debug.on {
			p.fail(w, op, &dialect.Error{Code: dialect.CodeUnknownPath, Message: "The client keeps nothing to show. Start it with --debug-page."})
			return
		}
		p.debug.serve(w, r)
	default:
		p.fail(w, op, &dialect.Error{Code: dialect.CodeUnknownPath, Message: "There is no such management path. There are: /tokengo/status, /tokengo/debug/scrub."})
	}
}

func (p *proxy) statusReport() Status {
	s := Status{Relays: []RelayReport{}, Exits: len(p.directory.list(time.Now()))}
	for _, poller := range p.directory.pollers {
		status := poller.status()
		report := RelayReport{Relay: status.Relay.Host, Exits: status.Exits}
		if status.Err != nil {
			report.Problem = status.Err.Error()
		}
		s.Relays = append(s.Relays, report)
	}
	return s
}

// writeJSON answers with a value that can always be encoded.
func writeJSON(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	write(w, http.StatusOK, body)
}
