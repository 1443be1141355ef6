// Package embedded runs an S3 server as a child process of Keystile's own
// binary, so that a newcomer needs no storage of his own.
//
// The server is versitygw used as a library. Its file backend changes the
// working directory of the whole process, which is why it gets a process to
// itself: [Serve] is the child's side, [Start] the parent's. They meet on a unix
// socket in a directory only its owner may enter, and on the child's standard
// input: its first line carries the settings and the secret (neither arguments
// nor environment ever do), its end tells the child to stop.
//
//	parent                                    child
//	Start  -> lock, directories, socket dir
//	       -> spawn  -- settings on stdin -->  Serve -> versitygw on the socket
//	Dial   ------------- HTTP/1.1 --------->
//	Stop   -------- stdin closes ---------->  drain, exit
//
// A child that dies is started anew on the same socket with the same key.
package embedded
