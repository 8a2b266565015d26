// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Vercel's AI SDK with its providers, one entry for each way in which they ask:
//
//   protocol, native   as the adapters in sdks.mjs have them
//   model(id)          the SDK's model
//   options            of the provider
//   byTool             it asks for a schema by a tool that must be called

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { url } from './network.mjs';

const require = createRequire(join(import.meta.dirname, '..', 'packages', 'ai', 'package.json'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
export const ai = await load('ai');
const { createOpenAI } = await load('@ai-sdk/openai');
const { createAnthropic } = await load('@ai-sdk/anthropic');
const { createGoogleGenerativeAI } = await load('@ai-sdk/google');
const { createOllama } = await load('ollama-ai-provider-v2');
const { createOpenRouter } = await load('@openrouter/ai-sdk-provider');

/** openRouter is OpenRouter's provider, before TokenGo's client. */
export const openRouter = (settings) => createOpenRouter({ baseURL: `${url}/v1`, apiKey: 'tokengo', ...settings });

const apiKey = 'tokengo';
/** openAI is the provider with a base of one's own. */
export const openAI = (base) => createOpenAI({ baseURL: `${base}/v1`, apiKey });
const openai = openAI(url);
const anthropic = createAnthropic({ baseURL: `${url}/v1`, apiKey });
const google = createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey });
const ollama = createOllama({ baseURL: `${url}/api` });

export const providers = [
  { name: '@ai-sdk/openai chat', protocol: 'openai', native: 'openai', model: (id) => openai.chat(id) },
  { name: '@ai-sdk/openai responses', protocol: 'openai', native: 'responses', model: (id) => openai.responses(id), options: { openai: { store: false } } },
  { name: '@ai-sdk/anthropic', protocol: 'claude', native: 'claude', model: (id) => anthropic(id), byTool: true },
  // By itself it asks for a schema by a tool, unless it knows that the model can do better. It knows its vendor's alone.
  { name: '@ai-sdk/anthropic with schemas', protocol: 'claude', native: 'claude', model: (id) => anthropic(id), options: { anthropic: { structuredOutputMode: 'outputFormat' } } },
  { name: '@ai-sdk/google', protocol: 'gemini', native: 'gemini', model: (id) => google(id) },
  { name: 'ollama-ai-provider-v2', protocol: 'ollama', native: 'ollama', model: (id) => ollama(id) },
];
