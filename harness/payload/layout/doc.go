// Package layout reads descriptions of fixed-width files, and picks the record type of a line.
//
// A layout is a YAML file:
//
//	layout: HLU-GL-132             # its name
//	summary: general ledger feed   # one line for people
//	encoding: utf-8                # utf-8 (default), latin-1, windows-1252, or EBCDIC: cp037, cp1047, cp1140
//	length: 132                    # bytes of a record
//	line_ends: any                 # any, or none: records stand back to back, as in EBCDIC they always do
//	match: ["*.gl"]                # patterns of file names, as path.Match knows them
//	records:                       # the first that fits a line gives its type; the first of all opens the file
//	  - type: detail
//	    when: {at: 1, is: [D]}     # the bytes at column 1; without when every line fits
//	    fields:
//	      - {name: amount, at: 94, length: 13, type: amount, decimals: 2}
//	totals:                        # what a trailer promises
//	  - {record: trailer, field: count, counts: [detail]}
//	  - {record: trailer, field: debits, sums: [detail.amount], where: {field: dc, is: [D]}}
//
// Columns count from 1, in bytes. Types of fields:
//
//	text    words, padded with blanks on the right; align: right pads on the left
//	number  digits, padded with zeros on the left; the text has no zeros in front
//	amount  digits with an implied decimal point: 0000000412550 with two decimals is 4125.50
//	date    digits without padding, in the order that format names
//	filler  what should be blank
//	packed  packed decimal, COMP-3: two digits a byte, the last half byte is the sign
//	zoned   digits of which the last one carries the sign, an overpunch: 12{ is 120, 12} is -120
//	binary  a whole number of one to eight bytes, COMP: the highest byte first, negative as two's complement
//
// packed, zoned and binary may have decimals, as an amount has. What is no such number, but blanks or zero bytes alone, is
// an empty text; anything else is read as its bytes in hexadecimal digits behind 0x. An EBCDIC layout of a copybook:
//
//	layout: PAYROLL-EXTRACT
//	encoding: cp037
//	length: 41
//	match: ["*.payext"]
//	records:
//	  - type: employee
//	    when: {at: 1, is: [E]}       # in the encoding of the layout
//	    fields:
//	      - {name: emplid, at: 2, length: 5, type: packed}                # PIC S9(9) COMP-3
//	      - {name: name, at: 7, length: 25}                               # PIC X(25)
//	      - {name: salary, at: 32, length: 6, type: packed, decimals: 2}  # PIC S9(9)V99 COMP-3
//	      - {name: balance, at: 38, length: 4, type: zoned, decimals: 2}  # PIC S99V99
//
// pad is another character of padding. times says how often a field stands side by side: it becomes an array. is lists
// what may stand in a field of this layout; a file in which the first record has something else is not of the layout. plain:
// true says that nothing in the field is about a person: a code, a count, an amount, a day of business. A policy of the
// anonymizer that has no rule for such a field keeps it, as it keeps what tells the records apart and fields with is.
//
// Fields may not overlap. What they do not cover is a filler that the reader adds, so that no byte of a record is
// without a name.
package layout
