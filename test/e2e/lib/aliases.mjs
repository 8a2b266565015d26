// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Prints the configuration of an exit that offers each model of a real Ollama once for every protocol that it speaks, and
// by names that no other exit offers. So a tool of another protocol gets its answers by translation alone.
//
//   node lib/aliases.mjs URL

import { REAL_PROTOCOLS, over } from './real.mjs';

const url = process.argv[2];
const { models } = await (await fetch(`${url}/api/tags`)).json();
const backends = REAL_PROTOCOLS.map((protocol) => {
  const aliases = Object.fromEntries(models.map(({ name }) => [over(name, protocol), name]));
  return { protocol, url, models: Object.keys(aliases), aliases };
});
console.log(JSON.stringify({ backends })); // which is YAML, too
