// Package seal keeps secrets unreadable at rest. A Keyring seals with
// AES-256-GCM and binds each blob to the table, row and field it is stored in,
// so that a blob that was moved elsewhere does not open.
//
// A blob is
//
//	version (1 byte) | key id (8) | nonce (12) | ciphertext and tag (n + 16)
//
// The key id tells which key of the ring opens it, so that a new key can be
// brought in while rows sealed with the old one are still there. Nonces are
// random (NIST SP 800-38D, 8.2.2): one key is good for 2^32 blobs, far above
// what a store of credentials ever seals.
package seal
