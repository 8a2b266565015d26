// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"fmt"
	"strings"
)

// CheckOperator reports whether s may be the name of who runs an exit or a relay: at most 256 bytes of valid UTF-8
// without control characters. Empty means that it is not told. Every error is an ErrInvalid.
func CheckOperator(s string) error {
	if err := checkText("operator", s); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// SameOperator reports whether two names are of one operator: they differ in upper and lower case and in white space
// around them at most. Names that are not told are nobody's. A name is the word of whoever gives it.
func SameOperator(a, b string) bool {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	return a != "" && strings.EqualFold(a, b)
}
