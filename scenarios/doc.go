// Package scenarios reads and checks the YAML files of a workspace: rehearse.yaml, the catalogue, scenarios and
// expect files.
//
// Files are written by people and come with pull requests, so they are read strictly and as untrusted input. A key
// that is not known is an error with a suggestion, never ignored: a rule that silently does nothing would pass a
// difference. All problems of a file are reported at once, each as
//
//	scenarios/preview.yaml:4:1: unknown key "recroding" in scenario; did you mean "recording"?
//
// # Form
//
// UTF-8 with or without byte order mark, one document, at most 1 MiB, 64 levels deep, 150,000 tokens, 1,000 keys in
// one mapping. Anchors, aliases, merge keys, tags, directives and ? keys are refused: they make a file mean something
// else than it shows, and are the usual way to blow up a reader. A number or boolean where text is wanted stays the
// text that was written: version: 9.30 is "9.30".
//
// # Variables
//
// In values, never in keys: ${VAR}, ${VAR:-default} (unset or empty), ${VAR:?message} (unset or empty is an error
// with that message), and $$ for a dollar sign. A variable that is not set and has no default is an error. Defaults
// do not nest, and what a variable holds is not expanded again.
//
// # Memory
//
// One file is held at a time, with its syntax tree: less than 100 MB for the largest that is accepted.
package scenarios
