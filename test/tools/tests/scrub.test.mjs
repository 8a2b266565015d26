// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Two made-up users (lib/users.mjs) have the same tool do the same task. What reaches the backend differs in prompt text
// only, and outside of it holds nothing of theirs; with pseudonyms it holds nothing of theirs anywhere, and the task is
// done all the same.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { missing, required, since, url } from '../lib/network.mjs';
import { said, written } from '../lib/script.mjs';
import { furnish, run, tools } from '../lib/tools.mjs';
import { user, withClient } from '../lib/users.mjs';

const LIMIT = 90_000; // ms; two runs of at most 40
const NOTES = ['note-é-01234567', 'note-世界-89abcdef'];

const sdk = (name, protocol, api) => ({
  name: `the SDK of ${name}`, package: 'sdks', protocol, api,
  command: (model, prompt) => [process.execPath, join(import.meta.dirname, '..', 'lib', 'ask.mjs'), name, model, prompt],
  env: (base, key) => ({ TOOLS_URL: base, TOOLS_DIR: required('TOOLS_DIR'), TOOLS_KEY: key }),
  last: (out) => out.trim(),
});
const all = [
  ...tools.map((t) => ({ ...t, package: t.name })),
  sdk('openai', 'openai'), sdk('openai responses', 'openai', 'responses'), sdk('claude', 'claude'), sdk('gemini', 'gemini'), sdk('ollama', 'ollama'),
];

/** work has a tool do the task for a user, and returns the requests that reached the backend. */
async function work(tool, u, base) {
  furnish(tool, u.home, base, u.key);
  ['first.txt', 'second.txt'].forEach((f, i) => writeFileSync(join(u.work, f), `${NOTES[i]}\n`));
  const prompt = `Read first.txt and second.txt, and write what they say to third.txt. FOLDER=<${u.work}>`;
  await fetch(`${required('TOOLS_BACKEND')}/reset`);
  const before = since().length;
  const done = await run(tool.command(`scripted-${tool.protocol}`, prompt, base), { ...u.env, ...tool.env(base, u.key) }, u.work, LIMIT / 2 - 5000);
  const requests = since(before);
  writeFileSync(join(u.home, 'output'), `${done.out}\n== stderr\n${done.err}`);
  assert.equal(done.code, 0, `${done.out}\n${done.err}`.slice(-4000));
  assert.equal(readFileSync(join(u.work, 'third.txt'), 'utf8').trimEnd(), written(NOTES).trimEnd());
  assert.equal(tool.last(done.out), said(NOTES));
  assert.ok(requests.length >= 3, `${requests.length} requests`);
  for (const r of requests) {
    assert.deepEqual(r.broken, [], `the backend refused ${JSON.stringify(r.body)?.slice(0, 4000)}`);
    assert.equal(r.protocol, tool.api ?? tool.protocol);
  }
  return requests;
}

/** Where prompts have text: members whose strings are text, and those below which everything is what a model or tool wrote. */
const TEXT = ['text', 'content', 'thinking', 'reasoning_content', 'instructions', 'description', 'output', 'arguments'];
const WRITTEN = ['args', 'response'];

/** bare is a request without its prompt text. */
function bare(request) {
  const strip = (v, key, parent) => {
    if (key === 'tool_use_id') return '…'; // Claude Code sends results in the order in which they are ready
    if (typeof v === 'string') return TEXT.includes(key) || (key === 'input' && parent?.type !== 'tool_use') ? '…' : v;
    if (Array.isArray(v)) return v.map((e) => strip(e, key, v));
    if (typeof v !== 'object' || v === null) return v;
    if (WRITTEN.includes(key) || (key === 'input' && parent?.type === 'tool_use') || (key === 'arguments' && parent?.name)) return '…';
    return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, strip(e, k, v)]));
  };
  const { headers, body, method, path } = request;
  // A code for the tool's session with this exit: made of an id of the session, it cannot be the same for two.
  const { prompt_cache_key: code, ...rest } = body;
  if (code !== undefined) assert.match(code, /^[0-9a-f]{32}$/);
  const { 'content-length': _, host: __, ...fixed } = headers; // of text, and the exit's
  return { method, path, headers: fixed, order: request.order.filter((n) => n !== 'content-length'), body: strip(rest) };
}

const lines = (requests) => requests.map((r) => JSON.stringify(bare(r))).sort();

for (const tool of all) {
  const skip = missing(tool.package);
  test(`${tool.name}: two users differ in prompt text only`, { timeout: LIMIT, skip }, async () => {
    const users = [user('alice'), user('bob')];
    const runs = [];
    for (const u of users) runs.push(await work(tool, u, url));
    runs.forEach((requests, i) => {
      for (const line of lines(requests)) assert.ok(!line.includes(users[i].mark), `the user's mark ${users[i].mark} is in ${line.slice(0, 8000)}`);
    });
    assert.deepEqual(lines(runs[1]), lines(runs[0]));
  });

  test(`${tool.name}: nothing of a user is left with pseudonyms`, { timeout: LIMIT, skip }, async () => {
    const u = user('carol');
    const requests = await withClient(u, ['--pseudonyms', '--pseudonym-word', `host-${u.mark}`], (own) => work(tool, u, own));
    for (const r of requests) {
      const line = JSON.stringify({ headers: r.headers, body: r.body, path: r.path });
      const at = line.indexOf(u.mark);
      assert.equal(at, -1, `the user's mark is in …${line.slice(at - 200, at + 100)}…`);
      assert.ok(!line.includes(u.name), 'the name is');
    }
    assert.match(JSON.stringify(requests.map((r) => r.body)), /\/home\/user\d+\/work/);
  });
}
