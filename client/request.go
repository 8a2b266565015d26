// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/tokengo/tokengo/bhttp"
	"github.com/tokengo/tokengo/dialect"
)

// request is what goes inside the seal. It is written anew from the operation: nothing that the tool
// sent is in it but the body and the values of the fields that the protocol needs.
type request struct {
	op    dialect.Operation
	model string
	head  []byte // Binary HTTP, up to the content
	body  []byte
	tail  []byte // and behind it
}

func newRequest(op dialect.Operation, header http.Header, body []byte) (*request, *dialect.Error) {
	model, fail := op.RequestModel(body)
	if fail != nil {
		return nil, fail
	}
	q := &request{op: op, model: model, body: body}
	var err error
	q.head, err = bhttp.AppendRequestHead(nil, &bhttp.Request{
		Method:    http.MethodPost,
		Scheme:    innerScheme,
		Authority: innerAuthority,
		Path:      op.Path,
		Fields:    innerFields(op, header),
	}, int64(len(body)))
	if err == nil {
		q.tail, err = bhttp.AppendTrailer(nil, nil)
	}
	if err != nil {
		return nil, &dialect.Error{Code: dialect.CodeInternal, Message: "The request cannot be written as Binary HTTP."}
	}
	return q, nil
}

// plaintext is the request to be sealed. It can be called again for another try.
func (q *request) plaintext() io.Reader {
	return io.MultiReader(bytes.NewReader(q.head), bytes.NewReader(q.body), bytes.NewReader(q.tail))
}

// innerFields are the fields that the protocol needs, in the protocol's order, whatever order and
// spelling the tool used.
func innerFields(op dialect.Operation, header http.Header) bhttp.Fields {
	var fields bhttp.Fields
	for _, name := range dialect.RequestFields(op.Protocol) {
		if value := normal(name, header.Values(name)); value != "" {
			fields = append(fields, bhttp.Field{Name: name, Value: value})
		}
	}
	return fields
}

// normal is one spelling for all values that mean the same, so that they tell less about the tool; "" is
// left out.
func normal(name string, values []string) string {
	if name == "content-type" {
		return "application/json" // of every operation; the body has been looked at
	}
	var items []string
	for _, value := range values {
		for item := range strings.SplitSeq(value, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, item)
			}
		}
	}
	if name == "accept" {
		return normalAccept(items)
	}
	return strings.Join(items, ",")
}

// normalAccept keeps the two types that backends tell apart, where a tool asks for just one of them, and
// takes everything else for "anything".
func normalAccept(items []string) string {
	if len(items) == 1 && (items[0] == "application/json" || items[0] == "text/event-stream") {
		return items[0]
	}
	return ""
}
