// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package ohttp_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/tokengo/tokengo/ohttp"
)

// One exchange, from the exit's keys to the answer in the client's hands. What crosses the relay is
// list, the bytes read from req, and response.
func Example() {
	// The exit makes a key and publishes its configuration.
	key, err := ohttp.GenerateKey(1, ohttp.KEMXWing)
	if err != nil {
		log.Fatal(err)
	}
	keyring, err := ohttp.NewKeyring(key)
	if err != nil {
		log.Fatal(err)
	}
	list, err := ohttp.MarshalKeyConfigs([]ohttp.KeyConfig{key.Config()})
	if err != nil {
		log.Fatal(err)
	}

	// The client seals a request to it.
	configs, err := ohttp.ParseKeyConfigs(list)
	if err != nil || len(configs) == 0 {
		log.Fatal("no key to seal to: ", err)
	}
	req, err := ohttp.SealRequest(&configs[0], ohttp.Chunked, strings.NewReader("What is the time?"))
	if err != nil {
		log.Fatal(err)
	}

	// The exit opens it, and answers in chunks as they come.
	var response bytes.Buffer
	opened, err := keyring.OpenRequest(req, ohttp.Chunked, 0)
	if err != nil {
		log.Fatal(err)
	}
	question, err := io.ReadAll(opened)
	if err != nil {
		log.Fatal(err)
	}
	sealer, err := opened.SealResponse(&response)
	if err != nil {
		log.Fatal(err)
	}
	for _, token := range []string{"It ", "is ", "noon"} {
		if err := sealer.WriteChunk([]byte(token)); err != nil {
			log.Fatal(err)
		}
	}
	if err := sealer.Close([]byte(".")); err != nil {
		log.Fatal(err)
	}

	// The client reads the answer. Without error, it is complete.
	answer, err := io.ReadAll(req.OpenResponse(&response, 0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n%s\n", question, answer)
	// Output:
	// What is the time?
	// It is noon.
}
