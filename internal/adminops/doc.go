// Package adminops is a client of the Admin Ops API of Ceph's RADOS Gateway:
// users, their keys and quotas, their buckets. Requests are signed with the key
// of a Ceph user that has the capabilities for it.
//
// The calls are those of the Ceph documentation, "Admin Operations"; what a real
// radosgw does beyond it was measured, and each such thing is said where it
// counts. No error repeats an answer's text: answers carry secrets.
package adminops
