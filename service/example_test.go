// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/tokengo/tokengo/service"
)

// An exit signs what it offers; a client reads it only if the signature is good, and refuses it with other keys.
func Example() {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	now := time.Now()
	keys := []byte("the exit's application/ohttp-keys list")

	signed, err := service.Sign(key, keys, &service.Info{
		Operator:  "Example Exits",
		Sequence:  now.UnixMilli(),
		NotBefore: now,
		Expires:   now.Add(25 * time.Hour),
		Protocols: []service.Protocol{service.OpenAI},
		Models: []service.Model{{
			ID:       "gpt-5.2",
			Protocol: service.OpenAI,
			Pricing:  &service.Pricing{InputPer1M: "1.75", OutputPer1M: "14.00", Currency: "USD"},
		}},
		Tier: service.Standard,
	})
	if err != nil {
		panic(err)
	}

	info, err := signed.Verify(now)
	if err != nil {
		panic(err)
	}
	fmt.Println(service.Printable(info.Operator, 40), info.Offers(service.OpenAI, "gpt-5.2"))

	signed.KeyConfig = []byte("somebody else's keys")
	_, err = signed.Verify(now)
	fmt.Println(errors.Is(err, service.ErrSignature))
	// Output:
	// Example Exits true
	// true
}

// Text that strangers wrote is made harmless before it reaches a terminal.
func ExamplePrintable() {
	fmt.Println(service.Printable("free\x1b[2J models for everybody who asks", 20))
	// Output: free�[2J models for…
}
