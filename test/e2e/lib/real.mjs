// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// How a real Ollama is on offer besides by its models' own names: see aliases.mjs.

/** The protocols that an Ollama speaks. */
export const REAL_PROTOCOLS = ['openai', 'claude', 'ollama'];

/** over is the name of a model that is offered over one protocol alone. */
export const over = (name, protocol) => `${name.replace(/:latest$/, '')}-over-${protocol}`;
