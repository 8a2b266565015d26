// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/ohttp"
	"github.com/tokengo/tokengo/scrub"
	"github.com/tokengo/tokengo/shape"
)

// request is what goes inside the seal. It is written anew from the operation: nothing that the tool
// sent is in it but what [scrub] lets through.
type request struct {
	op       dialect.Operation
	model    string // as the body or the path names it
	demand   *demand
	scrubbed *scrub.Request
	shape    shape.Mode
}

func newRequest(op dialect.Operation, header http.Header, body []byte, options scrub.Options) (*request, *dialect.Error) {
	scrubbed, fail := scrub.New(op, header, body, options)
	if fail != nil {
		return nil, fail
	}
	return &request{op: op, scrubbed: scrubbed}, nil
}

// mayRepeat reports whether the request may be sent again when it is not known whether an exit worked on it.
func (q *request) mayRepeat() bool {
	switch q.demand.retry {
	case RetryNever:
		return false
	case RetryAlways:
		return true
	}
	return !q.demand.effects
}

// message is a request as one exit gets it.
type message struct {
	op       dialect.Operation
	scrubbed scrub.Message
	fields   bhttp.Fields
	shape    shape.Mode
}

// message is the request for one exit, scrubbed for that one and for the model by the name that it has there.
func (q *request) message(exit scrub.Exit, model string) (*message, error) {
	m := &message{op: q.op, scrubbed: q.scrubbed.For(exit), shape: q.shape}
	if !dialect.SameModel(q.op.Protocol, model, q.model) {
		var err error
		if m.op, m.scrubbed.Body, err = q.op.WithModel(m.scrubbed.Body, model); err != nil {
			return nil, err
		}
	}
	fields := make(bhttp.Fields, len(m.scrubbed.Fields), len(m.scrubbed.Fields)+2)
	for i, f := range m.scrubbed.Fields {
		fields[i] = bhttp.Field(f)
	}
	m.fields = shaped(fields, q.shape)
	return m, nil
}

// errUnwritable is a request that no header of Binary HTTP can hold.
var errUnwritable = errors.New("the request cannot be written as Binary HTTP")

// seal seals the message, dated as given, so that the exit takes it once (docs/protocol.md). Its length, in sealed bytes,
// does not depend on the date.
func (m *message) seal(key *ohttp.KeyConfig, f ohttp.Format, date time.Time) (sealed *ohttp.SealedRequest, length int64, err error) {
	head, err := bhttp.AppendRequestHead(nil, &bhttp.Request{
		Method:    http.MethodPost,
		Scheme:    innerScheme,
		Authority: innerAuthority,
		Path:      m.op.Path,
		Fields:    append(m.fields[:len(m.fields):len(m.fields)], bhttp.Field{Name: "date", Value: date.UTC().Format(http.TimeFormat)}),
	}, int64(len(m.scrubbed.Body)))
	if err != nil {
		return nil, 0, errUnwritable // without the values that the cause may quote
	}
	tail, err := bhttp.AppendTrailer(nil, nil)
	if err != nil {
		return nil, 0, errUnwritable
	}
	plain := int64(len(head) + len(m.scrubbed.Body) + len(tail))
	padding := int64(0)
	if m.shape != shape.Off {
		padding = max(0, shape.RequestSize(plain)-plain)
	}
	sealed, err = ohttp.SealRequest(key, f, io.MultiReader(
		bytes.NewReader(head), bytes.NewReader(m.scrubbed.Body), bytes.NewReader(tail), io.LimitReader(zeros{}, padding)))
	if err != nil {
		return nil, 0, err
	}
	return sealed, sealed.Len(plain + padding), nil
}
