// Package configs holds the files that come with the program: a catalog of list
// prices, performance profiles, sample policies and scenarios. They are built in,
// so that the program shows what it does without a checkout, and they are the
// commented examples from which one's own are made.
package configs

import "embed"

// Files holds every YAML file of this folder under its path in it, such as
// policy.yaml or scenarios/five-languages.yaml.
//
//go:embed *.yaml scenarios/*.yaml
var Files embed.FS
