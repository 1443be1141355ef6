// Package quota keeps what is stored in buckets within their caps.
//
// Each counted bucket has a book. A write reserves its full size in it before
// anything goes to the backend, and ends in one of three ways: stored, and the
// size is used; not carried out, and it is free again; or unknown, and it counts
// until the bucket has been counted anew. What is overwritten or deleted is
// credited once, because changes of one place (a key, or a part of an upload) are
// put in order from the moment they can take effect; a change that could not be
// put in order credits nothing before the next count.
//
// A book answers from memory. The store holds a bound that memory never passes:
// what was used when it was last written, and a lease beyond that. A process that
// dies leaves the whole lease counted, so nothing is lost in the permissive
// direction. Far from a cap leases are large, and a write asks nobody.
//
//	ledger.go   all books, and what keeps them in step with the store
//	book.go     one bucket: reserve, used, unknown
//	group.go    the buckets of one owner, which have a cap together
//	allowance.go  what one credential may write in a day or in all
//	trail.go    what the audit trail tells was spent of allowances
//	durable.go  the bound in the store
//	hold.go     one write on its way, and how it ends
//	grow.go     a write whose size is learnt as it comes in
//	order.go    changes of one place, one after the other
//	recall.go   what is counted for single keys, so that the backend need not be asked
//	doubt.go    what lost writes have left, asked for at the backend
//	scan.go     a count of the bucket, merged with what changes meanwhile
//	uploads.go  a count of the parts of uploads alone
//	resume.go   a count that goes on after a restart
//	scanrun.go  which buckets are counted, and when
package quota
