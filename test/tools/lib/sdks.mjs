// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// One adapter for each way in which a vendor's SDK asks:
//
//   start(model, prompt, tools, {limit, image, schema, more})
//                                          a conversation; tools are {name, description, schema}, image is a Buffer (PNG)
//     .next(streamed)                      the next answer: {text, calls, reason, input, output, events}; a stream is put
//                                          together by the SDK itself where it can
//     .results(texts)                      adds the results of the last answer's calls
//   native                                 what lib/backend.mjs calls the protocol that is asked natively
//   reasons                                what the protocol calls the end of an answer: {stop, tool, length}

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { url } from './network.mjs';

const require = createRequire(join(import.meta.dirname, '..', 'packages', 'sdks', 'package.json'));
const load = async (name) => import(pathToFileURL(require.resolve(name)).href).then((m) => m.default?.default ? m.default : m);
const OpenAI = (await load('openai')).default;
const Anthropic = (await load('@anthropic-ai/sdk')).default;
const { GoogleGenAI } = await load('@google/genai');
const { Ollama } = await load('ollama');

const apiKey = process.env.TOOLS_KEY ?? 'tokengo';
/** openAI is OpenAI's SDK with a base of one's own. */
export const openAI = (base) => new OpenAI({ baseURL: `${base}/v1`, apiKey, maxRetries: 0 });
const oai = openAI(url);
export const anthropic = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });
export const google = new GoogleGenAI({ apiKey, vertexai: false, httpOptions: { baseUrl: url } });
export const llama = new Ollama({ host: url });

async function count(events) {
  let n = 0;
  for await (const _ of events) n++;
  return n;
}
const some = (tools) => (tools.length > 0 ? tools : undefined);
const dataURI = (image) => `data:image/png;base64,${image.toString('base64')}`;
const functions = (tools) => some(tools.map((t) => ({ type: 'function', function: { name: t.name, description: t.description, parameters: t.schema } })));

const openai = {
  name: 'openai', protocol: 'openai', native: 'openai',
  reasons: { stop: 'stop', tool: 'tool_calls', length: 'length' },
  start(model, prompt, tools, { limit, image, schema, more } = {}) {
    const content = image ? [{ type: 'text', text: prompt }, { type: 'image_url', image_url: { url: dataURI(image) } }] : prompt;
    const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content }];
    const response_format = schema && { type: 'json_schema', json_schema: { name: 'place', strict: true, schema } };
    let last;
    return {
      async next(streamed) {
        const ask = { model, messages, tools: functions(tools), max_completion_tokens: limit, response_format, ...more };
        let events;
        let answer;
        if (streamed) {
          const stream = oai.chat.completions.stream({ ...ask, stream_options: { include_usage: true } });
          events = await count(stream);
          answer = await stream.finalChatCompletion();
        } else answer = await oai.chat.completions.create(ask);
        const [choice] = answer.choices;
        last = choice.message;
        messages.push(last);
        return {
          text: last.content ?? '', reason: choice.finish_reason, events,
          calls: (last.tool_calls ?? []).map((c) => ({ name: c.function.name, args: JSON.parse(c.function.arguments) })),
          input: answer.usage.prompt_tokens, output: answer.usage.completion_tokens,
        };
      },
      results(texts) {
        last.tool_calls.forEach((c, i) => messages.push({ role: 'tool', tool_call_id: c.id, content: texts[i] }));
      },
    };
  },
};

const responses = {
  name: 'openai responses', protocol: 'openai', native: 'responses',
  reasons: { stop: 'completed', tool: 'completed', length: 'incomplete' },
  start(model, prompt, tools, { limit, image, schema, more } = {}) {
    const content = image ? [{ type: 'input_text', text: prompt }, { type: 'input_image', image_url: dataURI(image), detail: 'auto' }] : prompt;
    const input = [{ role: 'user', content }];
    const text = schema && { format: { type: 'json_schema', name: 'place', strict: true, schema } };
    let calls = [];
    return {
      async next(streamed) {
        const ask = {
          model, input, instructions: 'Be brief.', text, max_output_tokens: limit, store: false, include: ['reasoning.encrypted_content'],
          tools: some(tools.map((t) => ({ type: 'function', name: t.name, description: t.description, parameters: t.schema, strict: false }))), ...more,
        };
        let events;
        let answer;
        if (streamed) {
          const stream = oai.responses.stream(ask);
          events = await count(stream);
          answer = await stream.finalResponse();
        } else answer = await oai.responses.create(ask);
        input.push(...answer.output);
        calls = answer.output.filter((o) => o.type === 'function_call');
        return {
          text: answer.output_text, reason: answer.status, events,
          calls: calls.map((c) => ({ name: c.name, args: JSON.parse(c.arguments) })),
          input: answer.usage.input_tokens, output: answer.usage.output_tokens,
        };
      },
      results(texts) {
        calls.forEach((c, i) => input.push({ type: 'function_call_output', call_id: c.call_id, output: texts[i] }));
      },
    };
  },
};

const claude = {
  name: 'claude', protocol: 'claude', native: 'claude',
  reasons: { stop: 'end_turn', tool: 'tool_use', length: 'max_tokens' },
  start(model, prompt, tools, { limit = 4000, image, schema, more } = {}) {
    const content = image ? [{ type: 'text', text: prompt }, { type: 'image', source: { type: 'base64', media_type: 'image/png', data: image.toString('base64') } }] : prompt;
    const messages = [{ role: 'user', content }];
    const output_config = schema && { format: { type: 'json_schema', schema } };
    let calls = [];
    return {
      async next(streamed) {
        const ask = { model, messages, system: 'Be brief.', max_tokens: limit, output_config, tools: some(tools.map((t) => ({ name: t.name, description: t.description, input_schema: t.schema }))), ...more };
        let events;
        let answer;
        if (streamed) {
          const stream = anthropic.messages.stream(ask);
          events = await count(stream);
          answer = await stream.finalMessage();
        } else answer = await anthropic.messages.create(ask);
        messages.push({ role: 'assistant', content: answer.content });
        calls = answer.content.filter((b) => b.type === 'tool_use');
        const { usage } = answer;
        return {
          text: answer.content.filter((b) => b.type === 'text').map((b) => b.text).join(''), reason: answer.stop_reason, events,
          calls: calls.map((c) => ({ name: c.name, args: c.input })),
          input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0), output: usage.output_tokens,
        };
      },
      results(texts) {
        messages.push({ role: 'user', content: calls.map((c, i) => ({ type: 'tool_result', tool_use_id: c.id, content: texts[i] })) });
      },
    };
  },
};

const gemini = {
  name: 'gemini', protocol: 'gemini', native: 'gemini',
  reasons: { stop: 'STOP', tool: 'STOP', length: 'MAX_TOKENS' },
  start(model, prompt, tools, { limit, image, schema, more } = {}) {
    const contents = [{ role: 'user', parts: [{ text: prompt }, ...(image ? [{ inlineData: { mimeType: 'image/png', data: image.toString('base64') } }] : [])] }];
    const form = schema && { responseMimeType: 'application/json', responseJsonSchema: schema };
    let calls = [];
    return {
      async next(streamed) {
        const functionDeclarations = tools.map((t) => ({ name: t.name, description: t.description, parametersJsonSchema: t.schema }));
        const ask = { model, contents, config: { systemInstruction: 'Be brief.', maxOutputTokens: limit, ...form, tools: tools.length > 0 ? [{ functionDeclarations }] : undefined, ...more } };
        const pieces = [];
        if (streamed) for await (const e of await google.models.generateContentStream(ask)) pieces.push(e);
        else pieces.push(await google.models.generateContent(ask));
        const parts = pieces.flatMap((p) => p.candidates?.[0]?.content?.parts ?? []);
        contents.push({ role: 'model', parts });
        calls = parts.filter((p) => p.functionCall).map((p) => p.functionCall);
        const usage = pieces.findLast((p) => p.usageMetadata).usageMetadata;
        return {
          text: parts.filter((p) => p.text && !p.thought).map((p) => p.text).join(''), events: pieces.length,
          reason: pieces.map((p) => p.candidates?.[0]?.finishReason).filter(Boolean).join(),
          calls: calls.map(({ name, args }) => ({ name, args })),
          input: usage.promptTokenCount, output: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
        };
      },
      results(texts) {
        contents.push({ role: 'user', parts: calls.map((c, i) => ({ functionResponse: { id: c.id, name: c.name, response: { output: texts[i] } } })) });
      },
    };
  },
};

const ollama = {
  name: 'ollama', protocol: 'ollama', native: 'ollama',
  reasons: { stop: 'stop', tool: 'stop', length: 'length' },
  start(model, prompt, tools, { limit, image, schema, more } = {}) {
    const images = image && [image.toString('base64')];
    const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: prompt, images }];
    let calls = [];
    return {
      async next(stream) {
        const ask = { model, messages, tools: functions(tools), format: schema, options: { num_predict: limit }, ...more };
        const pieces = [];
        if (stream) for await (const e of await llama.chat({ ...ask, stream })) pieces.push(e);
        else pieces.push(await llama.chat(ask));
        calls = pieces.flatMap((p) => p.message.tool_calls ?? []);
        const text = pieces.map((p) => p.message.content).join('');
        messages.push({ role: 'assistant', content: text, thinking: pieces.map((p) => p.message.thinking ?? '').join('') || undefined, tool_calls: some(calls) });
        const end = pieces.at(-1);
        return {
          text, reason: pieces.map((p) => p.done_reason).filter(Boolean).join(), events: pieces.length,
          calls: calls.map((c) => ({ name: c.function.name, args: c.function.arguments })),
          input: end.prompt_eval_count, output: end.eval_count,
        };
      },
      results(texts) {
        calls.forEach((c, i) => messages.push({ role: 'tool', tool_name: c.function.name, content: texts[i] }));
      },
    };
  },
};

export const adapters = [openai, responses, claude, gemini, ollama];
