// Package invariant checks what messages promise about themselves: that a trailer counts its records, that debits are
// credits, that a code is written as a rule from outside demands it.
//
// A promise is an expression of the Common Expression Language (CEL, https://cel.dev) that is true while it holds:
//
//	number(trailer.count) == count(of(records, 'detail'))
//
// It sees one message:
//
//	body       the decoded body: objects, lists, texts, numbers
//	records    the body when it is a list, otherwise an empty list
//	header     the first record, trailer the last one; empty without records
//	facts      how the body is written, by name, such as facts['line ends']; facts.totals lists the control totals of
//	           a layout that do not hold, and is missing when all do
//	head       the head of the message by lower-case name, the first value of each
//	operation  such as "registrations.csv"
//	length     bytes of the body
//
// Numbers are exact decimals. A text becomes one by number; comparing a text with a number is an error, not false. Beside
// the standard functions of CEL there are
//
//	number(x)         x as a decimal; blank text is 0
//	sum(list)         the sum of numbers, or of texts that are numbers
//	count(list)       how many there are
//	digits(x, n)      the last n digits of a whole number
//	entryHash(list)   the sum of routing numbers without check digit, of which ten digits count (Nacha)
//	of(records, type) the records whose member record is the type, which layouts of fixed width give
//	text(x)           x as people read it: numbers with commas between thousands
//	cell(record, n)   the n-th member of a record, from 1, whatever its name
//
// The cost of an expression is bounded: one that looks at every pair of records of a large file is stopped and reported.
// The control totals of layouts are not computed here, they come with the decoded body; [ReadyMade] names them, and other
// promises that many have in common.
//
// Memory: one decoded body at a time. Safe for concurrent use.
package invariant
