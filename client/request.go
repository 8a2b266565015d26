// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/scrub"
)

// request is what goes inside the seal. It is written anew from the operation: nothing that the tool
// sent is in it but what [scrub] lets through.
type request struct {
	op       dialect.Operation
	model    string
	scrubbed *scrub.Request
}

func newRequest(op dialect.Operation, header http.Header, body []byte, options scrub.Options) (*request, *dialect.Error) {
	model, fail := op.RequestModel(body)
	if fail != nil {
		return nil, fail
	}
	scrubbed, fail := scrub.New(op, header, body, options)
	if fail != nil {
		return nil, fail
	}
	return &request{op: op, model: model, scrubbed: scrubbed}, nil
}

// errUnwritable is a request that no header of Binary HTTP can hold.
var errUnwritable = errors.New("the request cannot be written as Binary HTTP")

// plaintext is the request to be sealed, as one exit gets it.
func plaintext(op dialect.Operation, m scrub.Message) (io.Reader, error) {
	fields := make(bhttp.Fields, len(m.Fields))
	for i, f := range m.Fields {
		fields[i] = bhttp.Field(f)
	}
	head, err := bhttp.AppendRequestHead(nil, &bhttp.Request{
		Method:    http.MethodPost,
		Scheme:    innerScheme,
		Authority: innerAuthority,
		Path:      op.Path,
		Fields:    fields,
	}, int64(len(m.Body)))
	if err != nil {
		return nil, errUnwritable // without the values that the cause may quote
	}
	tail, err := bhttp.AppendTrailer(nil, nil)
	if err != nil {
		return nil, errUnwritable
	}
	return io.MultiReader(bytes.NewReader(head), bytes.NewReader(m.Body), bytes.NewReader(tail)), nil
}
