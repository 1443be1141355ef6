// Command bench measures what the gateway costs beyond a plain relay: the CPU
// time of its process for each small request and for each GiB of a large one.
//
// One run interleaves nginx, a bare httputil.ReverseProxy and the gateway with
// its default settings, all before the same upstream, which serves from memory.
// Only the ratios between them carry over to other machines: a shared machine
// changes its speed from minute to minute, but for all three alike.
//
//	bench run       measure, print a table, fail if a bound is broken
//	bench upstream  the upstream (started by run)
//	bench relay     the ReverseProxy (started by run)
package main
