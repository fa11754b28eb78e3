// Package payload turns bytes into a tree that keeps the lexical form, and writes the tree back byte for byte.
//
// A parsed document is a flat tape of nodes over the source bytes: each node knows the span of its value and of its
// name. Nothing is copied or normalised: a number keeps its digits, a string its escapes, a table its line ends. Text
// is decoded only when it is asked for. [Doc.Rewrite] puts new texts into the spans of scalars and leaves every other
// byte alone, so that a document without edits is written exactly as it was read.
//
// Memory: a document holds its source and 28 bytes for each node. Usual sources have a node for every 8 bytes or more;
// a hostile one, such as a table of nothing but delimiters, has one for each byte. A source is at most 1 GiB, nesting
// at most MaxDepth levels.
//
// A table (CSV) is an array of objects whose member names are the cells of the header row, so that one comparison and
// one anonymizer serve every format. What has no place in the tree (byte order mark, line ends, quoting, blank lines)
// is a [Fact].
//
// A format is one file and one row in [Formats].
package payload
