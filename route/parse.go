// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// MaxPreferencesBytes is the largest provider object, in bytes of JSON.
const MaxPreferencesBytes = 64 << 10

// ParsePreferences reads preferences from a JSON object, as in a request's provider field. A key that it does not know,
// or that is there twice, is an error that names it: a preference that silently counted for nothing would be worse. A null
// is as good as nothing. What it returns is valid.
func ParsePreferences(raw []byte) (*Preferences, error) {
	if len(raw) > MaxPreferencesBytes {
		return nil, fmt.Errorf("preferences: %d bytes, over the limit of %d", len(raw), MaxPreferencesBytes)
	}
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, errors.New("preferences: want a JSON object")
	}
	var p foreignPreferences
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		return nil, fmt.Errorf("preferences: %s%w", culprit(raw), plain(err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("preferences: something follows the JSON object")
	}
	if err := checkNames(json.NewDecoder(bytes.NewReader(raw))); err != nil {
		return nil, fmt.Errorf("preferences: %w", err)
	}
	if err := errors.Join(p.Validate(), p.checkPromises()); err != nil {
		return nil, fmt.Errorf("preferences: %w", err)
	}
	return &p.Preferences, nil
}

// culprit is the first key, with a colon, whose value decodes itself and is why preferences cannot be read: its error does
// not know how it is called. Empty when there is none.
func culprit(raw []byte) string {
	var values map[string]json.RawMessage
	if json.Unmarshal(raw, &values) != nil {
		return ""
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		var kind *json.UnmarshalTypeError
		one, _ := json.Marshal(map[string]json.RawMessage{key: values[key]})
		if err := json.Unmarshal(one, &foreignPreferences{}); err != nil && !errors.As(err, &kind) {
			return key + ": "
		}
	}
	return ""
}

// checkNames refuses a name that an object has twice, of which encoding/json takes the last, and one that is not in lower
// case, about which it is not strict.
func checkNames(d *json.Decoder) error {
	token, err := d.Token()
	delim, nested := token.(json.Delim)
	if err != nil || !nested {
		return err
	}
	seen := map[string]bool{}
	for d.More() {
		if delim == '{' {
			token, _ := d.Token() // what has been decoded before is JSON
			name, _ := token.(string)
			switch {
			case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
				return unknownKey(name)
			case seen[name]:
				return fmt.Errorf("%s is given twice", name)
			}
			seen[name] = true
		}
		if err := checkNames(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// foreignPreferences are preferences with the keys of OpenRouter that ask for promises which nobody here could keep.
type foreignPreferences struct {
	Preferences
	DataCollection         string `json:"data_collection"`
	ZeroRetention          bool   `json:"zdr"`
	EnforceDistillableText bool   `json:"enforce_distillable_text"`
}

// checkPromises refuses what asks for a promise. The values that ask for none, which some tools always send, are fine.
func (p *foreignPreferences) checkPromises() error {
	switch {
	case p.DataCollection != "" && p.DataCollection != "allow":
		return errors.New(`data_collection: what an exit keeps cannot be known; only "allow" is possible`)
	case p.ZeroRetention:
		return errors.New("zdr: what an exit keeps cannot be known")
	case p.EnforceDistillableText:
		return errors.New("enforce_distillable_text: exits do not say what their models' terms are")
	}
	return nil
}

// UnmarshalJSON reads a measure, or an object of it and of what it partitions, which is always the model.
func (s *Sort) UnmarshalJSON(raw []byte) error {
	var word string
	if json.Unmarshal(raw, &word) == nil {
		*s = Sort(word)
		return nil
	}
	var object struct {
		By        string `json:"by"`
		Partition string `json:"partition"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&object); err != nil {
		return fmt.Errorf("want a word, or an object of by and partition: %w", plain(err))
	}
	if object.Partition != "" && object.Partition != "model" {
		return errors.New("partition: only model is possible, so that all exits of the first model come before those of the second")
	}
	*s = Sort(object.By)
	return nil
}

// UnmarshalYAML reads preferences from a YAML mapping with the same keys and strictness, for the decoders that call a
// method of this form.
func (p *Preferences) UnmarshalYAML(unmarshal func(any) error) error {
	var value any
	if err := unmarshal(&value); err != nil {
		return err
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return errors.New("preferences: a key is no text, or a number is infinite or none")
	}
	parsed, err := ParsePreferences(raw)
	if err != nil {
		return err
	}
	*p = *parsed
	return nil
}

// plain says what is wrong with JSON in words that do not speak of Go.
func plain(err error) error {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		field := strings.TrimPrefix(kind.Field, "Preferences.") // that they are in another struct is nobody's concern
		if field != "" {
			field += ": "
		}
		return fmt.Errorf("%sa JSON %s does not fit", field, kind.Value)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name, _ := strconv.Unquote(strings.TrimPrefix(err.Error(), "json: unknown field "))
		return unknownKey(name)
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

func unknownKey(name string) error {
	return fmt.Errorf("unknown key %q", service.Printable(name, maxKeyRunes))
}

// maxKeyRunes is how much of an unknown key an error repeats.
const maxKeyRunes = 40

// UnmarshalJSON reads a number or a decimal string.
func (p *Price) UnmarshalJSON(raw []byte) error {
	text := string(raw)
	if len(raw) > 0 && raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return errors.New("a price is not a string")
		}
	}
	amount, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.ContainsAny(text, "xX") {
		return errors.New("a price is neither a number nor a decimal string")
	}
	*p = Price(amount)
	return nil
}

// ParseMaxPrice reads bounds of prices from one line, as on the command line and in a header field: an amount, which
// bounds prompt and completion each, or a list of names and amounts, "prompt=1,completion=5,request=0.01,image=0.02".
// Amounts are decimal numbers. Errors name the part by its place or name.
func ParseMaxPrice(s string) (*MaxPrice, error) {
	if amount, err := parseAmount(s); err == nil {
		completion := amount
		return &MaxPrice{Prompt: &amount, Completion: &completion}, nil
	}
	var m MaxPrice
	into := [...]**Price{&m.Prompt, &m.Completion, &m.Request, &m.Image} // as in priceNames
	for i, part := range strings.Split(s, ",") {
		name, text, _ := strings.Cut(part, "=")
		at := slices.Index(priceNames[:], strings.TrimSpace(name))
		if at < 0 {
			return nil, fmt.Errorf("part %d of the price: want one amount, or a list like prompt=1,completion=5 of %s",
				i+1, strings.Join(priceNames[:], ", "))
		}
		amount, err := parseAmount(text)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", priceNames[at], err)
		case *into[at] != nil:
			return nil, fmt.Errorf("%s is given twice", priceNames[at])
		}
		*into[at] = &amount
	}
	return &m, nil
}

// parseAmount reads a decimal number without sign or exponent.
func parseAmount(s string) (Price, error) {
	s = strings.TrimSpace(s)
	amount, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.Trim(s, "0123456789.") != "" || amount >= maxPrice {
		return 0, fmt.Errorf("want a decimal amount from 0 to below %g", float64(maxPrice))
	}
	return Price(amount), nil
}

// UnmarshalJSON reads a number, which is P50, or an object of percentiles.
func (p *Percentiles) UnmarshalJSON(raw []byte) error {
	var number float64
	if err := json.Unmarshal(raw, &number); err == nil {
		*p = Percentiles{P50: number}
		return nil
	}
	type object Percentiles // without this method
	var o object
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&o); err != nil {
		return fmt.Errorf("want a number or an object of p50, p75, p90, p99: %w", plain(err))
	}
	*p = Percentiles(o)
	return nil
}
