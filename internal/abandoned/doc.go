// Package abandoned ends uploads in parts that a quota refused and that nobody went
// on with: their parts would take up what little room there is.
//
// An upload is refused when a part of it, or its completion, did not fit below a cap.
// It goes on if what was refused is stored after all, and is over when it is completed
// or aborted. If neither comes to pass and nobody writes to it for a while, it is
// aborted at its backend, in order with what else changes it, and audited. What is to
// be aborted is kept in the store: a restart forgets none of it.
//
//	keeper.go  what is known of uploads, and what requests tell of them
//	keep.go    the same in the store
//	abort.go   the end of those that are due
package abandoned
