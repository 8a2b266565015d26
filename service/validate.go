// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of a description. A client holds thousands of them in memory, and shows them.
const (
	// MaxLifetime is the longest time for which one description may be used: keys older than that should have rotated.
	MaxLifetime = 31 * 24 * time.Hour
	// MaxModels is the most models in one description.
	MaxModels = 1000

	maxText      = 256       // bytes of any one string
	maxProtocols = 16        // a few times those that exist
	maxWords     = 32        // aliases, modalities or features of one model
	maxBetas     = 64        // betas of one description
	maxTags      = 64        // tags of one description
	maxSequence  = 1<<53 - 1 // the integers that every JSON parser reads alike (RFC 8259, section 6)
	maxTTFT      = 24 * 60 * 60 * 1000
)

// isDecimal reports whether s is 0 or up to nine digits that do not begin with it, alone or with a point and one to nine
// more.
func isDecimal(s string) bool {
	const most = 9
	whole, part, pointed := strings.Cut(s, ".")
	return isDigits(whole, most) && (whole == "0" || whole[0] != '0') && (!pointed || isDigits(part, most))
}

// isDigits reports whether s is one to so many digits.
func isDigits(s string, most int) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) <= most
}

// isCurrency reports whether s is three to ten upper-case letters and digits, a letter first.
func isCurrency(s string) bool {
	for i := range len(s) {
		if (s[i] < 'A' || s[i] > 'Z') && (i == 0 || s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return len(s) >= 3 && len(s) <= 10
}

// validate checks every bound. Its errors name fields and positions, never values.
func (in *Info) validate() error {
	if in.Version != Version {
		return fmt.Errorf("version: want %d", Version)
	}
	if _, err := in.Identity.PublicKey(); err != nil {
		return err
	}
	if err := checkText("operator", in.Operator); err != nil {
		return err
	}
	if in.Sequence < 0 || in.Sequence > maxSequence {
		return errors.New("sequence: outside 0 to 2^53-1")
	}
	if _, err := ParseTier(string(in.Tier)); err != nil {
		return err
	}
	return firstError(in.validateTimes, in.validateProtocols, in.validateModels, in.SLA.validate,
		in.Capacity.validate, in.validateBetas, in.validateTags)
}

func (in *Info) validateTimes() error {
	switch {
	case in.NotBefore.IsZero() || in.Expires.IsZero():
		return errors.New("not_before and expires: want both")
	case !in.NotBefore.Before(in.Expires):
		return errors.New("expires: not after not_before")
	case in.Expires.Sub(in.NotBefore) > MaxLifetime:
		return fmt.Errorf("expires: more than %d hours after not_before", MaxLifetime/time.Hour)
	}
	return nil
}

func (in *Info) validateProtocols() error {
	if n := len(in.Protocols); n < 1 || n > maxProtocols {
		return fmt.Errorf("protocols: %d of them, want 1 to %d", n, maxProtocols)
	}
	for i, p := range in.Protocols {
		if err := checkName("name", string(p)); err != nil {
			return fmt.Errorf("protocols[%d]: %w", i, err)
		}
		if slices.Contains(in.Protocols[:i], p) {
			return fmt.Errorf("protocols[%d]: listed before", i)
		}
	}
	return nil
}

func (in *Info) validateModels() error {
	if len(in.Models) > MaxModels {
		return fmt.Errorf("models: %d of them, over the limit of %d", len(in.Models), MaxModels)
	}
	type key struct {
		protocol Protocol
		id       string
	}
	seen := make(map[key]bool, len(in.Models))
	for i := range in.Models {
		m := &in.Models[i]
		if err := m.validate(); err != nil {
			return fmt.Errorf("models[%d]: %w", i, err)
		}
		if !in.Speaks(m.Protocol) {
			return fmt.Errorf("models[%d]: protocol: not among the description's protocols", i)
		}
		k := key{m.Protocol, m.ID}
		if seen[k] {
			return fmt.Errorf("models[%d]: id: listed before for the same protocol", i)
		}
		seen[k] = true
	}
	return nil
}

func (m *Model) validate() error {
	if err := checkName("id", m.ID); err != nil {
		return err
	}
	if err := checkWords("aliases", m.Aliases); err != nil {
		return err
	}
	if err := checkCount("max_ctx", m.MaxCtx, math.MaxInt32); err != nil {
		return err
	}
	if err := checkCount("max_output", m.MaxOutput, math.MaxInt32); err != nil {
		return err
	}
	if err := checkWords("modalities", m.Modalities); err != nil {
		return err
	}
	if err := checkWords("features", m.Features); err != nil {
		return err
	}
	if err := checkText("quantization", m.Quantization); err != nil {
		return err
	}
	return m.Pricing.validate()
}

func (p *Pricing) validate() error {
	if p == nil {
		return nil
	}
	for i, a := range [...]Decimal{p.InputPer1M, p.OutputPer1M, p.CachedInputPer1M, p.PerRequest, p.PerImage} {
		if i >= 2 && a == "" { // only the first two must be there
			continue
		}
		if _, err := ParseDecimal(string(a)); err != nil {
			return fmt.Errorf("pricing: %w", err)
		}
	}
	if !isCurrency(p.Currency) {
		return errors.New("pricing: currency: want 3 to 10 upper-case letters and digits")
	}
	return nil
}

func (s *SLA) validate() error {
	if s == nil {
		return nil
	}
	if err := checkCount("sla: max_ttft_ms", s.MaxTTFTMillis, maxTTFT); err != nil {
		return err
	}
	if err := checkCount("sla: max_concurrency", s.MaxConcurrency, math.MaxInt32); err != nil {
		return err
	}
	if s.MinTokensPerSecond < 0 {
		return errors.New("sla: min_tokens_per_s: negative")
	}
	if s.Uptime < 0 || s.Uptime > 1 {
		return errors.New("sla: uptime: outside 0 to 1")
	}
	return nil
}

func (c *Capacity) validate() error {
	if c == nil {
		return nil
	}
	if err := checkText("capacity: gpu", c.GPU); err != nil {
		return err
	}
	if err := checkText("capacity: region", c.Region); err != nil {
		return err
	}
	return checkCount("capacity: count", c.Count, math.MaxInt32)
}

func (in *Info) validateBetas() error {
	if len(in.Betas) > maxBetas {
		return fmt.Errorf("betas: %d of them, over the limit of %d", len(in.Betas), maxBetas)
	}
	for i, b := range in.Betas {
		if err := checkName(fmt.Sprintf("betas[%d]", i), b); err != nil {
			return err
		}
		if slices.Contains(in.Betas[:i], b) {
			return fmt.Errorf("betas[%d]: listed before", i)
		}
	}
	return nil
}

func (in *Info) validateTags() error {
	if len(in.Tags) > maxTags {
		return fmt.Errorf("tags: %d of them, over the limit of %d", len(in.Tags), maxTags)
	}
	for k, v := range in.Tags {
		if err := checkName("tags: a key", k); err != nil {
			return err
		}
		if err := checkText("tags: a value", v); err != nil {
			return err
		}
	}
	return nil
}

func checkWords(field string, words []string) error {
	if len(words) > maxWords {
		return fmt.Errorf("%s: %d of them, over the limit of %d", field, len(words), maxWords)
	}
	for _, w := range words {
		if err := checkName(field, w); err != nil {
			return err
		}
	}
	return nil
}

func checkCount(field string, n, most int) error {
	if n < 0 || n > most {
		return fmt.Errorf("%s: outside 0 to %d", field, most)
	}
	return nil
}

func checkName(field, s string) error {
	if s == "" {
		return fmt.Errorf("%s: empty", field)
	}
	return checkText(field, s)
}

// checkText refuses U+FFFD too: it is what a JSON parser leaves where the text was not valid.
func checkText(field, s string) error {
	if len(s) > maxText {
		return fmt.Errorf("%s: %d bytes, over the limit of %d", field, len(s), maxText)
	}
	for _, r := range s {
		if r >= ' ' && r < unicode.MaxASCII { // most are
			continue
		}
		if unicode.IsControl(r) || r == utf8.RuneError {
			return fmt.Errorf("%s: control character or invalid text", field)
		}
	}
	return nil
}

func firstError(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}
