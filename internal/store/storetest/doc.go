// Package storetest is the suite that every store passes: each promise in the
// comments of package store is a subtest here. Two handles on one database
// stand for two replicas.
package storetest
