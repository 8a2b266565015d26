// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/tokengo/tokengo/service"
)

// pricePattern is an amount as services publish it: finer than a description's, because it is of one token.
var pricePattern = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,18})?$`)

// millionDigits is how many places the decimal point moves from a token's price to that of a million.
const millionDigits = 6

// shifted is an amount with its decimal point moved to the right, exactly; false for what is no amount or
// does not fit into a description.
func shifted(amount string, places int) (service.Decimal, bool) {
	if !pricePattern.MatchString(amount) {
		return "", false
	}
	whole, fraction, _ := strings.Cut(amount, ".")
	fraction += strings.Repeat("0", max(0, places-len(fraction)))
	whole, fraction = whole+fraction[:places], fraction[places:]
	whole = strings.TrimLeft(whole, "0")
	fraction = strings.TrimRight(fraction, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	d, err := service.ParseDecimal(whole)
	return d, err == nil
}

// dollars reads prices as OpenRouter publishes them: US dollars in decimal strings, for a token, a request
// and an image. Prices in another form are nobody's; prices in this form of which one is no amount, such as
// the -1 of a model whose price varies, are not ok and left out together.
func dollars(published map[string]json.RawMessage) (p *service.Pricing, ok bool) {
	if published["prompt"] == nil || published["completion"] == nil {
		return nil, true
	}
	p = &service.Pricing{Currency: "USD"}
	for _, price := range []struct {
		name   string
		to     *service.Decimal
		places int
		free   bool // 0 is the same as nothing
	}{
		{"prompt", &p.InputPer1M, millionDigits, false},
		{"completion", &p.OutputPer1M, millionDigits, false},
		{"input_cache_read", &p.CachedInputPer1M, millionDigits, false},
		{"request", &p.PerRequest, 0, true},
		{"image", &p.PerImage, 0, true},
	} {
		raw := published[price.name]
		if raw == nil {
			continue
		}
		var amount string
		if json.Unmarshal(raw, &amount) != nil {
			return nil, false
		}
		if *price.to, ok = shifted(amount, price.places); !ok {
			return nil, false
		}
		if *price.to == "0" && price.free {
			*price.to = ""
		}
	}
	return p, true
}
