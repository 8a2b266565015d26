// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// What run.sh started, as the tests see it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const PROTOCOLS = ['openai', 'claude', 'gemini', 'ollama'];
/** Models on offer besides scripted-PROTOCOL: for which tool, over which protocol, and their name. */
export const KNOWN = [
  ['claude-code', 'openai', 'claude-sonnet-4-5'],
  ['codex', 'claude', 'gpt-5.5'],
  ['gemini-cli', 'ollama', 'gemini-2.5-pro'],
];
export const url = required('TOOLS_URL');
export const dir = required('TOOLS_DIR');

export function required(name) {
  assert.ok(process.env[name], `${name} is not set: start the tests with run.sh`);
  return process.env[name];
}

/** missing is the reason to skip what needs a package, or false. */
export const missing = (name) => process.env.TOOLS_MISSING.split(' ').includes(name) && `npm could not install ${name}`;

/** others are the protocols that a tool of the given one does not speak. */
export const others = (protocol) => PROTOCOLS.filter((p) => p !== protocol);

const log = join(dir, 'requests.ndjson');
const all = () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l)) : []);

/** over is how the scripted backend of a protocol is asked for an SDK: natively if it is the SDK's own. */
export const over = (sdk, protocol) => (protocol === sdk.protocol ? sdk.native : protocol);

/** since returns the requests that reached the backend after the first n. */
export const since = (n = 0) => all().slice(n);

/** watch runs do and returns its value with the requests that reached the backend meanwhile. None may break a rule. */
export async function watch(protocol, run) {
  const before = all().length;
  const value = await run();
  const requests = all().slice(before);
  for (const r of requests) {
    assert.deepEqual(r.broken ?? [`${r.method} ${r.path}`], [], `the backend refused ${JSON.stringify(r.body)?.slice(0, 20_000)}`);
    assert.equal(r.protocol, protocol);
  }
  return { value, requests };
}
