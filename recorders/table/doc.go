// Package table records what changes in the rows of database tables: between the start of a recording and its end, and
// in between where it is asked to look now and then.
//
// Each look reads all tables in one read-only transaction of one moment (repeatable read on PostgreSQL and MySQL or
// MariaDB, a read transaction on SQLite). A table in which something changed gives one exchange on the table channel, from
// [Recorder.From] to [Recorder.To], with the pseudo-field :table. Its body is a JSON array of changes, one a line:
//
//	{"change":"inserted","key":{"id":417},"row":{"id":417,"status":"RE"}}
//	{"change":"updated","key":{"id":418},"was":{"id":418,"status":"RE"},"row":{"id":418,"status":"DR"}}
//	{"change":"deleted","key":{"id":419},"was":{"id":419,"status":"RE"}}
//
// Rows that are there now come first, in the order of their key, then those that are gone. With [Recorder.Existing] the
// first look gives all rows, as "existing". The session is look-1, look-2 and so on: what was seen at one moment belongs
// together.
//
// The key is the primary key of the table unless one is named. A table without any is keyed by the whole row and by the
// number of its repetition: a changed row is then one that went and one that came.
//
// # Values
//
// Members stand in the order of the columns. Numbers are written as the database prints them (3.50 stays 3.50), what is
// not a JSON number (NaN) as text; moments are in UTC, in the database's own form; bytes in hexadecimal digits. NULL is
// null.
//
// # Memory
//
// All rows of the tables, as text: at most [Recorder.MaxBytes]. Beyond that the recording ends with an error that names
// the table.
package table
