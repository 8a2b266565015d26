// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// ManagementPrefix begins the paths that are the user's, not the tools'. All but [ProofPath] need a token.
const ManagementPrefix = "/tokengo/"

// maxQueryBytes is the largest query: preferences have 64 KiB at most.
const maxQueryBytes = 128 << 10

// isManagement reports whether a request is for a management path.
func isManagement(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, ManagementPrefix) }

// manage answers management paths.
func (p *proxy) manage(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == ProofPath {
		p.door.prove(w, r)
		return
	}
	switch fail := p.door.checkManagement(r); {
	case fail != nil:
		refuse(w, fail)
	case r.URL.Path != ManagementPrefix+"debug/scrub":
		p.inspector.ServeHTTP(w, r)
	case !p.debug.on:
		refuse(w, &dialect.Error{Code: dialect.CodeUnknownPath, Message: "The client keeps nothing to show. Start it with --debug-page."})
	default:
		p.debug.serve(w, r)
	}
}

// action answers a request for a management path with something to be written as JSON.
type action func(r *http.Request) (any, *dialect.Error)

// actions are what can be done at a path, by method; nil for a path that does not exist.
func (i *Inspector) actions(path string) map[string]action {
	switch path {
	case "status":
		return map[string]action{http.MethodGet: func(*http.Request) (any, *dialect.Error) { return i.Status(), nil }}
	case "stats":
		return map[string]action{
			http.MethodGet:    func(*http.Request) (any, *dialect.Error) { return i.Stats(), nil },
			http.MethodDelete: i.forget,
		}
	case "exits":
		return map[string]action{
			http.MethodGet:  func(*http.Request) (any, *dialect.Error) { return i.AllExits(), nil },
			http.MethodPost: queried(i.Exits),
		}
	case "why":
		return map[string]action{http.MethodPost: queried(i.Why)}
	case "find":
		return map[string]action{http.MethodPost: queried(i.Find)}
	}
	if name, ok := strings.CutPrefix(path, "exits/"); ok {
		return map[string]action{http.MethodGet: func(*http.Request) (any, *dialect.Error) { return i.show(name) }}
	}
	return nil
}

// ServeHTTP answers the paths under [ManagementPrefix] in JSON, to whoever asks: it is for those who may.
//
//	GET    status        a Status
//	GET    stats         a list of Measurement
//	DELETE stats         forgets all, or with ?exit=NAME what was learned of one exit
//	GET    exits         a list of ExitSummary; with POST of a Query, of those that fit
//	GET    exits/NAME    a list of ExitReport
//	POST   why, find     a Why, Verdicts; of a Query
func (i *Inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	methods := i.actions(strings.TrimPrefix(r.URL.Path, ManagementPrefix))
	if methods == nil {
		refuse(w, &dialect.Error{
			Code: dialect.CodeUnknownPath,
			Message: "There is no such management path. There are, under " + ManagementPrefix +
				": status, stats, exits, exits/NAME, why, find, debug/scrub.",
		})
		return
	}
	act := methods[r.Method]
	if act == nil {
		refuse(w, &dialect.Error{Code: dialect.CodeMethod, Allow: strings.Join(slices.Sorted(maps.Keys(methods)), ", ")})
		return
	}
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(toolUploadTimeout))
	r.Body = http.MaxBytesReader(w, r.Body, maxQueryBytes)
	report, fail := act(r)
	if fail != nil {
		refuse(w, fail)
		return
	}
	writeJSON(w, report)
}

// queried reads a query and has it answered.
func queried[T any](answer func(Query) (T, error)) action {
	return func(r *http.Request) (any, *dialect.Error) {
		var q Query
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&q)
		if err == nil && !errors.Is(follows(decoder), io.EOF) {
			err = errors.New("something follows the object")
		}
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, &dialect.Error{Code: dialect.CodeTooLarge}
		}
		if err != nil {
			return nil, badQuery("The query is not as it should be: " + strings.TrimPrefix(err.Error(), "json: "))
		}
		report, err := answer(q)
		if err != nil {
			return nil, badQuery(err.Error())
		}
		return report, nil
	}
}

func follows(d *json.Decoder) error {
	_, err := d.Token()
	return err
}

// badQuery says what is wrong in words of ours and of whoever asks.
func badQuery(message string) *dialect.Error {
	const longest = 300
	return &dialect.Error{Code: dialect.CodeInvalidRequest, Message: service.Printable(message, longest)}
}

// show answers what is known of an exit.
func (i *Inspector) show(name string) (any, *dialect.Error) {
	reports := i.Show(name)
	if len(reports) == 0 {
		return nil, notKnown(ErrNotKnown)
	}
	return reports, nil
}

func notKnown(err error) *dialect.Error {
	return &dialect.Error{Code: dialect.CodeInvalidRequest, Status: http.StatusNotFound, Message: err.Error()}
}

// forget clears what was learned.
func (i *Inspector) forget(r *http.Request) (any, *dialect.Error) {
	switch err := i.Forget(r.URL.Query().Get("exit")); {
	case errors.Is(err, ErrNotKnown):
		return nil, notKnown(err)
	case err != nil:
		return nil, &dialect.Error{Code: dialect.CodeInvalidRequest, Status: http.StatusConflict, Message: err.Error()}
	}
	return struct{}{}, nil
}

// refuse answers with an error, in the shape that most tools know.
func refuse(w http.ResponseWriter, e *dialect.Error) {
	status, fields, body := e.Response(dialect.Operation{Protocol: service.OpenAI})
	maps.Copy(w.Header(), fields)
	write(w, status, body)
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
