// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/service"
)

// fault is what is wrong with a request as sealed or as HTTP. It is told as a problem (RFC 9457), in the
// clear or under seal; faults of what is asked for have the shape of the tool's protocol instead.
type fault struct {
	status  int
	kind    string // the problem's type; "" when the status says it all
	title   string
	allow   string
	later   bool      // whether to try again
	date    time.Time // what time it is, when that is what is wrong
	outcome outcome
}

// Faults that occur in several places. All text is our own.
var (
	faultKey = fault{ // RFC 9458 section 5.3
		status: http.StatusBadRequest, kind: service.TypeOHTTPKey, outcome: outcomeUnknownKey,
		title: "The request is sealed to a key that this exit does not have",
	}
	faultSealed   = fault{status: http.StatusBadRequest, title: "The sealed request is damaged or incomplete", outcome: outcomeDamaged}
	faultBinary   = fault{status: http.StatusBadRequest, title: "What is sealed is not a Binary HTTP request"}
	faultTooLarge = fault{status: http.StatusRequestEntityTooLarge, title: "The sealed request is larger than this exit accepts"}
	faultSlow     = fault{status: http.StatusRequestTimeout, title: "The sealed request did not arrive in time"}
	faultBusy     = fault{status: http.StatusServiceUnavailable, title: "This exit is at its limit of requests", later: true}
	faultSeal     = fault{status: http.StatusInternalServerError, title: "This exit cannot seal an answer"}
)

func (f *fault) body() []byte {
	body, err := json.Marshal(service.Problem{Type: f.kind, Title: f.title, Status: f.status})
	if err != nil {
		panic(err) // strings and a number always encode
	}
	return append(body, '\n')
}

// counted is how the fault is counted.
func (f *fault) counted() outcome {
	if f.outcome != "" {
		return f.outcome
	}
	return outcomeBadRequest
}

// refuse answers in the clear.
func refuse(w http.ResponseWriter, f *fault) result {
	h := w.Header()
	h.Set("Content-Type", service.ProblemType)
	if f.allow != "" {
		h.Set("Allow", f.allow)
	}
	if f.later {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(f.status)
	w.Write(f.body()) // who does not take it has gone away
	return result{outcome: f.counted()}
}

// problem answers under seal.
func (x *exchange) problem(f *fault) result {
	resp := &bhttp.Response{Status: f.status, Fields: bhttp.Fields{{Name: "content-type", Value: service.ProblemType}}}
	if !f.date.IsZero() {
		resp.Fields = append(resp.Fields, bhttp.Field{Name: "date", Value: f.date.UTC().Format(http.TimeFormat)})
	}
	return x.as(f.counted(), resp, f.body())
}

// fail answers with an error in the shape of the tool's protocol.
func (x *exchange) fail(e *dialect.Error) result {
	status, header, body := e.Response(x.answer.op)
	resp := &bhttp.Response{Status: status, Fields: responseFields(header)}
	if allow := header.Get("Allow"); allow != "" {
		resp.Fields = append(resp.Fields, bhttp.Field{Name: "allow", Value: allow})
	}
	return x.as(outcome(e.Code), resp, body)
}

// known answers with what is complete, and all is well.
func (x *exchange) known(resp *bhttp.Response, content []byte) result {
	return x.as(outcomeOK, resp, content)
}

// knownJSON does so with JSON.
func (x *exchange) knownJSON(content []byte) result {
	return x.known(&bhttp.Response{Status: http.StatusOK, Fields: fieldsJSON}, content)
}

func (x *exchange) as(o outcome, resp *bhttp.Response, content []byte) result {
	if err := x.answer.known(resp, content); err != nil {
		return x.gone()
	}
	return x.result(o)
}
