// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// The scripted backend's Responses: like the protocols in backend.mjs.

import { dataOf, parts, pieces, sse, textOf, unique } from './pieces.mjs';
import { THOUGHT } from './script.mjs';

const usage = { input_tokens: 100, input_tokens_details: { cached_tokens: 40 }, output_tokens: 20, output_tokens_details: { reasoning_tokens: 5 }, total_tokens: 120 };

export const responses = {
  view: (b) => ({
    text: [b.instructions, ...[].concat(b.input).map((i) => (typeof i === 'string' ? i : textOf(i.content)))].join('\n'),
    tools: (b.tools ?? []).filter((t) => t.name).map((t) => ({ name: t.name, schema: t.parameters })),
    results: [].concat(b.input).filter((i) => i.type === 'function_call_output').map((i) => textOf(i.output)),
    images: parts([].concat(b.input)).filter((p) => p.type === 'input_image').map((p) => dataOf(p.image_url)),
    schema: b.text?.format?.schema,
    parallel: b.parallel_tool_calls !== false,
    stream: b.stream,
  }),
  output(t) {
    const output = [{ id: unique('rs_'), type: 'reasoning', summary: [{ type: 'summary_text', text: THOUGHT }] }];
    if (t.text) output.push({ id: unique('msg_'), type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: t.text, annotations: [], logprobs: [] }] });
    for (const c of t.calls) output.push({ id: unique('fc_'), type: 'function_call', status: 'completed', call_id: unique('call_'), name: c.name, arguments: JSON.stringify(c.args) });
    return output;
  },
  response: (b, id, status, output) => ({
    id, object: 'response', created_at: 1700000000, status, model: b.model, output, error: null, incomplete_details: null, instructions: b.instructions ?? null,
    parallel_tool_calls: true, tool_choice: 'auto', tools: b.tools ?? [], temperature: 1, top_p: 1, metadata: {}, usage: status === 'completed' ? usage : null,
  }),
  whole(b, t) {
    return this.response(b, unique('resp_'), 'completed', this.output(t));
  },
  stream(b, t) {
    const id = unique('resp_');
    const out = [];
    const add = (type, fields) => out.push(sse({ type, sequence_number: out.length, ...fields }, type));
    add('response.created', { response: this.response(b, id, 'in_progress', []) });
    const output = this.output(t);
    output.forEach((item, output_index) => {
      const at = { item_id: item.id, output_index };
      const bare = { ...item, status: 'in_progress', summary: item.summary && [], content: item.content && [], arguments: item.arguments && '' };
      add('response.output_item.added', { output_index, item: bare });
      if (item.type === 'reasoning') {
        const [part] = item.summary;
        add('response.reasoning_summary_part.added', { ...at, summary_index: 0, part: { ...part, text: '' } });
        for (const delta of pieces(part.text)) add('response.reasoning_summary_text.delta', { ...at, summary_index: 0, delta });
        add('response.reasoning_summary_text.done', { ...at, summary_index: 0, text: part.text });
        add('response.reasoning_summary_part.done', { ...at, summary_index: 0, part });
      } else if (item.type === 'message') {
        const [part] = item.content;
        add('response.content_part.added', { ...at, content_index: 0, part: { ...part, text: '' } });
        for (const delta of pieces(part.text)) add('response.output_text.delta', { ...at, content_index: 0, delta, logprobs: [] });
        add('response.output_text.done', { ...at, content_index: 0, text: part.text, logprobs: [] });
        add('response.content_part.done', { ...at, content_index: 0, part });
      } else {
        for (const delta of pieces(item.arguments)) add('response.function_call_arguments.delta', { ...at, delta });
        add('response.function_call_arguments.done', { ...at, name: item.name, arguments: item.arguments });
      }
      add('response.output_item.done', { output_index, item });
    });
    add('response.completed', { response: this.response(b, id, 'completed', output) });
    return out;
  },
};
