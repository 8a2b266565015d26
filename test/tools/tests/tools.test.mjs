// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Each AI tool finishes a task with the scripted model (lib/script.mjs) of each protocol that is not its own.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KNOWN, dir, missing, others, url, watch } from '../lib/network.mjs';
import { said, written } from '../lib/script.mjs';

const LIMIT = 45_000; // ms; the slowest takes 15 on two cores
const bin = (name, command) => join(import.meta.dirname, '..', 'packages', name, 'node_modules', '.bin', command);

/** Each: command(model, prompt) in a folder, with a home of its own; and last, the model's last words in its output. */
const tools = [
  {
    name: 'claude-code',
    protocol: 'claude',
    command: (model, prompt) => [bin('claude-code', 'claude'), '-p', prompt, '--model', model, '--output-format', 'json', '--dangerously-skip-permissions'],
    env: {
      ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'tokengo', IS_SANDBOX: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_TELEMETRY: '1', DISABLE_AUTOUPDATER: '1', DISABLE_ERROR_REPORTING: '1',
    },
    last: (out) => JSON.parse(out).result,
  },
  {
    name: 'codex',
    protocol: 'openai',
    command: (model, prompt) => [
      bin('codex', 'codex'), 'exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '-m', model,
      '-c', 'model_provider=tokengo', '-c', `model_providers.tokengo={name="TokenGo", base_url="${url}/v1", wire_api="responses"}`,
      '-c', 'analytics.enabled=false', '-c', 'check_for_update_on_startup=false', prompt,
    ],
    env: {},
    last: (out) => out.trim().split('\n').at(-1),
  },
  {
    name: 'gemini-cli',
    protocol: 'gemini',
    command: (model, prompt) => [bin('gemini-cli', 'gemini'), '-p', prompt, '-m', model, '--yolo', '--skip-trust'],
    env: { GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: 'tokengo', GEMINI_TELEMETRY_ENABLED: 'false' },
    home: {
      '.gemini/settings.json': JSON.stringify({
        security: { auth: { selectedType: 'gemini-api-key' } }, privacy: { usageStatisticsEnabled: false }, telemetry: { enabled: false }, general: { enableAutoUpdate: false },
      }),
    },
    last: (out) => out.trim().split('\n').at(-1),
  },
];

function run([command, ...args], env, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT - 5000, killSignal: 'SIGKILL' });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (s) => { out += s; });
    child.stderr.setEncoding('utf8').on('data', (s) => { err += s; });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal, out, err }));
  });
}

/** A task for each tool and protocol, and some with names of models that the tools know and treat in a way of their own. */
const tasks = tools.flatMap((tool) => others(tool.protocol).map((protocol) => ({ tool, protocol, model: `scripted-${protocol}` })));
// Codex speaks Responses only, and the scripted backend has chat completions.
tasks.push({ tool: tools.find((t) => t.name === 'codex'), protocol: 'openai', model: 'scripted-openai' });
for (const [name, protocol, model] of KNOWN) tasks.push({ tool: tools.find((t) => t.name === name), protocol, model });

for (const { tool, protocol, model } of tasks) {
  test(`${tool.name} works with ${model} over ${protocol}`, { timeout: LIMIT, skip: missing(tool.name) }, async () => {
    const base = mkdtempSync(join(dir, `${tool.name}-${protocol}-`));
    const [home, folder] = [join(base, 'home'), join(base, 'work')];
    mkdirSync(home);
    mkdirSync(folder);
    for (const [path, text] of Object.entries(tool.home ?? {})) {
      mkdirSync(join(home, path, '..'), { recursive: true });
      writeFileSync(join(home, path), text);
    }
    const notes = ['é', '世界'].map((word) => `note-${word}-${randomUUID().slice(0, 8)}`);
    ['first.txt', 'second.txt'].forEach((f, i) => writeFileSync(join(folder, f), `${notes[i]}\n`));
    const prompt = `Read first.txt and second.txt, and write what they say to third.txt. FOLDER=<${folder}>`;
    const env = { PATH: process.env.PATH, HOME: home, TMPDIR: base, TERM: 'dumb', LANG: 'C.UTF-8', ...tool.env };
    const { value, requests } = await watch(protocol, () => run(tool.command(model, prompt), env, folder));
    writeFileSync(join(base, 'output'), `${value.out}\n== stderr\n${value.err}`);
    assert.equal(value.code, 0, `${value.out}\n${value.err}`.slice(-4000));
    assert.ok(requests.length >= 3, `${requests.length} requests`);
    assert.equal(readFileSync(join(folder, 'third.txt'), 'utf8').trimEnd(), written(notes).trimEnd());
    assert.equal(tool.last(value.out), said(notes));
  });
}
