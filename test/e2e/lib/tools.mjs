// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// One adapter for each vendor's SDK, so that what must hold for all is written once (conformance.test.mjs):
//
//   models           what to ask for: from the demo backend, the mock, the mock when it is to be too busy (a model that is
//                    left alone for a while), and one that nobody has
//   list()           ids of the models on offer
//   chat(m, p)       the text of a plain answer
//   stream(m, p, s)  yields {text} for every event of a streamed answer; s aborts it
//   look(m, p, b)    the text of an answer about an image in base64
//   weather(m, p)    asks with a tool, runs the call, and returns {call, text}
//   status(err)      the HTTP status of an error that the SDK threw
//   NotFound         matches its error for 404, as assert.rejects takes it

import './wire.mjs';
import Anthropic from '@anthropic-ai/sdk';
import { ApiError, GoogleGenAI } from '@google/genai';
import { Ollama } from 'ollama';
import OpenAI, { NotFoundError } from 'openai';
import { clientURL, plantedHeader, toolKey } from './network.mjs';

/** The planted header, which every SDK here sends. */
export const headers = { 'x-canary': plantedHeader };

export const sdk = {
  openai: new OpenAI({ baseURL: `${clientURL}/v1`, apiKey: toolKey, organization: plantedHeader, defaultHeaders: headers, maxRetries: 0 }),
  claude: new Anthropic({ baseURL: clientURL, apiKey: toolKey, defaultHeaders: headers, maxRetries: 0 }),
  gemini: new GoogleGenAI({ apiKey: toolKey, vertexai: false, httpOptions: { baseUrl: clientURL, headers } }),
  ollama: new Ollama({ host: clientURL, headers: { ...headers, authorization: `Bearer ${toolKey}` } }),
};

const NOBODYS = 'no-such-model';
const LIMIT = 1000; // tokens, where a protocol wants a limit
const PNG = 'image/png';
/** The tool that tests offer, and what it returns. */
const WEATHER = {
  name: 'get_weather',
  description: 'Tells the weather of a city.',
  schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  result: { temperature: 21, sky: 'sunny' },
};
const ask = (content) => [{ role: 'user', content }];

async function collect(pages) {
  const ids = [];
  for await (const model of pages) ids.push(model.id ?? model.name);
  return ids;
}

const openai = {
  name: 'openai',
  models: { demo: 'demo-gpt', mock: 'mock-gpt', busy: 'busy-gpt', nobodys: NOBODYS },
  list: async () => collect(await sdk.openai.models.list()),
  async chat(model, prompt) {
    const answer = await sdk.openai.chat.completions.create({ model, messages: ask(prompt) });
    return answer.choices[0].message.content;
  },
  async *stream(model, prompt, signal) {
    const events = await sdk.openai.chat.completions.create({ model, messages: ask(prompt), stream: true }, { signal });
    for await (const e of events) yield { text: e.choices[0]?.delta?.content ?? '' };
  },
  look: (model, prompt, image) => openai.chat(model, [
    { type: 'text', text: prompt },
    { type: 'image_url', image_url: { url: `data:${PNG};base64,${image}` } },
  ]),
  async weather(model, prompt) {
    const tools = [{ type: 'function', function: { name: WEATHER.name, description: WEATHER.description, parameters: WEATHER.schema } }];
    const first = await sdk.openai.chat.completions.create({ model, messages: ask(prompt), tools });
    const message = first.choices[0].message;
    const [call] = message.tool_calls;
    const result = { role: 'tool', tool_call_id: call.id, content: JSON.stringify(WEATHER.result) };
    const second = await sdk.openai.chat.completions.create({ model, tools, messages: [...ask(prompt), message, result] });
    return { call: { name: call.function.name, args: JSON.parse(call.function.arguments) }, text: second.choices[0].message.content };
  },
  status: (err) => err.status,
  NotFound: NotFoundError,
};

const responses = {
  ...openai,
  name: 'openai responses',
  models: { ...openai.models, busy: 'busy-responses' },
  async chat(model, prompt) {
    return (await sdk.openai.responses.create({ model, input: prompt })).output_text;
  },
  async *stream(model, prompt, signal) {
    const events = await sdk.openai.responses.create({ model, input: prompt, stream: true }, { signal });
    for await (const e of events) {
      if (e.type === 'response.failed' || e.type === 'error') throw new Error(JSON.stringify(e));
      yield { text: e.type === 'response.output_text.delta' ? e.delta : '' };
    }
  },
  look: (model, prompt, image) => responses.chat(model, [{
    role: 'user',
    content: [{ type: 'input_text', text: prompt }, { type: 'input_image', detail: 'auto', image_url: `data:${PNG};base64,${image}` }],
  }]),
  async weather(model, prompt) {
    const tools = [{ type: 'function', name: WEATHER.name, description: WEATHER.description, parameters: WEATHER.schema, strict: false }];
    const first = await sdk.openai.responses.create({ model, input: ask(prompt), tools });
    const call = first.output.find((o) => o.type === 'function_call');
    const result = { type: 'function_call_output', call_id: call.call_id, output: JSON.stringify(WEATHER.result) };
    const second = await sdk.openai.responses.create({ model, tools, input: [...ask(prompt), call, result] });
    return { call: { name: call.name, args: JSON.parse(call.arguments) }, text: second.output_text };
  },
};

const claude = {
  name: 'claude',
  models: { demo: 'demo-claude', mock: 'mock-claude', busy: 'busy-claude', nobodys: NOBODYS },
  list: async () => collect(sdk.claude.models.list()),
  async chat(model, prompt) {
    const answer = await sdk.claude.messages.create({ model, max_tokens: LIMIT, messages: ask(prompt) });
    return answer.content.filter((b) => b.type === 'text').map((b) => b.text).join('');
  },
  async *stream(model, prompt, signal) {
    const events = await sdk.claude.messages.create({ model, max_tokens: LIMIT, messages: ask(prompt), stream: true }, { signal });
    for await (const e of events) yield { text: e.delta?.type === 'text_delta' ? e.delta.text : '' };
  },
  look: (model, prompt, image) => claude.chat(model, [
    { type: 'image', source: { type: 'base64', media_type: PNG, data: image } },
    { type: 'text', text: prompt },
  ]),
  async weather(model, prompt) {
    const tools = [{ name: WEATHER.name, description: WEATHER.description, input_schema: WEATHER.schema }];
    const first = await sdk.claude.messages.create({ model, max_tokens: LIMIT, messages: ask(prompt), tools });
    const call = first.content.find((b) => b.type === 'tool_use');
    const result = ask([{ type: 'tool_result', tool_use_id: call.id, content: JSON.stringify(WEATHER.result) }]);
    const messages = [...ask(prompt), { role: 'assistant', content: first.content }, ...result];
    const second = await sdk.claude.messages.create({ model, max_tokens: LIMIT, tools, messages });
    return { call: { name: call.name, args: call.input }, text: second.content.find((b) => b.type === 'text').text };
  },
  status: (err) => err.status,
  NotFound: Anthropic.NotFoundError,
};

const gemini = {
  name: 'gemini',
  models: { demo: 'demo-gemini', mock: 'mock-gemini', busy: 'busy-gemini', nobodys: NOBODYS },
  list: async () => (await collect(await sdk.gemini.models.list())).map((name) => name.replace(/^models\//, '')),
  async chat(model, contents) {
    return (await sdk.gemini.models.generateContent({ model, contents })).text;
  },
  async *stream(model, contents, abortSignal) {
    const events = await sdk.gemini.models.generateContentStream({ model, contents, config: { abortSignal } });
    for await (const e of events) yield { text: e.text ?? '' };
  },
  look: (model, prompt, image) => gemini.chat(model, [{ role: 'user', parts: [{ text: prompt }, { inlineData: { mimeType: PNG, data: image } }] }]),
  async weather(model, prompt) {
    const config = { tools: [{ functionDeclarations: [{ name: WEATHER.name, description: WEATHER.description, parametersJsonSchema: WEATHER.schema }] }] };
    const question = { role: 'user', parts: [{ text: prompt }] };
    const first = await sdk.gemini.models.generateContent({ model, contents: [question], config });
    const [call] = first.functionCalls;
    const result = { role: 'user', parts: [{ functionResponse: { name: call.name, response: WEATHER.result } }] };
    const second = await sdk.gemini.models.generateContent({ model, config, contents: [question, first.candidates[0].content, result] });
    return { call: { name: call.name, args: call.args }, text: second.text };
  },
  status: (err) => err.status,
  NotFound: (err) => err instanceof ApiError && err.status === 404,
};

const ollama = {
  name: 'ollama',
  models: { demo: 'demo-llama', mock: 'mock-llama', busy: 'busy-llama', nobodys: NOBODYS },
  list: async () => (await sdk.ollama.list()).models.map((m) => m.model.replace(/:latest$/, '')),
  async chat(model, prompt) {
    return (await sdk.ollama.chat({ model, messages: ask(prompt) })).message.content;
  },
  async *stream(model, prompt, signal) {
    const events = await sdk.ollama.chat({ model, messages: ask(prompt), stream: true });
    signal?.addEventListener('abort', () => events.abort());
    for await (const e of events) yield { text: e.message.content };
  },
  async look(model, prompt, image) {
    const messages = [{ role: 'user', content: prompt, images: [image] }];
    return (await sdk.ollama.chat({ model, messages })).message.content;
  },
  async weather(model, prompt) {
    const tools = [{ type: 'function', function: { name: WEATHER.name, description: WEATHER.description, parameters: WEATHER.schema } }];
    const first = await sdk.ollama.chat({ model, messages: ask(prompt), tools });
    const [call] = first.message.tool_calls;
    const result = { role: 'tool', tool_name: call.function.name, content: JSON.stringify(WEATHER.result) };
    const second = await sdk.ollama.chat({ model, tools, messages: [...ask(prompt), first.message, result] });
    return { call: { name: call.function.name, args: call.function.arguments }, text: second.message.content };
  },
  status: (err) => err.status_code,
  NotFound: { name: 'ResponseError', status_code: 404 },
};

/** Every way in which an AI tool asks. */
export const tools = [openai, responses, claude, gemini, ollama];
