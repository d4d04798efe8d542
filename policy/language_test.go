package policy

import "testing"

func TestLanguageTagsFollowTheGrammarOfBCP47(t *testing.T) {
	// From RFC 5646, appendix A, and slips of the finger.
	for _, tag := range []string{
		"de", "fr", "no", "zh-Hant", "zh-cmn-Hans-CN", "sr-Latn-RS", "sl-rozaj-biske", "de-CH-1901", "es-419", "pt-BR",
		"hy-Latn-IT-arevela", "de-CH-x-phonebk", "x-whatever", "en-US-u-islamcal", "zh-CN-a-myext-x-private", "de-DE-u-co-phonebk",
	} {
		if !wellFormed(tag) {
			t.Errorf("%q is refused", tag)
		}
	}
	for _, tag := range []string{
		"", "f", "fr_FR", "fr-", "-fr", "de-419-DE", "a-DE", "fr-u", "fr-x", "x", "419", "fr--FR", "deutschland", "no bokmål", "fr-FR-FR",
	} {
		if wellFormed(tag) {
			t.Errorf("%q is accepted", tag)
		}
	}
}
