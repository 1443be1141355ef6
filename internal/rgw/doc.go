// Package rgw is where RGW users live: at a Ceph, of which it calls the Admin
// Ops API, or at the gateway, which keeps them itself on any other backend. What
// is done with their buckets and objects goes over S3, signed with a user's own
// key at a Ceph and with the gateway's everywhere else.
package rgw
