// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package responses

import (
	"slices"
	"strings"

	"github.com/tokengo/tokengo/dialect/conversation"
	"github.com/tokengo/tokengo/dialect/wire"
)

// item is any item of input.
type item struct {
	kind, role, name, namespace, callID, id, input, encrypted, arguments, author, recipient string

	content, output, summary, tools, action []byte
}

func (d *decoder) input() {
	if len(d.rawInput) == 0 {
		d.refuse("The request has no input.")
		return
	}
	d.within(d.rawInput, func() {
		switch d.Kind() {
		case wire.StringValue:
			d.say(conversation.User, []conversation.Part{conversation.TextPart{Text: d.String()}})
		case wire.ArrayValue:
			d.Array(func(int) { d.item() })
		default:
			d.wrongType("input", "a text or a list of items")
		}
	})
}

func (d *decoder) item() {
	if d.Kind() != wire.ObjectValue {
		d.wrongType("input", "a list of items")
		d.Skip()
		return
	}
	var in item
	d.Object(func(key []byte) { d.itemField(&in, key) })
	if in.kind == "" && in.role != "" {
		in.kind = typeMessage
	}
	switch in.kind {
	case typeMessage:
		d.message(&in)
	case typeReasoning:
		d.reasoning(&in)
	case typeFunctionCall, typeCustomCall, typeToolSearchCall, typeLocalShellCall:
		d.call(&in)
	case typeFunctionOutput, typeCustomOutput, typeToolSearchOut, typeLocalShellOut:
		d.result(&in)
	case typeAgentMessage:
		d.agentMessage(&in)
	case typeAdditionalTools:
		d.within(in.tools, func() { d.Array(func(int) { d.tool("") }) })
	case "", "item_reference":
		d.refuse("An item of the request's input refers to something stored on a server, and TokenGo stores nothing. Send " +
			"the item itself.")
	case "compaction", "compaction_summary", "context_compaction", "compaction_trigger":
		d.refuse("The request's input has a conversation that was compacted by OpenAI, which only OpenAI can read.")
	default:
		if name := "input." + in.kind; slices.Contains(Unmapped, name) {
			d.unmapped(name)
			return
		}
		d.refuse("An item of the request's input has a type that TokenGo does not know.")
	}
}

func (d *decoder) itemField(in *item, key []byte) {
	switch string(key) {
	case "type":
		in.kind = d.text("input.type")
	case "role":
		in.role = d.text("input.role")
	case "name":
		in.name = d.text("input.name")
	case "namespace":
		in.namespace = d.text("input.namespace")
	case "call_id":
		in.callID = d.text("input.call_id")
	case "id":
		in.id = d.text("input.id")
	case "input":
		in.input = d.text("input.input")
	case "author":
		in.author = d.text("input.author")
	case "recipient":
		in.recipient = d.text("input.recipient")
	case "encrypted_content":
		in.encrypted = d.text("input.encrypted_content")
	case "arguments":
		if d.Kind() == wire.ObjectValue {
			in.arguments = string(d.Raw())
		} else {
			in.arguments = d.text("input.arguments")
		}
	case "content":
		in.content = d.Raw()
	case "output":
		in.output = d.Raw()
	case "summary":
		in.summary = d.Raw()
	case "tools":
		in.tools = d.raw("input.tools", wire.ArrayValue)
	case "action":
		in.action = d.Raw()
	case "status", "created_by", "execution", "success": // of the item's making, not its meaning
		d.Skip()
	default:
		d.other("input.", key)
	}
}

var roles = map[string]conversation.Role{
	"system": conversation.System, "developer": conversation.Developer, "user": conversation.User,
	"assistant": conversation.Assistant,
}

func (d *decoder) message(in *item) {
	role, ok := roles[in.role]
	if !ok {
		d.refuse("A message in the request's input has a role that is not user, assistant, system or developer.")
		return
	}
	d.say(role, d.parts(in.content, "input.content"))
}

// agentMessage reads what one of Codex's agents tells another. No protocol but this has agents, so it is the user's, and
// says whose it is.
func (d *decoder) agentMessage(in *item) {
	parts := d.parts(in.content, "input.content")
	if len(parts) == 0 {
		return
	}
	head := conversation.TextPart{Text: "Message from the agent " + in.author + " to the agent " + in.recipient + ":"}
	d.say(conversation.User, append([]conversation.Part{head}, parts...))
}

// say adds what somebody says. The assistant's items up to somebody else's make one message, and the results of tools do.
func (d *decoder) say(role conversation.Role, parts []conversation.Part) {
	parts = slices.DeleteFunc(parts, func(p conversation.Part) bool {
		text, ok := p.(conversation.TextPart)
		return ok && text.Text == ""
	})
	if len(parts) == 0 {
		return
	}
	list := d.req.Messages
	if n := len(list); n > 0 && list[n-1].Role == role && role >= conversation.Assistant {
		list[n-1].Parts = append(list[n-1].Parts, parts...)
		return
	}
	d.req.Messages = append(list, conversation.Message{Role: role, Parts: parts})
}

func (d *decoder) reasoning(in *item) {
	if id, signature, ok := unwrapCall(in.encrypted); ok {
		if d.signed == nil {
			d.signed = make(map[string]conversation.Signature)
		}
		d.signed[id] = signature
		return
	}
	t := conversation.ThinkingPart{ID: in.id, Text: d.joined(in.content)}
	if t.Text == "" {
		t.Text = d.joined(in.summary)
	}
	t.Signature, t.Redacted = unwrapReasoning(in.encrypted)
	if t.Text == "" && t.Signature.Value == "" && t.Redacted == "" {
		return
	}
	d.say(conversation.Assistant, []conversation.Part{t})
}

// betweenSummaries separates the parts of a summary where they become one text.
const betweenSummaries = "\n\n"

// joined is the text of a list of texts.
func (d *decoder) joined(list []byte) string {
	var texts []string
	d.within(list, func() {
		if d.Kind() == wire.StringValue {
			texts = append(texts, d.String())
			return
		}
		d.Array(func(int) {
			d.Object(func(key []byte) {
				if string(key) == "text" {
					texts = append(texts, d.text("input.summary.text"))
				}
			})
		})
	})
	return strings.Join(texts, betweenSummaries)
}

func (d *decoder) call(in *item) {
	o := origin{kind: typeFunction, namespace: in.namespace, name: in.name}
	arguments := in.arguments
	switch in.kind {
	case typeCustomCall:
		o.kind, arguments = typeCustom, customArguments(in.input)
	case typeToolSearchCall:
		o = origin{kind: typeToolSearch, name: typeToolSearch}
	case typeLocalShellCall:
		o, arguments = origin{kind: typeLocalShell, name: typeLocalShell}, d.shellArguments(in.action)
		if in.callID == "" {
			in.callID = in.id
		}
	}
	if o.name == "" {
		d.refuse("A call in the request's input has no name.")
		return
	}
	if trimmed := strings.TrimSpace(arguments); trimmed == "" || trimmed == "null" {
		arguments = "{}"
	} else if !wire.IsObject(arguments) { // as the model wrote it, wrongly; other protocols have objects only
		j := wire.JSON{}
		j.Open('{')
		j.TextMember("arguments", arguments)
		j.Close('}')
		arguments = string(j)
	}
	name := d.called(o)
	if d.callNames == nil {
		d.callNames = make(map[string]string)
	}
	d.callNames[in.callID] = name
	d.say(conversation.Assistant, []conversation.Part{conversation.CallPart{ID: in.callID, Name: name, Arguments: arguments}})
}

// shellArguments are the arguments of the function that stands for the local shell.
func (d *decoder) shellArguments(action []byte) string {
	j := wire.JSON{}
	j.Open('{')
	d.within(action, func() {
		d.Object(func(key []byte) {
			switch name := string(key); name {
			case "command", "working_directory", "timeout_ms", "env":
				if d.Kind() != wire.NullValue {
					j.RawMember(name, string(d.Raw()))
				}
			}
		})
	})
	j.Close('}')
	return string(j)
}

func (d *decoder) result(in *item) {
	r := conversation.ResultPart{CallID: in.callID}
	switch in.kind {
	case typeToolSearchOut:
		r.Parts = []conversation.Part{conversation.TextPart{Text: d.found(in.tools)}}
	case typeLocalShellOut:
		if r.CallID == "" {
			r.CallID = in.id
		}
		fallthrough
	default:
		d.within(in.output, func() { d.failed(&r, in) })
	}
	r.Name = d.callNames[r.CallID]
	r.Parts = slices.DeleteFunc(r.Parts, func(p conversation.Part) bool {
		text, ok := p.(conversation.TextPart)
		return ok && text.Text == ""
	})
	d.say(conversation.ToolResults, []conversation.Part{r})
}

// failed reads what a tool put out. Older versions of Codex say in an object whether it failed.
func (d *decoder) failed(r *conversation.ResultPart, in *item) {
	if d.Kind() != wire.ObjectValue {
		r.Parts = d.parts(in.output, "input.output")
		return
	}
	d.Object(func(key []byte) {
		switch string(key) {
		case "content":
			r.Parts = d.parts(d.Raw(), "input.output.content")
		case "success":
			success := d.boolean("input.output.success")
			r.IsError = success != nil && !*success
		default:
			d.other("input.output.", key)
		}
	})
}

// found adds the tools that the tool's own search found, and says which they are.
func (d *decoder) found(tools []byte) string {
	before := len(d.added)
	d.within(tools, func() { d.Array(func(int) { d.tool("") }) })
	names := d.added[before:]
	if len(names) == 0 {
		return "No further tools were found."
	}
	return "These tools can be called now: " + strings.Join(names, ", ")
}

// sign gives calls the signatures that came in items of their own.
func (d *decoder) sign() {
	if len(d.signed) == 0 {
		return
	}
	for i := range d.req.Messages {
		for k, part := range d.req.Messages[i].Parts {
			if call, ok := part.(conversation.CallPart); ok {
				if signature, ok := d.signed[call.ID]; ok {
					call.Signature = signature
					d.req.Messages[i].Parts[k] = call
				}
			}
		}
	}
}
