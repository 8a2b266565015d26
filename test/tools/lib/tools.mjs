// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// The AI tools: how each is told to do a task without a person, through the client at a URL.
//
//   name       of its folder in packages/
//   protocol   that it speaks; api, where a protocol has two
//   command(model, prompt, url)   in a folder, with a home of its own
//   env(url, key)                 for it
//   home(url, key)                files in its home, by path
//   last(out)                     the model's last words in its output

import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const bin = (name, command) => join(import.meta.dirname, '..', 'packages', name, 'node_modules', '.bin', command);
const lastLine = (out) => out.trim().split('\n').at(-1);

export const tools = [
  {
    name: 'claude-code',
    protocol: 'claude',
    command: (model, prompt) => [bin('claude-code', 'claude'), '-p', prompt, '--model', model, '--output-format', 'json', '--dangerously-skip-permissions'],
    env: (url, key) => ({
      ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key, IS_SANDBOX: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_TELEMETRY: '1', DISABLE_AUTOUPDATER: '1', DISABLE_ERROR_REPORTING: '1',
    }),
    last: (out) => JSON.parse(out).result,
  },
  {
    name: 'codex',
    protocol: 'openai',
    api: 'responses',
    command: (model, prompt, url) => [
      bin('codex', 'codex'), 'exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '-m', model,
      '-c', 'model_provider=tokengo', '-c', `model_providers.tokengo={name="TokenGo", base_url="${url}/v1", wire_api="responses"}`,
      '-c', 'analytics.enabled=false', '-c', 'check_for_update_on_startup=false', prompt,
    ],
    env: (url, key) => ({ OPENAI_API_KEY: key }),
    last: lastLine,
  },
  {
    name: 'gemini-cli',
    protocol: 'gemini',
    command: (model, prompt) => [bin('gemini-cli', 'gemini'), '-p', prompt, '-m', model, '--yolo', '--skip-trust'],
    env: (url, key) => ({ GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: key, GEMINI_TELEMETRY_ENABLED: 'false' }),
    home: () => ({
      '.gemini/settings.json': {
        security: { auth: { selectedType: 'gemini-api-key' } }, privacy: { usageStatisticsEnabled: false }, telemetry: { enabled: false }, general: { enableAutoUpdate: false },
      },
    }),
    last: lastLine,
  },
  {
    name: 'qwen-code',
    protocol: 'openai',
    command: (model, prompt) => [bin('qwen-code', 'qwen'), '-p', prompt, '-m', model, '--yolo'],
    env: (url, key) => ({
      OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: key, OPENAI_MODEL: 'scripted-openai', QWEN_TELEMETRY_ENABLED: 'false', QWEN_USAGE_STATISTICS_ENABLED: 'false',
    }),
    home: () => ({ '.qwen/settings.json': { security: { auth: { selectedType: 'openai' } }, general: { enableAutoUpdate: false } } }),
    last: lastLine,
  },
  {
    name: 'opencode',
    protocol: 'openai',
    command: (model, prompt) => [bin('opencode', 'opencode'), 'run', '-m', `tokengo/${model}`, prompt],
    env: () => ({ OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_LSP_DOWNLOAD: '1' }),
    home: (url, key) => ({
      '.config/opencode/opencode.json': {
        provider: { tokengo: { npm: '@ai-sdk/openai-compatible', name: 'TokenGo', options: { baseURL: `${url}/v1`, apiKey: key }, models: { 'scripted-openai': { name: 'scripted' } } } },
        permission: { edit: 'allow', bash: 'allow', external_directory: 'allow' }, share: 'disabled', autoupdate: false,
      },
    }),
    last: lastLine,
  },
];

/** furnish writes the files that a tool wants in its home. */
export function furnish(tool, home, url, key) {
  for (const [path, settings] of Object.entries(tool.home?.(url, key) ?? {})) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), JSON.stringify(settings));
  }
}

/** run ends with the command: {code, out, err}. It is killed after the limit, in ms. */
export function run([command, ...args], env, cwd, limit) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: limit, killSignal: 'SIGKILL' });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (s) => { out += s; });
    child.stderr.setEncoding('utf8').on('data', (s) => { err += s; });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal, out, err }));
  });
}
