// Package strictyaml is the one place where the files people write for
// Tessera (FleetPolicy, Catalog, Profiles, Scenario, pack input, run
// configuration) become Go values. JSON is YAML, so both are read alike.
//
// It is strict where YAML is forgiving: an unknown key, a key given twice, a
// number where text is meant (money, versions), a boolean where text is meant
// (the language tag no), a bare number where a duration is meant, and every
// anchor, alias, merge key, tag and second document is a [Complaint] with line,
// column, path, the source line with a caret, and a hint that says how to mend
// it. All complaints of a file are collected before any is reported.
//
// The usual course is:
//
//	doc := strictyaml.Parse("fleet.yaml", data)
//	if _, ok := doc.Expect("tessera/v1alpha1", "FleetPolicy"); ok {
//		doc.Decode(&policy)       // into a struct that already holds the defaults
//		checkMeaning(doc, policy) // doc.Complain("spec.models[0].class", ...)
//	}
//	return policy, doc.Err()
//
// Input is bounded: bytes by [MaxBytes], values by [MaxNodes] and
// [MaxKeys], nesting by [MaxDepth]. No input makes the package panic; a Go type it cannot decode
// into is a mistake of the program and does.
package strictyaml

const (
	// MaxBytes is the size of the largest file that is read.
	MaxBytes = 1 << 20
	// MaxNodes is the number of mappings, lists and scalars (keys not counted)
	// one file may hold.
	MaxNodes = 100_000
	// MaxKeys is the number of keys one mapping may hold.
	MaxKeys = 10_000
	// MaxDepth is how deep mappings and lists may be nested.
	MaxDepth = 64
	// MaxShown is the number of complaints that [Document.Err] returns; one more
	// then says how many were left out.
	MaxShown = 200
)

const (
	// maxTokens bounds the work of the parser. A value takes at most a key, a
	// colon, itself, a comma, and a share of brackets.
	maxTokens = 4 * MaxNodes
	// maxRefused is the number of anchors, tags and the like beyond which a file
	// is not looked at any further: the parser recurses into each.
	maxRefused = 100
)
