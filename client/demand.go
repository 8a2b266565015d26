// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"net/http"

	"github.com/tokengo/tokengo/dialect"
	"github.com/tokengo/tokengo/route"
)

type demand struct {
	route   route.Request
	retry   Retry
	stream  bool
	effects bool
}

type demands struct{ retry Retry }

func newDemands(r Retry, _ Affinity) *demands { return &demands{r} }

func (d *demands) of(op dialect.Operation, _ http.Header, body []byte) (*demand, []byte, *dialect.Error) {
	model, fail := op.RequestModel(body)
	if fail != nil {
		return nil, nil, fail
	}
	return &demand{
		retry: d.retry, stream: op.Stream || bytes.Contains(body, []byte(`"stream":true`)),
		route: route.Request{Protocols: op.Reaches(), Models: []string{model}},
	}, body, nil
}
