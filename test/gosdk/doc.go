// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package gosdk has the vendors' own Go SDKs judge TokenGo: those of OpenAI (Chat Completions and Responses),
// Anthropic, Google GenAI and Ollama's api package. It is a module of its own so that the product does not come to
// depend on them. It has tests only:
//
//	test/gosdk/run.sh
//
// What they do, each in files of its own:
//
//   - golden_test.go: every translated answer among the golden files of dialect/translate is read by the SDK of the
//     tool's protocol, and the answer that it was made of by the SDK of the backend's. Both must have read the same.
//     tidy_test.go brings answers into a form that the SDK knows where codecs know more.
//   - chat_test.go, input_test.go, fault_test.go, other_test.go: the SDKs use models of every protocol through a
//     whole network, in front of backends that answer from the same files (backend_test.go) and keep what they got.
//
// An adapter each ([sdk]) makes the SDKs alike. Streams are put together by the SDK's own accumulator where it has one.
package gosdk
