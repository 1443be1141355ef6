package s3test

import (
	"net/http"
	"time"
)

// Fault is one way to misbehave. Faults are given to [Server.Inject]; the
// first that matches a request applies to it.
type Fault struct {
	match func(*http.Request) bool
	once  bool

	delay       time.Duration
	hangUpAfter int64 // -1: not at all
	cutAfter    int64 // -1: not at all
	status      int   // 0: the real answer
	body        string
	early       bool
	silent      bool
	chunked     bool
}

// Delay reads the request, then waits before it is carried out and answered.
// The wait ends early with the client's connection or the test.
func Delay(d time.Duration) Fault { return Fault{delay: d, hangUpAfter: -1, cutAfter: -1} }

// HangUpAfter closes the connection without an answer after n bytes of the
// request body were read, or at its end if it is shorter. Nothing is stored.
func HangUpAfter(n int64) Fault { return Fault{hangUpAfter: n, cutAfter: -1} }

// CutAnswerAfter carries the request out, sends the whole head of the answer
// and n bytes of its body, and closes the connection.
func CutAnswerAfter(n int64) Fault { return Fault{hangUpAfter: -1, cutAfter: n} }

// NoAnswer carries the request out, and closes the connection without an answer.
func NoAnswer() Fault { return Fault{hangUpAfter: -1, cutAfter: 0, silent: true} }

// Answer reads the request and answers with status and body, doing nothing.
func Answer(status int, body string) Fault {
	return Fault{hangUpAfter: -1, cutAfter: -1, status: status, body: body}
}

// AnswerEarly is like Answer, but does not read the request's body.
func AnswerEarly(status int, body string) Fault {
	f := Answer(status, body)
	f.early = true
	return f
}

// InChunks makes an answer that does not say how long its body is.
func (f Fault) InChunks() Fault {
	f.chunked = true
	return f
}

// When limits the fault to requests for which match returns true.
func (f Fault) When(match func(*http.Request) bool) Fault {
	f.match = match
	return f
}

// Once limits the fault to one request.
func (f Fault) Once() Fault {
	f.once = true
	return f
}

// Inject makes the following requests meet these faults.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.faults = append(s.faults, &f)
	}
}

// ClearFaults returns to good behaviour.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takeFault returns the fault that applies to r, or one that does nothing.
func (s *Server) takeFault(r *http.Request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.match != nil && !f.match(r) {
			continue
		}
		if f.once {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		return *f
	}
	return Fault{hangUpAfter: -1, cutAfter: -1}
}

// cutWriter hangs up after some bytes of the answer's body.
type cutWriter struct {
	http.ResponseWriter
	left    int64
	chunked bool
	silent  bool
}

func (c *cutWriter) WriteHeader(status int) {
	if c.silent {
		panic(http.ErrAbortHandler)
	}
	if c.chunked {
		c.Header().Del("Content-Length")
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if int64(len(p)) <= c.left {
		c.left -= int64(len(p))
		return c.ResponseWriter.Write(p)
	}
	_, _ = c.ResponseWriter.Write(p[:c.left])
	hangUp(c.ResponseWriter)
	return 0, nil
}

// hangUp sends what was written so far and closes the connection.
func hangUp(w http.ResponseWriter) {
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler) // net/http's way to break an answer off
}
