// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// What the decoder lets pass although it cannot be meant, and what makes it miss the rest of a file. Errors are in the
// decoder's words, "line 3: …".

// oneDocument reports a second document, which would be ignored. The decoder has read the first.
func oneDocument(decoder *yaml.Decoder) []string {
	var next yaml.Node
	switch err := decoder.Decode(&next); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return typeErrors(err)
	}
	return []string{fmt.Sprintf("line %d: a second document begins; the file must be one", next.Line)}
}

// fractions reports numbers that would lose their fractions in the fields of a type: 0.5 of a limit would be none.
func fractions(node *yaml.Node, t reflect.Type) (wrong []string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case node.Kind == yaml.DocumentNode && len(node.Content) > 0:
		return fractions(node.Content[0], t)
	case node.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for _, element := range node.Content {
			wrong = append(wrong, fractions(element, t.Elem())...)
		}
	case node.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if field, ok := fieldOf(t, node.Content[i].Value); ok {
				wrong = append(wrong, fractions(node.Content[i+1], field.Type)...)
			}
		}
	case node.ShortTag() == "!!float" && t != reflect.TypeFor[time.Duration]() && reflect.Int <= t.Kind() && t.Kind() <= reflect.Uint64:
		if x, err := strconv.ParseFloat(node.Value, 64); err == nil && x != math.Trunc(x) {
			wrong = append(wrong, fmt.Sprintf("line %d: %s is not a whole number", node.Line, node.Value))
		}
	}
	return wrong
}

// fieldOf is the field of a struct type that a key belongs to.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	fields := reflect.VisibleFields(t)
	i := slices.IndexFunc(fields, func(f reflect.StructField) bool {
		name, inline := keyOf(f)
		return name == key && !inline
	})
	if i < 0 {
		return reflect.StructField{}, false
	}
	return fields[i], true
}

// takeTwice takes keys out of a tree that are in a mapping already, and reports them: for the decoder, a mapping with
// such a key has nothing in it.
func takeTwice(node *yaml.Node) (wrong []string) {
	if node.Kind == yaml.MappingNode {
		first := map[string]int{} // line
		for i := 0; i+1 < len(node.Content); {
			key := node.Content[i]
			line, again := first[key.Value]
			if !again || key.Kind != yaml.ScalarNode {
				first[key.Value] = key.Line
				i += 2
				continue
			}
			wrong = append(wrong, fmt.Sprintf("line %d: key %q is there already, in line %d", key.Line, key.Value, line))
			node.Content = slices.Delete(node.Content, i, i+2)
		}
	}
	for _, inner := range node.Content {
		wrong = append(wrong, takeTwice(inner)...)
	}
	return wrong
}

// decodeTree reads a tree into the content of a file, and reports all that [decodeStrictly] would.
func decodeTree(tree *yaml.Node, into any) []string {
	wrong := takeTwice(tree)
	t := reflect.TypeOf(into).Elem()
	if len(tree.Content) == 0 { // nothing but comments
		return wrong
	}
	var unknown yaml.TypeError
	findUnknown(tree.Content[0], t, &unknown)
	wrong = append(wrong, unknown.Errors...)
	if err := tree.Decode(into); err != nil {
		wrong = append(wrong, typeErrors(err)...)
	}
	if keeper, ok := into.(interface{ decodingErrors() []string }); ok {
		wrong = append(wrong, keeper.decodingErrors()...)
	}
	return append(wrong, fractions(tree, t)...)
}
