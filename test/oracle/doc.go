// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package oracle asks through TokenGo with an Oblivious HTTP client that others wrote: the library
// github.com/openpcc/ohttp on Cloudflare's HPKE. It knows the URL of a relay and the hash of an exit's
// key list, and imports nothing of this project; it is a module of its own so that the product does not
// come to depend on that library. What it talks to is started by run.sh, which also runs the other
// oracle, in node/.
//
// It has tests only:
//
//	test/oracle/run.sh
package oracle
