// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// The backend behind the exits: a scripted model (script.mjs) over every protocol, that refuses what the AI services
// would refuse (rules.mjs). It prints its URL, and writes every request and its answer, a line of JSON each, to LOG.
//
//   node lib/backend.mjs LOG
//
// Two paths are for the tests: /reset has ids begin anew, so that two runs can be compared; /stall/MODEL has the next
// streamed answer of a model stop in its middle, until whoever asked goes away.

import { appendFileSync } from 'node:fs';
import http from 'node:http';
import { beginIds, dataOf, parts, pieces, sse, textOf, unique } from './pieces.mjs';
import { responses } from './responses.mjs';
import { rules } from './rules.mjs';
import { THOUGHT, turn } from './script.mjs';

const WRITE = 61; // bytes

/** Each protocol: view (what the script wants to know of a request, see script.mjs), whole (an answer) and stream (its events). */
const protocols = {
  responses,

  openai: {
    view: (b) => ({
      text: b.messages.map((m) => textOf(m.content)).join('\n'),
      tools: (b.tools ?? []).map((t) => ({ name: t.function.name, schema: t.function.parameters })),
      results: b.messages.filter((m) => m.role === 'tool').map((m) => textOf(m.content)),
      images: parts(b.messages).filter((p) => p.type === 'image_url').map((p) => dataOf(p.image_url.url)),
      schema: b.response_format?.json_schema?.schema,
      parallel: b.parallel_tool_calls !== false,
      stream: b.stream,
    }),
    head: (b, object, id) => ({ id, object, created: 1700000000, model: b.model }),
    usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120, prompt_tokens_details: { cached_tokens: 40 }, completion_tokens_details: { reasoning_tokens: 5 } },
    calls: (t) => t.calls.map((c) => ({ id: unique('call_'), type: 'function', function: { name: c.name, arguments: JSON.stringify(c.args) } })),
    whole(b, t) {
      const message = { role: 'assistant', content: t.text || null, refusal: null, reasoning_content: THOUGHT };
      if (t.calls.length > 0) message.tool_calls = this.calls(t);
      return { ...this.head(b, 'chat.completion', unique('chatcmpl-')), choices: [{ index: 0, message, logprobs: null, finish_reason: t.calls.length > 0 ? 'tool_calls' : 'stop' }], usage: this.usage };
    },
    stream(b, t) {
      const id = unique('chatcmpl-');
      const chunk = (delta, finish_reason = null) => sse({ ...this.head(b, 'chat.completion.chunk', id), choices: [{ index: 0, delta, finish_reason }], usage: null });
      const calls = this.calls(t);
      const out = [chunk({ role: 'assistant', content: '' }), chunk({ reasoning_content: THOUGHT }), ...pieces(t.text).map((content) => chunk({ content }))];
      calls.forEach((c, index) => out.push(chunk({ tool_calls: [{ index, ...c, function: { name: c.function.name, arguments: '' } }] })));
      // The arguments of all calls interleave.
      const cut = calls.map((c) => pieces(c.function.arguments));
      for (let i = 0; cut.some((p) => i < p.length); i++) {
        cut.forEach((p, index) => i < p.length && out.push(chunk({ tool_calls: [{ index, function: { arguments: p[i] } }] })));
      }
      out.push(chunk({}, calls.length > 0 ? 'tool_calls' : 'stop'));
      if (b.stream_options?.include_usage) out.push(sse({ ...this.head(b, 'chat.completion.chunk', id), choices: [], usage: this.usage }));
      return [...out, 'data: [DONE]\n\n'];
    },
  },

  claude: {
    view: (b) => ({
      text: [textOf(b.system), ...b.messages.map((m) => textOf(m.content))].join('\n'),
      tools: (b.tools ?? []).map((t) => ({ name: t.name, schema: t.input_schema })),
      results: parts(b.messages).filter((p) => p.type === 'tool_result').map((p) => textOf(p.content)),
      images: parts(b.messages).filter((p) => p.type === 'image').map((p) => p.source.data),
      schema: b.output_config?.format?.schema,
      parallel: b.tool_choice?.disable_parallel_tool_use !== true,
      stream: b.stream,
    }),
    blocks(b, t) {
      const blocks = [];
      if (b.thinking && b.thinking.type !== 'disabled') blocks.push({ type: 'thinking', thinking: THOUGHT, signature: 'c2lnbmF0dXJl' });
      if (t.text) blocks.push({ type: 'text', text: t.text });
      for (const c of t.calls) blocks.push({ type: 'tool_use', id: unique('toolu_'), name: c.name, input: c.args });
      return blocks;
    },
    message: (b, content, stop_reason, usage) => ({ id: unique('msg_'), type: 'message', role: 'assistant', model: b.model, content, stop_reason, stop_sequence: null, usage }),
    usage: { input_tokens: 60, cache_read_input_tokens: 40, cache_creation_input_tokens: 0, output_tokens: 20 },
    whole(b, t) {
      return this.message(b, this.blocks(b, t), t.calls.length > 0 ? 'tool_use' : 'end_turn', this.usage);
    },
    stream(b, t) {
      const out = [];
      const add = (e) => out.push(sse(e, e.type));
      add({ type: 'message_start', message: this.message(b, [], null, { ...this.usage, output_tokens: 1 }) });
      add({ type: 'ping' });
      this.blocks(b, t).forEach((block, index) => {
        const delta = (d) => add({ type: 'content_block_delta', index, delta: d });
        switch (block.type) {
          case 'thinking':
            add({ type: 'content_block_start', index, content_block: { type: 'thinking', thinking: '', signature: '' } });
            for (const thinking of pieces(block.thinking)) delta({ type: 'thinking_delta', thinking });
            delta({ type: 'signature_delta', signature: block.signature });
            break;
          case 'text':
            add({ type: 'content_block_start', index, content_block: { type: 'text', text: '' } });
            for (const text of pieces(block.text)) delta({ type: 'text_delta', text });
            break;
          default:
            add({ type: 'content_block_start', index, content_block: { ...block, input: {} } });
            for (const partial_json of ['', ...pieces(JSON.stringify(block.input))]) delta({ type: 'input_json_delta', partial_json });
        }
        add({ type: 'content_block_stop', index });
      });
      add({ type: 'message_delta', delta: { stop_reason: t.calls.length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null }, usage: { output_tokens: 20 } });
      add({ type: 'message_stop' });
      return out;
    },
  },

  gemini: {
    view: (b, path) => ({
      text: [b.systemInstruction, ...b.contents].map((c) => textOf(c?.parts)).join('\n'),
      tools: (b.tools ?? []).flatMap((t) => t.functionDeclarations ?? []).map((f) => ({ name: f.name, schema: f.parametersJsonSchema ?? f.parameters })),
      results: b.contents.flatMap((c) => c.parts).filter((p) => p.functionResponse).map((p) => Object.values(p.functionResponse.response).map(String).join('\n')),
      images: b.contents.flatMap((c) => c.parts).filter((p) => p.inlineData).map((p) => p.inlineData.data),
      schema: b.generationConfig?.responseJsonSchema ?? b.generationConfig?.responseSchema,
      parallel: true,
      stream: path.includes(':streamGenerateContent'),
    }),
    usage: { promptTokenCount: 100, cachedContentTokenCount: 40, candidatesTokenCount: 15, thoughtsTokenCount: 5, totalTokenCount: 120 },
    answer(parts, finishReason, responseId) {
      return {
        candidates: [{ content: { role: 'model', parts }, index: 0, ...(finishReason && { finishReason }) }],
        usageMetadata: this.usage, modelVersion: 'scripted', responseId,
      };
    },
    parts: (t) => t.calls.map((c, i) => ({ functionCall: { name: c.name, args: c.args }, ...(i === 0 && { thoughtSignature: 'dGhvdWdodA==' }) })),
    whole(b, t) {
      return this.answer([...(t.text ? [{ text: t.text }] : []), ...this.parts(t)], 'STOP', unique('r-'));
    },
    stream(b, t) {
      const id = unique('r-');
      const out = [...pieces(t.text).map((text) => ({ text })), ...this.parts(t)].map((p) => sse(this.answer([p], '', id)));
      return [...out, sse(this.answer([{ text: '' }], 'STOP', id))];
    },
  },

  ollama: {
    view: (b) => ({
      text: b.messages.map((m) => m.content).join('\n'),
      tools: (b.tools ?? []).map((t) => ({ name: t.function.name, schema: t.function.parameters })),
      results: b.messages.filter((m) => m.role === 'tool').map((m) => m.content),
      images: b.messages.flatMap((m) => m.images ?? []),
      schema: typeof b.format === 'object' ? b.format : undefined,
      parallel: true,
      stream: b.stream !== false,
    }),
    line: (b, message, rest = { done: false }) => ({ model: b.model, created_at: new Date().toISOString(), message: { role: 'assistant', content: '', ...message }, ...rest }),
    end: { done: true, done_reason: 'stop', total_duration: 5e8, load_duration: 1e6, prompt_eval_count: 100, prompt_eval_duration: 1e8, eval_count: 20, eval_duration: 2e8 },
    calls: (t) => t.calls.map((c) => ({ function: { name: c.name, arguments: c.args } })),
    whole(b, t) {
      return this.line(b, { content: t.text, ...(t.calls.length > 0 && { tool_calls: this.calls(t) }) }, this.end);
    },
    stream(b, t) {
      const lines = pieces(t.text).map((content) => this.line(b, { content }));
      if (b.think) lines.unshift(this.line(b, { thinking: THOUGHT }));
      for (const c of this.calls(t)) lines.push(this.line(b, { tool_calls: [c] }));
      return [...lines, this.line(b, {}, this.end)].map((l) => `${JSON.stringify(l)}\n`);
    },
  },
};

function protocolOf(path) {
  if (path === '/v1/chat/completions') return 'openai';
  if (path === '/v1/responses') return 'responses';
  if (path === '/v1/messages') return 'claude';
  if (path.startsWith('/v1beta/models/')) return 'gemini';
  return path === '/api/chat' ? 'ollama' : null;
}

/** answer returns {status, type, pieces}. */
function answer(req, raw, entry) {
  const path = new URL(req.url, 'http://backend').pathname;
  const refuse = (status, why) => ({ status, type: 'application/json', pieces: [JSON.stringify({ error: { message: why, type: 'invalid_request_error' } })] });
  entry.protocol = protocolOf(path);
  if (!entry.protocol) return refuse(404, 'no such path');
  entry.body = JSON.parse(raw);
  entry.broken = rules[entry.protocol](entry.body, req.headers);
  if (entry.broken.length > 0) return refuse(400, entry.broken.join('; '));
  const protocol = protocols[entry.protocol];
  const view = protocol.view(entry.body, path);
  const t = turn(view);
  if (!view.stream) return { status: 200, type: 'application/json', pieces: [JSON.stringify(protocol.whole(entry.body, t))] };
  return { status: 200, type: entry.protocol === 'ollama' ? 'application/x-ndjson' : 'text/event-stream', pieces: protocol.stream(entry.body, t) };
}

const stalled = new Set(); // models

/** control does what a test asks for, and reports whether it was a test. */
function control(path, res) {
  const model = /^\/stall\/([^/]+)$/.exec(path)?.[1];
  if (path === '/reset') beginIds();
  else if (model) stalled.add(model);
  else return false;
  res.end();
  return true;
}

/** stalls reports whether this answer is to stop in its middle. */
function stalls(path, a, entry) {
  const model = entry.body?.model ?? /models\/([^:]+):/.exec(path)?.[1];
  return a.type !== 'application/json' && stalled.delete(model);
}

const server = http.createServer(async (req, res) => {
  if (control(req.url, res)) return;
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const entry = { method: req.method, path: req.url, headers: req.headers, order: req.rawHeaders.filter((_, i) => i % 2 === 0).map((n) => n.toLowerCase()) };
  let a;
  try {
    a = answer(req, Buffer.concat(chunks).toString('utf8'), entry);
  } catch (err) {
    entry.broken = [String(err.stack)];
    a = { status: 500, type: 'application/json', pieces: ['{}'] };
  }
  entry.status = a.status;
  entry.answer = a.pieces.join('');
  // An empty request is the exit's own, which asks whether there is such a path.
  if (req.method === 'POST' && chunks.join('') !== '{}') appendFileSync(process.argv[2], `${JSON.stringify(entry)}\n`);
  res.writeHead(a.status, { 'content-type': a.type });
  // In writes that respect neither events nor letters.
  const bytes = Buffer.from(entry.answer);
  const end = stalls(req.url, a, entry) ? bytes.length / 2 : bytes.length;
  for (let i = 0; i < end; i += WRITE) {
    res.write(bytes.subarray(i, i + WRITE));
    await new Promise(setImmediate);
  }
  if (end === bytes.length) res.end();
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
