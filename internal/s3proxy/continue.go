package s3proxy

import (
	"net/http"

	"keystile/internal/http1"
)

// continueEmpty answers "Expect: 100-continue" of a request whose body is empty.
// RFC 9110, section 10.1.1, lets a server leave that out, and net/http does. But
// botocore, told the final status at once, takes it for that of the next request
// on the connection too, whose own answer it then never finds the end of.
func continueEmpty(w http.ResponseWriter, r *http.Request) {
	empty := r.ContentLength == 0 && len(r.TransferEncoding) == 0
	if empty && r.ProtoAtLeast(1, 1) && r.Header.Get("Expect") != "" && http1.Refused(r) == nil {
		w.WriteHeader(http.StatusContinue)
	}
}
