// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// The backend behind the exits: a scripted model (script.mjs) over every protocol, that refuses what the AI services
// would refuse (rules.mjs). It prints its URL, and writes every request and its answer, a line of JSON each, to LOG.
//
//   node lib/backend.mjs LOG

import { appendFileSync } from 'node:fs';
import http from 'node:http';
import { rules } from './rules.mjs';
import { THOUGHT, turn } from './script.mjs';

const WRITE = 61; // bytes

const textOf = (content) => (typeof content === 'string' ? content : (content ?? []).map((p) => p.text ?? '').join('\n'));
let made = 0;
/** unique makes an id: tools put answers together that have the same one. */
const unique = (prefix) => `${prefix}${String(++made).padStart(8, '0')}`;

/** pieces cuts a text in short ones, also within what belongs together, but not within a letter. */
function pieces(text) {
  const letters = [...text];
  const cut = [];
  for (let i = 0; i < letters.length; i += 7) cut.push(letters.slice(i, i + 7).join(''));
  return cut;
}
const sse = (data, event) => `${event ? `event: ${event}\n` : ''}data: ${JSON.stringify(data)}\n\n`;

/** Each protocol: view (what the script wants to know of a request), whole (an answer) and stream (its events). */
const protocols = {
  openai: {
    view: (b) => ({
      text: b.messages.map((m) => textOf(m.content)).join('\n'),
      tools: (b.tools ?? []).map((t) => t.function.name),
      results: b.messages.filter((m) => m.role === 'tool').map((m) => textOf(m.content)),
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
      tools: (b.tools ?? []).map((t) => t.name),
      results: b.messages.flatMap((m) => (Array.isArray(m.content) ? m.content : [])).filter((p) => p.type === 'tool_result').map((p) => textOf(p.content)),
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
      tools: (b.tools ?? []).flatMap((t) => t.functionDeclarations ?? []).map((f) => f.name),
      results: b.contents.flatMap((c) => c.parts).filter((p) => p.functionResponse).map((p) => Object.values(p.functionResponse.response).map(String).join('\n')),
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
      tools: (b.tools ?? []).map((t) => t.function.name),
      results: b.messages.filter((m) => m.role === 'tool').map((m) => m.content),
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

/** Responses is the other API of openai backends. */
protocols.responses = {
  view: (b) => ({
    text: [b.instructions, ...[].concat(b.input).map((i) => (typeof i === 'string' ? i : textOf(i.content)))].join('\n'),
    tools: (b.tools ?? []).map((t) => t.name).filter(Boolean),
    results: [].concat(b.input).filter((i) => i.type === 'function_call_output').map((i) => textOf(i.output)),
    parallel: b.parallel_tool_calls !== false,
    stream: b.stream,
  }),
  usage: { input_tokens: 100, input_tokens_details: { cached_tokens: 40 }, output_tokens: 20, output_tokens_details: { reasoning_tokens: 5 }, total_tokens: 120 },
  items: (t) => [
    ...(t.text ? [{ type: 'message', id: unique('msg_'), status: 'completed', role: 'assistant', content: [{ type: 'output_text', text: t.text, annotations: [] }] }] : []),
    ...t.calls.map((c) => ({ type: 'function_call', id: unique('fc_'), call_id: unique('call_'), status: 'completed', name: c.name, arguments: JSON.stringify(c.args) })),
  ],
  response(b, output, status) {
    return { id: unique('resp_'), object: 'response', created_at: 1700000000, status, model: b.model, output, parallel_tool_calls: true, tool_choice: 'auto', tools: [], usage: status === 'completed' ? this.usage : null, store: false };
  },
  whole(b, t) {
    return this.response(b, this.items(t), 'completed');
  },
  stream(b, t) {
    const out = [];
    const add = (type, more) => out.push(sse({ type, sequence_number: out.length, ...more }, type));
    const items = this.items(t);
    add('response.created', { response: this.response(b, [], 'in_progress') });
    items.forEach((item, output_index) => {
      const at = { item_id: item.id, output_index };
      if (item.type === 'message') {
        add('response.output_item.added', { output_index, item: { ...item, status: 'in_progress', content: [] } });
        const { text } = item.content[0];
        add('response.content_part.added', { ...at, content_index: 0, part: { ...item.content[0], text: '' } });
        for (const delta of pieces(text)) add('response.output_text.delta', { ...at, content_index: 0, delta, logprobs: [] });
        add('response.output_text.done', { ...at, content_index: 0, text, logprobs: [] });
        add('response.content_part.done', { ...at, content_index: 0, part: item.content[0] });
      } else {
        add('response.output_item.added', { output_index, item: { ...item, status: 'in_progress', arguments: '' } });
        for (const delta of pieces(item.arguments)) add('response.function_call_arguments.delta', { ...at, delta });
        add('response.function_call_arguments.done', { ...at, arguments: item.arguments });
      }
      add('response.output_item.done', { output_index, item });
    });
    add('response.completed', { response: this.response(b, items, 'completed') });
    return out;
  },
};

function protocolOf(path) {
  if (path === '/v1/responses') return 'responses';
  if (path === '/v1/chat/completions') return 'openai';
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

const server = http.createServer(async (req, res) => {
  if (req.url === '/reset') { // ids begin anew, so that two runs can be compared
    made = 0;
    res.end();
    return;
  }
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
  for (let i = 0; i < bytes.length; i += WRITE) {
    res.write(bytes.subarray(i, i + WRITE));
    await new Promise(setImmediate);
  }
  res.end();
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
