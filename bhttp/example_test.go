// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package bhttp_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/tokengo/tokengo/bhttp"
)

// A client writes a request, which an exit reads.
func Example() {
	content := []byte(`{"model":"m"}`)
	sent := &bhttp.Request{
		Method: "POST", Scheme: "https", Authority: "exit", Path: "/v1/messages",
		Fields: bhttp.Fields{{Name: "content-type", Value: "application/json"}},
	}
	message, err := bhttp.AppendRequestHead(nil, sent, int64(len(content)))
	if err != nil {
		log.Fatal(err)
	}
	message = append(message, content...)
	if message, err = bhttp.AppendTrailer(message, nil); err != nil {
		log.Fatal(err)
	}

	req, err := bhttp.ReadRequest(bytes.NewReader(message), bhttp.Limits{BodyBytes: 1 << 20})
	if err != nil {
		log.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		log.Fatal(err) // the content is not to be trusted unless it is complete
	}
	fmt.Println(req.Method, req.Path, req.Fields.Get("content-type"))
	fmt.Println(string(body))
	// Output:
	// POST /v1/messages application/json
	// {"model":"m"}
}

// An exit writes a response as it arrives, and the client reads it as it is written.
func Example_streaming() {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b, err := bhttp.AppendResponseHead(nil, &bhttp.Response{
			Status: 200,
			Fields: bhttp.Fields{{Name: "content-type", Value: "text/event-stream"}},
		})
		if err != nil {
			w.CloseWithError(err)
			return
		}
		b = bhttp.AppendContentChunk(b, []byte("data: one\n"))
		b = bhttp.AppendContentChunk(b, []byte("data: two\n"))
		b, err = bhttp.AppendContentEnd(b, bhttp.Fields{{Name: "x-usage", Value: "2"}})
		if err == nil {
			_, err = w.Write(b)
		}
		w.CloseWithError(err)
	}()

	resp, err := bhttp.ReadResponse(r, bhttp.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(os.Stdout, resp.Body); err != nil {
		log.Fatal(err)
	}
	<-done
	fmt.Println(resp.Status, resp.Trailer.Get("x-usage"))
	// Output:
	// data: one
	// data: two
	// 200 2
}
