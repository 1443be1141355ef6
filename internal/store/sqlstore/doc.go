// Package sqlstore keeps the store in an SQL database. SQLite is the engine so
// far. The queries are written so that PostgreSQL can run them too ($1
// placeholders, ON CONFLICT, RETURNING, integer times, JSON as text); what
// differs between engines stands in the dialect.
//
//	sqlite.go      opens SQLite: pragmas, file modes, the one writer
//	dialect.go     what engines differ in
//	migrate.go     numbered SQL migrations, one folder per engine
//	masterkey.go   refuses a master key other than the one that sealed the rows
//	lock.go        one serving process per SQLite file
//	tx.go          statements, times, error mapping
//	the rest       one file per noun of the contract
//
// Writes go through one connection that begins IMMEDIATE; reads through a pool
// of connections that cannot write. The journal is a WAL with synchronous=FULL:
// a committed transaction survives the loss of power.
package sqlstore
