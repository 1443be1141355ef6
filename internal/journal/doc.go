// Package journal is an append-only file of records, each chained to the one
// before by its hash. A record is durable when Append returns. After a crash
// Open finds every record that was acknowledged, and removes a torn tail.
//
// The records are bytes to this package. docs/reference/audit-journal.md
// describes the files so that a reader can be written in any language.
package journal
